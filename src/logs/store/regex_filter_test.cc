// Regular expressions of a query over stored messages, of which most look at a part only: the answers are those that
// the whole messages give.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <re2/re2.h>

#include <algorithm>
#include <string>
#include <vector>

#include "logs/insights/execution.h"
#include "logs/insights/parser.h"
#include "logs/insights/planner.h"
#include "logs/store/scan.h"
#include "logs/store/store.h"
#include "logs/store/test_directory.h"

namespace securebase::logs {
namespace {

constexpr std::int64_t kFirstMs = 1'700'000'000'000;

std::vector<std::string> many_lines() {
  std::vector<std::string> lines;
  for (int i = 0; i < 4000; ++i) {
    const int status = i % 5 == 0 ? 500 + i % 4 : 200 + i % 7;
    if (i % 4 == 0) {
      lines.push_back(fmt::format(R"({{"path":"/v1/{}","status":{},"note":"status=5{:02} took {} ms","user":"{}"}})",
                                  i % 9, status, i % 100, i % 1000, i % 6 == 0 ? "caf\xc3\xa9" : "jo"));
    } else if (i % 61 == 0) {
      lines.push_back(fmt::format("like no other: {} status=501 took 77{} ms",
                                  std::string(static_cast<std::size_t>(i % 50), 'x'), i % 10));
    } else {
      lines.push_back(fmt::format("[INFO] req-{:06x} tenant=customer-{} path=/v1/{} status={} took {} ms{}",
                                  i * 7919 % 65536, i % 40, i % 13, status, i * 31 % 1000,
                                  i % 97 == 0 ? " caf\xc3\xa9 status=500 took 711 ms" : ""));
    }
  }
  return lines;
}

class RegexFilter : public testing::Test {
 protected:
  RegexFilter() : lines_(many_lines()) {
    StoreSettings settings;
    settings.directory = directory_.path() / "groups";
    store_ = *Store::open(settings, base::system_clock());
    Group& group = **store_->group_or_new("g");
    for (std::size_t i = 0; i < lines_.size(); ++i) {
      const Event event{kFirstMs + static_cast<std::int64_t>(i), lines_[i], {}};
      EXPECT_TRUE(group.append("s", event.time_ms, std::span(&event, 1)));
    }
    EXPECT_TRUE(group.seal());
  }

  std::vector<std::string> answer(const std::string& query) {
    const StoreSource source(*store_, "123456789012");
    auto plan = insights::make_plan(*insights::parse_query(query), {});
    EXPECT_TRUE(plan) << query;
    insights::Execution execution(source, std::move(*plan),
                                  {.groups = {"g"}, .end = base::TimePoint{std::chrono::milliseconds(2 * kFirstMs)}},
                                  base::system_clock());
    while (!execution.finished()) execution.work();
    const auto results = execution.results();
    EXPECT_TRUE(results) << query;
    std::vector<std::string> found;
    for (const auto& row : results->rows) found.push_back(row.at(0).value_or("missing"));
    std::ranges::sort(found);
    return found;
  }

  std::vector<std::string> expected(const std::string& pattern, bool negated) const {
    std::vector<std::string> found;
    for (const auto& line : lines_) {
      if (RE2::PartialMatch(line, pattern) != negated) found.push_back(line);
    }
    std::ranges::sort(found);
    return found;
  }

  const TestDirectory directory_;
  const std::vector<std::string> lines_;
  std::unique_ptr<Store> store_;
};

TEST_F(RegexFilter, AnswersAsTheWholeMessagesDo) {
  for (const std::string pattern :
       {R"(status=5\d\d took [78]\d\d ms)", R"(status=50[13] took 7)", R"(took [0-9]{2} ms)", R"(/v1/[0-3] status=2)",
        R"(status":50[0-2],"note)", R"(customer-1\d path=/v1/1)", R"(ms caf.)", R"(caf.\W?status)",
        R"(req-00[0-9a-f]{2})", R"(other: x?x? ?status)"}) {
    std::string between_slashes = pattern;
    RE2::GlobalReplace(&between_slashes, "/", R"(\\/)");
    const auto filter = fmt::format("@message like /{}/", between_slashes);
    auto wanted = expected(pattern, false);
    EXPECT_FALSE(wanted.empty()) << pattern;
    EXPECT_EQ(answer("fields @message | filter " + filter + " | limit 10000"), wanted) << pattern;
    EXPECT_EQ(answer("fields @message | filter not " + filter + " | limit 10000"), expected(pattern, true)) << pattern;
    EXPECT_EQ(answer("filter " + filter + " | stats count(*) as n"), std::vector{std::to_string(wanted.size())})
        << pattern;
    std::erase_if(wanted, [](const std::string& line) { return line.find("0 ms") == std::string::npos; });
    EXPECT_EQ(answer("fields @message | filter " + filter + " and @message like /[0]+ ms/ | limit 10000"), wanted)
        << pattern;
  }
}

}  // namespace
}  // namespace securebase::logs
