#include "load/report/terminal.h"

#include <gtest/gtest.h>

#include "load/scenarios/http_measures.h"
#include "load/scenarios/measured_fixture.h"

namespace securebase::load {
namespace {

TEST(AsLine, TellsProgressRatesPercentilesAndErrors) {
  Live live;
  live.progress.elapsed = std::chrono::seconds{72};
  live.progress.users = 10;
  live.whole = std::chrono::minutes{5};
  live.last_second = measured(980, 12, 3).values;
  const auto line = as_line(live);
  EXPECT_TRUE(line.starts_with("01:12 of 05:00  10 users  980/s  p50 ")) << line;
  for (const char* word : {"p95 ", "p99 ", "max ", "0 4xx 3 5xx 0 failed"}) {
    EXPECT_NE(line.find(word), std::string::npos) << line;
  }
  live.progress.warming_up = true;
  EXPECT_TRUE(as_line(live).ends_with("warming up"));
  live.last_second = {};  // of several machines no more is known
  EXPECT_EQ(as_line(live), "01:12 of 05:00  10 users");
}

TEST(AsText, TellsErrorsApartAndWhichClockItsLatenciesHave) {
  RunResult result;
  result.scenario = "run";
  result.measured = measured(1000, 50, 20);
  const auto closed = as_text(result);
  EXPECT_NE(closed.find("2.000 % of 1000 requests: 0 4xx, 20 5xx, 0 without an answer"), std::string::npos) << closed;
  EXPECT_NE(closed.find("this is service time"), std::string::npos) << closed;
  result.invalid_because = {"late"};
  EXPECT_NE(as_text(result).find("INVALID"), std::string::npos);
}

}  // namespace
}  // namespace securebase::load
