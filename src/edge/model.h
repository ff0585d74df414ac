// What a stack says about distributions, as its resources say it. Filled by resources.cc, judged by configure.cc.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace securebase::stack {
class Catalogue;
}

namespace securebase::edge {

using std::chrono::seconds;

// ---- Policies

enum class Choice { kNone, kWhitelist, kAllExcept, kAll, kAllViewer, kAllViewerAndCloudFront };

struct Items {
  std::set<std::string> items;
};
struct HeadersConfig {
  Choice behavior = Choice::kNone;
  std::optional<Items> headers;
};
struct CookiesConfig {
  Choice behavior = Choice::kNone;
  std::optional<Items> cookies;
};
struct QueryStringsConfig {
  Choice behavior = Choice::kNone;
  std::optional<Items> query_strings;
};

struct KeyParameters {
  bool gzip = false;
  bool brotli = false;
  HeadersConfig headers;
  CookiesConfig cookies;
  QueryStringsConfig query_strings;
};
struct CachePolicy {
  std::string name;
  std::string comment;
  seconds min_ttl{0};
  seconds default_ttl{86'400};
  seconds max_ttl{31'536'000};
  KeyParameters parameters;
};

struct OriginRequestPolicy {
  std::string name;
  std::string comment;
  HeadersConfig headers;
  CookiesConfig cookies;
  QueryStringsConfig query_strings;
};

struct CorsConfig {
  bool credentials = false;
  bool origin_override = false;
  std::optional<std::int64_t> max_age;
  Items allow_headers;
  Items allow_methods;
  Items allow_origins;
  std::optional<Items> expose_headers;
};
struct CustomHeader {
  std::string header;
  std::string value;
  bool override_origin = false;
};
struct CustomHeaders {
  std::vector<CustomHeader> items;
};
struct RemovedHeader {
  std::string header;
};
struct RemovedHeaders {
  std::vector<RemovedHeader> items;
};
struct ContentSecurityPolicy {
  std::string policy;
  bool override_origin = false;
};
struct ContentTypeOptions {
  bool override_origin = false;
};
struct FrameOptions {
  std::string option;
  bool override_origin = false;
};
struct ReferrerPolicy {
  std::string policy;
  bool override_origin = false;
};
struct StrictTransportSecurity {
  std::int64_t max_age = 0;
  bool include_subdomains = false;
  bool preload = false;
  bool override_origin = false;
};
struct XssProtection {
  bool mode_block = false;
  bool protection = false;
  std::string report_uri;
  bool override_origin = false;
};
struct SecurityHeaders {
  std::optional<ContentSecurityPolicy> content_security_policy;
  std::optional<ContentTypeOptions> content_type_options;
  std::optional<FrameOptions> frame_options;
  std::optional<ReferrerPolicy> referrer_policy;
  std::optional<StrictTransportSecurity> strict_transport_security;
  std::optional<XssProtection> xss_protection;
};
struct ResponseHeadersPolicy {
  std::string name;
  std::string comment;
  std::optional<CorsConfig> cors;
  std::optional<CustomHeaders> custom;
  std::optional<RemovedHeaders> removed;
  std::optional<SecurityHeaders> security;
};

// ---- Distributions

struct OriginHeader {
  std::string name;
  std::string value;
};
enum class OriginProtocol { kHttpOnly, kHttpsOnly, kMatchViewer };
struct CustomOrigin {
  std::int64_t http_port = 80;
  std::int64_t https_port = 443;
  OriginProtocol protocol = OriginProtocol::kHttpOnly;
  std::set<std::string> ssl_protocols;
  seconds read_timeout{30};
  seconds keepalive_timeout{5};
};
struct S3Origin {
  std::string access_identity;
};
struct VpcOrigin {
  std::string id;
};
struct OriginBlock {
  std::string id;
  std::string domain_name;
  std::string path;
  std::string access_control_id;
  std::int64_t connection_attempts = 3;
  seconds connection_timeout{10};
  std::vector<OriginHeader> headers;
  std::optional<CustomOrigin> custom;
  std::optional<S3Origin> s3;
  std::optional<VpcOrigin> vpc;
};

struct ForwardedCookies {
  Choice forward = Choice::kNone;
  std::set<std::string> names;
};
struct ForwardedValues {
  bool query_string = false;
  std::vector<std::string> query_string_cache_keys;
  std::set<std::string> headers;
  ForwardedCookies cookies;
};
enum class ViewerProtocol { kAllowAll, kHttpsOnly, kRedirectToHttps };
struct BehaviourBlock {
  std::string path_pattern;  // "" for the default one
  std::string target_origin_id;
  ViewerProtocol viewer_protocol = ViewerProtocol::kAllowAll;
  std::set<std::string> allowed_methods;
  std::set<std::string> cached_methods;
  bool compress = false;
  std::optional<seconds> min_ttl;
  std::optional<seconds> default_ttl;
  std::optional<seconds> max_ttl;
  std::string cache_policy_id;
  std::string origin_request_policy_id;
  std::string response_headers_policy_id;
  std::vector<std::string> trusted_key_groups;
  std::vector<std::string> trusted_signers;
  std::optional<ForwardedValues> forwarded;
};
struct ErrorResponse {
  std::int64_t error_code = 0;
  std::optional<std::int64_t> response_code;
  std::string page_path;
  std::optional<seconds> caching_min_ttl;
};
struct CacheTagConfig {
  std::string header_name = "Cache-Tag";
};
struct DistributionResource {
  bool enabled = true;
  std::string comment;
  std::string default_root_object;
  std::set<std::string> aliases;
  std::vector<OriginBlock> origins;
  BehaviourBlock default_behaviour;
  std::vector<BehaviourBlock> ordered;
  std::vector<ErrorResponse> errors;
  std::optional<CacheTagConfig> cache_tag;
  std::map<std::string, std::string> tags;
};

// ---- Ids, the same in every run

enum class PolicyKind { kCache, kOriginRequest, kResponseHeaders };
// AWS's id for a managed policy, else one that follows from the name: names are unique in an account.
std::string policy_id(PolicyKind kind, std::string_view name);

// AWS's managed policies by id; null: there is none (CloudFront developer guide, "Use managed ... policies").
const CachePolicy* managed_cache_policy(std::string_view id);
const OriginRequestPolicy* managed_origin_request_policy(std::string_view id);
const ResponseHeadersPolicy* managed_response_headers_policy(std::string_view id);
bool is_managed_name(PolicyKind kind, std::string_view name);

// "d111111abcdef8.cloudfront.net": follows from the distribution's id.
std::string distribution_domain(std::string_view id);

}  // namespace securebase::edge
