#include "lambda/cache.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "lambda/serve.h"

namespace securebase::lambda {

namespace {

using std::chrono::seconds;

constexpr KindRule kRules[] = {
    {Kind::kMetrics, "metrics", seconds{300}, Keeping::kEverybody},
    {Kind::kInvoices, "invoices", seconds{3600}, Keeping::kEverybody},
    {Kind::kReports, "reports", seconds{86'400}, Keeping::kEverybody},
    {Kind::kApiKeys, "api_keys", seconds{3600}, Keeping::kSharedCaches},
    {Kind::kTierFeatures, "tier_features", seconds{86'400}, Keeping::kEverybody},
    {Kind::kProfile, "profile", seconds{3600}, Keeping::kEverybody},
    {Kind::kTickets, "tickets", seconds{300}, Keeping::kSharedCaches},
    {Kind::kAnalytics, "analytics", seconds{300}, Keeping::kEverybody},
};

constexpr seconds kHttpLifetime{300};             // what caches in front may add
constexpr std::size_t kMostValueBytes = 1 << 20;  // larger bodies are not worth Redis' memory

// Stands where a value was deleted, for longer than any read that began before the deletion can take.
constexpr std::string_view kTombstone = "-";
constexpr seconds kTombstoneLifetime{10};

constexpr std::string_view kBornPrefix = "{\"born_ms\":";
constexpr std::string_view kBodyPrefix = ",\"body\":";

std::string_view to_string(CacheStatus status) {
  switch (status) {
    case CacheStatus::kHit:
      return "HIT";
    case CacheStatus::kMiss:
      return "MISS";
    case CacheStatus::kBypass:
      return "BYPASS";
  }
  return "BYPASS";
}

}  // namespace

const KindRule& rule(Kind kind) {
  const auto found = std::ranges::find(kRules, kind, &KindRule::kind);
  check(found != std::end(kRules), "every kind has its rule");
  return *found;
}

std::string cache_key(Kind kind, std::string_view customer_id, std::string_view rest) {
  return fmt::format("{}:{}:{}", rule(kind).name, customer_id.empty() ? "all" : customer_id, rest);
}

std::string encode_cached(base::TimePoint born, std::string_view body) {
  const auto born_ms = std::chrono::floor<std::chrono::milliseconds>(born).time_since_epoch().count();
  return fmt::format("{}{}{}{}}}", kBornPrefix, born_ms, kBodyPrefix, body);
}

std::optional<CachedBody> decode_cached(std::string_view value) {
  if (!value.starts_with(kBornPrefix) || !value.ends_with('}')) return std::nullopt;
  value.remove_prefix(kBornPrefix.size());
  value.remove_suffix(1);
  std::int64_t born_ms = 0;
  const auto [end, failure] = std::from_chars(value.data(), value.data() + value.size(), born_ms);
  if (failure != std::errc{} || born_ms < 0 || born_ms > 9'000'000'000'000) return std::nullopt;
  value.remove_prefix(static_cast<std::size_t>(end - value.data()));
  if (!value.starts_with(kBodyPrefix)) return std::nullopt;
  value.remove_prefix(kBodyPrefix.size());
  if (value.empty()) return std::nullopt;
  return CachedBody{std::string(value), base::TimePoint{std::chrono::milliseconds{born_ms}}, CacheStatus::kHit};
}

Cache::Cache(std::unique_ptr<Store> store, const base::Clock& clock) : store_(std::move(store)), clock_(clock) {}

Result<CachedBody> Cache::read_uncached(const Fetch& fetch) const {
  const auto born = clock_.now();  // before the source is asked: errs to the old side
  auto body = fetch();
  if (!body) return body.error();
  return CachedBody{std::move(*body), born, CacheStatus::kBypass};
}

Result<CachedBody> Cache::read(Kind kind, std::string_view customer_id, std::string_view rest, const Fetch& fetch) {
  if (!store_) return read_uncached(fetch);
  const std::string key = cache_key(kind, customer_id, rest);
  const auto ttl = rule(kind).ttl;
  auto stored = store_->get(key);
  if (!stored) {
    log_line("WARN", stored.error().within("reading the cache").message);
    return read_uncached(fetch);
  }
  if (*stored) {
    auto cached = decode_cached(**stored);
    // Redis' own expiry is the rule; this holds also when its clock or ours was moved.
    if (cached && clock_.now() - cached->born < ttl) return std::move(*cached);
  }
  auto fresh = read_uncached(fetch);
  if (!fresh) return fresh;
  fresh->status = CacheStatus::kMiss;
  if (fresh->body.size() <= kMostValueBytes) {
    if (auto kept = store_->add(key, encode_cached(fresh->born, fresh->body), ttl); !kept) {
      log_line("WARN", kept.error().within("writing the cache").message);
    }
  }
  return fresh;
}

void Cache::invalidate(Kind kind, std::string_view customer_id, const std::vector<std::string>& rests) {
  if (!store_) return;
  std::vector<std::string> keys;
  for (const auto& rest : rests) keys.push_back(cache_key(kind, customer_id, rest));
  if (auto done = store_->overwrite(keys, kTombstone, kTombstoneLifetime); !done) {
    log_line("WARN", done.error().within("invalidating the cache").message);
  }
}

ApiResponse Cache::respond(Kind kind, std::string_view customer_id, CachedBody body) const {
  const KindRule& rules = rule(kind);
  const auto age = std::max(std::chrono::floor<seconds>(clock_.now() - body.born), seconds{0});
  // What remains for the caches in front is this less Age: at most kHttpLifetime, and never beyond the kind's TTL.
  const auto lifetime = std::min(age + kHttpLifetime, rules.ttl);
  ApiResponse response;
  response.body = std::move(body.body);
  response.headers = {{"Content-Type", "application/json"},
                      {"Cache-Control", rules.keeping == Keeping::kEverybody
                                            ? fmt::format("max-age={}, public", lifetime.count())
                                            : fmt::format("max-age=0, s-maxage={}, public", lifetime.count())},
                      {"Cache-Tag", customer_id.empty() ? std::string(rules.name)
                                                        : fmt::format("customer:{0},{1}:{0}", customer_id, rules.name)},
                      {"X-Cache-Status", std::string(to_string(body.status))}};
  if (age > seconds{0}) response.headers.emplace_back("Age", std::to_string(age.count()));
  return response;
}

ApiResponse written(int status, std::string body, Kind kind, std::string_view customer_id) {
  ApiResponse response = uncached(status, std::move(body));
  response.headers.emplace_back("Cache-Invalidate", fmt::format("#{}:{}", rule(kind).name, customer_id));
  return response;
}

}  // namespace securebase::lambda
