#include "traces/api/query.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

namespace securebase::traces {

namespace {
constexpr std::size_t kMostHeld = 20'000;         // traces put together at a time
constexpr std::chrono::seconds kAddedWithin{60};  // documents come soon after what they belong to
}  // namespace

Found find_traces(const Store& store, WallTime from, WallTime to, const Filter& filter) {
  std::unordered_map<TraceId, Records, TraceIdHash> all;
  Found found;
  WallTime latest = from;
  store.scan(from, to + kAddedWithin, [&](Records& records) {
    for (auto& record : records.hops) {
      const auto begin = record.hops.empty() ? from : record.hops.front().begin;
      if ((begin < from || begin > to) && !all.contains(record.id)) continue;
      latest = std::max(latest, std::min(begin, to));
      all[record.id].hops.push_back(std::move(record));
    }
    for (auto& document : records.documents) {
      if ((document.begin < from || document.begin > to) && !all.contains(document.id)) continue;
      latest = std::max(latest, std::min(document.begin, to));
      all[document.id].documents.push_back(std::move(document));
    }
    if (all.size() < kMostHeld) return true;
    found.next = latest + std::chrono::nanoseconds{1};
    return false;
  });
  found.looked_at = all.size();
  for (const auto& [id, records] : all) {
    auto trace = assemble(id, records);
    if (!trace.segments.empty() && filter.matches(trace)) found.traces.push_back(std::move(trace));
  }
  std::ranges::sort(found.traces, {}, [](const Trace& trace) { return trace.segments.front().begin; });
  return found;
}

std::optional<Trace> find_trace(const Store& store, const TraceId& id) {
  auto trace = assemble(id, store.find(id));
  if (trace.segments.empty()) return std::nullopt;
  return trace;
}

TraceTimes times_of(const Trace& trace) {
  TraceTimes times;
  if (trace.segments.empty()) return times;
  std::unordered_set<std::string> ids;
  double end = 0;
  times.begin = trace.segments.front().begin;
  for (const auto& top : trace.segments) {
    times.begin = std::min(times.begin, top.begin);
    for_each_segment(top, [&](const Segment& segment) {
      ids.insert(segment.id);
      end = std::max(end, segment.end);
    });
  }
  times.duration = end - times.begin;
  for (const auto& top : trace.segments) {
    if (top.subsegment || ids.contains(top.parent_id)) continue;
    times.root = &top;
    break;
  }
  return times;
}

}  // namespace securebase::traces
