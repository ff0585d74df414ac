// A configuration as the engine uses it: policies resolved, patterns in order, everything that a request needs at hand.
// Immutable.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "edge/model.h"
#include "net/http/message.h"
#include "store/freshness.h"

namespace securebase::edge {

// A choice of names: header fields (lower case), cookies or query parameters.
struct Selection {
  enum class Kind { kNone, kSome, kAllExcept, kAll };
  Kind kind = Kind::kNone;
  std::vector<std::string> names;
  bool takes(std::string_view name) const;         // exactly
  bool takes_field(std::string_view field) const;  // without case
  bool empty() const { return kind == Kind::kNone || (kind == Kind::kSome && names.empty()); }
};

struct OriginConfig {
  enum class Kind { kBucket, kGateway, kHttp };
  Kind kind = Kind::kHttp;
  std::string id;
  std::string domain_name;
  std::string bucket;  // of kBucket
  std::string path;    // put before
  std::vector<OriginHeader> headers;
  OriginProtocol protocol = OriginProtocol::kHttpOnly;
  std::uint16_t http_port = 80;
  std::uint16_t https_port = 443;
  std::int64_t attempts = 3;
  std::chrono::milliseconds connect_time{10'000};
  std::chrono::milliseconds read_time{30'000};
  std::chrono::milliseconds keepalive_time{5'000};
};

// Fields that a response headers policy adds, and those it takes out.
struct ResponseFields {
  struct Line {
    std::string name;
    std::string value;
    bool override_origin;
  };
  std::vector<Line> lines;
  std::vector<std::string> removed;
  std::optional<CorsConfig> cors;
};

struct Behaviour {
  std::string pattern;  // "*" for the default one
  std::size_t origin = 0;
  ViewerProtocol viewer_protocol = ViewerProtocol::kAllowAll;
  std::uint32_t allowed = 0;  // bits by http::Method
  std::uint32_t cached = 0;
  store::Ttl ttl;
  bool stores = true;  // false: the policy forbids it, requests go straight through
  bool gzip = false;
  bool brotli = false;
  // In the key, and forwarded.
  Selection key_headers;
  Selection key_cookies;
  Selection key_queries;
  // Forwarded besides.
  Selection more_headers;
  Selection more_cookies;
  Selection more_queries;
  bool cloudfront_headers = false;
  std::optional<ResponseFields> fields;
  std::string key_prefix;  // distribution, and a digest of all that shapes what is stored
};

struct DistributionConfig {
  std::string id;
  std::string domain_name;
  std::string via;  // "1.1 d111111abcdef8.cloudfront.net (CloudFront)"
  bool enabled = true;
  std::string default_root_object;  // "/index.html", or empty
  std::vector<std::string> aliases;
  std::vector<OriginConfig> origins;
  std::vector<Behaviour> behaviours;  // the default one last
  std::map<int, ErrorResponse> errors;
  std::string tag_header = "Cache-Tag";
  std::shared_ptr<const DistributionResource> said;  // as the stack has it; null in tests

  const Behaviour& behaviour_for(std::string_view path) const;
  store::seconds error_minimum(int status) const;
};

struct Config {
  std::vector<DistributionConfig> distributions;
};

inline std::uint32_t method_bit(http::Method method) { return 1U << static_cast<unsigned>(method); }

}  // namespace securebase::edge
