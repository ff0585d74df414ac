#include "prober/canary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace securebase::prober {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

TEST(Steps, AreReadWithTheirDefaults) {
  const auto steps = parse_steps(R"({"steps": [
    {"name": "home", "url": "/"},
    {"name": "log in", "url": "https://example.com/in", "method": "POST", "headers": {"Content-Type": "text/plain"},
     "body": "x", "status": [200, 302], "contains": "hello", "within_ms": 500},
    {"name": "gone", "url": "http://127.0.0.1/x", "status": 404}]})");
  ASSERT_TRUE(steps) << steps.error().message;
  ASSERT_THAT(*steps, SizeIs(3));
  EXPECT_EQ((*steps)[0].method, "GET");
  EXPECT_EQ((*steps)[1].headers.at("Content-Type"), "text/plain");
  EXPECT_THAT((*steps)[1].statuses, ElementsAre(200, 302));
  EXPECT_EQ((*steps)[1].within, milliseconds{500});
  EXPECT_THAT((*steps)[2].statuses, ElementsAre(404));
}

TEST(Steps, AreRefusedWithTheReason) {
  for (const auto& [text, reason] : std::initializer_list<std::pair<std::string, std::string>>{
           {"{}", "1 to 20 steps"},
           {R"({"steps": []})", "1 to 20 steps"},
           {R"({"steps": [{"url": "/"}]})", "\"name\""},
           {R"({"steps": [{"name": "a", "url": "ftp://x"}]})", "\"url\""},
           {R"({"steps": [{"name": "a", "url": "/ b"}]})", "\"url\""},
           {R"({"steps": [{"name": "a", "url": "/", "state": 200}]})", "no member \"state\""},
           {R"({"steps": [{"name": "a", "url": "/", "status": "200"}]})", "\"status\""},
           {R"({"steps": [{"name": "a", "url": "/", "status": 42}]})", "\"status\""},
           {R"({"steps": [{"name": "a", "url": "/", "method": "GET /"}]})", "\"method\""},
           {R"({"steps": [{"name": "a", "url": "/", "headers": {"X": "1\r\nY: 2"}}]})", "header"},
           {R"({"steps": [{"name": "a", "url": "/", "within_ms": 0}]})", "within_ms"}}) {
    const auto steps = parse_steps(text);
    ASSERT_FALSE(steps) << text;
    EXPECT_THAT(steps.error().message, HasSubstr(reason));
  }
}

TEST(Canaries, AreTheSameBehindTheirFile) {
  Canaries canaries;
  canaries.workshop = {
      "http://127.0.0.1:8080", "/opt/tools", "/usr/bin/node", "/usr/bin/chromium", "nobody", "/var/w", "/opt/bin"};
  Canary checks;
  checks.name = "checks";
  checks.schedule = "rate(1 minute)";
  checks.steps = *parse_steps(R"({"steps": [{"name": "home", "url": "/", "contains": "\"<&>\"", "status": 200}]})");
  Canary script;
  script.name = "script";
  script.schedule = "cron(0 * * * ? *)";
  script.kind = Canary::Kind::kScript;
  script.code = "/var/code";
  script.handler = "index.handler";
  script.environment = {{"A", "1"}};
  script.timeout = std::chrono::seconds{90};
  script.started = base::TimePoint{std::chrono::microseconds{42}};
  Canary load = script;
  load.name = "visit";
  load.kind = Canary::Kind::kLoad;
  load.handler = "checkout.js";
  canaries.all = {checks, script, load};
  const auto read = canaries_from(to_text(canaries));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(to_text(*read), to_text(canaries));
  ASSERT_THAT(read->all, SizeIs(3));
  EXPECT_EQ(read->all[2].kind, Canary::Kind::kLoad);
  EXPECT_EQ(read->workshop.programs, "/opt/bin");
  EXPECT_EQ(read->all[0].steps[0].contains, "\"<&>\"");
  EXPECT_EQ(read->all[1].handler, "index.handler");
  EXPECT_EQ(read->all[1].started, script.started);
  EXPECT_EQ(read->workshop.work, "/var/w");
}

TEST(CanaryRun, IsALineOfItsJournal) {
  CanaryRun run;
  run.canary = "checks";
  run.id = "id";
  run.begin = base::TimePoint{std::chrono::microseconds{1'795'737'600'000'001}};
  run.duration = milliseconds{120};
  run.reason = "home: status 500\nand so on";
  run.steps = {{"home", false, milliseconds{119}, "status 500"}};
  run.answers_5xx = 1;
  const auto line = to_line(run);
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
  const auto read = run_from(line);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->begin, run.begin);
  EXPECT_EQ(read->reason, run.reason);
  EXPECT_EQ(read->steps[0].reason, "status 500");
  EXPECT_EQ(read->answers_5xx, 1u);
  EXPECT_FALSE(run_from("1795733347680123 portal 200 812 1204"));
  EXPECT_FALSE(run_from("{}"));
}

TEST(CanaryRun, StaysShortHoweverMuchAScriptSays) {
  CanaryRun run;
  run.canary = "c";
  run.reason = std::string(1 << 20, '\x01');
  for (int i = 0; i < 500; ++i) run.steps.push_back({std::string(5000, 'n'), false, milliseconds{1}, run.reason});
  EXPECT_LE(to_line(run).size(), kRunBytes);
  EXPECT_TRUE(run_from(to_line(run)));
}

TEST(Report, IsTheLastLineWithTheMark) {
  CanaryRun run;
  take_report(
      "INFO: hello\nsecurebase-canary-report {\"passed\":true,\"2xx\":3,\"steps\":[{\"name\":\"a\",\"passed\":true,"
      "\"duration_ms\":7}]}\n",
      0, run);
  EXPECT_TRUE(run.passed);
  EXPECT_EQ(run.answers_2xx, 3u);
  ASSERT_THAT(run.steps, SizeIs(1));
  EXPECT_EQ(run.steps[0].duration, milliseconds{7});
}

TEST(Report, ThatIsMissingIsAFailureWithTheReason) {
  CanaryRun run;
  run.passed = true;
  take_report("Error: Cannot find module 'left-pad'", 1, run);
  EXPECT_FALSE(run.passed);
  EXPECT_FALSE(run.executed);
  EXPECT_THAT(run.reason, HasSubstr("left-pad"));
  take_report("securebase-canary-report {\"passed\":true}", 1, run);
  EXPECT_FALSE(run.passed) << "the process failed after it";
}

}  // namespace
}  // namespace securebase::prober
