#include "edge/describe.h"

#include <fmt/format.h>

#include "base/hash.h"

namespace securebase::edge {

namespace {

using aws::Value;

// {Quantity, Items}; without Items when there are none, as the API has it.
template <class List, class Make>
Value counted(const List& list, Make make) {
  auto items = Value::list();
  for (const auto& each : list) items.push_back(make(each));
  auto made = Value::structure({{"Quantity", list.size()}});
  if (list.size() > 0) made.set("Items", std::move(items));
  return made;
}

template <class List>
Value counted(const List& texts) {
  return counted(texts, [](const std::string& text) { return Value(text); });
}

const char* name_of(ViewerProtocol protocol) {
  switch (protocol) {
    case ViewerProtocol::kHttpsOnly:
      return "https-only";
    case ViewerProtocol::kRedirectToHttps:
      return "redirect-to-https";
    case ViewerProtocol::kAllowAll:
      break;
  }
  return "allow-all";
}

const char* name_of(OriginProtocol protocol) {
  switch (protocol) {
    case OriginProtocol::kHttpsOnly:
      return "https-only";
    case OriginProtocol::kMatchViewer:
      return "match-viewer";
    case OriginProtocol::kHttpOnly:
      break;
  }
  return "http-only";
}

Value origin(const OriginBlock& said) {
  auto made = Value::structure(
      {{"Id", said.id},
       {"DomainName", said.domain_name},
       {"OriginPath", said.path},
       {"CustomHeaders",
        counted(said.headers,
                [](const OriginHeader& header) {
                  return Value::structure({{"HeaderName", header.name}, {"HeaderValue", header.value}});
                })},
       {"ConnectionAttempts", said.connection_attempts},
       {"ConnectionTimeout", said.connection_timeout.count()},
       {"OriginShield", Value::structure({{"Enabled", false}})},
       {"OriginAccessControlId", said.access_control_id}});
  if (said.s3) made.set("S3OriginConfig", Value::structure({{"OriginAccessIdentity", said.s3->access_identity}}));
  if (said.custom) {
    const auto& custom = *said.custom;
    made.set("CustomOriginConfig", Value::structure({{"HTTPPort", custom.http_port},
                                                     {"HTTPSPort", custom.https_port},
                                                     {"OriginProtocolPolicy", name_of(custom.protocol)},
                                                     {"OriginSslProtocols", counted(custom.ssl_protocols)},
                                                     {"OriginReadTimeout", custom.read_timeout.count()},
                                                     {"OriginKeepaliveTimeout", custom.keepalive_timeout.count()}}));
  }
  return made;
}

Value forwarded(const ForwardedValues& said) {
  const auto& cookies = said.cookies;
  auto preference = Value::structure({{"Forward", cookies.forward == Choice::kAll         ? "all"
                                                  : cookies.forward == Choice::kWhitelist ? "whitelist"
                                                                                          : "none"}});
  if (cookies.forward == Choice::kWhitelist) preference.set("WhitelistedNames", counted(cookies.names));
  return Value::structure({{"QueryString", said.query_string},
                           {"Cookies", std::move(preference)},
                           {"Headers", counted(said.headers)},
                           {"QueryStringCacheKeys", counted(said.query_string_cache_keys)}});
}

Value behaviour(const BehaviourBlock& said) {
  auto made = Value::structure();
  if (!said.path_pattern.empty()) made.set("PathPattern", said.path_pattern);
  made.set("TargetOriginId", said.target_origin_id);
  made.set("TrustedSigners", Value::structure({{"Enabled", false}, {"Quantity", 0}}));
  made.set("TrustedKeyGroups", Value::structure({{"Enabled", false}, {"Quantity", 0}}));
  made.set("ViewerProtocolPolicy", name_of(said.viewer_protocol));
  auto methods = counted(said.allowed_methods);
  methods.set("CachedMethods", counted(said.cached_methods));
  made.set("AllowedMethods", std::move(methods));
  made.set("Compress", said.compress);
  const auto policy = [&made](const char* member, const std::string& id) {
    if (!id.empty()) made.set(member, id);
  };
  policy("CachePolicyId", said.cache_policy_id);
  policy("OriginRequestPolicyId", said.origin_request_policy_id);
  policy("ResponseHeadersPolicyId", said.response_headers_policy_id);
  if (said.cache_policy_id.empty()) made.set("ForwardedValues", forwarded(said.forwarded.value_or(ForwardedValues{})));
  const auto ttl = [&made](const char* member, const std::optional<seconds>& time) {
    if (time) made.set(member, time->count());
  };
  ttl("MinTTL", said.min_ttl);
  ttl("DefaultTTL", said.default_ttl);
  ttl("MaxTTL", said.max_ttl);
  return made;
}

Value error_response(const ErrorResponse& said) {
  auto made = Value::structure({{"ErrorCode", said.error_code}});
  if (!said.page_path.empty()) made.set("ResponsePagePath", said.page_path);
  if (said.response_code) made.set("ResponseCode", std::to_string(*said.response_code));
  if (said.caching_min_ttl) made.set("ErrorCachingMinTTL", said.caching_min_ttl->count());
  return made;
}

// For a digest: every member with its name and its kind.
void append(std::string& text, const Value& value) {
  if (const auto* members = value.as_structure()) {
    for (const auto& [name, member] : *members) {
      fmt::format_to(std::back_inserter(text), "{}{{", name);
      append(text, member);
      text += '}';
    }
  } else if (const auto* list = value.as_list()) {
    for (const auto& each : *list) {
      append(text, each);
      text += ',';
    }
  } else if (const auto* words = value.as_string()) {
    fmt::format_to(std::back_inserter(text), "{}:{}", words->size(), *words);
  } else {
    fmt::format_to(std::back_inserter(text), "{}/{}", value.integer_or(-1), value.bool_or(false));
  }
}

}  // namespace

Value describe(const DistributionConfig& distribution) {
  static const DistributionResource kNothing;
  const auto& said = distribution.said ? *distribution.said : kNothing;
  return Value::structure(
      {{"CallerReference", distribution.id},
       {"Aliases", counted(said.aliases)},
       {"DefaultRootObject", said.default_root_object},
       {"Origins", counted(said.origins, origin)},
       {"OriginGroups", Value::structure({{"Quantity", 0}})},
       {"DefaultCacheBehavior", behaviour(said.default_behaviour)},
       {"CacheBehaviors", counted(said.ordered, behaviour)},
       {"CustomErrorResponses", counted(said.errors, error_response)},
       {"Comment", said.comment},
       // What is not honoured is shown as it is here, whatever the files say of it.
       {"PriceClass", "PriceClass_All"},
       {"Enabled", said.enabled},
       {"ViewerCertificate", Value::structure({{"CloudFrontDefaultCertificate", true}})},
       {"Restrictions",
        Value::structure({{"GeoRestriction", Value::structure({{"RestrictionType", "none"}, {"Quantity", 0}})}})},
       {"WebACLId", ""},
       {"HttpVersion", "http1.1"},
       {"IsIPV6Enabled", false},
       {"Staging", false}});
}

std::string etag_of(const DistributionConfig& distribution) {
  std::string text;
  append(text, describe(distribution));
  std::string etag = "E";
  for (const unsigned char byte : base::sha256(text).substr(0, 13)) {
    etag += "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"[byte % 36];
  }
  return etag;
}

}  // namespace securebase::edge
