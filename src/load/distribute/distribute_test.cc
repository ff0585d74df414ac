#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <limits>
#include <thread>

#include "load/distribute/coordinator.h"
#include "load/distribute/plan.h"
#include "load/distribute/worker.h"
#include "net/http/client.h"
#include "net/http/server.h"
#include "net/worker.h"

namespace securebase::load {
namespace {

using namespace std::chrono_literals;

class Hello final : public http::Handler {
 public:
  net::Task<http::Response> answer(http::Request&) override {
    http::Response response;
    response.body = "hello";
    co_return response;
  }
};

RunSettings plan_for(const std::string& url, double rate) {
  RunSettings settings;
  settings.target = url;
  HttpStep step;
  step.request = *make_request("POST", *parse_url(url), {{"X-A", "b"}}, "body\0with zero");
  step.endpoint = "hello";
  settings.work.steps.push_back(std::move(step));
  Phase phase;
  phase.duration = 1s;
  phase.rate = rate;
  settings.phases = {phase};
  settings.pool = 0;
  return settings;
}

TEST(Plan, ComesBackFromItsJson) {
  auto settings = plan_for("https://x:1/y", 10);
  settings.phases[0].ramp_to = 20;
  settings.phases[0].max_users = 5;
  settings.share.index = 1;
  settings.share.of = 3;
  const auto text = to_json(settings).dump();
  const auto back = settings_from_json(*base::Json::parse(text));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(to_json(*back).dump(), text);
  EXPECT_EQ(back->work.steps[0].request.head, settings.work.steps[0].request.head);
}

TEST(Plan, RefusesWhatIsNone) {
  for (const char* member : {"format", "steps", "phases", "threads", "share_of"}) {
    auto json = to_json(plan_for("http://x/", 1));
    json.erase(member);
    EXPECT_FALSE(settings_from_json(json)) << member;
  }
}

net::Address address_of(std::uint16_t port) { return *net::Address::parse("127.0.0.1:" + std::to_string(port)); }

TEST(Plan, HoldsNoTimeThatNoClockHas) {
  auto plan = plan_for("http://x/", 1);
  plan.phases.resize(10'000, plan.phases.front());
  for (auto& phase : plan.phases) phase.duration = std::chrono::hours{24 * 300};
  EXPECT_FALSE(Schedule::make(plan.phases));  // each is possible, and their sum is beyond what nanoseconds count
  auto json = to_json(plan_for("http://x/", 1));
  for (const char* member : {"think_ns", "warm_up_ns"}) {
    auto beyond = json;
    beyond.set(member, std::numeric_limits<std::int64_t>::max());
    EXPECT_FALSE(settings_from_json(beyond)) << member;
  }
}

TEST(Fleet, TwoWorkersMakeTheWholeLoadBetweenThem) {
  Hello hello;
  net::Workers workers(1);
  http::ServerSettings settings;
  settings.address = address_of(0);
  auto target = http::Server::start(settings, workers, hello);
  ASSERT_TRUE(target);
  auto one = LoadWorker::start(address_of(0), "a secret of sixteen");
  auto two = LoadWorker::start(address_of(0), "a secret of sixteen");
  ASSERT_TRUE(one && two);
  Fleet fleet;
  fleet.workers = {address_of((*one)->port()), address_of((*two)->port())};
  fleet.token = "a secret of sixteen";
  StopFlag stop = false;
  const auto plan = plan_for("http://127.0.0.1:" + std::to_string((*target)->port()) + "/", 101);
  auto result = run_on(fleet, plan, stop, {});
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->measured.total("http.requests"), 101);
  EXPECT_EQ(result->measured.total("http.responses"), 101);
  EXPECT_EQ(result->generator.arrivals, 101u);
  EXPECT_EQ(result->measured.find("http.latency_from_schedule")->sketch.count(), 101u);

  fleet.token = "another of the same";
  EXPECT_FALSE(run_on(fleet, plan, stop, {}));
  target->reset();
  workers.stop();
}

// Machines that take any plan and answer a look only when another one is looked at too.
class Machine final : public http::Handler {
 public:
  explicit Machine(std::atomic<int>& looks) : looks_(looks) {}
  net::Task<http::Response> answer(http::Request& request) override {
    http::Response response;
    response.headers.add("Content-Type", "application/json");
    response.body = R"({"id": "1"})";
    if (request.method != http::Method::kGet) co_return response;
    ++looks_;
    for (int i = 0; i < 300 && looks_ < 2; ++i) {
      auto slept = co_await net::sleep_for(10ms);
      if (!slept) break;
    }
    response.body =
        looks_ < 2 ? R"({"state": "failed", "message": "alone"})" : R"({"state": "failed", "message": "together"})";
    co_return response;
  }

