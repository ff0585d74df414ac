#include "store/store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/event.h"
#include "net/worker.h"
#include "store/encodings.h"
#include "store/flight.h"
#include "store/freshness.h"
#include "store/tags.h"

namespace securebase::store {
namespace {

using namespace std::chrono_literals;

const base::TimePoint kNow = *parse_http_date("Tue, 24 Nov 2026 06:57:25 GMT");

http::Headers fields(std::initializer_list<std::pair<const char*, const char*>> lines) {
  http::Headers made;
  for (const auto& [name, value] : lines) made.add(name, value);
  return made;
}

// ---- Cache-Control

struct AgeCase {
  const char* line;
  std::optional<seconds> max_age;
};
TEST(CacheControl, ReadsMaxAgeAndTakesTheStaleSideInDoubt) {
  for (const auto& [line, wanted] : std::vector<AgeCase>{{"max-age=60", 60s},
                                                         {"MAX-AGE=60", 60s},
                                                         {"public , max-age=60", 60s},
                                                         {"max-age=\"60\"", 60s},
                                                         {"max-age=60, max-age=5", 5s},
                                                         {"max-age=-1", 0s},
                                                         {"max-age=1.5", 0s},
                                                         {"max-age", 0s},
                                                         {"max-age=", 0s},
                                                         {"max-age =60", 0s},
                                                         {"max-age= 60", 0s},
                                                         {"max-age=99999999999999999999", kLongest},
                                                         {"a=\"x, max-age=7\"", std::nullopt},
                                                         {"x-max-age=7", std::nullopt}}) {
    CacheControl control;
    parse_cache_control(line, control);
    EXPECT_EQ(control.max_age, wanted) << line;
  }
}

TEST(CacheControl, TakesQualifiedFormsAsUnqualified) {
  CacheControl control;
  parse_cache_control("private=\"Set-Cookie, X\", no-cache=\"a\", s-maxage=3, stale-while-revalidate=9", control);
  EXPECT_TRUE(control.is_private);
  EXPECT_TRUE(control.no_cache);
  EXPECT_EQ(control.s_maxage, 3s);
  EXPECT_EQ(control.stale_while_revalidate, 9s);
}

TEST(HttpDate, ReadsTheThreeForms) {
  const auto wanted = parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT");
  ASSERT_TRUE(wanted);
  EXPECT_EQ(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT"), wanted);
  EXPECT_EQ(parse_http_date("Sun Nov  6 08:49:37 1994"), wanted);
  for (const char* wrong : {"", "0", "-1", "Sun, 06 Nov 1994 08:49:37", "Sun, 32 Nov 1994 08:49:37 GMT", "now"}) {
    EXPECT_FALSE(parse_http_date(wrong)) << wrong;
  }
}

// ---- Lifetimes

struct LifetimeCase {
  const char* why;
  std::vector<std::pair<const char*, const char*>> headers;
  Ttl ttl;
  seconds age;
  bool storable;
  seconds remaining;
};
TEST(Freshness, FollowsCloudFrontsTable) {
  const Ttl zero{0s, 3600s, 86'400s};
  const Ttl some{60s, 3600s, 86'400s};
  const std::vector<LifetimeCase> cases = {
      {"nothing said: default", {}, zero, 0s, true, 3600s},
      {"nothing said, aged: what is left of the default", {}, zero, 600s, true, 3000s},
      {"max-age", {{"Cache-Control", "max-age=300"}}, zero, 0s, true, 300s},
      {"the remaining time is bounded", {{"Cache-Control", "max-age=300"}}, {0s, 0s, 200s}, 250s, true, 50s},
      {"the bound counts from arrival", {{"Cache-Control", "max-age=3600"}}, {0s, 0s, 300s}, 1000s, true, 300s},
      {"max-age below the minimum", {{"Cache-Control", "max-age=5"}}, some, 0s, true, 60s},
      {"max-age above the maximum", {{"Cache-Control", "max-age=999999"}}, zero, 0s, true, 86'400s},
      {"s-maxage first", {{"Cache-Control", "max-age=5, s-maxage=50"}}, zero, 0s, true, 50s},
      {"Expires",
       {{"Date", "Tue, 24 Nov 2026 06:57:25 GMT"}, {"Expires", "Tue, 24 Nov 2026 06:58:25 GMT"}},
       zero,
       0s,
       true,
       60s},
      {"Expires in the past", {{"Expires", "0"}}, zero, 0s, false, 0s},
      {"max-age before Expires", {{"Cache-Control", "max-age=7"}, {"Expires", "0"}}, zero, 0s, true, 7s},
      {"no-store", {{"Cache-Control", "no-store"}}, zero, 0s, false, 0s},
      {"no-store under a minimum", {{"Cache-Control", "no-store"}}, some, 0s, true, 60s},
      {"private is never everybody's", {{"Cache-Control", "private, max-age=300"}}, some, 0s, false, 0s},
      {"no-cache with a validator is kept to be asked about",
       {{"Cache-Control", "no-cache"}, {"ETag", "\"a\""}},
       zero,
       0s,
       true,
       0s},
      {"a cookie is one viewer's", {{"Cache-Control", "max-age=300"}, {"Set-Cookie", "a=b"}}, some, 0s, false, 0s},
      {"Vary: *", {{"Cache-Control", "max-age=300"}, {"Vary", "a, *"}}, zero, 0s, false, 0s},
      {"too old already", {{"Cache-Control", "max-age=300"}}, zero, 300s, false, 0s},
  };
  for (const auto& each : cases) {
    http::Headers headers;
    for (const auto& [name, value] : each.headers) headers.add(name, value);
    const auto got = judge({200, headers, false, Audience::kEverybody, each.age}, each.ttl, 10s, kNow);
    EXPECT_EQ(got.storable, each.storable) << each.why;
    if (each.storable) {
      EXPECT_EQ(got.remaining, each.remaining) << each.why;
    }
  }
}

TEST(Freshness, StoresAnswersToCredentialsOnlyWhenTold) {
  const auto allowed = [](const char* control) {
    const auto headers = fields({{"Cache-Control", control}});
    return judge({200, headers, true, Audience::kEverybody, 0s}, {}, 10s, kNow).storable;
  };
  EXPECT_FALSE(allowed("max-age=300"));
  EXPECT_TRUE(allowed("max-age=300, public"));
  EXPECT_TRUE(allowed("s-maxage=300"));
  EXPECT_TRUE(allowed("max-age=300, must-revalidate"));
}

TEST(Freshness, KeepsErrorsForTheirOwnTime) {
  const http::Headers none;
  const auto kept = [&](int status, seconds least) {
    return judge({status, none, false, Audience::kEverybody, 0s}, {}, least, kNow);
  };
  EXPECT_EQ(kept(404, 10s).remaining, 10s);
  EXPECT_EQ(kept(500, 10s).remaining, 10s);
  EXPECT_FALSE(kept(500, 0s).storable);
  EXPECT_FALSE(kept(401, 10s).storable);
  EXPECT_FALSE(kept(403, 10s).storable);
  EXPECT_FALSE(kept(429, 10s).storable);
  const auto no_store = fields({{"Cache-Control", "no-store"}});
  EXPECT_FALSE(judge({404, no_store, false, Audience::kEverybody, 0s}, {}, 10s, kNow).storable);
}

TEST(Freshness, CountsAgeFromTheOlderEstimate) {
  EXPECT_EQ(age_on_arrival(fields({{"Age", "100"}}), kNow, 2s), 102s);
  EXPECT_EQ(age_on_arrival(fields({{"Age", "5"}, {"Date", "Tue, 24 Nov 2026 06:56:25 GMT"}}), kNow, 0s), 60s);
  EXPECT_EQ(age_on_arrival(fields({{"Age", "-5"}}), kNow, 0s), 0s);
  EXPECT_EQ(age_on_arrival(fields({{"Age", "7, 9"}}), kNow, 0s), 7s);
}

TEST(Conditions, CompareWeaklyAndPreferTags) {
  const auto asked = [](const char* name, const char* value) {
    return not_modified(fields({{name, value}}), "\"a,b\"", "Tue, 24 Nov 2026 06:57:25 GMT");
  };
  EXPECT_TRUE(asked("If-None-Match", "\"x\", W/\"a,b\""));
  EXPECT_TRUE(asked("If-None-Match", "*"));
  EXPECT_FALSE(asked("If-None-Match", "\"a\""));
  EXPECT_TRUE(asked("If-Modified-Since", "Tue, 24 Nov 2026 06:57:25 GMT"));
  EXPECT_FALSE(asked("If-Modified-Since", "Tue, 24 Nov 2026 06:57:24 GMT"));
}

// ---- Encodings

TEST(Encodings, AreChosenByWeight) {
  EXPECT_EQ(preferred("gzip, deflate, br"), Encoding::kBrotli);
  EXPECT_EQ(preferred("gzip;q=1.0, br;q=0.5"), Encoding::kGzip);
  EXPECT_EQ(preferred("gzip;q=0"), Encoding::kIdentity);
  EXPECT_EQ(preferred("*"), Encoding::kBrotli);
  EXPECT_EQ(preferred("br;q=0, *"), Encoding::kGzip);
  EXPECT_EQ(preferred("identity;q=1, gzip;q=0.5"), Encoding::kIdentity);
  EXPECT_EQ(preferred("gzip;q=2"), Encoding::kIdentity);
  EXPECT_EQ(preferred(""), Encoding::kIdentity);
}

TEST(Encodings, GiveBackWhatTheyTook) {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += "line " + std::to_string(i * i);
  EXPECT_EQ(*ungzip(gzip(text), 1 << 20), text);
  EXPECT_EQ(*unbrotli(brotli(text), 1 << 20), text);
  EXPECT_LT(brotli(text).size(), text.size() / 2);
}

// ---- Tags

TEST(Tags, TurnStaleWhatBearsThem) {
  Tags tags;
  const std::string_view list = "Customer:42, invoices:42";
  auto labels = tags.labels(tags.now(), "E1", "/v1/a", "x=1", {&list, 1});
  EXPECT_EQ(tags.judge(labels), Verdict::kValid);
  tags.raise("customer:43", Strength::kHard);
  EXPECT_EQ(tags.judge(labels), Verdict::kValid);
  tags.raise("CUSTOMER:42", Strength::kSoft);
  EXPECT_EQ(tags.judge(labels), Verdict::kStale);
  tags.raise("invoices:42", Strength::kHard);
  EXPECT_EQ(tags.judge(labels), Verdict::kGone);
  EXPECT_EQ(tags.judge(tags.labels(tags.now(), "E1", "/v1/a", "", {&list, 1})), Verdict::kValid);
}

TEST(Tags, CountWhatIsRaisedDuringAFetch) {
  Tags tags;
  const auto birth = tags.now();
  tags.raise("a", Strength::kHard);
  const std::string_view list = "a";
  EXPECT_EQ(tags.judge(tags.labels(birth, "E1", "/", "", {&list, 1})), Verdict::kGone);
}

struct PathCase {
  const char* pattern;
  bool stale;
};
TEST(Tags, FindPaths) {
  for (const auto& [pattern, stale] : std::vector<PathCase>{{"/*", true},
                                                            {"*", true},
                                                            {"/img/*", true},
                                                            {"/img/a.png", true},
                                                            {"/img/a.png?v=1", true},
                                                            {"/img/a.png?v=2", false},
                                                            {"/img/*.png", true},
                                                            {"/*.jpg", false},
                                                            {"/img", false},
                                                            {"/img/a.png?*", true},
                                                            {"/IMG/*", false}}) {
    Tags tags;
    const auto labels = tags.labels(tags.now(), "E1", "/img/a.png", "v=1", {});
    tags.raise_path("E2", pattern, Strength::kHard);
    EXPECT_EQ(tags.judge(labels), Verdict::kValid) << pattern;
    tags.raise_path("E1", pattern, Strength::kHard);
    EXPECT_EQ(tags.judge(labels), stale ? Verdict::kGone : Verdict::kValid) << pattern;
  }
}

TEST(Tags, StayBoundedAndErrToTheStaleSide) {
  Tags tags({.slots = 64, .patterns = 4});
  std::vector<Labels> all;
  for (int i = 0; i < 20; ++i) {
    all.push_back(tags.labels(tags.now(), "E1", "/p" + std::to_string(i) + "/x", "", {}));
  }
  for (int i = 0; i < 20; ++i) tags.raise_path("E1", "/p" + std::to_string(i) + "/*", Strength::kHard);
  for (const auto& labels : all) EXPECT_EQ(tags.judge(labels), Verdict::kGone);
  EXPECT_LE(tags.statistics().patterns, 4U);
  const auto later = tags.labels(tags.now(), "E1", "/p0/x", "", {});
  EXPECT_EQ(tags.judge(later), Verdict::kValid);
}

// ---- Store

std::shared_ptr<StoredResponse> response_of(std::size_t bytes) {
  auto made = std::make_shared<StoredResponse>();
  made->variants[0] = http::prepare(200, {}, std::string(bytes, 'x'));
  return made;
}

TEST(Store, StaysWithinItsBytesAndDropsTheLeastRecentlyUsed) {
  Store store({.bytes = 100'000, .shards = 1});
  for (int i = 0; i < 50; ++i) {
    EXPECT_TRUE(store.put("key" + std::to_string(i), response_of(5000)));
    EXPECT_NE(store.find("key0"), nullptr);
    EXPECT_LE(store.statistics().bytes, 100'000U);
  }
  EXPECT_EQ(store.find("key1"), nullptr);
  EXPECT_NE(store.find("key49"), nullptr);
  EXPECT_GT(store.statistics().evicted, 0U);
  EXPECT_FALSE(store.put("big", response_of(90'000)));
}

TEST(Store, ReplacesOnlyWhatIsExpected) {
  Store store({});
  const auto old = response_of(10);
  store.put("a", old);
  const auto other = response_of(20);
  EXPECT_FALSE(store.replace("a", other.get(), other));
  EXPECT_TRUE(store.replace("a", old.get(), other));
  EXPECT_EQ(store.find("a"), other);
  EXPECT_EQ(store.remove_if([](std::string_view key, const StoredResponse&) { return key == "a"; }), 1U);
  EXPECT_EQ(store.statistics().bytes, 0U);
}

TEST(StoredResponse, GetsAnEncodingWithAWeakTag) {
  StoredResponse stored;
  http::Headers headers;
  headers.add("ETag", "\"a\"");
  stored.variants[0] = http::prepare(200, std::move(headers), std::string(4000, 'x'));
  stored.compressible = true;
  const auto more = with_encoding(stored, Encoding::kGzip);
  ASSERT_TRUE(more);
  const auto& variant = *more->variants[1];
  EXPECT_EQ(variant.headers.get("Content-Encoding"), "gzip");
  EXPECT_EQ(variant.headers.get("ETag"), "W/\"a\"");
  EXPECT_EQ(*ungzip(variant.body, 1 << 20), std::string(4000, 'x'));
}

// ---- Flights

net::Task<void> read_flight(std::shared_ptr<Flight> flight, bool first, std::string& into, Flight::Outcome& outcome) {
  auto seen = co_await flight->head(first);
  EXPECT_TRUE(seen);
  outcome = seen->outcome;
  if (outcome != Flight::Outcome::kStream) co_return;
  auto reader = flight->reader();
  for (;;) {
    auto piece = co_await reader->next();
    EXPECT_TRUE(piece);
    if (!piece || piece->empty()) co_return;
    into += *piece;
  }
}

net::Task<void> pieces(std::shared_ptr<Flight> flight, bool shared, int count) {
  flight->begin({200, {}, std::nullopt, shared, std::nullopt});
  for (int i = 0; i < count; ++i) {
    auto done = co_await flight->append("piece" + std::to_string(i) + " ");
    EXPECT_TRUE(done);
  }
  flight->finish(nullptr);
}

TEST(Flight, StreamsToEverybodyOnAllWorkers) {
  Flights flights({});
  net::Workers workers(2);
  std::atomic<int> firsts{0};
  std::vector<std::string> got(1000);
  std::vector<Flight::Outcome> outcomes(1000);
  std::atomic<int> joined{0};
  std::shared_ptr<Flight> flight = flights.join("key").flight;
  workers.on_each([&](net::Worker& worker) {
    for (std::size_t i = worker.index(); i < got.size(); i += 2) {
      auto mine = flights.join("key");
      firsts += mine.first ? 1 : 0;
      worker.tasks().spawn(read_flight(mine.flight, false, got[i], outcomes[i]));
      ++joined;
    }
  });
  EXPECT_EQ(firsts, 0);
  workers[0].post([&] { workers[0].tasks().spawn(pieces(flight, true, 3)); });
  for (int i = 0; i < 2000; ++i) {
    std::atomic<std::size_t> left{0};
    workers.on_each([&](net::Worker& worker) { left += worker.tasks().running(); });
    if (left == 0) break;
  }
  workers.stop();
  for (const auto& text : got) EXPECT_EQ(text, "piece0 piece1 piece2 ");
  EXPECT_EQ(flights.count(), 0U);
}

net::Task<void> release_test(Flights& flights, std::vector<Flight::Outcome>& outcomes) {
  net::TaskGroup group;
  std::vector<std::string> got(outcomes.size());
  auto first = flights.join("key");
  EXPECT_TRUE(first.first);
  for (std::size_t i = 0; i < outcomes.size(); ++i) group.spawn(read_flight(first.flight, i == 0, got[i], outcomes[i]));
  group.spawn(pieces(first.flight, false, 2));
  co_await group.drain();
  EXPECT_EQ(got[0], "piece0 piece1 ");
}

TEST(Flight, ReleasesTheOthersWhenItIsNotShared) {
  Flights flights({});
  net::Worker worker(0);
  std::vector<Flight::Outcome> outcomes(20);
  worker.run_until_done(release_test(flights, outcomes));
  EXPECT_EQ(outcomes[0], Flight::Outcome::kStream);
  for (std::size_t i = 1; i < outcomes.size(); ++i) EXPECT_EQ(outcomes[i], Flight::Outcome::kReleased);
}

net::Task<void> window_test(Flights& flights) {
  net::TaskGroup group;
  auto first = flights.join("key");
  std::string got;
  Flight::Outcome outcome{};
  group.spawn(pieces(first.flight, true, 1000));
  EXPECT_EQ(flights.count(), 0U);  // outgrown: nobody joins any more
  group.spawn(read_flight(first.flight, true, got, outcome));
  co_await group.drain();
  EXPECT_GT(got.size(), 8000U);
}

TEST(Flight, HoldsNoMoreThanAWindowOfWhatIsNotKept) {
  Flights flights({.keep_bytes = 100, .window_bytes = 50});
  net::Worker worker(0);
  worker.run_until_done(window_test(flights));
}

TEST(Flight, MakesRoomForTheNextWhenItIsOutdated) {
  Flights flights({});
  const auto old = flights.join("key").flight;
  const auto next = flights.join("key", old.get());
  EXPECT_TRUE(next.first);
  EXPECT_EQ(flights.join("key").flight, next.flight);
  EXPECT_FALSE(flights.join("key", old.get()).first) << "somebody else was quicker";
  old->finish(nullptr);
  EXPECT_EQ(flights.count(), 1U) << "the end of the old one is not the end of the next";
  next.flight->finish(nullptr);
  EXPECT_EQ(flights.count(), 0U);
}

net::Task<void> append_to(std::shared_ptr<Flight> flight, std::size_t bytes, bool& done) {
  auto appended = co_await flight->append(std::string(bytes, 'x'));
  done = appended.has_value();
}

TEST(Flight, KeepsNothingWholeWhenAllTogetherHoldTooMuch) {
  Flights flights({.keep_bytes = 1 << 20, .held_bytes = 1 << 20});
  net::Worker worker(0);
  bool done = false;
  {
    const auto one = flights.join("one").flight;
    const auto other = flights.join("other").flight;
    const auto reader = other->reader();
    one->begin({});
    other->begin({});
    worker.run_until_done(append_to(one, 1 << 20, done));
    worker.run_until_done(append_to(other, 1 << 10, done));
    EXPECT_TRUE(done) << "a little is let through, for whoever reads it";
    EXPECT_TRUE(one->whole_body());
    EXPECT_FALSE(other->whole_body());
    EXPECT_EQ(flights.held_bytes(), (1U << 20) + (1U << 10));
    one->finish(nullptr);
    other->finish(nullptr);
  }
  EXPECT_EQ(flights.held_bytes(), 0U);
}

net::Task<void> take_turn(Flights& flights, int& running, int& most, net::Event& go) {
  const auto ticket = go.ticket();
  auto turn = co_await flights.turn("key");
  EXPECT_TRUE(turn);
  most = std::max(most, ++running);
  if (running == 3) go.notify_all();
  auto done = co_await go.after(ticket);
  EXPECT_TRUE(done);
  --running;
}

net::Task<void> turns_test(Flights& flights, int& most) {
  net::TaskGroup group;
  int running = 0;
  net::Event go;
  for (int i = 0; i < 3; ++i) group.spawn(take_turn(flights, running, most, go));
  co_await group.drain();
}

TEST(Flight, GivesSoManyTurnsAtATime) {
  Flights flights({.released = 3});
  net::Worker worker(0);
  int most = 0;
  worker.run_until_done(turns_test(flights, most));
  EXPECT_EQ(most, 3);
}

}  // namespace
}  // namespace securebase::store
