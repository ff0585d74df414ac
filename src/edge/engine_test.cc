// The edge before an origin that does what a test says: who may see what, what is stored, and for how long.
#include "edge/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/worker.h"

namespace securebase::edge {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

struct FakeTicket final : Ticket {
  std::string principal;
};

// Knows callers by "Authorization: <name>" when it has a gate.
class FakeOrigin final : public Origin {
 public:
  bool gate = false;
  std::set<std::string> open_paths;
  std::function<http::Response(const OriginRequest&, const Caller&)> answers;
  std::vector<OriginRequest> seen;
  net::Event* hold = nullptr;  // fetches wait for it

  bool has_gate() const override { return gate; }
  bool admit_now(const http::Request& request, Caller& caller) override {
    if (!gate || open_paths.contains(std::string(request.path))) return Origin::admit_now(request, caller);
    const auto who = request.headers.get("Authorization");
    if (!who) {
      caller.verdict = Caller::Verdict::kRefused;
      caller.refusal.emplace();
      caller.refusal->status = 401;
      caller.refusal->body = "{\"message\":\"Unauthorized\"}";
      return true;
    }
    auto ticket = std::make_unique<FakeTicket>();
    ticket->principal = *who;
    caller.verdict = Caller::Verdict::kPrincipal;
    caller.principal = ticket->principal;
    caller.ticket = std::move(ticket);
    return true;
  }
  net::Task<Result<http::Response>> fetch(OriginRequest& request, Caller& caller) override {
    seen.push_back(request);
    if (hold) {
      auto done = co_await hold->after(hold->ticket());
      static_cast<void>(done);
    }
    co_return answers(request, caller);
  }
};

struct Answer {
  int status;
  std::string body;
  http::Headers headers;
  std::string x_cache() const { return std::string(headers.get("X-Cache").value_or("")); }
};

Behaviour behaviour_of(std::string pattern) {
  Behaviour made;
  made.pattern = std::move(pattern);
  made.allowed = ~0U;
  made.cached = method_bit(http::Method::kGet) | method_bit(http::Method::kHead);
  made.gzip = made.brotli = true;
  made.key_prefix = "E1\n" + made.pattern + "\n";
  return made;
}

class EdgeTest : public ::testing::Test {
 protected:
  EdgeTest() : worker_(0), pool_(1, 64) {
    config_.id = "E1";
    config_.domain_name = "d1.cloudfront.net";
    config_.via = "1.1 d1.cloudfront.net (CloudFront)";
    config_.origins.push_back({});
    config_.origins[0].domain_name = "api.example.com";
    config_.behaviours.push_back(behaviour_of("*"));
    origin_.answers = [](const OriginRequest&, const Caller&) {
      http::Response response;
      response.headers.add("Cache-Control", "max-age=300, public");
      response.body = "hello";
      return response;
    };
  }

  Engine& engine() {
    if (engine_) return *engine_;
    EngineDoors doors{tags_,
                      pool_,
                      registry_,
                      nullptr,
                      clock_,
                      [this](const OriginConfig&) { return std::make_unique<Shared>(origin_); },
                      [this](const std::vector<std::string>& tags) { told_ = tags; }};
    engine_ = std::make_unique<Engine>(settings_, std::move(doors));
    auto config = std::make_shared<Config>();
    config->distributions.push_back(config_);
    engine_->apply(config);
    return *engine_;
  }

  using Fields = std::vector<std::pair<std::string, std::string>>;
  net::Task<void> ask(Answer& answer, std::string method, std::string path, Fields fields) {
    http::Request request;
    request.method = http::method_from(method);
    request.method_name = method;
    request.authority = "d1.cloudfront.net";
    request.target = path;
    const auto query = path.find('?');
    request.path = std::string_view(path).substr(0, query);
    if (query != std::string::npos) request.query = std::string_view(path).substr(query + 1);
    request.peer_address = "192.0.2.1";
    for (const auto& [name, value] : fields) request.headers.add(name, value);
    http::Response response;
    if (!engine().answer_now(request, response)) {
      response = http::Response();
      response = co_await engine().answer(request);
    } else {
      ++at_once_;
    }
    answer.status = response.prepared ? response.prepared->status : response.status;
    if (response.prepared) {
      answer.headers = response.prepared->headers;
      answer.body = response.prepared->body;
    } else if (auto stream = response.body.take_stream()) {
      auto all = co_await http::read_all(*stream, 1 << 24);
      EXPECT_TRUE(all);
      if (all) answer.body = *all;
    } else {
      answer.body = response.body.bytes();
    }
    for (const auto& field : response.headers.fields()) answer.headers.add(field.name, field.value);
    if (method == "HEAD") answer.body.clear();
  }
  Answer get(std::string path, Fields fields = {}, std::string method = "GET") {
    Answer answer;
    worker_.run_until_done(ask(answer, std::move(method), std::move(path), std::move(fields)));
    worker_.run_until_done(settled());
    return answer;
  }
  net::Task<void> ask_all(std::vector<Answer>& answers) {
    for (auto& answer : answers) worker_.tasks().spawn(ask(answer, "GET", "/a", {}));
    co_return;
  }
  // Until nothing but this runs: what a request began behind itself is over.
  net::Task<void> settled() {
    while (worker_.tasks().running() > 1) {
      auto slept = co_await net::sleep_for(std::chrono::microseconds(50));
      if (!slept) co_return;
    }
  }

