// From what a stack says to what the engine uses.
#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "base/hash.h"
#include "edge/config.h"
#include "edge/edge.h"
#include "edge/path.h"
#include "objects/objects.h"

namespace securebase::edge {

namespace {

std::string lower(std::string_view text) {
  std::string made(text);
  for (char& c : made) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
  return made;
}

enum class Case { kKept, kLowered };

Selection selection(Choice choice, const std::optional<Items>& items, Case as) {
  Selection made;
  switch (choice) {
    case Choice::kNone:
      return made;
    case Choice::kWhitelist:
    case Choice::kAllViewerAndCloudFront:
      made.kind = choice == Choice::kWhitelist ? Selection::Kind::kSome : Selection::Kind::kAll;
      break;
    case Choice::kAllExcept:
      made.kind = Selection::Kind::kAllExcept;
      break;
    case Choice::kAll:
    case Choice::kAllViewer:
      made.kind = Selection::Kind::kAll;
      return made;
  }
  if (!items) return made;
  for (const auto& name : items->items) made.names.push_back(as == Case::kLowered ? lower(name) : name);
  return made;
}

// A stack's policies by id, after AWS's own.
struct Policies {
  std::map<std::string, const CachePolicy*> cache;
  std::map<std::string, const OriginRequestPolicy*> origin_request;
  std::map<std::string, const ResponseHeadersPolicy*> response_headers;

  explicit Policies(const stack::Stack& stack) {
    for (const auto& found : stack.all<CachePolicy>("aws_cloudfront_cache_policy")) {
      cache[policy_id(PolicyKind::kCache, found.value.name)] = &found.value;
    }
    for (const auto& found : stack.all<OriginRequestPolicy>("aws_cloudfront_origin_request_policy")) {
      origin_request[policy_id(PolicyKind::kOriginRequest, found.value.name)] = &found.value;
    }
    for (const auto& found : stack.all<ResponseHeadersPolicy>("aws_cloudfront_response_headers_policy")) {
      response_headers[policy_id(PolicyKind::kResponseHeaders, found.value.name)] = &found.value;
    }
  }
  template <class P>
  static const P* find(const std::map<std::string, const P*>& own, const P* managed, const std::string& id) {
    if (managed) return managed;
    const auto found = own.find(id);
    return found == own.end() ? nullptr : found->second;
  }
};

ResponseFields response_fields(const ResponseHeadersPolicy& policy) {
  ResponseFields made;
  const auto add = [&made](std::string name, std::string value, bool override_origin) {
    made.lines.push_back({std::move(name), std::move(value), override_origin});
  };
  if (policy.custom) {
    for (const auto& item : policy.custom->items) add(item.header, item.value, item.override_origin);
  }
  if (policy.removed) {
    for (const auto& item : policy.removed->items) made.removed.push_back(item.header);
  }
  if (policy.security) {
    const auto& s = *policy.security;
    if (s.content_security_policy) {
      add("Content-Security-Policy", s.content_security_policy->policy, s.content_security_policy->override_origin);
    }
    if (s.content_type_options) add("X-Content-Type-Options", "nosniff", s.content_type_options->override_origin);
    if (s.frame_options) add("X-Frame-Options", s.frame_options->option, s.frame_options->override_origin);
    if (s.referrer_policy) add("Referrer-Policy", s.referrer_policy->policy, s.referrer_policy->override_origin);
    if (const auto& sts = s.strict_transport_security) {
      add("Strict-Transport-Security",
          fmt::format("max-age={}{}{}", sts->max_age, sts->include_subdomains ? "; includeSubDomains" : "",
                      sts->preload ? "; preload" : ""),
          sts->override_origin);
    }
    if (const auto& xss = s.xss_protection) {
      add("X-XSS-Protection",
          fmt::format("{}{}{}", xss->protection ? 1 : 0, xss->mode_block ? "; mode=block" : "",
                      xss->report_uri.empty() ? "" : "; report=" + xss->report_uri),
          xss->override_origin);
    }
  }
  made.cors = policy.cors;
  return made;
}

std::string digest_of(const Behaviour& behaviour, const OriginConfig& origin, const DistributionConfig& distribution) {
  std::string text;
  const auto add = [&text](std::string_view part) { text.append(part).append("\n"); };
  const auto add_selection = [&](const Selection& s) {
    add(fmt::format("{}", static_cast<int>(s.kind)));
    for (const auto& name : s.names) add(name);
  };
  add(fmt::format("{} {} {} {} {} {}", behaviour.ttl.minimum.count(), behaviour.ttl.standard.count(),
                  behaviour.ttl.maximum.count(), behaviour.gzip, behaviour.brotli, behaviour.stores));
  for (const auto* s : {&behaviour.key_headers, &behaviour.key_cookies, &behaviour.key_queries, &behaviour.more_headers,
                        &behaviour.more_cookies, &behaviour.more_queries}) {
    add_selection(*s);
  }
  add(fmt::format("{} {} {} {} {}", static_cast<int>(origin.kind), origin.domain_name, origin.bucket, origin.path,
                  origin.http_port));
  for (const auto& header : origin.headers) add(header.name + ":" + header.value);
  if (behaviour.fields) {
    for (const auto& line : behaviour.fields->lines)
      add(fmt::format("{}:{}:{}", line.name, line.value, line.override_origin));
    for (const auto& name : behaviour.fields->removed) add(name);
  }
  for (const auto& [status, error] : distribution.errors) {
    add(fmt::format("{} {} {} {}", status, error.response_code.value_or(0), error.page_path,
                    error.caching_min_ttl.value_or(seconds{10}).count()));
  }
  add(distribution.tag_header);
  return base::hex(base::sha256(text)).substr(0, 16);
}

std::uint32_t method_bits(const std::set<std::string>& names) {
  std::uint32_t bits = 0;
  for (const auto& name : names) bits |= method_bit(http::method_from(name));
  return bits;
}

class Reader {
 public:
  explicit Reader(const stack::Stack& stack) : stack_(stack), policies_(stack) {}

