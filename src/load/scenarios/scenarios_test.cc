#include <gtest/gtest.h>

#include <stdlib.h>

#include <atomic>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>

#include "load/load.h"
#include "load/measure/collector.h"
#include "load/scenarios/http_measures.h"
#include "net/http/server.h"
#include "net/worker.h"

namespace securebase::load {
namespace {

TEST(ParseThreshold, ReadsWhatPeopleWrite) {
  EXPECT_EQ(parse_threshold("p95<100ms")->text(), "p95<100ms");
  EXPECT_EQ(parse_threshold(" p99.9 <= 1.5s ")->text(), "p99.9<=1500ms");
  EXPECT_EQ(parse_threshold("ttfb.p50<250us")->text(), "ttfb.p50<0.25ms");
  EXPECT_EQ(parse_threshold("errors<1%")->text(), "errors<1%");
  EXPECT_EQ(parse_threshold("rate>=500/s")->text(), "rate>=500");
  for (const char* wrong :
       {"p95", "p101<1ms", "p95<fast", "p95<1h", "speed<3", "errors<1ms", "rate>5%", "p95<-1ms", "p<1", "<5"}) {
    EXPECT_FALSE(parse_threshold(wrong)) << wrong;
  }
}

// A closed run of so many answers of that many milliseconds, and errors.
Measured measured(std::uint64_t answers, double milliseconds, std::uint64_t with_500 = 0) {
  base::ManualClock clock;
  Collector collector(clock);
  auto& recorder = collector.make_recorder();
  collector.start();
  {
    Recorder::Batch batch(recorder);
    batch.add(collector.series(Kind::kCounter, kRequests), static_cast<double>(answers));
    batch.add(collector.series(Kind::kCounter, kResponses), static_cast<double>(answers));
    batch.add(collector.series(Kind::kCounter, kCodes, {{"status", "200"}}), static_cast<double>(answers - with_500));
    if (with_500)
      batch.add(collector.series(Kind::kCounter, kCodes, {{"status", "500"}}), static_cast<double>(with_500));
    batch.add(collector.series(Kind::kTrend, kServiceTime), milliseconds, answers);
  }
  clock.advance(std::chrono::seconds{10});
  collector.finish();
  return collector.measured();
}

TEST(Judge, GivesAVerdictOnlyWithEnoughSamples) {
  const auto p95 = *parse_threshold("p95<100ms");
  EXPECT_EQ(judge(p95, measured(1000, 50), false).verdict, Verdict::kPass);
  EXPECT_EQ(judge(p95, measured(1000, 150), false).verdict, Verdict::kFail);
  EXPECT_EQ(judge(p95, measured(150, 50), false).verdict, Verdict::kInsufficient);
  EXPECT_EQ(judge(*parse_threshold("p99<100ms"), measured(999, 50), false).needed, 1000u);
}

// So many requests were unanswered at the end of `all`.
Measured with_unanswered(Measured all, std::uint64_t count, double waited_ms, double stand_for) {
  base::ManualClock clock;
  Collector collector(clock);
  auto& recorder = collector.make_recorder();
  collector.start();
  {
    Recorder::Batch batch(recorder);
    batch.add(collector.series(Kind::kTrend, kUnanswered), waited_ms, count);
    batch.add(collector.series(Kind::kCounter, kUnsent), stand_for);
  }
  collector.finish();
  all.merge(collector.measured());
  return all;
}

TEST(Judge, PassesOnlyWhatWasUnansweredAtTheEndCouldNotChange) {
  const auto verdict = [](const char* threshold, const Measured& measured) {
    return judge(*parse_threshold(threshold), measured, false).verdict;
  };
  // A few of many: p95 stands whatever became of them, the worst does not.
  const auto few = with_unanswered(measured(10'000, 50), 5, 1500, 5);
  EXPECT_EQ(verdict("p95<100ms", few), Verdict::kPass);
  EXPECT_EQ(verdict("errors<1%", few), Verdict::kPass);
  EXPECT_EQ(verdict("avg<100ms", few), Verdict::kPass);
  EXPECT_EQ(verdict("max<100ms", few), Verdict::kInsufficient);
  EXPECT_EQ(verdict("p95<40ms", few), Verdict::kFail);
  // Few users, who would have sent a third of all meanwhile.
  const auto hung = with_unanswered(measured(10'000, 50), 5, 9000, 5'000);
  EXPECT_EQ(verdict("p95<100ms", hung), Verdict::kInsufficient);
  EXPECT_EQ(verdict("p50<100ms", hung), Verdict::kPass);
  EXPECT_EQ(verdict("errors<1%", hung), Verdict::kInsufficient);
  EXPECT_EQ(verdict("avg<100ms", hung), Verdict::kInsufficient);
  EXPECT_EQ(verdict("rate>500", hung), Verdict::kPass);
}

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

RunResult run_against(Hanging& target, std::chrono::milliseconds duration) {
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

TEST(Judge, CountsErrorsOfEachKind) {
  EXPECT_DOUBLE_EQ(judge(*parse_threshold("errors<1%"), measured(1000, 50, 20), false).measured, 2);
  EXPECT_EQ(judge(*parse_threshold("5xx<1%"), measured(1000, 50, 20), false).verdict, Verdict::kFail);
  EXPECT_EQ(judge(*parse_threshold("4xx<1%"), measured(1000, 50, 20), false).verdict, Verdict::kPass);
  EXPECT_EQ(judge(*parse_threshold("rate>99"), measured(1000, 50), false).verdict, Verdict::kPass);
}

TEST(ScalabilityLaw, IsFoundInTheThroughputsThatItMakes) {
  ScalabilityLaw truth;
  truth.lambda = 1000;
  truth.sigma = 0.05;
  truth.kappa = 0.0004;
  std::vector<Load> loads;
  for (const double users : {1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0}) loads.push_back({users, truth.at(users)});
  const auto law = fit_scalability(loads);
  ASSERT_TRUE(law);
  EXPECT_NEAR(law->lambda, 1000, 1);
  EXPECT_NEAR(law->sigma, 0.05, 1e-4);
  EXPECT_NEAR(law->kappa, 0.0004, 1e-6);
  EXPECT_NEAR(*law->peak_users(), std::sqrt(0.95 / 0.0004), 0.5);
  EXPECT_NEAR(law->r_squared, 1, 1e-6);
}

TEST(ScalabilityLaw, HasNoCoefficientBelowZero) {
  std::vector<Load> loads;
  for (const double users : {1.0, 2.0, 4.0, 8.0, 16.0}) loads.push_back({users, users * 10 + std::sin(users)});
  const auto law = fit_scalability(loads);
  ASSERT_TRUE(law);
  EXPECT_GE(law->sigma, 0);
  EXPECT_GE(law->kappa, 0);
  EXPECT_FALSE(fit_scalability({{1, 1}, {2, 2}, {3, 3}}));
}

// How the search walks when the target breaks above `limit` users.
std::vector<std::uint64_t> search(std::uint64_t limit) {
  std::vector<CapacityStep> steps;
  std::vector<std::uint64_t> walked;
  while (const auto users = next_users(steps, 10, 1000)) {
    CapacityStep step;
    step.users = *users;
    if (*users > limit) step.outcome = CapacityStep::Outcome::kBroken;
    steps.push_back(step);
    walked.push_back(*users);
    if (walked.size() > 50) break;
  }
  return walked;
}

TEST(CapacitySearch, ClosesInOnTheBreakingPoint) {
  for (const std::uint64_t limit : {11u, 60u, 333u, 999u}) {
    const auto walked = search(limit);
    EXPECT_LT(walked.size(), 20u);
    std::uint64_t good = 0;
    std::uint64_t bad = 2000;
    for (const auto users : walked)
      (users > limit ? bad : good) = users > limit ? std::min(bad, users) : std::max(good, users);
    EXPECT_LE(static_cast<double>(bad - good), std::max(1.0, 0.12 * static_cast<double>(bad))) << limit;
  }
  EXPECT_EQ(search(5000).back(), 1000u);
  EXPECT_EQ(search(1), (std::vector<std::uint64_t>{10}));
}

RunResult capacity_run(std::uint64_t answers, double milliseconds) {
  RunResult result;
  result.measured = measured(answers, milliseconds);
  for (const auto& limit : guide_criteria()) result.thresholds.push_back(judge(limit, result.measured, false));
  return result;
}

TEST(CapacityStep, IsHeldOrBrokenOnlyWithEnoughSamples) {
  EXPECT_EQ(step_of(10, capacity_run(1000, 50), {}, {}).outcome, CapacityStep::Outcome::kHeld);
  EXPECT_EQ(step_of(10, capacity_run(1000, 150), {}, {}).outcome, CapacityStep::Outcome::kBroken);
  const auto few = step_of(10, capacity_run(150, 50), {}, {});
  EXPECT_EQ(few.outcome, CapacityStep::Outcome::kUndecided);
  EXPECT_EQ(few.why, "p95<100ms has 150 samples, 200 are needed");
  const auto silent = step_of(10, capacity_run(0, 0), {}, {});
  EXPECT_EQ(silent.outcome, CapacityStep::Outcome::kBroken);
  EXPECT_EQ(silent.why, "nothing was answered");
  auto interrupted = capacity_run(1000, 50);
  interrupted.interrupted = true;
  EXPECT_EQ(step_of(10, interrupted, {}, {}).outcome, CapacityStep::Outcome::kUndecided);
}

TEST(CapacityStep, IsMeasuredForLongerUntilItsSamplesAreEnough) {
  using std::chrono::seconds;
  EXPECT_EQ(longer_step(capacity_run(150, 50), seconds{10}, seconds{100}), seconds{20});
  EXPECT_EQ(longer_step(capacity_run(60, 50), seconds{10}, seconds{100}), seconds{40});  // 200 and a fifth
  EXPECT_FALSE(longer_step(capacity_run(3, 50), seconds{10}, seconds{100}));
}

TEST(CapacitySearch, ThatStaysUndecidedHasNoVerdictAndNoKnee) {
  std::vector<CapacityStep> steps;
  for (const std::uint64_t users : {1, 2, 4, 8}) {
    CapacityStep step;
    step.users = users;
    step.throughput = 10.0 * static_cast<double>(users);
    steps.push_back(step);
  }
  auto held = capacity_run(1000, 50);
  conclude(steps, held);
  EXPECT_EQ(exit_code(held), kPassed);
  EXPECT_FALSE(held.findings["law"].is_null());
  EXPECT_EQ(held.findings["held"]["users"].integer_or(0), 8);

  steps.back().outcome = CapacityStep::Outcome::kUndecided;
  steps.back().why = "p95<100ms has 150 samples, 200 are needed";
  EXPECT_FALSE(next_users(steps, 1, 1000));
  auto undecided = capacity_run(150, 50);
  conclude(steps, undecided);
  EXPECT_EQ(exit_code(undecided), kNoEvidence);
  EXPECT_TRUE(undecided.findings["law"].is_null());  // three points are too few
  EXPECT_EQ(undecided.findings["held"]["users"].integer_or(0), 4);
}

std::vector<Level> levels(double an_hour, double noise, double hours) {
  std::vector<Level> list;
  std::uint64_t random = 1;
  for (int i = 0; i < 600; ++i) {
    random = random * 6364136223846793005ULL + 1442695040888963407ULL;
    const double part = static_cast<double>(random >> 11) * 0x1.0p-53 - 0.5;
    const double at = hours * i / 600;
    list.push_back({at, 100 + an_hour * at + noise * part});
  }
  return list;
}

TEST(TestLevel, TellsALeakFromNoise) {
  EXPECT_EQ(test_level("memory", "MB", levels(5, 3, 1)).verdict, Verdict::kFail);
  EXPECT_EQ(test_level("memory", "MB", levels(0, 3, 10)).verdict, Verdict::kPass);
  // Too noisy to see what would matter.
  EXPECT_EQ(test_level("memory", "MB", levels(0, 80, 0.05)).verdict, Verdict::kInsufficient);
  // Grows for sure, but by 2 % in a day.
  EXPECT_EQ(test_level("memory", "MB", levels(2.0 / 24, 0.01, 1)).verdict, Verdict::kPass);
  EXPECT_EQ(test_level("memory", "MB", {}).verdict, Verdict::kInsufficient);
}

TEST(TestLevel, DoesNotTakeHalfAMinuteForADay) {
  // Three thousandths in 30 s: nine hundred per cent in a day, if a start went on for a day.
  EXPECT_EQ(test_level("memory", "MB", levels(36, 0.01, 30.0 / 3600)).verdict, Verdict::kInsufficient);
  // A twelfth in 30 s, as a platform does that has just started; in ten minutes it is a leak.
  EXPECT_EQ(test_level("memory", "MB", levels(1000, 0.5, 30.0 / 3600)).verdict, Verdict::kInsufficient);
  EXPECT_EQ(test_level("memory", "MB", levels(50, 0.5, 0.25)).verdict, Verdict::kFail);
  // What grows to five times itself in a minute needs no ten.
  EXPECT_EQ(test_level("memory", "MB", levels(24000, 5, 60.0 / 3600)).verdict, Verdict::kFail);
}

TEST(TestLatency, FailsWhenItGrewAndNotForWhatItMightDo) {
  EXPECT_EQ(test_latency(levels(0, 30, 0.1)).verdict, Verdict::kPass);
  EXPECT_EQ(test_latency(levels(30, 10, 1)).verdict, Verdict::kFail);
}

TEST(TestLevel, DoesNotTakeAFillingCacheForALeak) {
  std::vector<Level> list;
  for (int i = 0; i < 400; ++i) list.push_back({i / 400.0, 100 + 50 * (1 - std::exp(-i / 15.0))});
  EXPECT_EQ(test_level("memory", "MB", list).verdict, Verdict::kPass);
}

TEST(TestLevel, WaitsForTheLaterHalf) {
  // It filled in the first half of what is looked at, and not since.
  std::vector<Level> list;
  for (int i = 0; i < 600; ++i) list.push_back({i / 600.0, 100 + 40 * std::min(1.0, i / 330.0) + 0.1 * (i % 3)});
  EXPECT_EQ(test_level("memory", "MB", list).verdict, Verdict::kInsufficient);
}

// A /proc with one process in it.
class ProcDirectory : public testing::Test {
 protected:
  ProcDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "proc-XXXXXX").native();
    directory_ = ::mkdtemp(name.data());
    std::ofstream(directory_ / "stat") << "cpu  100 0 100 1000 0 0 0 0 0 0\n";
  }
  ~ProcDirectory() override { std::filesystem::remove_all(directory_); }
  void process(char state, int start_ticks) const {
    std::filesystem::create_directories(directory_ / "77");
    std::ofstream(directory_ / "77" / "stat")
        << "77 (a (strange) name) " << state << " 1 1 1 0 -1 0 0 0 0 0 50 50 0 0 20 0 1 0 " << start_ticks
        << " 1000 100 0 0 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0\n";
    std::ofstream(directory_ / "77" / "statm") << "1000 100 10 1 0 10 0\n";
  }
  void end_process() const { std::filesystem::remove_all(directory_ / "77"); }
  std::filesystem::path directory_;
};

TEST_F(ProcDirectory, IsWatchedBesideWhatThePlatformSaysOfItsLimits) {
  process('S', 500);
  const auto status = *base::Json::parse(R"({"pid":77,"database":{"connections":190,"max_connections":200},
    "functions":[{"function":"auth","under_way":3,"reserved":10},{"function":"api","under_way":40}],
    "unreserved_concurrency":{"under_way":40,"limit":990}})");
  auto watch = TargetWatch::open(
      0, [&] { return Result<base::Json>(status); }, directory_);
  ASSERT_TRUE(watch);
  const auto before = watch->sample();
  auto after = before;
  after.at += std::chrono::seconds{10};
  const auto seen = pressures(before, after, 0);
  ASSERT_EQ(seen.size(), 4u);
  EXPECT_EQ(seen[0].resource, "connections of PostgreSQL");
  EXPECT_EQ(seen[0].seen, "190 of 200");
  EXPECT_DOUBLE_EQ(seen[0].share, 0.95);
  EXPECT_EQ(seen[1].resource, "concurrency of the function auth");
  EXPECT_EQ(seen[2].resource, "concurrency of functions that reserve none");
}

TEST_F(ProcDirectory, WithoutTheProcessIsRefused) {
  const auto none = TargetWatch::open(77, nullptr, directory_);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Errc::kMalformed);
  EXPECT_NE(none.error().message.find("77"), std::string::npos);
  process('Z', 500);  // it ended, and its parent has not asked for it
  EXPECT_FALSE(TargetWatch::open(77, nullptr, directory_));
  process('S', 500);
  EXPECT_TRUE(TargetWatch::open(77, nullptr, directory_));
}

TEST_F(ProcDirectory, NoticesThatTheProcessEnded) {
  process('S', 500);
  auto watch = TargetWatch::open(77, nullptr, directory_);
  ASSERT_TRUE(watch);
  EXPECT_TRUE(watch->sample().of_target);
  EXPECT_FALSE(watch->lost());
  end_process();
  EXPECT_FALSE(watch->sample().of_target);
  EXPECT_TRUE(watch->lost());
}

TEST_F(ProcDirectory, DoesNotTakeAnotherProcessOfTheSameNumberForTheTarget) {
  process('S', 500);
  auto watch = TargetWatch::open(77, nullptr, directory_);
  ASSERT_TRUE(watch);
  process('S', 501);
  EXPECT_FALSE(watch->sample().of_target);
  EXPECT_TRUE(watch->lost());
  process('S', 500);  // what was lost is not found again
  EXPECT_FALSE(watch->sample().of_target);
}

TEST(Pressures, AreOfOneSpanOfTime) {
  TargetSample before;
  before.at = base::SteadyPoint{std::chrono::seconds{100}};
  before.of_target = true;
  before.cpu_seconds = 50;
  before.generator_cpu_seconds = 7;  // what the generator used before it measured
  auto after = before;
  after.at += std::chrono::seconds{10};
  after.machine_busy_seconds = 12;
  after.cpu_seconds += 8;
  after.generator_cpu_seconds += 2;
  const auto seen = pressures(before, after, 0);
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen.front().resource, "CPU of this machine");
  EXPECT_NE(seen.front().seen.find("the target 0.80; this generator 0.20"), std::string::npos) << seen.front().seen;
}

TEST(Pressures, NameALimitThatRefusedBeforeABusyMachine) {
  TargetSample before;
  before.at = base::SteadyPoint{std::chrono::seconds{100}};
  auto after = before;
  after.at += std::chrono::seconds{10};
  after.machine_busy_seconds = 10.1 * TargetWatch::cores();  // clocks differ by a tick
  EXPECT_EQ(pressures(before, after, 0).front().resource, "CPU of this machine");
  EXPECT_EQ(pressures(before, after, 0).front().share, 1);
  EXPECT_EQ(pressures(before, after, 0.16).front().resource, "throttles of the gateway");
}

TEST(RunResult, ComesBackFromItsJson) {
  RunResult result;
  result.scenario = "run";
  result.target = "http://x/";
  result.started = base::TimePoint{std::chrono::seconds{1'800'000'000}};
  result.measured = measured(1000, 50, 20);
  result.thresholds = {judge(*parse_threshold("errors<1%"), result.measured, false)};
  result.checks = {{"scaling", "seen", Verdict::kPass}};
  result.generator.lateness_ms.add(2, 10);
  const auto text = to_json(result).dump();
  const auto back = result_from_json(*base::Json::parse(text));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(to_json(*back).dump(), text);
  EXPECT_EQ(exit_code(*back), kCrossed);
  EXPECT_FALSE(result_from_json(base::Json::object({{"format", "other"}})));
}

TEST(RunResult, SaysTheWorst) {
  RunResult result;
  EXPECT_EQ(exit_code(result), kPassed);
  result.checks = {{"a", "", Verdict::kPass}, {"b", "", Verdict::kInsufficient}};
  EXPECT_EQ(exit_code(result), kNoEvidence);
  result.checks.push_back({"c", "", Verdict::kFail});
  EXPECT_EQ(exit_code(result), kCrossed);
  result.invalid_because = {"late"};
  EXPECT_EQ(exit_code(result), kInvalid);
  result.interrupted = true;
  EXPECT_EQ(exit_code(result), kInterrupted);
}

TEST(LatestStatus, IsThereWithoutWaitingForATargetThatDoesNotAnswer) {
  std::mutex hangs;
  std::atomic<int> asked = 0;
  const auto ask = [&]() -> Result<base::Json> {
    const int number = ++asked;
    if (number > 1) const std::lock_guard wait(hangs);
    return base::Json::object({{"number", number}});
  };
  std::unique_lock hanging(hangs);
  LatestStatus status(ask);
  while (asked < 2) std::this_thread::sleep_for(std::chrono::milliseconds{10});
  // The second answer does not come, and who looks has the first.
  const auto latest = status.get();
  ASSERT_TRUE(latest);
  EXPECT_EQ((*latest)["number"].integer_or(0), 1);
  hanging.unlock();
}

TEST(Recording, CountsPathsAndLeavesOutWhatShouldNotBeDoneAgain) {
  Recording recording("/prod");
  for (int i = 0; i < 3; ++i) {
    recording.add(
        R"({"httpMethod":"GET","path":"/prod/v1/customers/42?token=x","resourcePath":"/v1/customers/{id}","status":"200"})");
  }
  recording.add(R"(127.0.0.1 - - [27/Nov/2026:06:00:00 +0000] "GET /page?q=1 HTTP/1.1" 200 12)");
  recording.add(R"({"httpMethod":"POST","path":"/prod/v1/orders","status":"201"})");
  recording.add(R"({"httpMethod":"GET","path":"/prod/v1/nothing","status":"404"})");
  recording.add("nonsense");
  EXPECT_EQ(recording.taken(), 4u);
  EXPECT_EQ(recording.left_out(), 2u);
  EXPECT_EQ(recording.not_understood(), 1u);
  const auto steps = steps_of(recording.scenario(), *parse_url("http://h/api"), {{"X-A", "b"}});
  ASSERT_TRUE(steps) << steps.error().message;
  ASSERT_EQ(steps->size(), 2u);
  EXPECT_EQ(steps->front().weight, 3);
  EXPECT_EQ(steps->front().endpoint, "/v1/customers/{id}");
  EXPECT_TRUE(steps->front().request.head.starts_with("GET /api/v1/customers/42 HTTP/1.1\r\nX-A: b\r\n"));
}

TEST(WithoutSecrets, ReplacesWhatLooksLikeOne) {
  EXPECT_EQ(without_secrets("/reset/4f8a9b2c1d3e5f6a7b8c9d0e/now?x=1"), "/reset/redacted/now");
  EXPECT_EQ(without_secrets("/u/a@example.com"), "/u/redacted");
  EXPECT_EQ(without_secrets("/t/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjMifQ.c2ln"), "/t/redacted");
  for (const char* secret :
       {// keys as their services write them
        "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", "ya29.a0AfB_byC-xyz123",
        "ghp_16C7e42F292c6912E7", "xoxb-17653672481-19874698323", "sk_live_4eC39HqLyjWDarjtT1", "AKIAIOSFODNN7EXAMPLE",
        "AIzaSyD-9tSrke72PouQMnMX",
        // tokens in pieces, behind dots, dashes and in other alphabets
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "a1b2c3d4.e5f6a7b8.c9d0e1f2", "AB12-CD34-EF56-GH78-IJ90",
        "dGhpcy1-c29tZXRoaW5n_MTIz", "NWFiY2RlZmdoaWprbG1ub3A", "qXwZrTyPsDfGhJkLzXcVbNmQw",
        "4f8a9b2c1d3e5f6a7b8c9d0e.json", "%65yJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
        "%2565yJhbGciOiJIUzI1NiJ9%252EeyJzdWIiOiIxIn0.c2ln", "%zz",
        // people
        "a%40example.com", "a%2540example.com", "4111111111111111", "user:pw@host"}) {
    EXPECT_EQ(without_secrets(std::string("/x/") + secret + "/y?q"), "/x/redacted/y") << secret;
  }
  EXPECT_EQ(without_secrets("/shop;jsessionid=0A1B/cart;v=1;t=hunter2/x"), "/shop/cart/x");
  EXPECT_EQ(without_secrets("/shop%3Bjsessionid=0A1B/cart%3Ftoken=a"), "/shop/cart");
  EXPECT_EQ(without_secrets("/a/token=hunter/b"), "/a/token=redacted/b");
  EXPECT_EQ(without_secrets("/a/x%3Dhunter,y/b"), "/a/x=redacted/b");
  EXPECT_EQ(without_secrets("/password/reset/4711"), "/password/reset/redacted");
  EXPECT_EQ(without_secrets("/Invite//123e4567-e89b-12d3-a456-426614174000"), "/Invite//redacted");
  EXPECT_EQ(without_secrets("/files/a%2Ftoken%2FXy9"), "/files/redacted");
  for (const char* plain :
       {"/v1/customers/42/invoices", "/blog/2026-11-27-how-we-write-load-tests-that-tell-the-truth", "/token/refresh",
        "/reset/{token}", "/customerInvoicesByMonth/latest", "/assets/logo-512x512.png", "/static/chunk-BxY7k2Q9.js",
        "/a/b.json", "/robots.txt", "/.well-known/openid-configuration", "/docs/rfc9110.html", "/search/caf%C3%A9",
        "/orders/1234567890123", "/basic/key-value/hooks-and-more", "/", ""}) {
    EXPECT_EQ(without_secrets(plain), plain);
  }
  EXPECT_EQ(without_secrets("/o/123e4567-e89b-12d3-a456-426614174000"), "/o/123e4567-e89b-12d3-a456-426614174000");
  EXPECT_EQ(without_secrets("/assets/index.4f8a9b2c1d3e5f6a.js"), "/assets/index.4f8a9b2c1d3e5f6a.js");
}

}  // namespace
}  // namespace securebase::load