  // The test owns the origin; the engine owns this.
  struct Shared final : Origin {
    explicit Shared(FakeOrigin& to) : to(to) {}
    bool has_gate() const override { return to.has_gate(); }
    bool admit_now(const http::Request& request, Caller& caller) override { return to.admit_now(request, caller); }
    net::Task<Result<http::Response>> fetch(OriginRequest& request, Caller& caller) override {
      return to.fetch(request, caller);
    }
    FakeOrigin& to;
  };

  Settings settings_;
  net::Worker worker_;
  net::Pool pool_;
  store::Tags tags_;
  telemetry::Registry registry_;
  base::ManualClock clock_;
  FakeOrigin origin_;
  DistributionConfig config_;
  std::unique_ptr<Engine> engine_;
  std::vector<std::string> told_;
  int at_once_ = 0;
};

TEST_F(EdgeTest, StoresWhatItFetchedAndTellsItsAge) {
  EXPECT_EQ(get("/a").x_cache(), "Miss from cloudfront");
  clock_.advance(42s);
  const auto hit = get("/a");
  EXPECT_EQ(hit.x_cache(), "Hit from cloudfront");
  EXPECT_EQ(hit.body, "hello");
  EXPECT_EQ(hit.headers.get("Age"), "42");
  EXPECT_EQ(hit.headers.get("Cache-Status"), "securebase; hit");
  EXPECT_EQ(hit.headers.get("Via"), "1.1 d1.cloudfront.net (CloudFront)");
  EXPECT_EQ(at_once_, 1);
  EXPECT_EQ(origin_.seen.size(), 1U);
  clock_.advance(300s);
  EXPECT_EQ(get("/a").x_cache(), "Miss from cloudfront");
}

TEST_F(EdgeTest, BoundsTheRemainingTimeByTheValuesBirth) {
  origin_.answers = [](const OriginRequest&, const Caller&) {
    http::Response response;
    response.headers.add("Cache-Control", "max-age=300, public");
    response.headers.add("Age", "250");
    return response;
  };
  EXPECT_EQ(get("/a").headers.get("Age"), "250");
  clock_.advance(49s);
  EXPECT_EQ(get("/a").headers.get("Age"), "299");
  clock_.advance(1s);
  EXPECT_EQ(get("/a").x_cache(), "Miss from cloudfront");
}

// ---- Two tenants and the guide's literal configuration: the key is customer_id alone, Authorization is not in it, the
// function says public, and an authorizer stands in front.

class TwoTenants : public EdgeTest {
 protected:
  TwoTenants() {
    origin_.gate = true;
    config_.behaviours[0].key_queries = {Selection::Kind::kSome, {"customer_id"}};
    config_.behaviours[0].ttl = {0s, 300s, 300s};
    origin_.answers = [](const OriginRequest&, const Caller& caller) {
      http::Response response;
      response.headers.add("Cache-Control", "max-age=300, public");
      response.headers.add("Cache-Tag", "customer:" + std::string(caller.principal));
      response.body = "secret of " + std::string(caller.principal);
      return response;
    };
  }
};

TEST_F(TwoTenants, GetNothingOfEachOther) {
  const std::string path = "/api/v1/metrics?customer_id=42";
  EXPECT_EQ(get(path, {{"Authorization", "ann"}}).body, "secret of ann");
  const auto own = get(path, {{"Authorization", "ann"}});
  EXPECT_EQ(own.x_cache(), "Hit from cloudfront");
  EXPECT_EQ(own.body, "secret of ann");
  const auto other = get(path, {{"Authorization", "bob"}});
  EXPECT_EQ(other.body, "secret of bob");
  EXPECT_EQ(other.x_cache(), "Miss from cloudfront");
}

TEST_F(TwoTenants, AreAskedForCredentialsBeforeAnythingIsLookedUp) {
  const std::string path = "/api/v1/metrics?customer_id=42";
  get(path, {{"Authorization", "ann"}});
  const auto refused = get(path);
  EXPECT_EQ(refused.status, 401);
  EXPECT_THAT(refused.body, HasSubstr("Unauthorized"));
  EXPECT_EQ(refused.x_cache(), "Error from cloudfront");
  EXPECT_EQ(get(path, {{"Authorization", "ann"}}).x_cache(), "Hit from cloudfront");
  EXPECT_EQ(origin_.seen.size(), 1U);
}

TEST_F(TwoTenants, ShareWhatTheRouteDeclaresPublic) {
  origin_.open_paths = {"/v1/pricing"};
  get("/v1/pricing", {{"Authorization", "ann"}});
  EXPECT_EQ(get("/v1/pricing", {{"Authorization", "bob"}}).x_cache(), "Hit from cloudfront");
}

TEST_F(TwoTenants, DoNotReachTheOriginWithWhatIsNotKeyed) {
  get("/a?customer_id=1&evil=2&customer%5Fid=3", {{"Authorization", "ann"}, {"X-Evil", "1"}, {"Cookie", "a=b"}});
  ASSERT_EQ(origin_.seen.size(), 1U);
  EXPECT_EQ(origin_.seen[0].query, "customer_id=1&customer%5Fid=3");
  EXPECT_FALSE(origin_.seen[0].headers.has("X-Evil"));
  EXPECT_FALSE(origin_.seen[0].headers.has("Cookie"));
  EXPECT_EQ(origin_.seen[0].headers.get("X-Forwarded-For"), "192.0.2.1");
  EXPECT_EQ(origin_.seen[0].authority, "api.example.com");
}

TEST_F(EdgeTest, KeepsCallersApartThatOnlyTheOriginKnows) {
  config_.behaviours[0].more_headers.kind = Selection::Kind::kAll;
  origin_.answers = [](const OriginRequest& request, const Caller&) {
    http::Response response;
    response.headers.add("Cache-Control", "max-age=300, public");
    response.body = std::string(request.headers.get("Authorization").value_or("nobody"));
    return response;
  };
  EXPECT_EQ(get("/a", {{"Authorization", "ann"}}).body, "ann");
  EXPECT_EQ(get("/a", {{"Authorization", "bob"}}).body, "bob");
  EXPECT_EQ(get("/a", {{"Authorization", "ann"}}).x_cache(), "Hit from cloudfront");
}

// ---- Invalidation

TEST_F(TwoTenants, SeeTagsTurnStaleInEveryVariant) {
  const std::string large(5000, 'x');
  origin_.answers = [&](const OriginRequest&, const Caller&) {
    http::Response response;
    response.headers.add("Content-Type", "text/html");
    response.headers.add("Cache-Control", "max-age=300, public");
    response.headers.add("Cache-Tag", "customer:42");
    response.body = large;
    return response;
  };
  const std::vector<std::string> codings = {"identity", "gzip", "br"};
  for (const auto& coding : codings) get("/a", {{"Authorization", "ann"}, {"Accept-Encoding", coding}});
  EXPECT_EQ(origin_.seen.size(), 1U);
  for (const auto& coding : codings) {
    const auto hit = get("/a", {{"Authorization", "ann"}, {"Accept-Encoding", coding}});
    EXPECT_EQ(hit.x_cache(), "Hit from cloudfront");
    EXPECT_EQ(hit.headers.get("Content-Encoding").value_or("identity"), coding);
  }
  for (const auto& coding : codings) {
    EXPECT_TRUE(engine().invalidate({}, {}, {"CUSTOMER:42"}, Strength::kHard));
    EXPECT_EQ(get("/a", {{"Authorization", "ann"}, {"Accept-Encoding", coding}}).x_cache(), "Miss from cloudfront");
  }
}

TEST_F(EdgeTest, ServesSoftlyInvalidatedOnesWhileOneRefreshRuns) {
  get("/img/a");
  EXPECT_TRUE(engine().invalidate({}, {"/img/*"}, {}, Strength::kSoft));
  const auto stale = get("/img/a");
  EXPECT_EQ(stale.x_cache(), "Hit from cloudfront");
  EXPECT_THAT(std::string(*stale.headers.get("Cache-Status")), HasSubstr("stale"));
  EXPECT_EQ(origin_.seen.size(), 2U);
  EXPECT_EQ(get("/img/a").headers.get("Cache-Status"), "securebase; hit");
  EXPECT_FALSE(engine().invalidate({}, {"img"}, {}, Strength::kSoft));
  EXPECT_FALSE(engine().invalidate("E9", {"/a"}, {}, Strength::kSoft));
}

TEST_F(EdgeTest, LetsWritersReadWhatTheyWrote) {
  origin_.answers = [](const OriginRequest& request, const Caller&) {
    http::Response response;
    if (request.method == http::Method::kPost) {
      response.status = 201;
      response.headers.add("Cache-Invalidate", "#tickets:42, #api_keys:42");
      return response;
    }
    response.headers.add("Cache-Control", "max-age=300, public");
    response.headers.add("Cache-Tag", "tickets:42");
    return response;
  };
  get("/tickets");
  const auto written = get("/tickets/new", {}, "POST");
  EXPECT_EQ(written.status, 201);
  EXPECT_FALSE(written.headers.has("Cache-Invalidate"));
  EXPECT_EQ(told_, (std::vector<std::string>{"tickets:42", "api_keys:42"}));
  EXPECT_EQ(get("/tickets").x_cache(), "Miss from cloudfront");
}

TEST_F(EdgeTest, ForgetsAPathThatAnUnsafeMethodChanged) {
  get("/a");
  get("/a", {}, "PUT");
  EXPECT_EQ(get("/a").x_cache(), "Miss from cloudfront");
}

// ---- Conditions, ranges, encodings

TEST_F(EdgeTest, AnswersConditionsAndRangesFromWhatIsStored) {
  origin_.answers = [](const OriginRequest&, const Caller&) {
    http::Response response;
    response.headers.add("ETag", "\"v1\"");
    response.headers.add("Cache-Control", "max-age=300");
    response.body = "0123456789";
    return response;
  };
  EXPECT_EQ(get("/a", {{"Range", "bytes=2-4"}}).body, "234");
  EXPECT_EQ(get("/a", {{"If-None-Match", "W/\"v1\""}}).status, 304);
  const auto part = get("/a", {{"Range", "bytes=-3"}});
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.body, "789");
  EXPECT_EQ(part.headers.get("Content-Range"), "bytes 7-9/10");
  EXPECT_EQ(get("/a", {{"Range", "bytes=20-"}}).status, 416);
  EXPECT_EQ(get("/a", {{"Range", "bytes=0-1"}, {"If-Range", "\"v0\""}}).status, 200);
  const auto parts = get("/a", {{"Range", "bytes=0-1,8-9"}});
  EXPECT_EQ(parts.status, 206);
  EXPECT_THAT(std::string(*parts.headers.get("Content-Type")), HasSubstr("multipart/byteranges"));
  EXPECT_THAT(parts.body, HasSubstr("Content-Range: bytes 8-9/10\r\n\r\n89"));
  EXPECT_EQ(get("/a", {}, "HEAD").x_cache(), "Hit from cloudfront");
  EXPECT_EQ(origin_.seen.size(), 1U);
}