  Result<std::shared_ptr<const Config>, stack::Diagnostics> read() {
    auto config = std::make_shared<Config>();
    std::map<std::string, std::string> owners;
    for (const auto& found : stack_.all<DistributionResource>("aws_cloudfront_distribution")) {
      resource_ = &found.resource;
      auto made = distribution(found.value);
      for (const auto& alias : made.aliases) {
        const auto [owner, is_new] = owners.emplace(alias, found.resource.address);
        if (!is_new) problem("Alias used twice", fmt::format("{} is an alias of {} already.", alias, owner->second));
      }
      config->distributions.push_back(std::move(made));
    }
    if (problems_.has_errors()) return problems_;
    return std::shared_ptr<const Config>(std::move(config));
  }

 private:
  void problem(std::string summary, std::string detail) {
    problems_.error(std::move(summary), std::move(detail), resource_->range());
  }

  DistributionConfig distribution(const DistributionResource& said) {
    DistributionConfig made;
    made.said = std::make_shared<const DistributionResource>(said);
    made.id = resource_->attributes["id"].string();
    made.domain_name = distribution_domain(made.id);
    made.via = fmt::format("1.1 {} (CloudFront)", made.domain_name);
    made.enabled = said.enabled;
    if (!said.default_root_object.empty()) made.default_root_object = "/" + said.default_root_object;
    for (const auto& alias : said.aliases) made.aliases.push_back(lower(alias));
    if (said.cache_tag) made.tag_header = said.cache_tag->header_name;
    for (const auto& error : said.errors) made.errors[static_cast<int>(error.error_code)] = error;
    for (const auto& block : said.origins) made.origins.push_back(origin(block));
    for (const auto& block : said.ordered) made.behaviours.push_back(behaviour(block, made));
    made.behaviours.push_back(behaviour(said.default_behaviour, made));
    for (auto& each : made.behaviours) {
      each.key_prefix = fmt::format("{}\n{}\n", made.id, digest_of(each, made.origins[each.origin], made));
    }
    return made;
  }

  // Is `host` a custom domain of an API of this stack, or an API's own host?
  bool is_api(std::string_view host) const {
    if (host.find(".execute-api.") != std::string_view::npos && host.ends_with(".amazonaws.com")) return true;
    return std::any_of(stack_.resources.begin(), stack_.resources.end(), [host](const stack::Resource& resource) {
      if (resource.mode != stack::Declaration::Mode::kResource) return false;
      if (resource.type != "aws_api_gateway_domain_name" && resource.type != "aws_apigatewayv2_domain_name")
        return false;
      const auto& name = resource.attributes["domain_name"];
      return name.is_string() && http::equal_ignoring_case(name.string(), host);
    });
  }

