// For tests: a rule of the language as a query, the events that go in and the rows that come out; the same in whatever
// form a store has its columns, and with hints or without.
#pragma once

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "logs/insights/execution.h"
#include "logs/insights/memory_source.h"

namespace securebase::logs::insights {

// 2026-11-27 00:00:00.000 UTC.
inline constexpr std::int64_t kMidnight = 1'795'737'600'000;
inline constexpr base::TimePoint kBegin{std::chrono::milliseconds{kMidnight}};

struct Case {
  const char* query;
  std::vector<const char*> events;  // "t" is minutes after midnight
  std::vector<std::string> rows;    // "name=value name=value", without @ptr
  const char* rule = "";
};

inline MemorySource source_of(const std::vector<const char*>& events, MemorySource::Settings settings) {
  MemorySource source(settings);
  std::int64_t place = 0;
  for (const std::string event : events) {
    auto object = *base::Json::parse(event);
    const auto minutes = object["t"].number_or(static_cast<double>(-place));
    object.erase("t");
    object.set("@timestamp", kMidnight + static_cast<std::int64_t>(minutes * 60'000));
    object.set("@ptr", fmt::format("ptr{}", place++));
    source.add(object["group"].string_or("g").data(), object.dump());
  }
  return source;
}

inline std::vector<std::string> run(const Source& source, const std::string& text, std::size_t limit = kMostRows,
                                    const LookupTables* tables = nullptr) {
  const auto query = parse_query(text);
  if (!query) return {"malformed: " + query.error().message};
  auto plan = make_plan(*query, {1'795'740'000, limit, tables});
  if (!plan) return {"malformed: " + plan.error().message};
  Execution execution(
      source, std::move(*plan),
      {.groups = {"g"}, .begin = kBegin - std::chrono::hours{1}, .end = kBegin + std::chrono::hours{48}},
      base::system_clock());
  while (execution.work()) {
  }
  if (execution.status() != Status::kComplete) {
    return {std::string(to_string(execution.status())) + ": " + execution.failure()};
  }
  std::vector<std::string> lines;
  const auto results = execution.results();
  for (const auto& row : results->rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (!row[i] || results->names[i] == "@ptr") continue;
      line += (line.empty() ? "" : " ") + results->names[i] + "=" + *row[i];
    }
    lines.push_back(line);
  }
  return lines;
}

inline void expect_rows(const std::vector<Case>& cases, const LookupTables* tables = nullptr) {
  using Form = MemorySource::Form;
  for (const auto& one : cases) {
    for (const auto form : {Form::kMixed, Form::kTexts, Form::kDictionary, Form::kNumbersWhereAll}) {
      for (const bool hints : {true, false}) {
        const auto source = source_of(one.events, {.form = form, .parts = 2, .batch_rows = 3, .uses_hints = hints});
        ASSERT_THAT(run(source, one.query, kMostRows, tables), testing::ElementsAreArray(one.rows))
            << one.query << "\n"
            << one.rule << " form " << static_cast<int>(form) << " hints " << hints;
      }
    }
  }
}

}  // namespace securebase::logs::insights
