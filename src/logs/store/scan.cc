#include "logs/store/scan.h"

#include <algorithm>
#include <set>

#include "base/encoding.h"
#include "logs/store/blocks_part.h"
#include "logs/store/bytes.h"

namespace securebase::logs {

namespace {

std::int64_t to_ms(base::TimePoint time) {
  return std::chrono::floor<std::chrono::milliseconds>(time).time_since_epoch().count();
}

}  // namespace

Result<std::vector<std::unique_ptr<insights::Part>>> StoreSource::scan(const insights::Scan& scan) const {
  auto plan = std::make_shared<ScanPlan>();
  plan->scan = scan;
  plan->account = account_;
  for (const auto& part : scan.message_contains) {
    plan->message_parts.emplace_back(part);
    plan->words.add(part);
  }
  const auto end_ms = to_ms(scan.end);
  std::set<Group*> asked;
  std::vector<std::pair<std::int64_t, std::unique_ptr<insights::Part>>> found;  // by their newest event
  for (const auto& name : scan.groups) {
    auto groups = store_.resolve(name);
    if (!groups) return groups.error();
    for (const auto& group : *groups) {
      if (!asked.insert(group.get()).second) continue;
      auto view = group->view();
      // An event is within if its millisecond is: the begin is rounded up to one.
      const auto begin_ms =
          std::max(to_ms(scan.begin + std::chrono::microseconds(999)), store_.oldest_visible_ms(*view.settings));
      const auto is_within = [&](std::int64_t first, std::int64_t last) { return last >= begin_ms && first <= end_ms; };
      auto head = std::make_unique<BlocksPart>(plan, view.settings, begin_ms, end_ms);
      std::int64_t newest = INT64_MIN;
      for (auto& block : view.blocks) {
        if (!is_within(block->info.first_ms, block->info.last_ms)) continue;
        newest = std::max(newest, block->info.last_ms);
        head->add(std::move(block));
      }
      if (newest != INT64_MIN) found.emplace_back(newest, std::move(head));
      for (auto& segment : view.segments) {
        const auto& summary = segment->summary();
        if (!is_within(summary.first_ms, summary.last_ms)) continue;
        auto part = std::make_unique<BlocksPart>(plan, view.settings, begin_ms, end_ms);
        const auto last = summary.last_ms;
        part->set(std::move(segment));
        found.emplace_back(last, std::move(part));
      }
    }
  }
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<std::unique_ptr<insights::Part>> parts;
  parts.reserve(found.size());
  for (auto& [newest, part] : found) parts.push_back(std::move(part));
  return parts;
}

std::vector<std::string> StoreSource::fields_of(std::span<const std::string> groups) const {
  std::set<std::string> all{std::string(kLog)};
  for (const auto& name : groups) {
    const auto groups = store_.resolve(name);
    if (!groups) continue;  // scan() says why
    for (const auto& group : *groups) {
      for (auto& field : group->fields()) all.insert(std::move(field));
    }
  }
  return {all.begin(), all.end()};
}

std::string to_text(const EventPointer& pointer) {
  std::string bytes;
  put_signed(bytes, pointer.at.time_ms);
  put_varint(bytes, pointer.at.sequence);
  bytes += pointer.group;
  return base::base64url(bytes);
}

std::optional<EventPointer> pointer_from(std::string_view text) {
  const auto bytes = base::from_base64url(text);
  if (!bytes) return std::nullopt;
  ByteReader from(*bytes);
  EventPointer pointer;
  pointer.at.time_ms = from.signed_varint();
  pointer.at.sequence = from.varint();
  pointer.group = std::string(from.take(from.left()));
  if (!from.ok() || pointer.group.empty()) return std::nullopt;
  return pointer;
}

}  // namespace securebase::logs