TEST_F(EdgeTest, RevalidatesWhatHasAValidator) {
  bool changed = false;
  origin_.answers = [&](const OriginRequest& request, const Caller&) {
    http::Response response;
    response.headers.add("Cache-Control", "max-age=10");
    response.headers.add("ETag", "\"v1\"");
    if (!changed && request.headers.get("If-None-Match") == "\"v1\"") {
      response.status = 304;
      return response;
    }
    response.body = changed ? "new" : "old";
    return response;
  };
  get("/a");
  clock_.advance(11s);
  const auto renewed = get("/a");
  EXPECT_EQ(renewed.x_cache(), "RefreshHit from cloudfront");
  EXPECT_EQ(renewed.body, "old");
  EXPECT_EQ(get("/a").x_cache(), "Hit from cloudfront");
  changed = true;
  clock_.advance(11s);
  EXPECT_EQ(get("/a").body, "new");
}

// ---- Stale and failing

TEST_F(EdgeTest, ServesStaleOnesWhenTheOriginFails) {
  bool broken = false;
  origin_.answers = [&](const OriginRequest&, const Caller&) {
    http::Response response;
    response.status = broken ? 500 : 200;
    response.headers.add("Cache-Control", "max-age=10, stale-if-error=100");
    response.body = broken ? "broken" : "fine";
    return response;
  };
  get("/a");
  broken = true;
  clock_.advance(50s);
  EXPECT_EQ(get("/a").body, "fine");
  clock_.advance(100s);
  EXPECT_EQ(get("/a").body, "broken");
}

