#include "logs/store/group.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <tuple>

#include "base/durable.h"
#include "base/file.h"
#include "base/random.h"

namespace securebase::logs {

namespace {

constexpr std::size_t kKnownFields = 2000;  // of a group, for whoever asks what fields there are

EncodedBlock encode(const Chunk& chunk) {
  thread_local BlockBuilder builder;
  return builder.build(chunk);
}

}  // namespace

Group::Group(std::filesystem::path folder, std::shared_ptr<const GroupSettings> settings, GroupLimits limits)
    : folder_(std::move(folder)), limits_(limits), settings_(std::move(settings)) {}

Result<std::unique_ptr<Group>> Group::create(std::filesystem::path folder, GroupSettings settings, GroupLimits limits) {
  if (auto made = base::make_directory(folder, 0750); !made) return made.error();
  if (auto kept = base::replace_file(folder / "group.json", to_json(settings).dump(2), 0640); !kept) {
    return kept.error();
  }
  if (auto synced = base::sync_directory(folder.parent_path()); !synced) return synced.error();
  return std::unique_ptr<Group>(
      new Group(std::move(folder), std::make_shared<const GroupSettings>(std::move(settings)), limits));
}

std::filesystem::path Group::file(std::string_view kind, std::uint64_t number) const {
  return folder_ / fmt::format("{}-{:08}", kind, number);
}

Result<Journal*> Group::journal() {
  if (journal_) return journal_.get();
  const auto path = file("journal", number_);
  auto opened = journal_bytes_ > 0 ? Journal::resume(path, journal_bytes_) : Journal::begin(path, next_sequence_);
  if (!opened) return opened.error();
  journal_ = std::move(*opened);
  return journal_.get();
}

Result<std::uint64_t> Group::append(std::string_view stream, std::int64_t ingestion_ms, std::span<const Event> events) {
  if (events.empty()) return std::uint64_t{0};
  thread_local std::string record;
  record.clear();
  put_journal_record(record, stream, ingestion_ms, events);
  bool closed = false;
  std::uint64_t first = 0;
  {
    const std::lock_guard lock(mutex_);
    if (streams_.size() >= limits_.streams && !streams_.contains(stream)) {
      return Error{Errc::kLimit,
                   fmt::format("{} has {} streams, as many as a log group may have", settings_->name, streams_.size())};
    }
    auto open = journal();
    if (!open) return open.error();
    if (auto written = (*open)->append(record); !written) return written.error();
    first = next_sequence_;
    closed = take(stream, ingestion_ms, events);
  }
  if (record.capacity() > (1 << 20)) record.shrink_to_fit();
  if (closed) settle();
  return first;
}

// Is there a chunk to encode?
bool Group::take(std::string_view stream, std::int64_t ingestion_ms, std::span<const Event> events) {
  bool closed = false;
  if (head_since_ms_ == 0) {
    head_since_ms_ = ingestion_ms;
    head_first_sequence_ = next_sequence_;
  }
  // At a start events come by again that are of a stream that was deleted since: they count for nobody, and not for
  // its successor.
  const auto deleted = settings_->deleted_streams.find(stream);
  const auto counted_from = deleted == settings_->deleted_streams.end() ? 0 : deleted->second;
  StreamInfo* whole = nullptr;
  StreamInfo* in_head = nullptr;
  for (const auto& event : events) {
    if (active_.empty()) active_ = Chunk(next_sequence_);
    active_.add(stream, ingestion_ms, event);
    if (next_sequence_++ >= counted_from) {
      if (!whole) std::tie(whole, in_head) = infos_of(stream, ingestion_ms);
      whole->add(event.time_ms, ingestion_ms, event.message.size());
      in_head->add(event.time_ms, ingestion_ms, event.message.size());
    }
    if (active_.full()) {
      close_chunk();
      closed = true;
    }
  }
  return closed;
}

// What is known of a stream as a whole, and of its events that are in no segment yet.
std::pair<StreamInfo*, StreamInfo*> Group::infos_of(std::string_view stream, std::int64_t ingestion_ms) {
  auto known = streams_.find(stream);
  if (known == streams_.end()) {
    known = streams_.emplace(std::string(stream), StreamInfo{.created_ms = ingestion_ms}).first;
  }
  auto& in_head = head_streams_[known->first];
  if (in_head.created_ms == 0) in_head.created_ms = known->second.created_ms;
  return {&known->second, &in_head};
}

void Group::close_chunk() {
  closed_rows_ += active_.size();
  closed_.push_back({std::make_shared<const Chunk>(std::move(active_)), nullptr, next_head_++});
  active_ = Chunk(next_sequence_);
  active_block_.reset();
  active_rows_ = 0;
}

void Group::settle() {
  for (;;) {
    std::shared_ptr<const Chunk> raw;
    std::uint64_t id = 0;
    {
      const std::lock_guard lock(mutex_);
      for (const auto* list : {&sealing_, &closed_}) {
        for (const auto& one : *list) {
          if (one.raw && !raw) {
            raw = one.raw;
            id = one.id;
          }
        }
      }
    }
    if (!raw) return;
    auto block = std::make_shared<const EncodedBlock>(encode(*raw));
    const std::lock_guard lock(mutex_);
    for (auto* list : {&sealing_, &closed_}) {
      for (auto& one : *list) {
        if (one.id != id || !one.raw) continue;
        one.block = block;
        one.raw.reset();
        learn_fields(block->info);
      }
    }
  }
}

void Group::learn_fields(const BlockInfo& info) {
  for (const auto& field : info.fields) {
    if (fields_.size() >= kKnownFields) return;
    if (field.name != kSequence) fields_.insert(field.name);
  }
}

Group::View Group::view() {
  settle();
  View view;
  Chunk copy;
  {
    const std::lock_guard lock(mutex_);
    view.settings = settings_;
    view.segments.assign(segments_.begin(), segments_.end());
    for (const auto* list : {&sealing_, &closed_}) {
      for (const auto& one : *list) {
        // Closed since settle(): encoded below, as the active chunk is.
        view.blocks.push_back(one.block ? one.block : std::make_shared<const EncodedBlock>(encode(*one.raw)));
      }
    }
    if (active_.empty()) return view;
    if (active_block_ && active_rows_ == active_.size()) {
      view.blocks.push_back(active_block_);
      return view;
    }
    copy = active_;
  }
  auto block = std::make_shared<const EncodedBlock>(encode(copy));
  view.blocks.push_back(block);
  const std::lock_guard lock(mutex_);
  learn_fields(block->info);
  if (!active_.empty() && active_.first_sequence() == copy.first_sequence() && copy.size() > active_rows_) {
    active_block_ = std::move(block);
    active_rows_ = copy.size();
  }
  return view;
}

// --- segments -----------------------------------------------------------------------------------------------------

Result<Done> Group::seal() {
  const std::lock_guard one(sealing_now_);
  {
    const std::lock_guard lock(mutex_);
    if (sealing_.empty()) {
      if (!active_.empty()) close_chunk();
      if (closed_.empty()) {
        if (journal_ && journal_->broken()) {  // nothing was acknowledged in it: it is begun anew
          journal_.reset();
          journal_bytes_ = 0;
        }
        return Done{};
      }
      sealing_ = std::exchange(closed_, {});
      closed_rows_ = 0;
      sealing_streams_ = std::exchange(head_streams_, {});
      sealing_first_ = head_first_sequence_;
      sealing_next_ = next_sequence_;
      head_since_ms_ = 0;
      journal_.reset();
      journal_bytes_ = 0;
      ++number_;
    }
  }
  settle();
  return finish_seal();
}

Result<Done> Group::finish_seal() {
  std::vector<std::shared_ptr<const EncodedBlock>> blocks;
  Streams streams;
  std::uint64_t number = 0;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& one : sealing_) blocks.push_back(one.block);
    streams = sealing_streams_;
    number = number_ - 1;
  }
  const auto path = file("segment", number);
  auto written = write_segment(path, blocks, streams, sealing_first_, sealing_next_);
  if (!written) return written.error();
  {
    const std::lock_guard lock(mutex_);
    segments_.push_back(std::make_shared<Segment>(path, number, *written));
    sealing_.clear();
    sealing_streams_.clear();
  }
  ::unlink(file("journal", number).c_str());
  return Done{};
}

