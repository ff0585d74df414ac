#include <gtest/gtest.h>

#include <atomic>
#include <functional>

#include "load/load.h"
#include "load/scenarios/http_measures.h"
#include "load/scenarios/summary.h"
#include "net/http/server.h"
#include "net/worker.h"

namespace securebase::load {
namespace {

// Answers within some milliseconds until it hangs for good.
class Hanging final : public http::Handler {
 public:
  explicit Hanging(std::uint64_t answers) : answers_(answers) {}
  net::Task<http::Response> answer(http::Request&) override {
    auto slept = co_await net::sleep_for(answered_++ < answers_ ? std::chrono::milliseconds{5} : std::chrono::hours{1});
    http::Response response;
    response.status = slept ? 200 : 503;
    co_return response;
  }

 private:
  const std::uint64_t answers_;
  std::atomic<std::uint64_t> answered_ = 0;
};

RunResult run_against(Hanging& target, std::chrono::milliseconds duration,
                      const std::function<void(RunSettings&)>& change = {}) {
  net::Workers workers(1);
  http::ServerSettings settings;
  settings.address = *net::Address::parse("127.0.0.1:0");
  auto server = http::Server::start(settings, workers, target);
  EXPECT_TRUE(server);
  RunSettings plan;
  HttpStep step;
  step.request = *make_request("GET", *parse_url("http://127.0.0.1:" + std::to_string((*server)->port()) + "/"), {});
  plan.work.steps.push_back(std::move(step));
  plan.work.loop = true;
  plan.phases = users_for(4, duration);
  plan.thresholds = {*parse_threshold("p95<60s"), *parse_threshold("errors<1%")};
  if (change) change(plan);
  auto result = run(plan, false, {});
  EXPECT_TRUE(result);
  server->reset();
  workers.stop();
  return std::move(*result);
}

TEST(Run, DoesNotPassATargetThatHungBeforeTheTimeoutCouldTell) {
  Hanging target(220);
  const auto result = run_against(target, std::chrono::milliseconds{2500});
  const auto summary = summarise(result.measured.values, result.measured.duration);
  EXPECT_EQ(summary.requests, 220u);
  EXPECT_EQ(summary.transport_errors, 0u);
  EXPECT_EQ(summary.unanswered, 4u);
  EXPECT_GT(summary.longest_unanswered_ms, 1000);
  ASSERT_EQ(result.thresholds.size(), 2u);
  for (const auto& judged : result.thresholds) {
    EXPECT_EQ(judged.verdict, Verdict::kInsufficient) << judged.threshold.text();
    EXPECT_NE(judged.doubt.find("4 requests were unanswered"), std::string::npos) << judged.doubt;
  }
  EXPECT_TRUE(doubt_of_unanswered(result));
  EXPECT_NE(as_text(result).find("unanswered"), std::string::npos);
  const auto back = result_from_json(to_json(result));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(as_text(*back), as_text(result));
}

TEST(Run, WaitsForTheAnswersOfWhatIsUnderWayAtTheEnd) {
  Hanging target(1'000'000);
  const auto result = run_against(target, std::chrono::milliseconds{700});
  EXPECT_EQ(summarise(result.measured.values, result.measured.duration).unanswered, 0u);
  EXPECT_EQ(result.thresholds.at(1).verdict, Verdict::kPass);
  EXPECT_FALSE(doubt_of_unanswered(result));
}

TEST(Run, DoesNotMeasureWhatIsSentInTheWarmUp) {
  Hanging target(1'000'000);
  const auto result = run_against(target, {}, [](RunSettings& plan) {
    plan.work.loop = false;
    Phase phase;
    phase.duration = std::chrono::milliseconds{1000};
    phase.rate = 20;
    plan.phases = {phase};
    plan.warm_up = std::chrono::milliseconds{600};
  });
  // Of arrivals at 0, 50 ... 950 ms those from 600 on; all three clocks have them.
  EXPECT_EQ(summarise(result.measured.values, result.measured.duration).requests, 8u);
  for (const auto clock : {kFromSchedule, kServiceTime, kFirstByte}) {
    const auto found = result.measured.find(clock);
    ASSERT_TRUE(found) << clock;
    EXPECT_EQ(found->sketch.count(), 8u) << clock;
  }
  EXPECT_EQ(result.generator.arrivals, 8u);
}

}  // namespace
}  // namespace securebase::load
