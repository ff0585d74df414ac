// What the command line asks of the log groups.
#include "platform/rooms.h"

namespace securebase::platform {

base::Json Rooms::log_groups() const {
  base::Json::Array groups;
  for (const auto& group : logs_->groups()) {
    auto one = base::Json::object({{"name", group.name},
                                   {"streams", std::uint64_t{group.streams}},
                                   {"message_bytes", group.message_bytes},
                                   {"disk_bytes", group.disk_bytes}});
    if (group.retention_days) one.set("retention_days", *group.retention_days);
    if (group.damaged_blocks > 0) one.set("damaged_blocks", std::uint64_t{group.damaged_blocks});
    if (!group.repaired.empty()) {
      base::Json::Array repaired(group.repaired.begin(), group.repaired.end());
      one.set("repaired", base::Json(std::move(repaired)));
    }
    if (!group.unopened.empty()) one.set("unopened", group.unopened);
    groups.push_back(std::move(one));
  }
  return base::Json::object({{"groups", base::Json(std::move(groups))}});
}

Result<base::Json> Rooms::log_tail(const base::Json& question) const {
  logs::Logs::TailQuery query;
  query.group = question["group"].string_or("");
  query.since_ms = question["since_ms"].integer_or(0);
  query.pattern = question["filter"].string_or("");
  query.after = question["after"].string_or("");
  auto tail = logs_->tail(query);
  if (!tail) return tail.error();
  base::Json::Array events;
  for (auto& event : tail->events) {
    events.push_back(base::Json::object({{"group", std::move(event.group)},
                                         {"stream", std::move(event.stream)},
                                         {"time", base::iso8601_millis(event.time)},
                                         {"message", std::move(event.message)}}));
  }
  return base::Json::object({{"events", base::Json(std::move(events))},
                             {"after", tail->after},
                             {"more", tail->more},
                             {"several", tail->several}});
}

}  // namespace securebase::platform