bool Group::wants_seal() const {
  const std::lock_guard lock(mutex_);
  return !sealing_.empty() || closed_rows_ >= limits_.segment_rows ||
         (journal_ && journal_->bytes() >= limits_.journal_bytes) || (journal_ && journal_->broken());
}

std::size_t Group::head_bytes() const {
  const std::lock_guard lock(mutex_);
  std::size_t bytes = active_.text().size();
  for (const auto* list : {&sealing_, &closed_}) {
    for (const auto& one : *list) bytes += one.raw ? one.raw->text().size() : one.block->bytes.size();
  }
  return bytes;
}

std::int64_t Group::head_since_ms() const {
  const std::lock_guard lock(mutex_);
  return head_since_ms_;
}

Result<Done> Group::sync() {
  const std::lock_guard one(sealing_now_);  // the journal stays while it is synced
  Journal* dirty = nullptr;
  {
    const std::lock_guard lock(mutex_);
    if (journal_ && journal_->dirty()) dirty = journal_.get();
  }
  return dirty ? dirty->sync() : Done{};
}

void Group::rest() {
  const std::lock_guard one(sealing_now_);
  const std::lock_guard lock(mutex_);
  if (!journal_ || journal_->dirty() || journal_->broken()) return;
  journal_bytes_ = journal_->bytes();
  journal_.reset();
}

