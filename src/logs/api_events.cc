// Events: put, get, filter.
#include <fmt/format.h>

#include <algorithm>

#include "logs/api.h"
#include "logs/patterns/pattern.h"
#include "logs/put_request.h"
#include "logs/store/events.h"

namespace securebase::logs {

namespace {

using aws::Call;
using aws::Outcome;
using aws::Value;

// PutLogEvents, CloudWatch Logs API reference.
constexpr std::size_t kBatchBytes = 1'048'576;
constexpr std::size_t kEventOverhead = 26;
constexpr std::size_t kBatchEvents = 10'000;
constexpr std::int64_t kDayMs = 24 * 3600 * 1000;
constexpr std::int64_t kOldestMs = 14 * kDayMs;
constexpr std::int64_t kNewestMs = 2 * 3600 * 1000;
constexpr std::size_t kPageEvents = 10'000;
// Any: it is ignored since January 2023, and clients from before it hand it back.
constexpr std::string_view kSequenceToken = "49039859595985988588393923";

Result<Done, aws::Fault> check_batch(std::span<const Event> events) {
  if (events.empty() || events.size() > kBatchEvents) {
    return invalid_parameter(
        fmt::format("1 validation error detected: logEvents has 1 to {} members, not {}", kBatchEvents, events.size()));
  }
  std::size_t bytes = 0;
  for (const auto& event : events) {
    if (event.message.empty()) {
      return invalid_parameter("1 validation error detected: an event's message has at least one character");
    }
    bytes += event.message.size() + kEventOverhead;
  }
  if (bytes > kBatchBytes) {
    return invalid_parameter(fmt::format("Upload too large: {} bytes exceeds limit of {}", bytes, kBatchBytes));
  }
  const auto by_time = [](const Event& a, const Event& b) { return a.time_ms < b.time_ms; };
  if (!std::is_sorted(events.begin(), events.end(), by_time)) {
    return invalid_parameter("Log events in a single PutLogEvents request must be in chronological order.");
  }
  if (events.back().time_ms - events.front().time_ms > kDayMs) {
    return invalid_parameter(
        "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.");
  }
  return Done{};
}

// Into a stream that is there.
Outcome put_batch(Logs::Engine& engine, Group& group, std::string_view stream, std::span<const Event> events) {
  if (auto valid = check_batch(events); !valid) return valid.error();
  const auto now = engine.store->now_ms();
  const auto oldest_visible = engine.store->oldest_visible_ms(*group.settings());
  const auto before = [&](std::int64_t time_ms) {
    return static_cast<std::size_t>(std::partition_point(events.begin(), events.end(),
                                                         [&](const Event& event) { return event.time_ms < time_ms; }) -
                                    events.begin());
  };
  const auto too_old = before(now - kOldestMs);
  const auto expired = before(oldest_visible);
  const auto too_new = before(now + kNewestMs + 1);
  const auto begin = std::max(too_old, expired);
  if (begin < too_new) {
    auto put = engine.put(group, stream, events.subspan(begin, too_new - begin));
    if (!put) return fault_of(put.error());
  }
  auto output = Value::structure({{"nextSequenceToken", kSequenceToken}});
  auto rejected = Value::structure();
  if (too_old > 0) rejected.set("tooOldLogEventEndIndex", static_cast<std::int64_t>(too_old));
  if (expired > 0) rejected.set("expiredLogEventEndIndex", static_cast<std::int64_t>(expired));
  if (too_new < events.size()) rejected.set("tooNewLogEventStartIndex", static_cast<std::int64_t>(too_new));
  if (!rejected.members().empty()) output.set("rejectedLogEventsInfo", std::move(rejected));
  return output;
}

Outcome put_events(Logs::Engine& engine, const Call& call) {
  auto group = group_of(engine, call.input);
  if (!group) return group.error();
  const auto stream = call.input["logStreamName"].string_or("");
  if (!(*group)->has_stream(stream)) {
    return aws::Fault{"ResourceNotFoundException", "The specified log stream does not exist.", 0, {}};
  }
  std::vector<Event> events;
  for (const auto& one : call.input["logEvents"].elements()) {
    Event event;
    event.time_ms = one["timestamp"].integer_or(0);
    event.message = one["message"].string_or("");
    events.push_back(event);
  }
  return put_batch(engine, **group, stream, events);
}

// nullopt: not plain, or into a group or stream that is not there, for which the model and put_events() have the words.
std::optional<Outcome> put_plain_events(Logs::Engine& engine, std::string_view json) {
  const auto request = read_put_request(json);
  if (!request) return std::nullopt;
  const auto group = engine.store->find(request->group);
  if (!group || !group->has_stream(request->stream)) return std::nullopt;
  return put_batch(engine, *group, request->stream, request->events);
}

Result<std::size_t, aws::Fault> limit_of(const Call& call) {
  const auto limit = call.input["limit"].integer_or(kPageEvents);
  if (limit < 1 || limit > static_cast<std::int64_t>(kPageEvents)) {
    return invalid_parameter(fmt::format("limit is 1 to {}, not {}", kPageEvents, limit));
  }
  return static_cast<std::size_t>(limit);
}

Outcome get_events(Logs::Engine& engine, const Call& call) {
  auto group = group_of(engine, call.input);
  if (!group) return group.error();
  const std::string stream(call.input["logStreamName"].string_or(""));
  if (!(*group)->has_stream(stream)) {
    return aws::Fault{"ResourceNotFoundException", "The specified log stream does not exist.", 0, {}};
  }
  auto limit = limit_of(call);
  if (!limit) return limit.error();
  EventRead read;
  read.groups = {*group};
  read.streams = {stream};
  read.limit = *limit;
  read.begin_ms = call.input["startTime"].integer_or(0);
  read.end_ms = call.input["endTime"].integer_or(INT64_MAX);
  if (read.end_ms != INT64_MAX) --read.end_ms;  // "an event with a timestamp equal to this time is not included"
  const auto token = call.input["nextToken"].string_or("");
  read.newest = !call.input["startFromHead"].bool_or(false);
  std::optional<EventKey> from;
  if (!token.empty()) {
    from = token.size() > 2 ? key_from(token.substr(2)) : std::nullopt;
    if (!from || (!token.starts_with("f/") && !token.starts_with("b/"))) {
      return invalid_parameter("The specified nextToken is invalid.");
    }
    read.newest = token.starts_with("b/");
    (read.newest ? read.before : read.after) = from;
  }
  auto page = read_events(*engine.store, read);
  if (!page) return fault_of(page.error());
  aws::Value::List events;
  for (const auto& event : page->events) {
    events.push_back(Value::structure(
        {{"timestamp", event.key.time_ms}, {"message", event.message}, {"ingestionTime", event.ingestion_ms}}));
  }
  // At the end of a stream a token is the one that came, which tells the client that it is there.
  EventKey first{read.begin_ms, "", 0};
  EventKey last = first;
  if (!page->events.empty()) {
    first = page->events.front().key;
    last = page->events.back().key;
  } else if (page->reached) {
    first = last = *page->reached;
  } else if (from) {
    first = last = *from;
  }
  return Value::structure({{"events", aws::Value(std::move(events))},
                           {"nextForwardToken", "f/" + to_text(last)},
                           {"nextBackwardToken", "b/" + to_text(first)}});
}

Outcome filter_events(Logs::Engine& engine, const Call& call) {
  const auto name = group_name_of(call.input);
  if (auto valid = check_group_name(name); !valid) return valid.error();
  EventRead read;
  auto groups = engine.store->resolve(name);
  if (!groups) return fault_of(groups.error());
  if (groups->empty()) return no_group();
  read.groups = std::move(*groups);
  auto limit = limit_of(call);
  if (!limit) return limit.error();
  read.limit = *limit;
  auto pattern = Pattern::compile(call.input["filterPattern"].string_or(""));
  if (!pattern) return invalid_parameter(pattern.error().message);
  read.texts = pattern->texts();
  if (!pattern->matches_everything()) {
    read.wanted = [&pattern](std::string_view message) { return pattern->matches(message); };
  }
  for (const auto& stream : call.input["logStreamNames"].elements()) read.streams.emplace(stream.string_or(""));
  read.stream_prefix = call.input["logStreamNamePrefix"].string_or("");
  if (!read.streams.empty() && !read.stream_prefix.empty()) {
    return invalid_parameter("logStreamNames and logStreamNamePrefix cannot both be given.");
  }
  read.begin_ms = call.input["startTime"].integer_or(0);
  read.end_ms = call.input["endTime"].integer_or(INT64_MAX);
  if (read.end_ms < read.begin_ms) return invalid_parameter("startTime is after endTime");
  if (const auto token = call.input["nextToken"].string_or(""); !token.empty()) {
    read.after = key_from(token);
    if (!read.after) return invalid_parameter("The specified nextToken is invalid.");
  }
  auto page = read_events(*engine.store, read);
  if (!page) return fault_of(page.error());
  aws::Value::List events;
  for (auto& event : page->events) {
    events.push_back(Value::structure({{"logStreamName", event.stream},
                                       {"timestamp", event.key.time_ms},
                                       {"message", std::move(event.message)},
                                       {"ingestionTime", event.ingestion_ms},
                                       {"eventId", event_id({event.key.time_ms, event.key.sequence})}}));
  }
  auto output = Value::structure(
      {{"events", aws::Value(std::move(events))}, {"searchedLogStreams", aws::Value(aws::Value::List{})}});
  if (page->reached) output.set("nextToken", to_text(*page->reached));
  return output;
}

}  // namespace

void add_event_operations(Logs::Engine& engine, NamedHandlers& into) {
  const auto add = [&](std::string_view name, Outcome (*does)(Logs::Engine&, const Call&)) {
    into.emplace_back(name, [&engine, does](const Call& call) { return does(engine, call); });
  };
  add("PutLogEvents", &put_events);
  add("GetLogEvents", &get_events);
  add("FilterLogEvents", &filter_events);
}

aws::QuickHandler quick_put_events(Logs::Engine& engine) {
  return [&engine](const Call&, std::string_view body) { return put_plain_events(engine, body); };
}

}  // namespace securebase::logs
