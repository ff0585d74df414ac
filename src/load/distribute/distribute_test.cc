#include <gtest/gtest.h>

#include "load/distribute/coordinator.h"
#include "load/distribute/plan.h"
#include "load/distribute/worker.h"
#include "net/http/server.h"

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

TEST(LoadWorker, DoesNotListenForOthersWithoutAToken) {
  EXPECT_EQ(LoadWorker::start(*net::Address::parse("0.0.0.0:0"), "").error().code, Errc::kDenied);
}

}  // namespace
}  // namespace securebase::load
