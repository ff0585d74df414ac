#include "logs/insights/api.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"

namespace securebase::logs::insights {

namespace {

using aws::Answer;
using aws::Call;
using aws::Fault;
using aws::Outcome;
using aws::Value;

constexpr std::size_t kMostGroups = 50;  // StartQuery
constexpr std::int64_t kPage = 1000;

std::string text_member(const Value& input, std::string_view name) { return std::string(input[name].string_or("")); }

Fault invalid(std::string message) { return {"InvalidParameterException", std::move(message), 0, {}}; }
Fault not_there(std::string message) { return {"ResourceNotFoundException", std::move(message), 0, {}}; }

Fault malformed_query(const Malformed& malformed) {
  return {"MalformedQueryException", malformed.message, 0,
          Value::structure(
              {{"queryCompileError",
                Value::structure(
                    {{"location", Value::structure({{"startCharOffset", std::int64_t(malformed.begin_character)},
                                                    {"endCharOffset", std::int64_t(malformed.end_character)}})},
                     {"message", malformed.message}})}})};
}

// "x" of "arn:aws:logs:region:account:log-group:x:*".
std::string group_of_arn(std::string_view given) {
  constexpr std::string_view kGroup = ":log-group:";
  const auto at = given.starts_with("arn:") ? given.find(kGroup) : std::string_view::npos;
  if (at == std::string_view::npos) return std::string(given);
  auto name = given.substr(at + kGroup.size());
  if (name.ends_with(":*")) name.remove_suffix(2);
  return std::string(name);
}

// One of logGroupName, logGroupNames, logGroupIdentifiers; none where the query says SOURCE.
Result<std::vector<std::string>, Fault> groups_of(const Value& input, std::string_view query) {
  std::vector<std::string> groups;
  int given = 0;
  if (const auto name = text_member(input, "logGroupName"); !name.empty()) {
    ++given;
    groups.push_back(group_of_arn(name));
  }
  for (const auto* list : {"logGroupNames", "logGroupIdentifiers"}) {
    if (!input[list].elements().empty()) ++given;
    for (const auto& one : input[list].elements()) groups.push_back(group_of_arn(one.string_or("")));
  }
  const auto first = query.find_first_not_of(" \t\r\n");
  const bool source = first != std::string_view::npos && query.size() >= first + 6 &&
                      std::equal(query.begin() + static_cast<std::ptrdiff_t>(first),
                                 query.begin() + static_cast<std::ptrdiff_t>(first) + 6, "source",
                                 [](char a, char b) { return (a | 0x20) == b; });
  if (given != (source ? 0 : 1)) {
    return invalid(source ? "the query names its log groups by SOURCE: give no other"
                          : "expected one of logGroupName, logGroupNames and logGroupIdentifiers");
  }
  if (groups.size() > kMostGroups) return invalid(fmt::format("at most {} log groups", kMostGroups));
  return groups;
}

// Seconds since the epoch; what is far too large for them is milliseconds, as some clients send.
std::chrono::milliseconds time_given(std::int64_t value) {
  constexpr std::int64_t kYear5000 = 95'617'584'000;
  return value > kYear5000 ? std::chrono::milliseconds{value} : std::chrono::milliseconds{value * 1000};
}

Outcome start_query(const Api& api, const Call& call) {
  Queries::Request request;
  request.text = text_member(call.input, "queryString");
  auto groups = groups_of(call.input, request.text);
  if (!groups) return groups.error();
  for (const auto& group : *groups) {
    const auto known = api.knows_group(group);
    if (!known) return Fault{"ServiceUnavailableException", known.error().message, 0, {}};
    if (!*known) {
      return not_there(fmt::format("Log group '{}' does not exist, nor does any whose name begins so", group));
    }
  }
  request.groups = std::move(*groups);
  const auto begin = call.input["startTime"].integer_or(-1);
  const auto end = call.input["endTime"].integer_or(-1);
  if (begin < 0 || end < begin || end > std::int64_t{1} << 52) {
    return invalid("expected startTime and endTime in seconds since 1970, the end not before the start");
  }
  request.begin = base::TimePoint{time_given(begin)};
  // The second that the end names is in it.
  request.end = base::TimePoint{time_given(end)} + std::chrono::microseconds{999'999};
  request.limit =
      static_cast<std::size_t>(std::clamp<std::int64_t>(call.input["limit"].integer_or(kMostRows), 1, kMostRows));
  auto started = api.queries.start(std::move(request));
  if (started) return Answer(Value::structure({{"queryId", *started}}));
  if (started.error().why == Queries::Refusal::kTooMany) {
    return Fault{"LimitExceededException", started.error().malformed.message, 0, {}};
  }
  return malformed_query(started.error().malformed);
}

Outcome get_query_results(const Api& api, const Call& call) {
  const auto progress = api.queries.progress(text_member(call.input, "queryId"));
  if (!progress) return not_there(progress.error().message);
  Value rows = Value::list();
  for (const auto& row : progress->results.rows) {
    Value fields = Value::list();
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (row[i]) fields.push_back(Value::structure({{"field", progress->results.names[i]}, {"value", *row[i]}}));
    }
    rows.push_back(std::move(fields));
  }
  const auto& statistics = progress->statistics;
  Value output = Value::structure(
      {{"results", std::move(rows)},
       {"statistics", Value::structure({{"recordsMatched", static_cast<double>(statistics.records_matched)},
                                        {"recordsScanned", static_cast<double>(statistics.records_scanned)},
                                        {"bytesScanned", static_cast<double>(statistics.bytes_scanned)}})},
       {"status", to_string(progress->status)}});
  // Not in the public model; a client that knows it sees why.
  if (!progress->failure.empty()) output.set("message", progress->failure);
  return Answer(std::move(output));
}

Outcome stop_query(const Api& api, const Call& call) {
  const auto stopped = api.queries.stop(text_member(call.input, "queryId"));
  if (!stopped) return not_there(stopped.error().message);
  if (!*stopped) return invalid("the query had ended before");
  return Answer(Value::structure({{"success", true}}));
}

// A page of `sorted`; the token is the place behind the last that was shown.
Result<Value, Fault> page(const Value& input, std::string_view member, const std::vector<Value>& sorted) {
  std::size_t begin = 0;
  if (const auto token = input["nextToken"].string_or(""); !token.empty()) {
    const auto plain = base::from_base64url(token);
    const auto number = plain ? number_of(*plain) : std::nullopt;
    if (!number || *number < 0) return invalid("nextToken is none that was given out");
    begin = static_cast<std::size_t>(*number);
  }
  const auto most = static_cast<std::size_t>(std::clamp<std::int64_t>(input["maxResults"].integer_or(kPage), 1, kPage));
  Value list = Value::list();
  const auto end = std::min(sorted.size(), begin + most);
  for (auto i = begin; i < end; ++i) list.push_back(sorted[i]);
  Value output = Value::structure({{std::string(member), std::move(list)}});
  if (end < sorted.size()) output.set("nextToken", base::base64url(std::to_string(end)));
  return output;
}

Outcome describe_queries(const Api& api, const Call& call) {
  const auto group = text_member(call.input, "logGroupName");
  const auto status = text_member(call.input, "status");
  std::vector<Value> shown;
  for (const auto& query : api.queries.list()) {
    const auto& groups = query.request.groups;
    if (!group.empty() && std::find(groups.begin(), groups.end(), group) == groups.end()) continue;
    if (!status.empty() && status != to_string(query.status)) continue;
    const auto created = std::chrono::floor<std::chrono::milliseconds>(query.created).time_since_epoch().count();
    Value one = Value::structure({{"queryId", query.id},
                                  {"queryString", query.request.text},
                                  {"status", to_string(query.status)},
                                  {"createTime", std::int64_t{created}}});
    if (!groups.empty()) one.set("logGroupName", groups.front());
    shown.push_back(std::move(one));
  }
  auto output = page(call.input, "queries", shown);
  if (!output) return output.error();
  return Answer(std::move(*output));
}

Outcome put_query_definition(const Api& api, const Call& call) {
  Definitions::Definition definition{text_member(call.input, "queryDefinitionId"),
                                     text_member(call.input, "name"),
                                     text_member(call.input, "queryString"),
                                     {},
                                     call.now};
  for (const auto& group : call.input["logGroupNames"].elements()) definition.groups.emplace_back(group.string_or(""));
  // A query that cannot run is not worth keeping.
  const auto parsed = parse_query(definition.text);
  if (!parsed) return invalid(fmt::format("queryString: {}", parsed.error().message));
  const auto id = api.definitions.put(std::move(definition));
  if (id) return Answer(Value::structure({{"queryDefinitionId", *id}}));
  if (id.error().code == Errc::kNotFound) return not_there(id.error().message);
  if (id.error().code == Errc::kLimit) return Fault{"LimitExceededException", id.error().message, 0, {}};
  return Fault{"ServiceUnavailableException", id.error().message, 0, {}};
}

Outcome describe_query_definitions(const Api& api, const Call& call) {
  std::vector<Value> shown;
  for (const auto& one : api.definitions.list(call.input["queryDefinitionNamePrefix"].string_or(""))) {
    Value groups = Value::list();
    for (const auto& group : one.groups) groups.push_back(group);
    const auto modified = std::chrono::floor<std::chrono::milliseconds>(one.modified).time_since_epoch().count();
    shown.push_back(Value::structure({{"queryDefinitionId", one.id},
                                      {"name", one.name},
                                      {"queryString", one.text},
                                      {"lastModified", std::int64_t{modified}},
                                      {"logGroupNames", std::move(groups)}}));
  }
  auto output = page(call.input, "queryDefinitions", shown);
  if (!output) return output.error();
  return Answer(std::move(*output));
}

Outcome delete_query_definition(const Api& api, const Call& call) {
  const auto removed = api.definitions.remove(text_member(call.input, "queryDefinitionId"));
  if (!removed) return Fault{"ServiceUnavailableException", removed.error().message, 0, {}};
  if (!*removed) return not_there("there is no such saved query");
  return Answer(Value::structure({{"success", true}}));
}

Outcome get_log_record(const Api& api, const Call& call) {
  const auto record = api.record(call.input["logRecordPointer"].string_or(""));
  if (!record && record.error().code == Errc::kNotFound) return not_there(record.error().message);
  if (!record) return invalid(record.error().message);
  Value fields = Value::structure();
  for (const auto& [name, value] : *record) fields.set(name, value);
  return Answer(Value::structure({{"logRecord", std::move(fields)}}));
}

// How many per cent of the events around a time have which fields: 15 minutes before and after it, or the last 15.
Outcome get_log_group_fields(const Api& api, const Call& call) {
  auto group = text_member(call.input, "logGroupIdentifier");
  group = group_of_arn(group.empty() ? text_member(call.input, "logGroupName") : group);
  const auto known = api.knows_group(group);
  if (!known) return Fault{"ServiceUnavailableException", known.error().message, 0, {}};
  if (!*known) return not_there(fmt::format("Log group '{}' does not exist", group));
  constexpr std::chrono::minutes kAround{15};
  constexpr std::size_t kEnough = 10'000;
  const auto time = call.input["time"].integer_or(0);
  Scan scan;
  scan.groups = {group};
  scan.begin = time > 0 ? base::TimePoint{time_given(time)} - kAround : call.now - kAround;
  scan.end = time > 0 ? base::TimePoint{time_given(time)} + kAround : call.now;
  scan.fields = api.queries.source().fields_of(scan.groups);
  auto parts = api.queries.source().scan(scan);
  if (!parts) return Fault{"ServiceUnavailableException", parts.error().message, 0, {}};
  std::vector<std::size_t> with(scan.fields.size());
  std::size_t rows = 0;
  for (auto& part : *parts) {
    Batch batch;
    while (rows < kEnough) {
      auto more = part->next(batch);
      if (!more) return Fault{"ServiceUnavailableException", more.error().message, 0, {}};
      if (!*more) break;
      rows += batch.rows;
      for (std::size_t i = 0; i < with.size(); ++i) {
        Vector values;
        values.import(batch.columns[i], batch.rows);
        values.load(batch.rows);
        for (std::size_t row = 0; row < batch.rows; ++row) with[i] += values.at(row).missing() ? 0 : 1;
      }
    }
  }
  Value fields = Value::list();
  for (std::size_t i = 0; i < with.size(); ++i) {
    if (with[i] == 0) continue;
    const auto percent = static_cast<std::int64_t>((100 * with[i] + rows / 2) / rows);
    fields.push_back(Value::structure({{"name", scan.fields[i]}, {"percent", std::max<std::int64_t>(percent, 1)}}));
  }
  return Answer(Value::structure({{"logGroupFields", std::move(fields)}}));
}

}  // namespace

std::vector<std::pair<std::string_view, aws::Handler>> operations_of(const Api& api) {
  const auto by = [&api](Outcome (*handle)(const Api&, const Call&)) -> aws::Handler {
    return [api, handle](const Call& call) { return handle(api, call); };
  };
  return {{"StartQuery", by(start_query)},
          {"GetQueryResults", by(get_query_results)},
          {"StopQuery", by(stop_query)},
          {"DescribeQueries", by(describe_queries)},
          {"PutQueryDefinition", by(put_query_definition)},
          {"DescribeQueryDefinitions", by(describe_query_definitions)},
          {"DeleteQueryDefinition", by(delete_query_definition)},
          {"GetLogRecord", by(get_log_record)},
          {"GetLogGroupFields", by(get_log_group_fields)}};
}

void add_operations(aws::Operations& operations, const Api& api) {
  for (auto& [name, handler] : operations_of(api)) operations.add("logs", name, std::move(handler));
}

}  // namespace securebase::logs::insights