std::size_t Group::drop_before(std::int64_t time_ms) {
  const std::lock_guard lock(mutex_);
  std::size_t dropped = 0;
  std::erase_if(segments_, [&](const auto& segment) {
    if (segment->summary().last_ms >= time_ms) return false;
    segment->condemn();
    ++dropped;
    return true;
  });
  if (dropped > 0) forget_streams_before(time_ms);
  return dropped;
}

void Group::forget_streams_before(std::int64_t time_ms) {
  std::erase_if(streams_, [&](const auto& stream) {
    return stream.second.events > 0 && stream.second.last_event_ms < time_ms && !head_streams_.contains(stream.first) &&
           !sealing_streams_.contains(stream.first);
  });
}

std::optional<std::int64_t> Group::oldest_segment_ms() const {
  const std::lock_guard lock(mutex_);
  if (segments_.empty()) return std::nullopt;
  return segments_.front()->summary().last_ms;
}

bool Group::drop_oldest_segment() {
  const std::lock_guard lock(mutex_);
  if (segments_.empty()) return false;
  segments_.front()->condemn();
  segments_.erase(segments_.begin());
  // Segments follow each other as their events came, which is not always by their times.
  std::int64_t oldest = INT64_MAX;
  for (const auto& segment : segments_) oldest = std::min(oldest, segment->summary().first_ms);
  forget_streams_before(oldest);
  return true;
}

Result<Done> Group::remove() { return remove(folder_); }

// Renamed first: a folder that was deleted in part must not be read as a group at the next start.
Result<Done> Group::remove(const std::filesystem::path& folder) {
  const auto gone = folder.parent_path() / fmt::format(".deleted-{}", base::random_hex(16));
  if (::rename(folder.c_str(), gone.c_str()) != 0) return system_error(errno, "rename", folder.native());
  if (auto synced = base::sync_directory(folder.parent_path()); !synced) return synced;
  std::error_code ignored;
  std::filesystem::remove_all(gone, ignored);
  return Done{};
}

}  // namespace securebase::logs
