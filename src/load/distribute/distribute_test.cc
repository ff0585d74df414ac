#include <gtest/gtest.h>

#include <atomic>
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
