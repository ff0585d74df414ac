#include "gateway/stage_cache.h"

#include <fmt/format.h>

#include <algorithm>

#include "gateway/in_force.h"
#include "gateway/principal.h"

namespace securebase::gateway {
namespace {

void append_key_part(std::string& key, std::string_view part) { key += fmt::format("{}:{};", part.size(), part); }

// A response that differs by something that is not in the key would be served to the wrong request.
bool varies_beyond(const http::Headers& headers, const std::vector<Parameter>& cache_key) {
  for (const auto& name : store::vary_names(headers)) {
    const bool keyed = std::any_of(cache_key.begin(), cache_key.end(), [&name](const Parameter& parameter) {
      return (parameter.from == Parameter::From::kHeader || parameter.from == Parameter::From::kMultiHeader) &&
             http::equal_ignoring_case(parameter.name, name);
    });
    if (!keyed) return true;
  }
  return false;
}

}  // namespace

StageCache::StageCache(std::string scope, std::size_t limit_bytes)
    : scope_(std::move(scope)),
      limit_bytes_(limit_bytes),
      store_(store::Store::Limits{.bytes = limit_bytes}),
      flights_(store::Flights::Limits{}) {}

std::string StageCache::key(const Call& call, const MethodInForce& method) {
  std::string key;
  key.reserve(128 + call.resource_path.size());
  append_key_part(key, call.principal ? std::string_view(call.principal->key) : std::string_view());
  append_key_part(key, method.cache_version);
  append_key_part(key, call.request->method_name);
  append_key_part(key, call.resource_path);
  for (const auto& parameter : method.method->integration.cache_key) {
    const auto value = value_of(call, parameter);
    // Not there and empty are two.
    key += value ? '+' : '-';
    append_key_part(key, value ? std::string_view(*value) : std::string_view());
  }
  return key;
}

std::shared_ptr<const store::StoredResponse> StageCache::find(std::string_view key, const store::Tags& tags,
                                                              base::SteadyPoint now) {
  auto found = store_.find(key);
  if (!found || !found->fresh(now) || tags.judge(found->labels) != store::Verdict::kValid) return nullptr;
  return found;
}

std::shared_ptr<const store::StoredResponse> StageCache::make(const Call& call, int status,
                                                              const http::Headers& headers, std::string_view body,
                                                              std::chrono::seconds ttl, store::Generation birth,
                                                              const store::Tags& tags, base::TimePoint wall,
                                                              base::SteadyPoint now) const {
  // Errors are not kept (tyk #316 and its like: a cached error outlives its cause), and 206 is only a part.
  if (status < 200 || status > 299 || status == 206) return nullptr;
  if (body.size() > kCachedBytes || headers.has("Set-Cookie") || headers.has("Cache-Invalidate")) return nullptr;
  const auto said = store::parse_cache_control(headers);
  if (said.no_store || said.no_cache || said.is_private) return nullptr;
  if (varies_beyond(headers, call.method->integration.cache_key)) return nullptr;
  const auto age = store::age_on_arrival(headers, wall, std::chrono::nanoseconds{0});
  const auto freshness = store::judge(
      {.status = status,
       .headers = headers,
       .audience = call.principal ? store::Audience::kPrincipal : store::Audience::kEverybody,
       .age = age},
      store::Ttl{.minimum = std::chrono::seconds{0}, .standard = ttl, .maximum = ttl}, std::chrono::seconds{0}, wall);
  if (!freshness.storable || freshness.remaining.count() <= 0) return nullptr;

  auto stored = std::make_shared<store::StoredResponse>();
  stored->status = status;
  http::Headers kept;
  std::vector<std::string_view> tag_lists;
  for (const auto& field : headers.fields()) {
    if (http::equal_ignoring_case(field.name, "Cache-Tag")) tag_lists.push_back(field.value);
    if (!http::equal_ignoring_case(field.name, "Age")) kept.add(field.name, field.value);
  }
  stored->variants[0] = http::prepare(status, std::move(kept), std::string(body));
  stored->compressible = !headers.has("Content-Encoding");
  stored->born = now - age;
  stored->fresh_until = now + freshness.remaining;
  stored->principal = call.principal ? call.principal->key : std::string();
  stored->labels = tags.labels(birth, scope_, call.resource_path, call.request->query, tag_lists);
  return stored;
}

void StageCache::put(std::string_view key, std::shared_ptr<const store::StoredResponse> response) {
  store_.put(key, std::move(response));
}

bool StageCache::replace(std::string_view key, const store::StoredResponse& expected,
                         std::shared_ptr<const store::StoredResponse> response) {
  return store_.replace(key, &expected, std::move(response));
}

std::size_t StageCache::flush() {
  return store_.remove_if([](std::string_view, const store::StoredResponse&) { return true; });
}

std::size_t StageCache::sweep(const store::Tags& tags) {
  return store_.remove_if([&tags](std::string_view, const store::StoredResponse& response) {
    return tags.judge(response.labels) != store::Verdict::kValid;
  });
}

}  // namespace securebase::gateway