 private:
  std::atomic<int>& looks_;
};

TEST(Fleet, IsLookedAtTogetherSoThatASlowMachineDelaysNoOther) {
  std::atomic<int> looks = 0;
  Machine one(looks);
  Machine two(looks);
  net::Workers workers(1);
  http::ServerSettings settings;
  settings.address = address_of(0);
  auto first = http::Server::start(settings, workers, one);
  auto second = http::Server::start(settings, workers, two);
  ASSERT_TRUE(first && second);
  Fleet fleet;
  fleet.workers = {address_of((*first)->port()), address_of((*second)->port())};
  StopFlag stop = false;
  const auto result = run_on(fleet, plan_for("http://x/", 1), stop, {});
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message.find("together"), std::string::npos) << result.error().message;
  EXPECT_NE(result.error().message.find("worker 127.0.0.1:"), std::string::npos) << result.error().message;
  first->reset();
  second->reset();
  workers.stop();
}

struct Said {
  int status = 0;
  std::string body;
};

net::Task<void> say(std::uint16_t port, http::Method method, std::string path, std::string body, Said& said) {
  http::Client client;
  http::ClientRequest request;
  request.origin = address_of(port);
  request.method = method;
  request.target = std::move(path);
  if (!body.empty()) request.body = std::move(body);
  auto response = co_await client.send(std::move(request));
  if (!response) co_return;
  said.status = response->status;
  if (!response->body) co_return;
  auto text = co_await http::read_all(*response->body, 64 << 20);
  if (text) said.body = std::move(*text);
}

Said say(std::uint16_t port, http::Method method, std::string path, std::string body = {}) {
  Said said;
  net::Worker worker(0);
  worker.run_until_done(say(port, method, std::move(path), std::move(body), said));
  return said;
}

// A machine that takes any plan and says `look` to each look.
class Odd final : public http::Handler {
 public:
  explicit Odd(std::string look) : look_(std::move(look)) {}
  net::Task<http::Response> answer(http::Request& request) override {
    http::Response response;
    response.headers.add("Content-Type", "application/json");
    response.body = request.method == http::Method::kGet ? look_ : R"({"id": "1"})";
    if (request.method == http::Method::kDelete) ++ended;
    co_return response;
  }
  std::atomic<int> ended = 0;

 private:
  const std::string look_;
};

// What comes of a run on a sound machine, whose requests go nowhere, and on `odd`.
std::string beside_a_sound_one(Odd& odd, std::chrono::milliseconds duration, bool lost = false) {
  net::Workers workers(1);
  http::ServerSettings settings;
  settings.address = address_of(0);
  auto server = http::Server::start(settings, workers, odd);
  auto sound = LoadWorker::start(address_of(0), "");
  EXPECT_TRUE(server && sound);
  Fleet fleet;
  fleet.workers = {address_of((*sound)->port()), address_of((*server)->port())};
  fleet.each = 20ms;
  fleet.patience = 200ms;
  auto plan = plan_for("http://127.0.0.1:1/", 10);
  plan.phases.front().duration = duration;
  plan.limits.connect = plan.limits.whole = 100ms;
  std::thread ends_it;
  if (lost) {
    ends_it = std::thread([&] {
      std::this_thread::sleep_for(300ms);
      server->reset();
    });
  }
  StopFlag stop = false;
  const auto result = run_on(fleet, plan, stop, {});
  if (ends_it.joinable()) ends_it.join();
  const auto port = (*sound)->port();
  // The sound one is free again: its part was ended with the other's.
  if (!result) {
    EXPECT_EQ(say(port, http::Method::kPost, "/v1/runs", "no plan").status, 400);
  }
  server->reset();
  workers.stop();
  return result ? "none" : result.error().message;
}

TEST(Fleet, EndsWhenAMachineNeverDoes) {
  Odd odd(R"({"state": "running", "elapsed_ms": 5})");
  EXPECT_THAT(beside_a_sound_one(odd, 100ms), testing::HasSubstr("still runs"));
  EXPECT_EQ(odd.ended, 1);
}

TEST(Fleet, EndsWhenAMachineIsLost) {
  Odd odd(R"({"state": "running", "elapsed_ms": 5})");
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_THAT(beside_a_sound_one(odd, 60s, true), testing::HasSubstr("worker 127.0.0.1:"));
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 30s);
}

