// What a group is set to, and its streams.
#include <fmt/format.h>

#include <algorithm>

#include "base/file.h"
#include "logs/store/group.h"

namespace securebase::logs {

std::shared_ptr<const GroupSettings> Group::settings() const {
  const std::lock_guard lock(mutex_);
  return settings_;
}

Result<Done> Group::change(const std::function<Result<Done>(GroupSettings&)>& edit) {
  const std::lock_guard one(changing_);
  auto changed = std::make_shared<GroupSettings>(*settings());
  if (auto done = edit(*changed); !done) return done;
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(changed->empty_streams, [this](const auto& empty) {
      const auto known = streams_.find(empty.first);
      return known != streams_.end() && known->second.events > 0;
    });
    // What was deleted and is in no file any more needs no mention.
    auto oldest = head_since_ms_ != 0 ? head_first_sequence_ : next_sequence_;
    if (!sealing_.empty()) oldest = std::min(oldest, sealing_first_);
    for (const auto& segment : segments_) oldest = std::min(oldest, segment->summary().first_sequence);
    std::erase_if(changed->deleted_streams, [&](const auto& gone) { return gone.second <= oldest; });
  }
  if (auto kept = base::replace_file(folder_ / "group.json", to_json(*changed).dump(2), 0640); !kept) return kept;
  const std::lock_guard lock(mutex_);
  settings_ = std::move(changed);
  return Done{};
}

Result<Done> Group::create_stream(std::string_view name, std::int64_t now_ms) {
  {
    const std::lock_guard lock(mutex_);
    if (streams_.contains(name)) return Error{Errc::kConflict, "The specified log stream already exists"};
    if (streams_.size() >= limits_.streams) {
      return Error{Errc::kLimit,
                   fmt::format("{} has {} streams, as many as a log group may have", settings_->name, streams_.size())};
    }
  }
  return change([&](GroupSettings& settings) -> Result<Done> {
    settings.empty_streams.emplace(name, now_ms);
    const std::lock_guard lock(mutex_);
    streams_.emplace(std::string(name), StreamInfo{.created_ms = now_ms});
    return Done{};
  });
}

Result<Done> Group::delete_stream(std::string_view name) {
  if (!has_stream(name)) return Error{Errc::kNotFound, "The specified log stream does not exist."};
  // Sequences that a power cut took back would come again, and be hidden as deleted.
  if (auto synced = sync(); !synced) return synced;
  return change([&](GroupSettings& settings) -> Result<Done> {
    const std::string key(name);
    settings.empty_streams.erase(key);
    const std::lock_guard lock(mutex_);
    settings.deleted_streams[key] = next_sequence_;
    streams_.erase(key);
    head_streams_.erase(key);
    sealing_streams_.erase(key);
    return Done{};
  });
}

bool Group::has_stream(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  return streams_.contains(name);
}

Streams Group::streams() const {
  const std::lock_guard lock(mutex_);
  return streams_;
}

std::uint64_t Group::stored_bytes() const {
  const std::lock_guard lock(mutex_);
  std::uint64_t bytes = active_.text().size();
  for (const auto& segment : segments_) bytes += segment->summary().message_bytes;
  for (const auto* list : {&sealing_, &closed_}) {
    for (const auto& one : *list) bytes += one.raw ? one.raw->text().size() : one.block->info.message_bytes;
  }
  return bytes;
}

std::uint64_t Group::disk_bytes() const {
  const std::lock_guard lock(mutex_);
  std::uint64_t bytes = journal_ ? journal_->bytes() : journal_bytes_;
  for (const auto& segment : segments_) bytes += segment->summary().file_bytes;
  return bytes;
}

std::size_t Group::damaged_blocks() const {
  const std::lock_guard lock(mutex_);
  std::size_t damaged = 0;
  for (const auto& segment : segments_) damaged += segment->damaged_blocks();
  return damaged;
}

std::vector<std::string> Group::fields() const {
  const std::lock_guard lock(mutex_);
  return {fields_.begin(), fields_.end()};
}

}  // namespace securebase::logs
