// What `securebase logs tail` shows.
#include <fmt/format.h>

#include "logs/engine.h"
#include "logs/patterns/pattern.h"
#include "logs/store/events.h"

namespace securebase::logs {

namespace {

constexpr std::size_t kTailEvents = 1000;  // of one answer

}  // namespace

Result<Logs::Tail> Logs::tail(const TailQuery& query) const {
  EventRead read;
  auto groups = engine_->store->resolve(query.group);
  if (!groups) return groups.error();
  read.groups = std::move(*groups);
  if (read.groups.empty()) {
    return Error{
        Errc::kNotFound,
        fmt::format("no log group is named \"{}\" or begins so; `securebase logs groups` lists them", query.group)};
  }
  auto pattern = Pattern::compile(query.pattern);
  if (!pattern) return pattern.error();
  read.begin_ms = query.since_ms;
  read.limit = kTailEvents;
  read.texts = pattern->texts();
  if (!pattern->matches_everything()) {
    read.wanted = [&pattern](std::string_view message) { return pattern->matches(message); };
  }
  if (!query.after.empty()) {
    read.after = key_from(query.after);
    if (!read.after) return Error{Errc::kMalformed, "that is not what an answer before said"};
  }
  auto page = read_events(*engine_->store, read);
  if (!page) return page.error();
  Tail tail;
  tail.several = read.groups.size() > 1;
  tail.more = page->reached.has_value();
  if (page->reached) {
    tail.after = to_text(*page->reached);
  } else if (!page->events.empty()) {
    tail.after = to_text(page->events.back().key);
  } else {
    tail.after = query.after;
  }
  for (auto& event : page->events) {
    tail.events.push_back({std::move(event.key.group), std::move(event.stream),
                           base::TimePoint{std::chrono::milliseconds(event.key.time_ms)}, std::move(event.message)});
  }
  return tail;
}

}  // namespace securebase::logs