TEST(Fleet, TakesNoResultThatDoesNotAddUp) {
  for (const char* result :
       {"null", "{}", R"({"format": "securebase-load/1"})",
        R"({"format": "securebase-load/1", "measured": {"series": [], "values": [{"series": 3}]}})",
        R"({"format": "securebase-load/1", "measured": {"series": [], "values": [],
                                 "timeline": {"width_ms": 0, "slices": []}}})"}) {
    Odd odd(std::string(R"({"state": "done", "result": )") + result + "}");
    EXPECT_THAT(beside_a_sound_one(odd, 100ms), testing::HasSubstr("worker 127.0.0.1:")) << result;
  }
}

// A sound result, of which only what was measured is believed.
TEST(Fleet, TakesOnlyWhatWasMeasuredFromItsMachines) {
  RunResult told;
  told.scenario = told.target = "<script>";
  told.open = false;
  told.started = base::TimePoint{} + 24h;  // its clock is wrong
  told.checks = {{"all is well", "", Verdict::kPass}};
  Odd one(base::Json::object({{"state", "done"}, {"result", to_json(told)}}).dump());
  net::Workers workers(1);
  http::ServerSettings settings;
  settings.address = address_of(0);
  auto server = http::Server::start(settings, workers, one);
  ASSERT_TRUE(server);
  Fleet fleet;
  fleet.workers = {address_of((*server)->port())};
  fleet.each = 20ms;
  StopFlag stop = false;
  const auto before = base::system_clock().now();
  const auto result = run_on(fleet, plan_for("http://x/", 1), stop, {});
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->scenario, "run");
  EXPECT_EQ(result->target, "http://x/");
  EXPECT_TRUE(result->open);
  EXPECT_GE(result->started, before);
  EXPECT_TRUE(result->checks.empty());
  server->reset();
  workers.stop();
}

TEST(LoadWorker, RunsOnePlanAtATimeWhoeverAsks) {
  const auto worker = LoadWorker::start(address_of(0), "");
  ASSERT_TRUE(worker);
  const auto port = (*worker)->port();
  auto plan = plan_for("http://127.0.0.1:1/", 10);
  plan.phases.front().duration = 60s;
  const auto first = say(port, http::Method::kPost, "/v1/runs", to_json(plan).dump());
  ASSERT_EQ(first.status, 202) << first.body;
  Fleet fleet;
  fleet.workers = {address_of(port)};
  StopFlag stop = false;
  const auto second = run_on(fleet, plan, stop, {});
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message, testing::HasSubstr("another run is under way here"));
  // The first goes on: the second was refused, and ended nothing.
  const auto path = "/v1/runs/" + std::string((*base::Json::parse(first.body))["id"].string_or(""));
  EXPECT_EQ((*base::Json::parse(say(port, http::Method::kGet, path).body))["state"].string_or(""), "running");
  EXPECT_EQ(say(port, http::Method::kDelete, path).status, 202);
}

TEST(LoadWorker, KeepsAResultUntilItIsFetchedOrGivenUp) {
  const auto worker = LoadWorker::start(address_of(0), "");
  ASSERT_TRUE(worker);
  const auto port = (*worker)->port();
  auto settings = plan_for("http://127.0.0.1:1/", 10);
  settings.phases[0].duration = 100ms;
  const auto plan = to_json(settings).dump();
  const auto begin = [&] {
    const auto said = say(port, http::Method::kPost, "/v1/runs", plan);
    if (said.status != 202) return std::pair(said, std::string());
    return std::pair(said, "/v1/runs/" + std::string((*base::Json::parse(said.body))["id"].string_or("")));
  };
  // Whoever comes while it runs, and after it has ended, hears what to do; asking for it is what a look does.
  const auto until = [&](const std::string& words) {
    for (int i = 0; i < 1000; ++i) {
      const auto [said, path] = begin();
      EXPECT_EQ(said.status, 409) << said.body;
      if (said.status != 409 || said.body.find(words) != std::string::npos) return said.status == 409;
      std::this_thread::sleep_for(10ms);
    }
    return false;
  };
  const auto [first, path] = begin();
  ASSERT_EQ(first.status, 202) << first.body;
  EXPECT_TRUE(until("was not fetched"));
  const auto fetched = say(port, http::Method::kGet, path);
  EXPECT_EQ((*base::Json::parse(fetched.body))["state"].string_or(""), "done");
  const auto [second, next_path] = begin();
  EXPECT_EQ(second.status, 202) << second.body;
  EXPECT_TRUE(until("was not fetched"));
  EXPECT_EQ(say(port, http::Method::kDelete, next_path).status, 202);
  EXPECT_EQ(begin().first.status, 202);
}

TEST(LoadWorker, DoesNotListenForOthersWithoutAToken) {
  EXPECT_EQ(LoadWorker::start(*net::Address::parse("0.0.0.0:0"), "").error().code, Errc::kDenied);
}

}  // namespace
}  // namespace securebase::load
