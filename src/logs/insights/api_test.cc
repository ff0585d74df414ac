// Queries as their clients see them: ids, states, bounded memory, saved ones, and the shapes of the AWS API.
#include "logs/insights/api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "logs/insights/ask.h"
#include "logs/insights/memory_source.h"

namespace securebase::logs::insights {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class InsightsApi : public testing::Test {
 protected:
  InsightsApi() {
    for (int i = 0; i < 20; ++i) {
      source_.add("/aws/lambda/a", base::Json::object({{"@timestamp", 1'700'000'000'000 + std::int64_t{i} * 1000},
                                                       {"@message", "line " + std::to_string(i)},
                                                       {"@ptr", "p" + std::to_string(i)},
                                                       {"n", std::int64_t{i}}})
                                       .dump());
    }
  }
  ~InsightsApi() override { std::filesystem::remove_all(directory_); }

  aws::Outcome call(const std::string& name, aws::Value input) {
    const http::Request request;
    const aws::Identity identity;
    for (const auto& [known, handler] : operations_) {
      if (known != name) continue;
      return handler(aws::Call{"logs", name, identity, "us-east-1", "123456789012", "id",
                               base::TimePoint{std::chrono::seconds{1'700'000'100}}, std::move(input), request,
                               nullptr});
    }
    return aws::Fault{"NoSuchOperation", name, 0, {}};
  }
  aws::Value query_of(const std::string& text) {
    return aws::Value::structure({{"logGroupName", "/aws/lambda/a"},
                                  {"startTime", std::int64_t{1'700'000'000}},
                                  {"endTime", std::int64_t{1'700'000'019}},
                                  {"queryString", text}});
  }
  // Started and waited for.
  aws::Value run(const aws::Value& input) {
    const auto started = call("StartQuery", input);
    check(started.has_value(), "the query starts");
    const auto id = started->output["queryId"];
    while (true) {
      const auto answer = call("GetQueryResults", aws::Value::structure({{"queryId", id}}));
      check(answer.has_value(), "a query has results");
      const auto status = answer->output["status"].string_or("");
      if (status != "Running" && status != "Scheduled") return answer->output;
      std::this_thread::yield();
    }
  }
  static std::filesystem::path fresh_directory() {
    std::string pattern = testing::TempDir() + "insights-XXXXXX";
    return mkdtemp(pattern.data());
  }

  MemorySource source_{{.parts = 3, .batch_rows = 4}};
  std::filesystem::path directory_ = fresh_directory();
  std::unique_ptr<Definitions> definitions_ = *Definitions::open(directory_);
  Queries queries_{source_, {.threads = 2, .remembered = 5}};
  Api api_{queries_, *definitions_, [](std::string_view group) { return group.starts_with("/aws/lambda"); },
           [](std::string_view pointer) -> Result<std::vector<std::pair<std::string, std::string>>> {
             if (pointer != "p1") return Error{Errc::kNotFound, "gone"};
             return std::vector<std::pair<std::string, std::string>>{{"@message", "line 1"}};
           }};
  std::vector<std::pair<std::string_view, aws::Handler>> operations_ = operations_of(api_);
};

TEST_F(InsightsApi, GivesRowsAsFieldsAndValuesWithStatistics) {
  const auto answer = run(query_of("fields n, ghost | sort n desc | limit 2"));
  EXPECT_EQ(answer["status"].string_or(""), "Complete");
  ASSERT_EQ(answer["results"].elements().size(), 2u);
  const auto& row = answer["results"].elements()[0].elements();
  ASSERT_EQ(row.size(), 2u) << "what is missing is left out";
  EXPECT_EQ(row[0]["field"].string_or(""), "n");
  EXPECT_EQ(row[0]["value"].string_or(""), "19") << "the second of the end is in the query";
  EXPECT_EQ(row[1]["field"].string_or(""), "@ptr");
  EXPECT_EQ(answer["statistics"]["recordsScanned"].number_or(0), 20);
  EXPECT_EQ(answer["statistics"]["recordsMatched"].number_or(0), 20);
}

TEST_F(InsightsApi, SaysWhereAQueryIsMalformed) {
  const auto answer = call("StartQuery", query_of("fields n | flter n > 1"));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, "MalformedQueryException");
  EXPECT_THAT(answer.error().message, HasSubstr("did you mean filter?"));
  const auto& error = answer.error().members["queryCompileError"];
  EXPECT_EQ(error["location"]["startCharOffset"].integer_or(0), 11);
  EXPECT_EQ(error["location"]["endCharOffset"].integer_or(0), 16);
  EXPECT_FALSE(error["message"].string_or("").empty());
}

TEST_F(InsightsApi, RefusesWhatItCannotRun) {
  auto input = query_of("fields n");
  input.set("logGroupName", "/other");
  EXPECT_EQ(call("StartQuery", input).error().code, "ResourceNotFoundException");
  input = query_of("fields n");
  input.set("endTime", std::int64_t{5});
  EXPECT_EQ(call("StartQuery", input).error().code, "InvalidParameterException");
  input = query_of("SOURCE '/aws/lambda/a' | fields n");
  EXPECT_EQ(call("StartQuery", input).error().code, "InvalidParameterException");
  input.set("logGroupName", nullptr);
  EXPECT_EQ(run(input)["results"].elements().size(), 20u);
  EXPECT_EQ(call("GetQueryResults", aws::Value::structure({{"queryId", "x"}})).error().code,
            "ResourceNotFoundException");
}

TEST_F(InsightsApi, TakesArnsAndAnOwnLimit) {
  auto input = query_of("fields n");
  input.set("logGroupName", nullptr);
  input.set("logGroupIdentifiers", aws::Value::list({"arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/a:*"}));
  input.set("limit", 3);
  EXPECT_EQ(run(input)["results"].elements().size(), 3u);
}

TEST_F(InsightsApi, RemembersTheNewestQueries) {
  for (int i = 0; i < 10; ++i) run(query_of("stats count(*) as n" + std::to_string(i)));
  const auto listed = call("DescribeQueries", aws::Value::structure({{"status", "Complete"}}));
  ASSERT_TRUE(listed);
  const auto& queries = listed->output["queries"].elements();
  ASSERT_EQ(queries.size(), 5u);
  EXPECT_EQ(queries[0]["queryString"].string_or(""), "stats count(*) as n9");
  const auto stopped = call("StopQuery", aws::Value::structure({{"queryId", queries[0]["queryId"]}}));
  EXPECT_EQ(stopped.error().code, "InvalidParameterException") << "it has ended";
}

TEST_F(InsightsApi, KeepsDefinitionsOnDisk) {
  const auto put = [&](const char* name, const char* id = "") {
    auto input = aws::Value::structure({{"name", name}, {"queryString", "fields n | limit 1"}});
    if (*id != 0) input.set("queryDefinitionId", id);
    return call("PutQueryDefinition", input);
  };
  const auto first = put("team/slow");
  ASSERT_TRUE(first);
  ASSERT_TRUE(put("team/cold"));
  EXPECT_EQ(put("x", "no-such-id").error().code, "ResourceNotFoundException");
  auto wrong = aws::Value::structure({{"name", "bad"}, {"queryString", "fild n"}});
  EXPECT_EQ(call("PutQueryDefinition", wrong).error().code, "InvalidParameterException");
  const auto reopened = *Definitions::open(directory_);
  ASSERT_EQ(reopened->list("team/").size(), 2u);
  EXPECT_EQ(reopened->list("")[0].name, "team/cold");
  const auto id = first->output["queryDefinitionId"];
  EXPECT_TRUE(call("DeleteQueryDefinition", aws::Value::structure({{"queryDefinitionId", id}})));
  EXPECT_EQ((*Definitions::open(directory_))->list("").size(), 1u);
  const auto listed = call("DescribeQueryDefinitions", aws::Value::structure());
  EXPECT_EQ(listed->output["queryDefinitions"].elements().size(), 1u);
}

TEST_F(InsightsApi, FindsARecordAndTheFieldsOfAGroup) {
  const auto record = call("GetLogRecord", aws::Value::structure({{"logRecordPointer", "p1"}}));
  ASSERT_TRUE(record);
  EXPECT_EQ(record->output["logRecord"]["@message"].string_or(""), "line 1");
  EXPECT_EQ(call("GetLogRecord", aws::Value::structure({{"logRecordPointer", "p2"}})).error().code,
            "ResourceNotFoundException");
  const auto fields =
      call("GetLogGroupFields",
           aws::Value::structure({{"logGroupName", "/aws/lambda/a"}, {"time", std::int64_t{1'700'000'000}}}));
  ASSERT_TRUE(fields);
  EXPECT_EQ(fields->output["logGroupFields"].elements().size(), 4u);
  EXPECT_EQ(fields->output["logGroupFields"].elements()[0]["percent"].integer_or(0), 100);
}

TEST_F(InsightsApi, AnswersTheCommandLine) {
  auto question = base::Json::object({{"groups", base::Json::array({"/aws/lambda/a"})},
                                      {"query", "stats sum(n) as s"},
                                      {"begin", std::int64_t{1'700'000'000}},
                                      {"end", std::int64_t{1'700'000'100}}});
  const auto started = ask(api_, question);
  ASSERT_TRUE(started);
  base::Json progress;
  do {
    progress = *ask(api_, base::Json::object({{"id", (*started)["id"]}}));
  } while (progress["status"].string_or("") == "Running" || progress["status"].string_or("") == "Scheduled");
  EXPECT_EQ(progress["names"].dump(), "[\"s\"]");
  EXPECT_EQ(progress["rows"].dump(), "[[\"190\"]]");
  question.set("query", "stats nothing");
  EXPECT_EQ((*ask(api_, question))["malformed"]["begin"].integer_or(0), 6);
}

}  // namespace
}  // namespace securebase::logs::insights