  bool has_bucket(std::string_view bucket) const {
    return std::any_of(stack_.resources.begin(), stack_.resources.end(), [bucket](const stack::Resource& resource) {
      if (resource.mode != stack::Declaration::Mode::kResource || resource.type != "aws_s3_bucket") return false;
      const auto& name = resource.attributes["bucket"];
      return name.is_string() && name.string() == bucket;
    });
  }

  OriginConfig origin(const OriginBlock& said) {
    OriginConfig made;
    made.id = said.id;
    made.domain_name = lower(said.domain_name);
    made.path = said.path;
    made.headers = said.headers;
    made.attempts = said.connection_attempts;
    made.connect_time = said.connection_timeout;
    if (const auto bucket = objects::bucket_of_host(made.domain_name)) {
      made.kind = OriginConfig::Kind::kBucket;
      made.bucket = *bucket;
      if (!has_bucket(*bucket)) {
        problem("Missing bucket",
                fmt::format("The origin \"{}\" is the bucket \"{}\", which no aws_s3_bucket of this stack makes. Add "
                            "one, and refer to it: domain_name = aws_s3_bucket.NAME.bucket_regional_domain_name",
                            said.id, *bucket));
      }
      return made;
    }
    made.kind = is_api(made.domain_name) ? OriginConfig::Kind::kGateway : OriginConfig::Kind::kHttp;
    if (said.custom) {
      made.http_port = static_cast<std::uint16_t>(said.custom->http_port);
      made.https_port = static_cast<std::uint16_t>(said.custom->https_port);
      made.protocol = said.custom->protocol;
      made.read_time = said.custom->read_timeout;
      made.keepalive_time = said.custom->keepalive_timeout;
    } else if (made.kind == OriginConfig::Kind::kHttp && said.vpc) {
      problem(
          "VPC origins are not supported",
          fmt::format("The origin \"{}\" ({}) is reached through the VPC origin {}, and there are no VPCs here. Where "
                      "this machine can reach it itself, write custom_origin_config in place of vpc_origin_config.",
                      said.id, said.domain_name, said.vpc->id));
    } else if (made.kind == OriginConfig::Kind::kHttp) {
      problem("Missing custom_origin_config",
              fmt::format("The origin \"{}\" ({}) is neither a bucket nor an API of this stack, so it needs a block "
                          "custom_origin_config that says how it is reached.",
                          said.id, said.domain_name));
    }
    return made;
  }

  Behaviour behaviour(const BehaviourBlock& said, const DistributionConfig& distribution) {
    Behaviour made;
    made.pattern = said.path_pattern.empty() ? "*" : said.path_pattern;
    const auto& origins = distribution.origins;
    const auto target = std::find_if(origins.begin(), origins.end(),
                                     [&](const OriginConfig& origin) { return origin.id == said.target_origin_id; });
    if (target == origins.end()) {
      problem("Missing origin",
              fmt::format("The behaviour \"{}\" wants the origin \"{}\", which this distribution does not have.",
                          made.pattern, said.target_origin_id));
    } else {
      made.origin = static_cast<std::size_t>(target - origins.begin());
    }
    if (!said.trusted_key_groups.empty() || !said.trusted_signers.empty()) {
      problem("Signed addresses are not supported",
              fmt::format("The behaviour \"{}\" demands signed URLs or cookies. They cannot be checked here, and "
                          "leaving the check out would give away what it protects.",
                          made.pattern));
    }
    made.viewer_protocol = said.viewer_protocol;
    made.allowed = method_bits(said.allowed_methods);
    made.cached = method_bits(said.cached_methods);
    if (said.cache_policy_id.empty()) {
      legacy(said, made);
    } else {
      by_policy(said, made);
    }
    if (!said.origin_request_policy_id.empty()) {
      const auto* policy =
          Policies::find(policies_.origin_request, managed_origin_request_policy(said.origin_request_policy_id),
                         said.origin_request_policy_id);
      if (!policy) return missing_policy("origin request", said.origin_request_policy_id, made);
      made.more_headers = selection(policy->headers.behavior, policy->headers.headers, Case::kLowered);
      made.more_cookies = selection(policy->cookies.behavior, policy->cookies.cookies, Case::kKept);
      made.more_queries = selection(policy->query_strings.behavior, policy->query_strings.query_strings, Case::kKept);
      made.cloudfront_headers = policy->headers.behavior == Choice::kAllViewerAndCloudFront;
    }
    if (!said.response_headers_policy_id.empty()) {
      const auto* policy =
          Policies::find(policies_.response_headers, managed_response_headers_policy(said.response_headers_policy_id),
                         said.response_headers_policy_id);
      if (!policy) return missing_policy("response headers", said.response_headers_policy_id, made);
      made.fields = response_fields(*policy);
    }
    return made;
  }

