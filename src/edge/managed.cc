// AWS's managed policies: names, ids and contents as the CloudFront developer guide lists them.
#include <fmt/format.h>

#include <array>

#include "base/encoding.h"
#include "base/hash.h"
#include "edge/model.h"

namespace securebase::edge {

namespace {

template <class P>
struct Managed {
  std::string_view id;
  P policy;
};

HeadersConfig headers(std::set<std::string> names) { return {Choice::kWhitelist, Items{std::move(names)}}; }
QueryStringsConfig queries(std::set<std::string> names) { return {Choice::kWhitelist, Items{std::move(names)}}; }

CachePolicy cache(std::string name, seconds least, seconds standard, seconds most, KeyParameters parameters) {
  return {std::move(name), "", least, standard, most, std::move(parameters)};
}

constexpr seconds kYear{31'536'000};
constexpr seconds kDay{86'400};
const std::set<std::string> kMethodHeaders = {"host", "origin", "x-http-method-override", "x-http-method",
                                              "x-method-override"};

const auto& cache_policies() {
  using std::chrono_literals::operator""s;
  static const CookiesConfig all_cookies{Choice::kAll, {}};
  static const QueryStringsConfig all_queries{Choice::kAll, {}};
  static const std::vector<Managed<CachePolicy>> all = {
      {"658327ea-f89d-4fab-a63d-7e88639e58f6",
       cache("Managed-CachingOptimized", 1s, kDay, kYear, {true, true, {}, {}, {}})},
      {"b2884449-e4de-46a7-ac36-70bc7f1ddd6d",
       cache("Managed-CachingOptimizedForUncompressedObjects", 1s, kDay, kYear, {})},
      {"4135ea2d-6df8-44a3-9df3-4b5a84be39ad", cache("Managed-CachingDisabled", 0s, 0s, 0s, {})},
      {"08627262-05a9-4f76-9ded-b50ca2e3a84f",
       cache("Managed-Elemental-MediaPackage", 0s, kDay, kYear,
             {true, false, headers({"origin"}), {}, queries({"aws.manifestfilter", "start", "end", "m"})})},
      {"2e54312d-136d-493c-8eb9-b001f22f67d2",
       cache("Managed-Amplify", 2s, 2s, 600s,
             {true, true, headers({"authorization", "cloudfront-viewer-country", "host"}), all_cookies, all_queries})},
      {"83da9c7e-98b4-4e11-a168-04f0df8e2c65", cache("Managed-UseOriginCacheControlHeaders", 0s, 0s, kYear,
                                                     {true, true, headers(kMethodHeaders), all_cookies, {}})},
      {"4cc15a8a-d715-48a4-82b8-cc0b614638fe", cache("Managed-UseOriginCacheControlHeaders-QueryStrings", 0s, 0s, kYear,
                                                     {true, true, headers(kMethodHeaders), all_cookies, all_queries})},
  };
  return all;
}

const auto& origin_request_policies() {
  static const CookiesConfig all_cookies{Choice::kAll, {}};
  static const QueryStringsConfig all_queries{Choice::kAll, {}};
  static const std::vector<Managed<OriginRequestPolicy>> all = {
      {"216adef6-5c7f-47e4-b989-5492eafa07d3",
       {"Managed-AllViewer", "", {Choice::kAllViewer, {}}, all_cookies, all_queries}},
      {"b689b0a8-53d0-40ab-baf2-68738e2966ac",
       {"Managed-AllViewerExceptHostHeader", "", {Choice::kAllExcept, Items{{"host"}}}, all_cookies, all_queries}},
      {"33f36d7e-f396-46d9-90e0-52428a34d9dc",
       {"Managed-AllViewerAndCloudFrontHeaders-2022-06",
        "",
        {Choice::kAllViewerAndCloudFront, {}},
        all_cookies,
        all_queries}},
      {"59781a5b-3903-41f3-afcb-af62929ccde1", {"Managed-CORS-CustomOrigin", "", headers({"origin"}), {}, {}}},
      {"88a5eaf4-2fd4-4709-b370-b4c650ea3fcf",
       {"Managed-CORS-S3Origin",
        "",
        headers({"origin", "access-control-request-headers", "access-control-request-method"}),
        {},
        {}}},
      {"acba4595-bd28-49b8-b9fe-13317c0390fa",
       {"Managed-UserAgentRefererHeaders", "", headers({"user-agent", "referer"}), {}, {}}},
      {"775133bc-15f2-49f9-abea-afb2e0bf67d2",
       {"Managed-Elemental-MediaTailor-PersonalizedManifests",
        "",
        headers({"origin", "access-control-request-headers", "access-control-request-method", "user-agent",
                 "x-forwarded-for"}),
        {},
        all_queries}},
      {"bf0718e1-ba1e-49d1-88b1-f726733018ae", {"Managed-HostHeaderOnly", "", headers({"host"}), {}, {}}},
  };
  return all;
}

SecurityHeaders security_headers() {
  SecurityHeaders made;
  made.content_type_options = ContentTypeOptions{true};
  made.frame_options = FrameOptions{"SAMEORIGIN", false};
  made.referrer_policy = ReferrerPolicy{"strict-origin-when-cross-origin", false};
  made.strict_transport_security = StrictTransportSecurity{31'536'000, false, false, false};
  made.xss_protection = XssProtection{true, true, "", false};
  return made;
}

CorsConfig simple_cors() {
  CorsConfig made;
  made.allow_origins.items = {"*"};
  return made;
}

CorsConfig preflight_cors() {
  CorsConfig made = simple_cors();
  made.allow_methods.items = {"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"};
  made.expose_headers = Items{{"*"}};
  return made;
}

const auto& response_headers_policies() {
  static const std::vector<Managed<ResponseHeadersPolicy>> all = {
      {"60669652-455b-4ae9-85a4-c4c02393f86c", {"Managed-SimpleCORS", "", simple_cors(), {}, {}, {}}},
      {"5cc3b908-e619-4b99-88e5-2cf7f45965bd", {"Managed-CORS-With-Preflight", "", preflight_cors(), {}, {}, {}}},
      {"67f7725c-6f97-4210-82d7-5512b31e9d03", {"Managed-SecurityHeadersPolicy", "", {}, {}, {}, security_headers()}},
      {"e61eb60c-9c35-4d20-a928-2b84e02af89c",
       {"Managed-CORS-and-SecurityHeadersPolicy", "", simple_cors(), {}, {}, security_headers()}},
      {"eaab4381-ed33-4a86-88ca-d9558dc6cd63",
       {"Managed-CORS-with-preflight-and-SecurityHeadersPolicy", "", preflight_cors(), {}, {}, security_headers()}},
  };
  return all;
}

template <class P>
const P* by_id(const std::vector<Managed<P>>& all, std::string_view id) {
  for (const auto& managed : all) {
    if (managed.id == id) return &managed.policy;
  }
  return nullptr;
}

template <class P>
std::string_view id_of(const std::vector<Managed<P>>& all, std::string_view name) {
  // The console leaves the prefix out, and so do people.
  for (const auto& managed : all) {
    const std::string_view full = managed.policy.name;
    if (full == name) return managed.id;
    // Two of them are named without it in the API.
    if (name.starts_with("UseOriginCacheControlHeaders") && full.substr(8) == name) return managed.id;
  }
  return {};
}

std::string_view managed_id(PolicyKind kind, std::string_view name) {
  switch (kind) {
    case PolicyKind::kCache:
      return id_of(cache_policies(), name);
    case PolicyKind::kOriginRequest:
      return id_of(origin_request_policies(), name);
    case PolicyKind::kResponseHeaders:
      break;
  }
  return id_of(response_headers_policies(), name);
}

}  // namespace

const CachePolicy* managed_cache_policy(std::string_view id) { return by_id(cache_policies(), id); }
const OriginRequestPolicy* managed_origin_request_policy(std::string_view id) {
  return by_id(origin_request_policies(), id);
}
const ResponseHeadersPolicy* managed_response_headers_policy(std::string_view id) {
  return by_id(response_headers_policies(), id);
}

bool is_managed_name(PolicyKind kind, std::string_view name) { return !managed_id(kind, name).empty(); }

std::string policy_id(PolicyKind kind, std::string_view name) {
  if (const auto managed = managed_id(kind, name); !managed.empty()) return std::string(managed);
  const auto digest = base::hex(base::sha256(fmt::format("policy {} {}", static_cast<int>(kind), name)));
  const std::string_view d = digest;
  return fmt::format("{}-{}-{}-{}-{}", d.substr(0, 8), d.substr(8, 4), d.substr(12, 4), d.substr(16, 4),
                     d.substr(20, 12));
}

std::string distribution_domain(std::string_view id) {
  constexpr std::string_view kAlphabet = "0123456789abcdefghijklmnopqrstuvwxyz";
  const auto digest = base::sha256(fmt::format("distribution {}", id));
  std::string name = "d";
  for (std::size_t i = 0; i < 13; ++i) name += kAlphabet[static_cast<unsigned char>(digest[i]) % kAlphabet.size()];
  return name + ".cloudfront.net";
}

}  // namespace securebase::edge
