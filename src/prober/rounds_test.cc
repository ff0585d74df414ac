// Rounds and HTTP canaries, with a site that is a server of this process. Times of the rounds are the tests' own.
#include "prober/rounds.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>

#include "base/file.h"
#include "net/http/server.h"
#include "net/worker.h"

namespace securebase::prober {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;

constexpr base::TimePoint kStart{1'795'733'340s};  // a whole minute

// Answers by path; "/slow" when the test lets it.
class Site final : public http::Handler {
 public:
  net::Task<http::Response> answer(http::Request& request) override {
    asked.push_back(std::string(request.method_name) + " " + std::string(request.target));
    http::Response response;
    if (request.path == "/slow") {
      while (!released) {
        auto woken = co_await net::sleep_for(2ms);
        if (!woken) break;
      }
    }
    if (request.body) {
      auto body = co_await http::read_all(*request.body, 1 << 16);
      response.body = "took " + (body ? *body : "nothing");
      co_return response;
    }
    if (request.path == "/missing") response.status = 404;
    if (request.path == "/broken") response.status = 503;
    response.body = std::string("hello from ") + std::string(request.path) + " " +
                    std::string(request.headers.get("X-Who").value_or("nobody"));
    co_return response;
  }
  std::vector<std::string> asked;
  bool released = false;
};

class OfRounds : public testing::Test {
 protected:
  OfRounds() {
    std::string pattern = testing::TempDir() + "rounds-XXXXXX";
    directory_ = mkdtemp(pattern.data());
    file_ = directory_ / "canaries.json";
    writer_.emplace(*JournalWriter::open(directory_, kRuns));
    worker_.run_until_done(listen());
    canaries_.workshop.base_url = "http://127.0.0.1:" + std::to_string(server_->port());
    workshop_ = canaries_.workshop;
  }
  ~OfRounds() override {
    site_.released = true;
    worker_.run_until_done(end());
    fs::remove_all(directory_);
  }
  net::Task<void> listen() {
    tasks_.emplace();
    http::ServerSettings settings;
    settings.address.host = "127.0.0.1";
    auto started = http::WorkerServer::start(settings, site_);
    EXPECT_TRUE(started);
    if (started) server_ = std::move(*started);
    rounds_.emplace(file_, *writer_, *tasks_);
    co_return;
  }
  net::Task<void> end() {
    co_await tasks_->close();
    rounds_.reset();
    co_await server_->drain();
    server_.reset();
    tasks_.reset();
  }

  // An HTTP canary of one step.
  static Canary checking(const std::string& name, const std::string& schedule, const std::string& url) {
    Canary canary;
    canary.name = name;
    canary.schedule = schedule;
    canary.steps = {HttpStep{.name = "step", .url = url}};
    canary.started = kStart;
    return canary;
  }
  void write() { write(to_text(canaries_)); }
  // Each with a time of its own, which a file system need not tell apart.
  void write(const std::string& text) {
    ASSERT_TRUE(base::replace_file(file_, text));
    fs::last_write_time(file_, fs::file_time_type::clock::now() + std::chrono::seconds{++writes_});
  }

  net::Task<void> tick_and_wait(base::TimePoint now, std::size_t runs) {
    rounds_->tick(now);
    for (int i = 0; i < 5000 && lines_.size() < runs; ++i) {
      auto slept = co_await net::sleep_for(1ms);
      if (!slept) co_return;
      auto more = reader_->read_lines();
      if (more) lines_.insert(lines_.end(), more->begin(), more->end());
    }
  }
  // What is in the journal, once there are as many runs as these since the beginning, or five seconds have gone by.
  std::vector<CanaryRun> runs_after(base::TimePoint now, std::size_t runs) {
    if (!reader_) reader_.emplace(directory_, Position{}, kRuns);
    worker_.run_until_done(tick_and_wait(now, runs));
    std::vector<CanaryRun> all;
    for (const auto& line : lines_) all.push_back(run_from(line).value_or(CanaryRun{}));
    return all;
  }

  net::Task<void> run_into(Canary canary, CanaryRun& result) {
    CanaryRun run;
    run.canary = canary.name;
    result = co_await run_http(std::move(canary), workshop_, nullptr, std::move(run));
  }
  CanaryRun run_steps(std::vector<HttpStep> steps, std::chrono::seconds timeout = 60s) {
    Canary canary;
    canary.name = "checks";
    canary.steps = std::move(steps);
    canary.timeout = timeout;
    CanaryRun result;
    worker_.run_until_done(run_into(std::move(canary), result));
    return result;
  }

  fs::path directory_, file_;
  int writes_ = 0;
  std::optional<JournalWriter> writer_;
  std::optional<JournalReader> reader_;
  std::vector<std::string> lines_;
  Site site_;
  net::Worker worker_{0};
  std::unique_ptr<http::WorkerServer> server_;
  std::optional<net::TaskGroup> tasks_;
  std::optional<Rounds> rounds_;
  Canaries canaries_;
  Workshop workshop_;
};
using RoundsOf = OfRounds;
using HttpCanary = OfRounds;

TEST_F(RoundsOf, RunACanaryWhenItsScheduleSaysSoAndNotBefore) {
  canaries_.all = {checking("portal", "rate(10 seconds)", "/a")};
  write();
  EXPECT_TRUE(runs_after(kStart + 1s, 0).empty());
  EXPECT_TRUE(runs_after(kStart + 9s, 0).empty());
  const auto runs = runs_after(kStart + 10s, 1);
  ASSERT_EQ(runs.size(), 1u);
  EXPECT_EQ(runs[0].canary, "portal");
  EXPECT_TRUE(runs[0].passed && runs[0].executed) << runs[0].reason;
  EXPECT_EQ(runs[0].id.size(), 36u);
  EXPECT_EQ(runs_after(kStart + 11s, 1).size(), 1u);
  EXPECT_EQ(runs_after(kStart + 20s, 2).size(), 2u);
  EXPECT_THAT(site_.asked, ElementsAre("GET /a", "GET /a"));
}

TEST_F(RoundsOf, CountARunThatIsDueBeforeTheLastOneHasEndedAsAFailure) {
  canaries_.all = {checking("slow", "rate(10 seconds)", "/slow")};
  write();
  runs_after(kStart + 1s, 0);
  runs_after(kStart + 10s, 0);
  auto runs = runs_after(kStart + 20s, 1);
  ASSERT_EQ(runs.size(), 1u);
  EXPECT_FALSE(runs[0].passed || runs[0].executed);
  EXPECT_THAT(runs[0].reason, HasSubstr("has not ended"));
  site_.released = true;
  runs = runs_after(kStart + 21s, 2);
  ASSERT_EQ(runs.size(), 2u);
  EXPECT_TRUE(runs[1].passed) << runs[1].reason;
  EXPECT_EQ(runs_after(kStart + 30s, 3).size(), 3u) << "and then it runs as ever";
  EXPECT_EQ(site_.asked.size(), 2u);
}

TEST_F(RoundsOf, RunWhatIsDueAtTheTickThatReadsTheFileAnew) {
  canaries_.all = {checking("portal", "rate(10 seconds)", "/a")};
  write();
  runs_after(kStart + 1s, 0);
  canaries_.all.push_back(checking("other", "rate(1 hour)", "/other"));
  write();
  EXPECT_EQ(runs_after(kStart + 10s, 1).size(), 1u);
}

TEST_F(RoundsOf, GoOnAtOnceWhenTheClockIsSetBackAndRunOnceWhenItIsSetAhead) {
  canaries_.all = {checking("portal", "rate(10 seconds)", "/a")};
  write();
  runs_after(kStart + 3600s, 0);
  EXPECT_EQ(runs_after(kStart + 3610s, 1).size(), 1u);
  EXPECT_EQ(runs_after(kStart + 9s, 1).size(), 1u);
  EXPECT_EQ(runs_after(kStart + 10s, 2).size(), 2u) << "an hour later than the clock says it ran";
  EXPECT_EQ(runs_after(kStart + 7200s, 3).size(), 3u);
  EXPECT_EQ(runs_after(kStart + 7201s, 3).size(), 3u) << "not once for each interval that never was";
}

TEST_F(RoundsOf, RunNothingTwiceWhenTheClockIsSteeredBackALittle) {
  canaries_.all = {checking("portal", "rate(10 seconds)", "/slow")};
  write();
  runs_after(kStart, 0);
  runs_after(kStart + 10s, 0);
  runs_after(kStart + 10s - 1ms, 0);
  runs_after(kStart + 10s + 1ms, 0);
  site_.released = true;
  const auto runs = runs_after(kStart + 11s, 1);
  ASSERT_EQ(runs.size(), 1u);
  EXPECT_TRUE(runs[0].executed) << runs[0].reason;
}

TEST_F(RoundsOf, RunOnceWhatRunsOnceForEachStart) {
  canaries_.all = {checking("once", "rate(0 minutes)", "/once")};
  write();
  EXPECT_EQ(runs_after(kStart, 1).size(), 1u);
  EXPECT_EQ(runs_after(kStart + 3600s, 1).size(), 1u);
  canaries_.all.push_back(checking("other", "rate(1 hour)", "/other"));
  write();
  EXPECT_EQ(runs_after(kStart + 3601s, 1).size(), 1u) << "read anew, but not started anew";
  canaries_.all[0].started = kStart + 3602s;
  write();
  EXPECT_EQ(runs_after(kStart + 3602s, 2).size(), 2u);
}

TEST_F(RoundsOf, KeepWhatTheyHaveWhileTheFileIsNone) {
  canaries_.all = {checking("portal", "rate(10 seconds)", "/a")};
  write();
  EXPECT_TRUE(runs_after(kStart + 1s, 0).empty());
  write("{\"can");
  EXPECT_EQ(runs_after(kStart + 10s, 1).size(), 1u);
  fs::remove(file_);
  EXPECT_EQ(runs_after(kStart + 20s, 2).size(), 2u);
  canaries_.all = {};
  write();
  EXPECT_EQ(runs_after(kStart + 30s, 2).size(), 2u) << "there is none any more";
}

TEST_F(RoundsOf, LeaveOutACanaryWhoseScheduleIsNone) {
  canaries_.all = {checking("bad", "every now and then", "/bad"), checking("good", "rate(10 seconds)", "/good")};
  write();
  runs_after(kStart + 1s, 0);
  EXPECT_EQ(runs_after(kStart + 10s, 1).size(), 1u);
  EXPECT_THAT(site_.asked, ElementsAre("GET /good"));
}

TEST_F(HttpCanary, AsksItsStepsInOrderAsTheySay) {
  HttpStep post{.name = "post", .url = workshop_.base_url + "/in?x=1", .method = "POST"};
  post.body = "the body";
  post.contains = "took the body";
  HttpStep who{.name = "who", .url = "/who", .headers = {{"X-Who", "canary"}}};
  who.contains = "/who canary";
  HttpStep missing{.name = "missing", .url = "/missing"};
  missing.statuses = {404, 410};
  const auto run = run_steps({post, who, missing});
  EXPECT_TRUE(run.passed) << run.reason;
  EXPECT_EQ(run.reason, "");
  EXPECT_THAT(site_.asked, ElementsAre("POST /in?x=1", "GET /who", "GET /missing"));
  EXPECT_THAT(run.steps, ElementsAre(Field(&StepResult::passed, true), Field(&StepResult::passed, true),
                                     Field(&StepResult::passed, true)));
  EXPECT_EQ(run.answers_2xx, 2u);
  EXPECT_EQ(run.answers_4xx, 1u);
  EXPECT_EQ(run.failed_requests, 0u);
}

TEST_F(HttpCanary, EndsWithTheFirstStepThatFailsAndSaysWhy) {
  const auto broken = run_steps({{.name = "broken", .url = "/broken"}, {.name = "after", .url = "/a"}});
  EXPECT_FALSE(broken.passed);
  EXPECT_EQ(broken.reason, "broken: status 503, expected 200 to 399");
  EXPECT_EQ(broken.answers_5xx, 1u);
  EXPECT_EQ(broken.steps.size(), 1u);
  HttpStep wanted{.name = "wanted", .url = "/a"};
  wanted.statuses = {201, 202};
  EXPECT_EQ(run_steps({wanted}).reason, "wanted: status 200, expected 201 or 202");
  HttpStep other{.name = "other", .url = "/a"};
  other.contains = "good morning";
  EXPECT_THAT(run_steps({other}).reason, HasSubstr("does not contain \"good morning\""));
  EXPECT_EQ(site_.asked.size(), 3u);
}

TEST_F(HttpCanary, WaitsNoLongerThanItsStepMayTake) {
  HttpStep slow{.name = "slow", .url = "/slow"};
  slow.within = 30ms;
  const auto run = run_steps({slow});
  EXPECT_FALSE(run.passed);
  EXPECT_EQ(run.reason, "slow: no answer within 30 ms");
  EXPECT_EQ(run.failed_requests, 1u);
  EXPECT_GE(run.steps.at(0).duration, 30ms);
  const auto over = run_steps({{.name = "late", .url = "/a"}}, 0s);
  EXPECT_EQ(over.reason, "late: the canary's 0 s were over");
}

TEST_F(HttpCanary, FailsWhereNobodyAnswers) {
  const auto run = run_steps({{.name = "closed", .url = "http://127.0.0.1:1/"}});
  EXPECT_FALSE(run.passed);
  EXPECT_EQ(run.failed_requests, 1u);
  EXPECT_THAT(run.reason, HasSubstr("closed: "));
  EXPECT_THAT(run_steps({{.name = "none", .url = "http:///x"}}).reason, HasSubstr("host"));
}

}  // namespace
}  // namespace securebase::prober
