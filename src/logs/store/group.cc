#include "logs/store/group.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "base/file.h"
#include "base/random.h"
#include "logs/store/files.h"

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
  if (auto synced = sync_directory(folder.parent_path()); !synced) return synced.error();
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
  auto known = streams_.find(stream);
  if (known == streams_.end()) {
    known = streams_.emplace(std::string(stream), StreamInfo{.created_ms = ingestion_ms}).first;
  }
  auto& in_head = head_streams_[known->first];
  if (in_head.created_ms == 0) in_head.created_ms = known->second.created_ms;
  if (head_since_ms_ == 0) {
    head_since_ms_ = ingestion_ms;
    head_first_sequence_ = next_sequence_;
  }
  for (const auto& event : events) {
    if (active_.empty()) active_ = Chunk(next_sequence_);
    active_.add(stream, ingestion_ms, event);
    ++next_sequence_;
    known->second.add(event.time_ms, ingestion_ms, event.message.size());
    in_head.add(event.time_ms, ingestion_ms, event.message.size());
    if (active_.full()) {
      close_chunk();
      closed = true;
    }
  }
  return closed;
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
      if (closed_.empty()) return Done{};
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
  forget_streams_before(segments_.empty() ? INT64_MAX : segments_.front()->summary().first_ms);
  return true;
}

// Renamed first: a folder that was deleted in part must not be read as a group at the next start.
Result<Done> Group::remove() {
  const auto gone = folder_.parent_path() / fmt::format(".deleted-{}", base::random_hex(16));
  if (::rename(folder_.c_str(), gone.c_str()) != 0) return system_error(errno, "rename", folder_.native());
  if (auto synced = sync_directory(folder_.parent_path()); !synced) return synced;
  std::error_code ignored;
  std::filesystem::remove_all(gone, ignored);
  return Done{};
}

// --- settings and streams -----------------------------------------------------------------------------------------

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

std::vector<std::string> Group::fields() const {
  const std::lock_guard lock(mutex_);
  return {fields_.begin(), fields_.end()};
}

// --- the start ----------------------------------------------------------------------------------------------------

Result<std::unique_ptr<Group>> Group::open(std::filesystem::path folder, GroupLimits limits,
                                           const std::function<void(std::string)>& say) {
  auto text = base::read_file(folder / "group.json");
  if (!text) return text.error();
  auto json = base::Json::parse(*text);
  if (!json) return json.error().within((folder / "group.json").native());
  auto settings = settings_from(*json);
  if (!settings) return settings.error().within((folder / "group.json").native());
  auto group = std::unique_ptr<Group>(
      new Group(std::move(folder), std::make_shared<const GroupSettings>(std::move(*settings)), limits));
  if (auto loaded = group->load(say); !loaded) return loaded.error();
  return group;
}

Result<Done> Group::load(const std::function<void(std::string)>& say) {
  std::set<std::uint64_t> segments;
  std::set<std::uint64_t> journals;
  std::error_code failure;
  for (const auto& entry : std::filesystem::directory_iterator(folder_, failure)) {
    const auto name = entry.path().filename().native();
    if (name.ends_with(".new")) {
      ::unlink(entry.path().c_str());
      continue;
    }
    const auto dash = name.find('-');
    if (dash == std::string::npos) continue;
    std::uint64_t number = 0;
    const char* const end = name.data() + name.size();
    const auto [stop, wrong] = std::from_chars(name.data() + dash + 1, end, number);
    if (wrong != std::errc{} || stop != end) continue;
    if (name.starts_with("segment-")) segments.insert(number);
    if (name.starts_with("journal-")) journals.insert(number);
  }
  if (failure) return system_error(failure.value(), "opendir", folder_.native());
  for (const auto number : segments) {
    auto opened = Segment::open(file("segment", number), number);
    if (!opened) return opened.error();
    if (!opened->repaired.empty()) {
      say(opened->repaired);
      if (journals.contains(number)) {  // which still has all that the segment was made of
        ::unlink(file("segment", number).c_str());
        continue;
      }
    }
    const auto& summary = opened->segment->summary();
    next_sequence_ = std::max(next_sequence_, summary.next_sequence);
    number_ = std::max(number_, number + 1);
    for (const auto& [name, stream] : opened->streams) {
      const auto gone = settings_->deleted_streams.find(name);
      if (gone != settings_->deleted_streams.end() && summary.next_sequence <= gone->second) continue;
      streams_[name].add(stream);
    }
    if (summary.rows > 0) segments_.push_back(std::move(opened->segment));
    // A journal that became this segment, and stayed when the platform ended just then.
    if (journals.erase(number) > 0) ::unlink(file("journal", number).c_str());
  }
  // Where all that was before a deletion is gone, what comes now must not seem to be of it.
  for (const auto& [name, sequence] : settings_->deleted_streams) next_sequence_ = std::max(next_sequence_, sequence);
  active_ = Chunk(next_sequence_);
  for (const auto number : journals) {
    if (auto done = replay(number, number == *journals.rbegin(), say); !done) return done;
  }
  for (const auto& [name, created] : settings_->empty_streams) {
    auto& stream = streams_[name];
    if (stream.created_ms == 0 || created < stream.created_ms) stream.created_ms = created;
  }
  if (!segments_.empty()) {
    if (auto reader = segments_.back()->reader()) {
      if (auto index = segments_.back()->index(**reader)) {
        for (const auto& block : index->blocks) learn_fields(block.info);
      }
    }
  }
  return Done{};
}

// A journal that another followed becomes its segment at once.
Result<Done> Group::replay(std::uint64_t number, bool last, const std::function<void(std::string)>& say) {
  const auto path = file("journal", number);
  number_ = std::max(number_, number);
  auto bytes = base::read_file(path, std::size_t{4} << 30);
  if (!bytes) return bytes.error();
  if (const auto first = journal_first_sequence(*bytes)) next_sequence_ = *first;
  auto read =
      read_journal(*bytes, [&](std::string_view stream, std::int64_t ingestion_ms, std::span<const Event> events) {
        bool closed = false;
        {
          const std::lock_guard lock(mutex_);
          closed = take(stream, ingestion_ms, events);
        }
        if (closed) settle();
      });
  if (!read) {
    // The platform ended while it began this one: nothing was acknowledged in it.
    say(fmt::format("{}: {}; it held nothing that was acknowledged", path.native(), read.error().message));
    ::unlink(path.c_str());
    return Done{};
  }
  if (!read->torn.empty()) {
    say(fmt::format("{}: {}; {} of {} bytes are kept, to the end of the last append that was acknowledged",
                    path.native(), read->torn, read->good_bytes, bytes->size()));
  }
  // Streams that were deleted since: what of them came before is no stream any more.
  for (const auto& [name, sequence] : settings_->deleted_streams) {
    if (sequence >= next_sequence_) {
      streams_.erase(name);
      head_streams_.erase(name);
    }
  }
  journal_bytes_ = read->good_bytes;
  if (!last) return seal();
  const std::lock_guard lock(mutex_);
  auto cut = journal();
  return cut ? Result<Done>(Done{}) : cut.error();
}

}  // namespace securebase::logs
