// Log groups, streams, retention and tags.
#include <fmt/format.h>

#include <algorithm>

#include "logs/api.h"

namespace securebase::logs {

namespace {

using aws::Call;
using aws::Fault;
using aws::Outcome;
using aws::Value;

// CloudWatch's own (PutRetentionPolicy).
constexpr int kRetentionDays[] = {1,   3,   5,   7,   14,   30,   60,   90,   120,  150,  180,
                                  365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653};
constexpr std::size_t kMostTags = 50;

using Tags = std::map<std::string, std::string>;

Result<Done> add_tags(Tags& tags, const Value& more) {
  for (const auto& [name, value] : more.members()) {
    const auto text = value.string_or("");
    if (name.empty() || name.size() > 128 || text.size() > 256) {
      return Error{Errc::kMalformed, "a tag's key has 1 to 128 characters, its value at most 256"};
    }
    tags[name] = text;
  }
  if (tags.size() > kMostTags) return Error{Errc::kMalformed, fmt::format("at most {} tags", kMostTags)};
  return Done{};
}

Outcome create_group(Logs::Engine& engine, const Call& call) {
  const auto name = call.input["logGroupName"].string_or("");
  if (auto valid = check_group_name(name); !valid) return valid.error();
  GroupSettings settings;
  settings.name = name;
  settings.log_class = call.input["logGroupClass"].string_or("STANDARD");
  if (auto tagged = add_tags(settings.tags, call.input["tags"]); !tagged) return fault_of(tagged.error());
  auto made = engine.store->create_group(std::move(settings));
  if (!made) return fault_of(made.error());
  return Value::structure();
}

Outcome delete_group(Logs::Engine& engine, const Call& call) {
  const auto name = group_name_of(call.input);
  if (auto valid = check_group_name(name); !valid) return valid.error();
  if (auto done = engine.store->delete_group(name); !done) return fault_of(done.error());
  return Value::structure();
}

Value describe(const Logs::Engine& engine, Group& group) {
  const auto settings = group.settings();
  const auto arn = engine.group_arn(settings->name);
  auto value = Value::structure({{"logGroupName", settings->name},
                                 {"creationTime", settings->created_ms},
                                 {"metricFilterCount", static_cast<std::int64_t>(settings->metric_filters.size())},
                                 {"arn", arn + ":*"},
                                 {"logGroupArn", arn},
                                 {"logGroupClass", settings->log_class},
                                 {"storedBytes", group.stored_bytes()}});
  if (settings->retention_days) value.set("retentionInDays", *settings->retention_days);
  return value;
}

Outcome describe_groups(Logs::Engine& engine, const Call& call) {
  const auto prefix = call.input["logGroupNamePrefix"].string_or("");
  const auto part = call.input["logGroupNamePattern"].string_or("");
  if (!prefix.empty() && !part.empty()) {
    return invalid_parameter("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.");
  }
  std::vector<std::pair<std::string, Value>> found;
  for (const auto& [name, group] : engine.store->groups()) {
    if (!name.starts_with(prefix) || name.find(part) == std::string::npos) continue;
    found.emplace_back(name, describe(engine, *group));
  }
  auto page = page_of(call.input, "logGroups", std::move(found));
  if (!page) return page.error();
  return std::move(*page);
}

Outcome create_stream(Logs::Engine& engine, const Call& call) {
  auto group = group_of(engine, call.input);
  if (!group) return group.error();
  const auto name = call.input["logStreamName"].string_or("");
  if (auto valid = check_stream_name(name); !valid) return valid.error();
  if (auto made = (*group)->create_stream(name, engine.store->now_ms()); !made) return fault_of(made.error());
  return Value::structure();
}

Outcome delete_stream(Logs::Engine& engine, const Call& call) {
  auto group = group_of(engine, call.input);
  if (!group) return group.error();
  if (auto done = (*group)->delete_stream(call.input["logStreamName"].string_or("")); !done) {
    return fault_of(done.error());
  }
  return Value::structure();
}

Outcome describe_streams(Logs::Engine& engine, const Call& call) {
  auto group = group_of(engine, call.input);
  if (!group) return group.error();
  const auto prefix = call.input["logStreamNamePrefix"].string_or("");
  const bool by_time = call.input["orderBy"].string_or("LogStreamName") == "LastEventTime";
  if (by_time && !prefix.empty()) return invalid_parameter("Cannot order by LastEventTime with a logStreamNamePrefix.");
  const auto settings = (*group)->settings();
  const auto oldest = engine.store->oldest_visible_ms(*settings);
  const auto all = (*group)->streams();
  std::vector<const Streams::value_type*> found;
  for (const auto& stream : all) {
    if (stream.first.starts_with(prefix)) found.push_back(&stream);
  }
  if (by_time) {
    std::stable_sort(found.begin(), found.end(),
                     [](const auto* a, const auto* b) { return a->second.last_event_ms < b->second.last_event_ms; });
  }
  if (call.input["descending"].bool_or(false)) std::reverse(found.begin(), found.end());
  std::vector<std::pair<std::string, Value>> values;
  for (const auto* stream : found) {
    const auto& info = stream->second;
    auto value =
        Value::structure({{"logStreamName", stream->first},
                          {"creationTime", info.created_ms},
                          {"arn", fmt::format("{}:log-stream:{}", engine.group_arn(settings->name), stream->first)},
                          {"uploadSequenceToken", info.events > 0 ? Value("49039859595985988588393923") : Value()},
                          {"storedBytes", 0}});  // CloudWatch says so of every stream since 2019
    if (info.events > 0 && info.last_event_ms >= oldest) {
      value.set("firstEventTimestamp", std::max(info.first_event_ms, oldest));
      value.set("lastEventTimestamp", info.last_event_ms);
      value.set("lastIngestionTime", info.last_ingestion_ms);
    }
    values.emplace_back(stream->first, std::move(value));
  }
  auto page = page_of(call.input, "logStreams", std::move(values));
  if (!page) return page.error();
  return std::move(*page);
}

Outcome put_retention(Logs::Engine& engine, const Call& call) {
  auto group = group_of(engine, call.input);
  if (!group) return group.error();
  const auto days = call.input["retentionInDays"].integer_or(0);
  if (std::find(std::begin(kRetentionDays), std::end(kRetentionDays), days) == std::end(kRetentionDays)) {
    return invalid_parameter(
        fmt::format("retentionInDays is one of {}, not {}", fmt::join(kRetentionDays, ", "), days));
  }
  auto done = (*group)->change([days](GroupSettings& settings) -> Result<Done> {
    settings.retention_days = static_cast<int>(days);
    return Done{};
  });
  if (!done) return fault_of(done.error());
  return Value::structure();
}

Outcome delete_retention(Logs::Engine& engine, const Call& call) {
  auto group = group_of(engine, call.input);
  if (!group) return group.error();
  auto done = (*group)->change([](GroupSettings& settings) -> Result<Done> {
    settings.retention_days.reset();
    return Done{};
  });
  if (!done) return fault_of(done.error());
  return Value::structure();
}

// By logGroupName, or resourceArn, as the newer operations have it.
Result<std::shared_ptr<Group>, Fault> tagged_group(Logs::Engine& engine, const Call& call) {
  const auto arn = call.input["resourceArn"].string_or("");
  if (arn.empty()) return group_of(engine, call.input);
  return group_named(engine, name_in_arn(arn),
                     Fault{"ResourceNotFoundException", "The specified resource does not exist.", 0, {}});
}

Outcome tag(Logs::Engine& engine, const Call& call) {
  auto group = tagged_group(engine, call);
  if (!group) return group.error();
  auto done = (*group)->change([&](GroupSettings& settings) { return add_tags(settings.tags, call.input["tags"]); });
  if (!done) return fault_of(done.error());
  return Value::structure();
}

Outcome untag(Logs::Engine& engine, const Call& call) {
  auto group = tagged_group(engine, call);
  if (!group) return group.error();
  auto done = (*group)->change([&](GroupSettings& settings) -> Result<Done> {
    for (const auto* list : {"tags", "tagKeys"}) {
      for (const auto& key : call.input[list].elements()) settings.tags.erase(std::string(key.string_or("")));
    }
    return Done{};
  });
  if (!done) return fault_of(done.error());
  return Value::structure();
}

Outcome list_tags(Logs::Engine& engine, const Call& call) {
  auto group = tagged_group(engine, call);
  if (!group) return group.error();
  auto tags = Value::structure();
  for (const auto& [name, value] : (*group)->settings()->tags) tags.set(name, value);
  return Value::structure({{"tags", std::move(tags)}});
}

}  // namespace

void add_group_operations(Logs::Engine& engine, NamedHandlers& into) {
  const auto add = [&](std::string_view name, Outcome (*does)(Logs::Engine&, const Call&)) {
    into.emplace_back(name, [&engine, does](const Call& call) { return does(engine, call); });
  };
  add("CreateLogGroup", &create_group);
  add("DeleteLogGroup", &delete_group);
  add("DescribeLogGroups", &describe_groups);
  add("CreateLogStream", &create_stream);
  add("DeleteLogStream", &delete_stream);
  add("DescribeLogStreams", &describe_streams);
  add("PutRetentionPolicy", &put_retention);
  add("DeleteRetentionPolicy", &delete_retention);
  add("TagLogGroup", &tag);
  add("UntagLogGroup", &untag);
  add("ListTagsLogGroup", &list_tags);
  add("TagResource", &tag);
  add("UntagResource", &untag);
  add("ListTagsForResource", &list_tags);
}

}  // namespace securebase::logs
