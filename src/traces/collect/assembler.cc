#include "traces/collect/assembler.h"

#include <algorithm>

namespace securebase::traces {

using telemetry::Span;

Assembler::Assembler(Limits limits, Complete complete) : limits_(limits), complete_(std::move(complete)) {}

void Assembler::round(std::span<const Span> spans, base::SteadyPoint now) {
  const auto before = std::move(ended_);
  ended_.clear();
  for (const auto& span : spans) {
    if (span.entry && span.alone) {
      complete_({&span, 1}, &span);
      continue;
    }
    const TraceId id{span.trace_high, span.trace_low};
    auto& open = open_[id];
    open.last = now;
    if (open.spans.size() >= limits_.spans) {
      ++lost_;
      if (!span.entry) continue;
    }
    open.spans.push_back(span);
    if (!span.entry) continue;
    ++open.entries;
    ended_.emplace_back(id, span.id);
  }
  for (const auto& [id, entry] : before) finish(id, entry);
  if (now - swept_ >= std::chrono::seconds{1}) sweep(now);
}

void Assembler::finish(const TraceId& id, std::uint64_t entry) {
  const auto found = open_.find(id);
  if (found == open_.end()) return;
  auto& open = found->second;
  const auto is_entry = [entry](const Span& span) { return span.id == entry; };
  if (open.entries <= 1) {
    const auto spans = std::move(open.spans);
    open_.erase(found);
    const auto at = std::find_if(spans.begin(), spans.end(), is_entry);
    if (at != spans.end()) complete_(spans, &*at);
    return;
  }
  // Several requests of one trace at a time: to this one belongs what it caused.
  std::unordered_map<std::uint64_t, std::uint64_t> parents;
  for (const auto& span : open.spans) parents.emplace(span.id, span.entry ? 0 : span.parent);
  const auto belongs = [&](const Span& span) {
    std::uint64_t at = span.id;
    for (std::size_t steps = 0; at != entry && steps <= parents.size(); ++steps) {
      const auto parent = parents.find(at);
      if (parent == parents.end() || parent->second == 0) return false;
      at = parent->second;
    }
    return at == entry;
  };
  const auto rest = std::stable_partition(open.spans.begin(), open.spans.end(), belongs);
  const std::vector<Span> mine(open.spans.begin(), rest);
  open.spans.erase(open.spans.begin(), rest);
  --open.entries;
  const auto at = std::find_if(mine.begin(), mine.end(), is_entry);
  if (at != mine.end()) complete_(mine, &*at);
}

void Assembler::sweep(base::SteadyPoint now) {
  swept_ = now;
  for (auto at = open_.begin(); at != open_.end();) {
    if (now - at->second.last < limits_.entryless || at->second.entries > 0) {
      ++at;
      continue;
    }
    const auto spans = std::move(at->second.spans);
    at = open_.erase(at);
    complete_(spans, nullptr);
  }
  if (open_.size() <= limits_.open) return;
  // Those that were quiet for longest.
  std::vector<std::pair<base::SteadyPoint, TraceId>> ages;
  for (const auto& [id, open] : open_) ages.emplace_back(open.last, id);
  const auto surplus = static_cast<std::ptrdiff_t>(open_.size() - limits_.open);
  std::nth_element(ages.begin(), ages.begin() + surplus, ages.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  for (auto at = ages.begin(); at != ages.begin() + surplus; ++at) {
    lost_ += open_[at->second].spans.size();
    open_.erase(at->second);
  }
}

}  // namespace securebase::traces
