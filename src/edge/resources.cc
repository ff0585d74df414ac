// CloudFront's Terraform resources: distributions, policies, access controls, and the data sources of the same names.
#include <fmt/format.h>

#include "base/encoding.h"
#include "base/hash.h"
#include "edge/edge.h"
#include "edge/model.h"
#include "stack/declare.h"

namespace securebase::edge {

namespace {

using std::chrono_literals::operator""s;
using stack::any;
using stack::at_least;
using stack::between;
using stack::Context;
using stack::one_of;

// Where all distributions' names are kept by Route 53.
constexpr const char* kHostedZone = "Z2FDTNDATAQYW2";
constexpr const char* kEmpties = "empties what the behaviour has stored";

std::string id_of(const Context& context) { return "E" + context.id(13).substr(0, 13); }
std::string distribution_id(const Context& context) {
  return context.pinned_id.empty() ? id_of(context) : context.pinned_id;
}
// What changes whenever the resource does.
std::string etag_of(std::string_view id) {
  return "E" + base::hex(base::sha256(fmt::format("etag {}", id))).substr(0, 12);
}

// ---- Policies

const auto kItems = [](std::string name, std::string sentence) {
  return stack::block<Items>(std::move(name)).attribute("items", &Items::items, {}, std::move(sentence));
};

template <class Config, class Names>
auto headers_block(Names names) {
  return stack::block<Config>("headers_config")
      .attribute("header_behavior", &Config::behavior, Choice::kNone, names, "Which request headers.")
      .nested(kItems("headers", "Their names."), &Config::headers, "Those of whitelist and allExcept.");
}
template <class Names>
auto cookies_block(Names names) {
  return stack::block<CookiesConfig>("cookies_config")
      .attribute("cookie_behavior", &CookiesConfig::behavior, Choice::kNone, names, "Which cookies.")
      .nested(kItems("cookies", "Their names."), &CookiesConfig::cookies, "Those of whitelist and allExcept.");
}
template <class Names>
auto queries_block(Names names) {
  return stack::block<QueryStringsConfig>("query_strings_config")
      .attribute("query_string_behavior", &QueryStringsConfig::behavior, Choice::kNone, names,
                 "Which query parameters.")
      .nested(kItems("query_strings", "Their names."), &QueryStringsConfig::query_strings,
              "Those of whitelist and allExcept.");
}

auto few() { return one_of<Choice>({{"none", Choice::kNone}, {"whitelist", Choice::kWhitelist}}); }
auto usual() {
  return one_of<Choice>({{"none", Choice::kNone},
                         {"whitelist", Choice::kWhitelist},
                         {"allExcept", Choice::kAllExcept},
                         {"all", Choice::kAll}});
}
auto viewer() {
  return one_of<Choice>({{"none", Choice::kNone},
                         {"whitelist", Choice::kWhitelist},
                         {"allViewer", Choice::kAllViewer},
                         {"allViewerAndWhitelistCloudFront", Choice::kAllViewerAndCloudFront},
                         {"allExcept", Choice::kAllExcept}});
}

const auto& cache_policy() {
  static const auto parameters =
      stack::block<KeyParameters>("parameters_in_cache_key_and_forwarded_to_origin")
          .attribute("enable_accept_encoding_gzip", &KeyParameters::gzip, false, "Whether gzip is sent.")
          .attribute("enable_accept_encoding_brotli", &KeyParameters::brotli, false, "Whether brotli is sent.")
          .nested(headers_block<HeadersConfig>(few()), &KeyParameters::headers, "Headers in the key.")
          .nested(cookies_block(usual()), &KeyParameters::cookies, "Cookies in the key.")
          .nested(queries_block(usual()), &KeyParameters::query_strings, "Query parameters in the key.");
  static const auto made =
      stack::resource<CachePolicy>("aws_cloudfront_cache_policy", "edge",
                                   "What is part of the cache key, and how long responses are kept.")
          .required("name", &CachePolicy::name, "Its name, unique in the account.")
          .attribute("comment", &CachePolicy::comment, "", "A remark.")
          .attribute("min_ttl", &CachePolicy::min_ttl, 0s, at_least(0s), "How long a response is kept at least.")
          .effect(kEmpties)
          .attribute("default_ttl", &CachePolicy::default_ttl, 86'400s, at_least(0s),
                     "How long a response is kept when the origin does not say.")
          .effect(kEmpties)
          .attribute("max_ttl", &CachePolicy::max_ttl, 31'536'000s, at_least(0s),
                     "How long a response is kept at most, whatever the origin says.")
          .effect(kEmpties)
          .nested(parameters, &CachePolicy::parameters, "The key.")
          .rule("min_ttl is not more than max_ttl.", [](const CachePolicy& p) { return p.min_ttl <= p.max_ttl; })
          .computed("id", [](const CachePolicy& p) { return policy_id(PolicyKind::kCache, p.name); })
          .computed("arn",
                    [](const CachePolicy& p, const Context& c) {
                      return fmt::format("arn:aws:cloudfront::{}:cache-policy/{}", c.account,
                                         policy_id(PolicyKind::kCache, p.name));
                    })
          .computed("etag", [](const CachePolicy& p) { return etag_of(p.name); });
  return made;
}

const auto& origin_request_policy() {
  static const auto made =
      stack::resource<OriginRequestPolicy>("aws_cloudfront_origin_request_policy", "edge",
                                           "What is sent to the origin besides the cache key.")
          .required("name", &OriginRequestPolicy::name, "Its name, unique in the account.")
          .attribute("comment", &OriginRequestPolicy::comment, "", "A remark.")
          .nested(headers_block<HeadersConfig>(viewer()), &OriginRequestPolicy::headers, "Headers.")
          .nested(cookies_block(usual()), &OriginRequestPolicy::cookies, "Cookies.")
          .nested(queries_block(usual()), &OriginRequestPolicy::query_strings, "Query parameters.")
          .computed("id", [](const OriginRequestPolicy& p) { return policy_id(PolicyKind::kOriginRequest, p.name); })
          .computed("arn",
                    [](const OriginRequestPolicy& p, const Context& c) {
                      return fmt::format("arn:aws:cloudfront::{}:origin-request-policy/{}", c.account,
                                         policy_id(PolicyKind::kOriginRequest, p.name));
                    })
          .computed("etag", [](const OriginRequestPolicy& p) { return etag_of(p.name); });
  return made;
}

stack::Block<SecurityHeaders> security_block() {
  const auto csp = stack::block<ContentSecurityPolicy>("content_security_policy")
                       .required("content_security_policy", &ContentSecurityPolicy::policy, "The policy.")
                       .required("override", &ContentSecurityPolicy::override_origin, "Before the origin's own.");
  const auto type = stack::block<ContentTypeOptions>("content_type_options")
                        .required("override", &ContentTypeOptions::override_origin, "Before the origin's own.");
  const auto frame = stack::block<FrameOptions>("frame_options")
                         .required("frame_option", &FrameOptions::option, one_of({"DENY", "SAMEORIGIN"}), "Its value.")
                         .required("override", &FrameOptions::override_origin, "Before the origin's own.");
  const auto referrer = stack::block<ReferrerPolicy>("referrer_policy")
                            .required("referrer_policy", &ReferrerPolicy::policy, "Its value.")
                            .required("override", &ReferrerPolicy::override_origin, "Before the origin's own.");
  const auto sts =
      stack::block<StrictTransportSecurity>("strict_transport_security")
          .required("access_control_max_age_sec", &StrictTransportSecurity::max_age, at_least(0), "In seconds.")
          .attribute("include_subdomains", &StrictTransportSecurity::include_subdomains, false, "Subdomains too.")
          .attribute("preload", &StrictTransportSecurity::preload, false, "For the browsers' lists.")
          .required("override", &StrictTransportSecurity::override_origin, "Before the origin's own.");
  const auto xss = stack::block<XssProtection>("xss_protection")
                       .attribute("mode_block", &XssProtection::mode_block, false, "mode=block.")
                       .required("protection", &XssProtection::protection, "1 or 0.")
                       .attribute("report_uri", &XssProtection::report_uri, "", "Where reports go.")
                       .required("override", &XssProtection::override_origin, "Before the origin's own.");
  return stack::block<SecurityHeaders>("security_headers_config")
      .nested(csp, &SecurityHeaders::content_security_policy, "Content-Security-Policy.")
      .nested(type, &SecurityHeaders::content_type_options, "X-Content-Type-Options: nosniff.")
      .nested(frame, &SecurityHeaders::frame_options, "X-Frame-Options.")
      .nested(referrer, &SecurityHeaders::referrer_policy, "Referrer-Policy.")
      .nested(sts, &SecurityHeaders::strict_transport_security, "Strict-Transport-Security.")
      .nested(xss, &SecurityHeaders::xss_protection, "X-XSS-Protection.");
}

stack::Block<CorsConfig> cors_block() {
  return stack::block<CorsConfig>("cors_config")
      .required("access_control_allow_credentials", &CorsConfig::credentials, "With credentials.")
      .required("origin_override", &CorsConfig::origin_override, "Before the origin's own fields.")
      .attribute("access_control_max_age_sec", &CorsConfig::max_age, std::nullopt, at_least(0),
                 "How long a preflight holds, in seconds.")
      .nested(kItems("access_control_allow_headers", "Names."), &CorsConfig::allow_headers, "Allowed headers.")
      .nested(kItems("access_control_allow_methods", "Names."), &CorsConfig::allow_methods, "Allowed methods.")
      .nested(kItems("access_control_allow_origins", "Origins; * is any text."), &CorsConfig::allow_origins,
              "Allowed origins.")
      .nested(kItems("access_control_expose_headers", "Names."), &CorsConfig::expose_headers, "Exposed headers.");
}

const auto& response_headers_policy() {
  static const auto custom =
      stack::block<CustomHeaders>("custom_headers_config")
          .nested(stack::block<CustomHeader>("items")
                      .required("header", &CustomHeader::header, "Its name.")
                      .required("value", &CustomHeader::value, "Its value.")
                      .required("override", &CustomHeader::override_origin, "Before the origin's own."),
                  &CustomHeaders::items, "The headers.");
  static const auto removed =
      stack::block<RemovedHeaders>("remove_headers_config")
          .nested(stack::block<RemovedHeader>("items").required("header", &RemovedHeader::header, "Its name."),
                  &RemovedHeaders::items, "The headers.");
  static const auto made =
      stack::resource<ResponseHeadersPolicy>("aws_cloudfront_response_headers_policy", "edge",
                                             "Header fields that are added to responses, or taken out.")
          .required("name", &ResponseHeadersPolicy::name, "Its name, unique in the account.")
          .attribute("comment", &ResponseHeadersPolicy::comment, "", "A remark.")
          .nested(cors_block(), &ResponseHeadersPolicy::cors, "Fields of CORS.")
          .nested(custom, &ResponseHeadersPolicy::custom, "Fields of your own.")
          .nested(removed, &ResponseHeadersPolicy::removed, "Fields that are taken out.")
          .nested(security_block(), &ResponseHeadersPolicy::security, "Fields that make browsers careful.")
          .known("server_timing_headers_config", "spans tell where the time went")
          .computed("id",
                    [](const ResponseHeadersPolicy& p) { return policy_id(PolicyKind::kResponseHeaders, p.name); })
          .computed("arn",
                    [](const ResponseHeadersPolicy& p, const Context& c) {
                      return fmt::format("arn:aws:cloudfront::{}:response-headers-policy/{}", c.account,
                                         policy_id(PolicyKind::kResponseHeaders, p.name));
                    })
          .computed("etag", [](const ResponseHeadersPolicy& p) { return etag_of(p.name); });
  return made;
}

// ---- Distributions

std::set<std::string> methods() { return {"GET", "HEAD"}; }

stack::Block<BehaviourBlock> behaviour(std::string name) {
  const auto cookies =
      stack::block<ForwardedCookies>("cookies")
          .required("forward", &ForwardedCookies::forward,
                    one_of<Choice>({{"none", Choice::kNone}, {"whitelist", Choice::kWhitelist}, {"all", Choice::kAll}}),
                    "Which cookies are forwarded and part of the key.")
          .attribute("whitelisted_names", &ForwardedCookies::names, {}, "Their names.");
  const auto forwarded =
      stack::block<ForwardedValues>("forwarded_values")
          .required("query_string", &ForwardedValues::query_string, "Whether the query is forwarded and keyed.")
          .attribute("query_string_cache_keys", &ForwardedValues::query_string_cache_keys, {},
                     "The parameters that are keyed; all when empty.")
          .attribute("headers", &ForwardedValues::headers, {}, "Headers forwarded and keyed; * stores nothing.")
          .nested(cookies, &ForwardedValues::cookies, "Cookies forwarded and keyed.");
  auto made = stack::block<BehaviourBlock>(std::move(name));
  made.required("target_origin_id", &BehaviourBlock::target_origin_id, "The origin that answers.")
      .required("viewer_protocol_policy", &BehaviourBlock::viewer_protocol,
                one_of<ViewerProtocol>({{"allow-all", ViewerProtocol::kAllowAll},
                                        {"https-only", ViewerProtocol::kHttpsOnly},
                                        {"redirect-to-https", ViewerProtocol::kRedirectToHttps}}),
                "What is done with requests without TLS.")
      .attribute("allowed_methods", &BehaviourBlock::allowed_methods, methods(),
                 one_of({"GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"}), "Methods that are answered.")
      .provider_requires()
      .attribute("cached_methods", &BehaviourBlock::cached_methods, methods(), one_of({"GET", "HEAD", "OPTIONS"}),
                 "Methods whose responses are stored.")
      .provider_requires()
      .attribute("compress", &BehaviourBlock::compress, false, "Whether gzip and brotli are made for viewers.")
      .effect(kEmpties)
      .attribute("min_ttl", &BehaviourBlock::min_ttl, std::nullopt, at_least(0s),
                 "How long a response is kept at least.")
      .effect(kEmpties)
      .attribute("default_ttl", &BehaviourBlock::default_ttl, std::nullopt, at_least(0s),
                 "How long a response is kept when the origin does not say.")
      .effect(kEmpties)
      .attribute("max_ttl", &BehaviourBlock::max_ttl, std::nullopt, at_least(0s),
                 "How long a response is kept at most, whatever the origin says.")
      .effect(kEmpties)
      .attribute("cache_policy_id", &BehaviourBlock::cache_policy_id, "", "The cache policy's id.")
      .effect(kEmpties)
      .attribute("origin_request_policy_id", &BehaviourBlock::origin_request_policy_id, "",
                 "The origin request policy's id.")
      .effect(kEmpties)
      .attribute("response_headers_policy_id", &BehaviourBlock::response_headers_policy_id, "",
                 "The response headers policy's id.")
      .effect(kEmpties)
      .attribute("trusted_key_groups", &BehaviourBlock::trusted_key_groups, {}, "Who may sign addresses.")
      .attribute("trusted_signers", &BehaviourBlock::trusted_signers, {}, "Who may sign addresses.")
      .nested(forwarded, &BehaviourBlock::forwarded, "What is forwarded and keyed, without a cache policy.")
      .known("field_level_encryption_id")
      .known("realtime_log_config_arn")
      .known("smooth_streaming")
      .known("grpc_config")
      .known("function_association", "functions at the edge are not run")
      .known("lambda_function_association", "functions at the edge are not run");
  return made;
}

const auto& distribution() {
  static const auto custom_origin =
      stack::block<CustomOrigin>("custom_origin_config")
          .required("http_port", &CustomOrigin::http_port, between(1, 65'535), "Its port without TLS.")
          .required("https_port", &CustomOrigin::https_port, between(1, 65'535), "Its port with TLS.")
          .required("origin_protocol_policy", &CustomOrigin::protocol,
                    one_of<OriginProtocol>({{"http-only", OriginProtocol::kHttpOnly},
                                            {"https-only", OriginProtocol::kHttpsOnly},
                                            {"match-viewer", OriginProtocol::kMatchViewer}}),
                    "With TLS or without.")
          .attribute("origin_ssl_protocols", &CustomOrigin::ssl_protocols, {}, "Accepted; TLS 1.2 and 1.3 are spoken.")
          .attribute("origin_read_timeout", &CustomOrigin::read_timeout, 30s, between(1s, 180s),
                     "How long the origin may take to answer.")
          .attribute("origin_keepalive_timeout", &CustomOrigin::keepalive_timeout, 5s, between(1s, 180s),
                     "How long an idle connection is kept.")
          .known("ip_address_type");
  static const auto origin =
      stack::block<OriginBlock>("origin")
          .required("origin_id", &OriginBlock::id, "Its name within the distribution.")
          .required("domain_name", &OriginBlock::domain_name, "A bucket's host, an API's host, or any other.")
          .attribute("origin_path", &OriginBlock::path, "", stack::matches("(/.*[^/])?"),
                     "What is put before the path.")
          .attribute("origin_access_control_id", &OriginBlock::access_control_id, "",
                     "Accepted: buckets of this platform are read in the process.")
          .attribute("connection_attempts", &OriginBlock::connection_attempts, 3, between(1, 3), "How often.")
          .attribute("connection_timeout", &OriginBlock::connection_timeout, 10s, between(1s, 10s),
                     "How long one attempt may take.")
          .nested(stack::block<OriginHeader>("custom_header")
                      .required("name", &OriginHeader::name, "Its name.")
                      .required("value", &OriginHeader::value, "Its value."),
                  &OriginBlock::headers, "Fields sent to the origin, before the viewer's own.")
          .nested(custom_origin, &OriginBlock::custom, "An origin that is no bucket.")
          .nested(stack::block<S3Origin>("s3_origin_config")
                      .attribute("origin_access_identity", &S3Origin::access_identity, "", "Accepted."),
                  &OriginBlock::s3, "A bucket.")
          .known("origin_shield", "one machine has one place")
          .known("response_completion_timeout")
          .nested(stack::block<VpcOrigin>("vpc_origin_config")
                      .required("vpc_origin_id", &VpcOrigin::id, "Which.")
                      .known("origin_keepalive_timeout")
                      .known("origin_read_timeout")
                      .known("owner_account_id"),
                  &OriginBlock::vpc, "An origin inside of a VPC, which is refused: there are no VPCs here.");
  static const auto error =
      stack::block<ErrorResponse>("custom_error_response")
          .required("error_code", &ErrorResponse::error_code, between(400, 599), "The origin's status.")
          .attribute("response_code", &ErrorResponse::response_code, std::nullopt, between(200, 599),
                     "The status that viewers see.")
          .attribute("response_page_path", &ErrorResponse::page_path, "", "The page that viewers see.")
          .attribute("error_caching_min_ttl", &ErrorResponse::caching_min_ttl, std::nullopt, at_least(0s),
                     "How long it is kept at least; 10 seconds when not set.")
          .rule("response_code and response_page_path are set together.",
                [](const ErrorResponse& e) { return e.response_code.has_value() == !e.page_path.empty(); });
  static const auto made =
      stack::resource<DistributionResource>("aws_cloudfront_distribution", "edge",
                                            "A content delivery network: stored responses before origins.")
          .required("enabled", &DistributionResource::enabled, "Whether it answers.")
          .attribute("comment", &DistributionResource::comment, "", "A remark.")
          .attribute("default_root_object", &DistributionResource::default_root_object, "", "What / stands for.")
          .attribute("aliases", &DistributionResource::aliases, {}, "Hosts that it answers for; *.example.com is one.")
          .nested(origin, &DistributionResource::origins, at_least(1), "Where responses come from.")
          .nested(behaviour("default_cache_behavior"), &DistributionResource::default_behaviour,
                  "What holds when no pattern fits.")
          .required_block()
          .nested(behaviour("ordered_cache_behavior")
                      .required("path_pattern", &BehaviourBlock::path_pattern, stack::length(1, 255),
                                "Which paths; * is any text, ? any character. The first that fits counts."),
                  &DistributionResource::ordered, "What holds for some paths.")
          .nested(error, &DistributionResource::errors, "What viewers see instead of an error.")
          .nested(stack::block<CacheTagConfig>("cache_tag_config")
                      .attribute("header_name", &CacheTagConfig::header_name, "Cache-Tag", "The header of the tags."),
                  &DistributionResource::cache_tag, "Where tags for invalidation come from.")
          .attribute("tags", &DistributionResource::tags, {}, "Labels; securebase:id is the distribution's id.")
          .known("price_class", "one machine has one price")
          .known("is_ipv6_enabled", "the platform's own listen address decides")
          .known("http_version", "the platform's listeners decide")
          .known("web_acl_id", "there is no web application firewall here")
          .known("restrictions", "viewers are not told apart by country")
          .known("viewer_certificate", "the platform's certificate is used")
          .known("logging_config", "requests are recorded as metrics and spans")
          .known("origin_group", "the first origin is asked; a failing one is answered from stored responses")
          .known("staging")
          .known("continuous_deployment_policy_id")
          .known("anycast_ip_list_id")
          .known("retain_on_delete")
          .known("wait_for_deployment", "a change holds at once")
          .computed("id", [](const DistributionResource&, const Context& c) { return distribution_id(c); })
          .computed("arn",
                    [](const DistributionResource&, const Context& c) {
                      return fmt::format("arn:aws:cloudfront::{}:distribution/{}", c.account, distribution_id(c));
                    })
          .computed("domain_name", [](const DistributionResource&,
                                      const Context& c) { return distribution_domain(distribution_id(c)); })
          .computed("hosted_zone_id", [](const DistributionResource&) { return kHostedZone; })
          .computed("etag", [](const DistributionResource&, const Context& c) { return etag_of(distribution_id(c)); })
          .computed("status", [](const DistributionResource&) { return "Deployed"; })
          .computed("caller_reference", [](const DistributionResource&, const Context& c) { return c.address; })
          .computed("in_progress_validation_batches", [](const DistributionResource&) { return 0; });
  return made;
}

// ---- Access to buckets: accepted, since buckets are read inside the process and by nobody else

struct AccessControl {
  std::string name;
  std::string description;
  std::string origin_type;
  std::string signing_behavior;
  std::string signing_protocol;
};
struct AccessIdentity {
  std::string comment;
};

const auto& access_control() {
  static const auto made =
      stack::resource<AccessControl>("aws_cloudfront_origin_access_control", "edge",
                                     "How the edge proves itself to a bucket; here both are one process.")
          .required("name", &AccessControl::name, "Its name.")
          .attribute("description", &AccessControl::description, "", "A remark.")
          .required("origin_access_control_origin_type", &AccessControl::origin_type,
                    one_of({"s3", "mediastore", "mediapackagev2", "lambda"}), "The kind of origin.")
          .required("signing_behavior", &AccessControl::signing_behavior, one_of({"always", "never", "no-override"}),
                    "When requests are signed.")
          .required("signing_protocol", &AccessControl::signing_protocol, one_of({"sigv4"}), "How.")
          .computed("id", [](const AccessControl&, const Context& c) { return id_of(c); })
          .computed("arn",
                    [](const AccessControl&, const Context& c) {
                      return fmt::format("arn:aws:cloudfront::{}:origin-access-control/{}", c.account, id_of(c));
                    })
          .computed("etag", [](const AccessControl&, const Context& c) { return etag_of(id_of(c)); });
  return made;
}

const auto& access_identity() {
  static const auto made =
      stack::resource<AccessIdentity>("aws_cloudfront_origin_access_identity", "edge",
                                      "The older form of an origin access control.")
          .attribute("comment", &AccessIdentity::comment, "", "A remark.")
          .computed("id", [](const AccessIdentity&, const Context& c) { return id_of(c); })
          .computed("etag", [](const AccessIdentity&, const Context& c) { return etag_of(id_of(c)); })
          .computed("caller_reference", [](const AccessIdentity&, const Context& c) { return c.address; })
          .computed(
              "cloudfront_access_identity_path",
              [](const AccessIdentity&, const Context& c) { return "origin-access-identity/cloudfront/" + id_of(c); })
          .computed("iam_arn",
                    [](const AccessIdentity&, const Context& c) {
                      return "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity " + id_of(c);
                    })
          .computed("s3_canonical_user_id",
                    [](const AccessIdentity&, const Context& c) { return base::hex(base::sha256(id_of(c))); });
  return made;
}

// ---- Policies by name

struct PolicyLookup {
  std::string id;
  std::string name;
};

stack::Block<PolicyLookup> lookup(std::string type, PolicyKind kind) {
  auto made = stack::data_source<PolicyLookup>(std::move(type), "edge", "A policy, by its name or its id.");
  made.attribute("name", &PolicyLookup::name, "", "Managed-... or the name of one in this stack.")
      .attribute("id", &PolicyLookup::id, "", "Its id.")
      .rule("Either name or id is set.", [](const PolicyLookup& p) { return p.name.empty() != p.id.empty(); })
      .rule(
          "AWS has no managed policy of this name; look at \"Use managed policies\" in the CloudFront developer guide.",
          [kind](const PolicyLookup& p) { return !p.name.starts_with("Managed-") || is_managed_name(kind, p.name); })
      .computed("id", [kind](const PolicyLookup& p) { return p.id.empty() ? policy_id(kind, p.name) : p.id; })
      .computed("etag", [](const PolicyLookup& p) { return etag_of(p.name + p.id); });
  return made;
}

}  // namespace

void declare(stack::Catalogue& catalogue) {
  catalogue.add(distribution());
  catalogue.add(cache_policy());
  catalogue.add(origin_request_policy());
  catalogue.add(response_headers_policy());
  catalogue.add(access_control());
  catalogue.add(access_identity());
  catalogue.add(lookup("aws_cloudfront_cache_policy", PolicyKind::kCache));
  catalogue.add(lookup("aws_cloudfront_origin_request_policy", PolicyKind::kOriginRequest));
  catalogue.add(lookup("aws_cloudfront_response_headers_policy", PolicyKind::kResponseHeaders));
}

}  // namespace securebase::edge
