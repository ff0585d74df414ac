#include "traces/api/query.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

namespace securebase::traces {

namespace {
constexpr std::size_t kMostHeld = 20'000;         // traces put together at a time
constexpr std::chrono::seconds kAddedWithin{60};  // documents come soon after what they belong to
constexpr int kMostLookedUp = 2'000;  // traces of a page whose beginnings are looked for: each reads a block

// Whether what was found of a trace may lack its beginning: documents that somebody called, and nobody who did.
bool may_lack_its_beginning(const Records& records, const Trace& trace) {
  return records.hops.empty() && std::none_of(trace.segments.begin(), trace.segments.end(), [](const Segment& top) {
           return top.parent_id.empty() && !top.subsegment;
         });
}

}  // namespace

Found find_traces(const Store& store, const Search& search, const Filter& filter) {
  const auto [search_begin, to, from] = search;
  std::unordered_map<TraceId, Records, TraceIdHash> all;
  std::unordered_set<TraceId, TraceIdHash> before;  // of a former page; what was added to them is not looked at
  Found found;
  WallTime latest = from;
  const auto is_wanted = [&](const TraceId& id, WallTime begin) {
    if (all.contains(id)) return true;
    if (begin < from && begin >= search_begin) before.insert(id);
    if (begin < from || begin > to || before.contains(id)) return false;
    latest = std::max(latest, begin);
    return true;
  };
  store.scan(std::max(search_begin, from - kAddedWithin), to + kAddedWithin, [&](Records& records) {
    for (auto& record : records.hops) {
      const auto begin = record.hops.empty() ? from : record.hops.front().begin;
      if (is_wanted(record.id, begin)) all[record.id].hops.push_back(std::move(record));
    }
    for (auto& document : records.documents) {
      if (is_wanted(document.id, document.begin)) all[document.id].documents.push_back(std::move(document));
    }
    if (all.size() < kMostHeld) return true;
    found.next = latest + std::chrono::nanoseconds{1};
    return false;
  });
  int looked_up = 0;
  for (const auto& [id, records] : all) {
    auto trace = assemble(id, records);
    if (trace.begin < from && trace.begin >= search_begin) continue;  // its beginning lay behind what was added to it
    if (may_lack_its_beginning(records, trace) && ++looked_up <= kMostLookedUp) {
      // It may lie far before what was scanned: on a former page, or before all that is searched.
      if (assemble(id, store.find(id)).begin < from) continue;
    }
    ++found.looked_at;
    if (!trace.segments.empty() && filter.matches(trace)) found.traces.push_back(std::move(trace));
  }
  std::ranges::sort(found.traces, {}, &Trace::begin);
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
