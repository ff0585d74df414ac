// Events of some groups in order, a page at a time: what GetLogEvents, FilterLogEvents and `tail` read.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "logs/store/event.h"
#include "logs/store/store.h"

namespace securebase::logs {

// Where an event stands among those of several groups.
struct EventKey {
  std::int64_t time_ms = 0;
  std::string group;
  std::uint64_t sequence = 0;
  auto operator<=>(const EventKey&) const = default;
};
std::string to_text(const EventKey& key);
std::optional<EventKey> key_from(std::string_view text);

struct FoundEvent {
  EventKey key;
  std::int64_t ingestion_ms = 0;
  std::string stream;
  std::string message;
};

struct EventRead {
  std::vector<std::shared_ptr<Group>> groups;
  std::int64_t begin_ms = INT64_MIN;           // inclusive
  std::int64_t end_ms = INT64_MAX;             // inclusive
  std::set<std::string, std::less<>> streams;  // empty: all
  std::string stream_prefix;
  std::vector<std::string> texts;                        // that every wanted message has, for the index
  std::function<bool(std::string_view message)> wanted;  // null: all
  std::optional<EventKey> after;                         // exclusive
  std::optional<EventKey> before;                        // exclusive
  bool newest = false;                                   // the last ones, where there are more than the limits
  std::size_t limit = 10'000;
  std::size_t message_bytes = 1 << 20;  // of all together, though one event always fits
  std::size_t scan_rows = 2'000'000;    // looked at, about; what is not reached is left to the next page
};

struct EventPage {
  std::vector<FoundEvent> events;  // oldest first
  // More may come beyond: after this key, or before it when the newest were asked for. nullopt: that was all.
  std::optional<EventKey> reached;
};

// kUnavailable: what is stored could not be read.
Result<EventPage> read_events(const Store& store, const EventRead& read);

}  // namespace securebase::logs
