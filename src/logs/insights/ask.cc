#include "logs/insights/ask.h"

#include <fmt/format.h>

#include <algorithm>

namespace securebase::logs::insights {

namespace {

using base::Json;

Result<Json> start(const Api& api, const Json& question) {
  Queries::Request request;
  request.text = question["query"].string_or("");
  if (const auto* groups = question["groups"].as_array()) {
    for (const auto& group : *groups) {
      const std::string name(group.string_or(""));
      const auto known = api.knows_group(name);
      if (!known) return known.error();
      if (!*known) {
        return Error{Errc::kNotFound, fmt::format("there is no log group \"{}\", nor one whose name begins so", name)};
      }
      request.groups.push_back(name);
    }
  }
  request.begin = base::TimePoint{std::chrono::seconds{question["begin"].integer_or(0)}};
  request.end =
      base::TimePoint{std::chrono::seconds{question["end"].integer_or(0)}} + std::chrono::microseconds{999'999};
  const auto limit = question["limit"].integer_or(kMostRows);
  if (limit < 1 || limit > static_cast<std::int64_t>(kMostRows)) {
    return Error{Errc::kMalformed, fmt::format("the limit is a number from 1 to {}", kMostRows)};
  }
  request.limit = static_cast<std::size_t>(limit);
  auto started = api.queries.start(std::move(request));
  if (started) return Json::object({{"id", *started}});
  const auto& refused = started.error();
  if (refused.why == Queries::Refusal::kTooMany) return Error{Errc::kLimit, refused.malformed.message};
  return Json::object({{"malformed", Json::object({{"message", refused.malformed.message},
                                                   {"begin", std::int64_t(refused.malformed.begin_character)},
                                                   {"end", std::int64_t(refused.malformed.end_character)}})}});
}

Json shown(const Queries::Progress& progress) {
  Json names = Json::array();
  for (const auto& name : progress.results.names) names.push_back(name);
  Json rows = Json::array();
  for (const auto& row : progress.results.rows) {
    Json values = Json::array();
    for (const auto& value : row) values.push_back(value ? Json(*value) : Json());
    rows.push_back(std::move(values));
  }
  return Json::object({{"status", to_string(progress.status)},
                       {"failure", progress.failure},
                       {"matched", progress.statistics.records_matched},
                       {"scanned", progress.statistics.records_scanned},
                       {"bytes", progress.statistics.bytes_scanned},
                       {"names", std::move(names)},
                       {"rows", std::move(rows)}});
}

}  // namespace

Result<Json> ask(const Api& api, const Json& question) {
  const std::string id(question["id"].string_or(""));
  if (id.empty()) return start(api, question);
  if (question["stop"].bool_or(false)) {
    auto stopped = api.queries.stop(id);
    if (!stopped) return stopped.error();
    return Json::object();
  }
  auto progress = api.queries.progress(id);
  if (!progress) return progress.error();
  return shown(*progress);
}

}  // namespace securebase::logs::insights