TEST_F(EdgeTest, ShowsThePageOfACustomErrorResponse) {
  config_.errors[404] = {404, 200, "/index.html", 10s};
  origin_.answers = [](const OriginRequest& request, const Caller&) {
    http::Response response;
    response.status = request.path == "/index.html" ? 200 : 404;
    response.body = request.path == "/index.html" ? "the page" : "nothing";
    return response;
  };
  const auto page = get("/screen");
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.body, "the page");
  get("/screen");
  EXPECT_EQ(origin_.seen.size(), 2U);
  clock_.advance(11s);
  get("/screen");
  EXPECT_EQ(origin_.seen.size(), 4U);
}

// ---- Vary, paths, methods

TEST_F(EdgeTest, KeepsWhatVariesApart) {
  config_.behaviours[0].more_headers = {Selection::Kind::kSome, {"accept-language"}};
  origin_.answers = [](const OriginRequest& request, const Caller&) {
    http::Response response;
    response.headers.add("Cache-Control", "max-age=300");
    response.headers.add("Vary", "Accept-Language");
    response.body = std::string(request.headers.get("Accept-Language").value_or(""));
    return response;
  };
  EXPECT_EQ(get("/a", {{"Accept-Language", "de"}}).body, "de");
  EXPECT_EQ(get("/a", {{"Accept-Language", "fr"}}).body, "fr");
  EXPECT_EQ(get("/a", {{"Accept-Language", "de"}}).x_cache(), "Hit from cloudfront");
  EXPECT_EQ(origin_.seen.size(), 2U);
}

