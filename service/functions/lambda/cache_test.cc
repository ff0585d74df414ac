#include "lambda/cache.h"

#include <gtest/gtest.h>

#include <map>

namespace securebase::lambda {
namespace {

using std::chrono::seconds;

class MemoryStore final : public Store {
 public:
  Result<std::optional<std::string>> get(std::string_view key) override {
    if (down) return Error{Errc::kUnavailable, "down"};
    const auto found = values.find(key);
    return found == values.end() ? std::optional<std::string>() : std::optional(found->second);
  }
  Result<Done> add(std::string_view key, std::string_view value, seconds ttl) override {
    if (down) return Error{Errc::kUnavailable, "down"};
    last_ttl = ttl;
    values.emplace(key, value);
    return Done{};
  }
  Result<Done> overwrite(std::span<const std::string> keys, std::string_view value, seconds) override {
    if (down) return Error{Errc::kUnavailable, "down"};
    for (const auto& key : keys) values[key] = value;
    return Done{};
  }

  std::map<std::string, std::string, std::less<>> values;
  seconds last_ttl{0};
  bool down = false;
};

std::string_view header(const ApiResponse& response, std::string_view name) {
  for (const auto& [key, value] : response.headers) {
    if (key == name) return value;
  }
  return {};
}

struct CacheTest : testing::Test {
  base::ManualClock clock;
  MemoryStore* store = new MemoryStore;
  Cache cache{std::unique_ptr<Store>(store), clock};
  int fetched = 0;
  Cache::Fetch fetch = [this]() -> Result<std::string> { return "{\"n\":" + std::to_string(++fetched) + "}"; };
};

TEST_F(CacheTest, AsksTheSourceOnce) {
  auto first = cache.read(Kind::kInvoices, "42", "list", fetch);
  auto second = cache.read(Kind::kInvoices, "42", "list", fetch);
  EXPECT_EQ(first->status, CacheStatus::kMiss);
  EXPECT_EQ(second->status, CacheStatus::kHit);
  EXPECT_EQ(second->body, "{\"n\":1}");
  EXPECT_EQ(store->last_ttl, seconds{3600});
  EXPECT_TRUE(store->values.contains("invoices:42:list"));
}

TEST_F(CacheTest, KeepsCustomersApart) {
  (void)cache.read(Kind::kInvoices, "42", "list", fetch);
  EXPECT_EQ(cache.read(Kind::kInvoices, "43", "list", fetch)->status, CacheStatus::kMiss);
}

TEST_F(CacheTest, IsPassedByWhenItFails) {
  store->down = true;
  auto body = cache.read(Kind::kMetrics, "42", "30d", fetch);
  ASSERT_TRUE(body);
  EXPECT_EQ(body->status, CacheStatus::kBypass);
  cache.invalidate(Kind::kMetrics, "42", {"30d"});
}

TEST_F(CacheTest, KeepsNoErrors) {
  const Cache::Fetch failing = []() -> Result<std::string> { return Error{Errc::kNotFound, "none"}; };
  EXPECT_FALSE(cache.read(Kind::kInvoices, "42", "one:x", failing));
  EXPECT_TRUE(store->values.empty());
}

TEST_F(CacheTest, AReadThatBeganBeforeTheWriteCannotBringTheOldValueBack) {
  const Cache::Fetch slow = [&]() -> Result<std::string> {
    cache.invalidate(Kind::kTickets, "42", {"all"});  // the write happens while this read is on its way
    return std::string("{\"old\":true}");
  };
  (void)cache.read(Kind::kTickets, "42", "all", slow);
  EXPECT_EQ(cache.read(Kind::kTickets, "42", "all", fetch)->body, "{\"n\":1}");
}

TEST_F(CacheTest, ReadsPastWhatItDoesNotUnderstand) {
  for (const auto* value : {"", "-", "{}", "{\"born_ms\":}", "{\"born_ms\":x,\"body\":1}", "{\"born_ms\":5,\"body\":}",
                            "{\"born_ms\":99999999999999999999,\"body\":1}", "[1]"}) {
    EXPECT_FALSE(decode_cached(value)) << value;
    store->values["metrics:42:30d"] = value;
    EXPECT_EQ(cache.read(Kind::kMetrics, "42", "30d", fetch)->status, CacheStatus::kMiss);
  }
}

TEST_F(CacheTest, DoesNotBelieveAValueOlderThanItsKindMayBe) {
  (void)cache.read(Kind::kMetrics, "42", "30d", fetch);
  clock.advance(seconds{300});
  EXPECT_EQ(cache.read(Kind::kMetrics, "42", "30d", fetch)->body, "{\"n\":2}");
}

TEST_F(CacheTest, AFreshResponseIsTheGuidesLiteral) {
  const auto response = cache.respond(Kind::kMetrics, "42", *cache.read(Kind::kMetrics, "42", "30d", fetch));
  EXPECT_EQ(header(response, "Cache-Control"), "max-age=300, public");
  EXPECT_EQ(header(response, "Cache-Tag"), "customer:42,metrics:42");
  EXPECT_EQ(header(response, "X-Cache-Status"), "MISS");
  EXPECT_EQ(header(response, "Age"), "");
}

TEST_F(CacheTest, AgesOfSeveralCachesNeverAddUpBeyondTheTtl) {
  (void)cache.read(Kind::kMetrics, "42", "30d", fetch);
  (void)cache.read(Kind::kInvoices, "42", "list", fetch);
  clock.advance(seconds{200});
  auto metrics = cache.respond(Kind::kMetrics, "42", *cache.read(Kind::kMetrics, "42", "30d", fetch));
  EXPECT_EQ(header(metrics, "Age"), "200");
  EXPECT_EQ(header(metrics, "Cache-Control"), "max-age=300, public");  // 100 s remain
  auto invoices = cache.respond(Kind::kInvoices, "42", *cache.read(Kind::kInvoices, "42", "list", fetch));
  EXPECT_EQ(header(invoices, "Cache-Control"), "max-age=500, public");  // 300 s remain
  clock.advance(seconds{3300});
  invoices = cache.respond(Kind::kInvoices, "42", *cache.read(Kind::kInvoices, "42", "list", fetch));
  EXPECT_EQ(header(invoices, "Age"), "3500");
  EXPECT_EQ(header(invoices, "Cache-Control"), "max-age=3600, public");  // 100 s remain
}

TEST_F(CacheTest, BrowsersDoNotKeepWhatWritesChange) {
  const auto response = cache.respond(Kind::kTickets, "42", *cache.read(Kind::kTickets, "42", "all", fetch));
  EXPECT_EQ(header(response, "Cache-Control"), "max-age=0, s-maxage=300, public");
}

TEST_F(CacheTest, WritesSayWhatTheyMakeOld) {
  const auto response = written(201, "{}", Kind::kTickets, "42");
  EXPECT_EQ(header(response, "Cache-Invalidate"), "#tickets:42");
  EXPECT_EQ(header(response, "Cache-Control"), "no-store");
}

}  // namespace
}  // namespace securebase::lambda