  Behaviour missing_policy(std::string_view kind, const std::string& id, const Behaviour& made) {
    problem("Missing policy",
            fmt::format("The behaviour \"{}\" wants the {} policy \"{}\": AWS manages none of this id, "
                        "and this stack does not make one.",
                        made.pattern, kind, id));
    return made;
  }

  void legacy(const BehaviourBlock& said, Behaviour& made) {
    made.ttl.minimum = said.min_ttl.value_or(seconds{0});
    made.ttl.standard = said.default_ttl.value_or(seconds{86'400});
    made.ttl.maximum = said.max_ttl.value_or(seconds{31'536'000});
    made.gzip = made.brotli = said.compress;
    const auto forwarded = said.forwarded.value_or(ForwardedValues{});
    if (forwarded.query_string) {
      Selection& queries = forwarded.query_string_cache_keys.empty() ? made.key_queries : made.more_queries;
      queries.kind = Selection::Kind::kAll;
      if (!forwarded.query_string_cache_keys.empty()) {
        made.key_queries = {Selection::Kind::kSome, forwarded.query_string_cache_keys};
      }
    }
    if (forwarded.headers.contains("*")) {
      made.stores = false;
      made.more_headers.kind = Selection::Kind::kAll;
    } else {
      made.key_headers.kind = Selection::Kind::kSome;
      for (const auto& name : forwarded.headers) made.key_headers.names.push_back(lower(name));
    }
    made.key_cookies = selection(forwarded.cookies.forward, Items{forwarded.cookies.names}, Case::kKept);
  }

  void by_policy(const BehaviourBlock& said, Behaviour& made) {
    const auto* policy =
        Policies::find(policies_.cache, managed_cache_policy(said.cache_policy_id), said.cache_policy_id);
    if (!policy) {
      missing_policy("cache", said.cache_policy_id, made);
      return;
    }
    if (said.forwarded) {
      problem("Either a policy or forwarded_values",
              fmt::format("The behaviour \"{}\" has both cache_policy_id and forwarded_values.", made.pattern));
    }
    made.ttl = {policy->min_ttl, policy->default_ttl, policy->max_ttl};
    made.stores = policy->max_ttl > seconds{0};
    const auto& key = policy->parameters;
    made.gzip = said.compress && key.gzip;
    made.brotli = said.compress && key.brotli;
    made.key_headers = selection(key.headers.behavior, key.headers.headers, Case::kLowered);
    made.key_cookies = selection(key.cookies.behavior, key.cookies.cookies, Case::kKept);
    made.key_queries = selection(key.query_strings.behavior, key.query_strings.query_strings, Case::kKept);
  }

  const stack::Stack& stack_;
  const Policies policies_;
  const stack::Resource* resource_ = nullptr;
  stack::Diagnostics problems_;
};

}  // namespace

bool Selection::takes(std::string_view name) const {
  if (kind == Kind::kNone) return false;
  if (kind == Kind::kAll) return true;
  const bool listed = std::find(names.begin(), names.end(), name) != names.end();
  return listed == (kind == Kind::kSome);
}

bool Selection::takes_field(std::string_view field) const {
  if (kind == Kind::kNone) return false;
  if (kind == Kind::kAll) return true;
  const bool listed = std::any_of(names.begin(), names.end(),
                                  [field](const std::string& name) { return http::equal_ignoring_case(name, field); });
  return listed == (kind == Kind::kSome);
}

const Behaviour& DistributionConfig::behaviour_for(std::string_view path) const {
  for (const auto& behaviour : behaviours) {
    if (path_matches(behaviour.pattern, path)) return behaviour;
  }
  return behaviours.back();
}

store::seconds DistributionConfig::error_minimum(int status) const {
  const auto found = errors.find(status);
  return found == errors.end() ? seconds{10} : found->second.caching_min_ttl.value_or(seconds{10});
}

Result<std::shared_ptr<const Config>, stack::Diagnostics> configure(const stack::Stack& stack) {
  return Reader(stack).read();
}

}  // namespace securebase::edge