TEST_F(EdgeTest, MatchesKeysAndForwardsOnePath) {
  auto api = behaviour_of("/api/*");
  api.stores = false;
  config_.behaviours.insert(config_.behaviours.begin(), api);
  get("/x/../%61pi/./y");
  EXPECT_EQ(origin_.seen[0].path, "/api/y");
  EXPECT_EQ(get("/a%2Fb").status, 400);
  EXPECT_EQ(get("/a%5c..%5cb").status, 400);
  EXPECT_EQ(get("/a%00").status, 400);
  EXPECT_EQ(get("/api/y").headers.get("Cache-Status"), "securebase; fwd=bypass");
}

TEST_F(EdgeTest, AnswersTheDefaultRootObjectAndRefusesMethods) {
  config_.default_root_object = "/index.html";
  config_.behaviours[0].allowed = method_bit(http::Method::kGet);
  get("/");
  EXPECT_EQ(origin_.seen[0].path, "/index.html");
  EXPECT_EQ(get("/", {}, "DELETE").status, 403);
}

TEST_F(EdgeTest, StoresNothingThatSaysSo) {
  for (const char* control : {"no-store", "private", "max-age=0"}) {
    origin_.answers = [control](const OriginRequest&, const Caller&) {
      http::Response response;
      response.headers.add("Cache-Control", control);
      return response;
    };
    const std::string path = std::string("/") + control;
    get(path);
    EXPECT_EQ(get(path).x_cache(), "Miss from cloudfront") << control;
  }
}

// ---- Flights

TEST_F(EdgeTest, FetchesOnceForAThousand) {
  net::Event go;
  origin_.hold = &go;
  std::vector<Answer> answers(1000);
  worker_.run_until_done(ask_all(answers));
  go.notify_all();
  worker_.run_until_done(settled());
  EXPECT_EQ(origin_.seen.size(), 1U);
  for (const auto& answer : answers) EXPECT_EQ(answer.body, "hello");
}

TEST_F(EdgeTest, LetsEachFetchTheirOwnWhatIsNotShareable) {
  origin_.answers = [](const OriginRequest&, const Caller&) {
    http::Response response;
    response.headers.add("Cache-Control", "no-store");
    response.body = "own";
    return response;
  };
  net::Event go;
  origin_.hold = &go;
  std::vector<Answer> answers(10);
  worker_.run_until_done(ask_all(answers));
  origin_.hold = nullptr;
  go.notify_all();
  worker_.run_until_done(settled());
  EXPECT_EQ(origin_.seen.size(), 10U);
  for (const auto& answer : answers) EXPECT_EQ(answer.body, "own");
}

}  // namespace
}  // namespace securebase::edge
