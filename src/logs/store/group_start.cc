// How a group is found again at a start: segments, then the journals that are none yet.
#include <fmt/format.h>
#include <unistd.h>

#include <charconv>

#include "base/file.h"
#include "logs/store/group.h"

namespace securebase::logs {

Result<GroupSettings> Group::read_settings(const std::filesystem::path& folder) {
  auto text = base::read_file(folder / "group.json");
  if (!text) return text.error();
  auto json = base::Json::parse(*text);
  if (!json) return json.error().within((folder / "group.json").native());
  auto settings = settings_from(*json);
  if (!settings) return settings.error().within((folder / "group.json").native());
  return settings;
}

Result<std::unique_ptr<Group>> Group::open(std::filesystem::path folder, GroupLimits limits,
                                           const std::function<void(std::string)>& say) {
  auto settings = read_settings(folder);
  if (!settings) return settings.error();
  auto group = std::unique_ptr<Group>(
      new Group(std::move(folder), std::make_shared<const GroupSettings>(std::move(*settings)), limits));
  const auto keep = [&](std::string repaired) {
    say(repaired);
    group->repaired_.push_back(std::move(repaired));
  };
  if (auto loaded = group->load(keep); !loaded) return loaded.error();
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
    auto opened = Segment::open(file("segment", number), number, &::pread, settings_->deleted_streams);
    if (!opened) return opened.error();
    if (!opened->repaired.empty()) {
      if (journals.contains(number)) {  // which still has all that the segment was made of
        ::unlink(file("segment", number).c_str());
        continue;
      }
      say(opened->repaired);
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
  active_ = Chunk(next_sequence_);
  for (const auto number : journals) {
    if (auto done = replay(number, number == *journals.rbegin(), say); !done) return done;
  }
  std::uint64_t newest_deletion = 0;
  for (const auto& [name, sequence] : settings_->deleted_streams) newest_deletion = std::max(newest_deletion, sequence);
  if (next_sequence_ < newest_deletion) {
    if (auto skipped = skip_to(newest_deletion); !skipped) return skipped;
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

// Retention, or a power cut, took what came before a deletion: what comes now must not seem to be of that time, and so
// be hidden. Sequences of a journal follow each other, so it ends here.
Result<Done> Group::skip_to(std::uint64_t sequence) {
  if (auto sealed = seal(); !sealed) return sealed;
  const std::lock_guard lock(mutex_);
  journal_.reset();
  journal_bytes_ = 0;
  next_sequence_ = sequence;
  active_ = Chunk(sequence);
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
  journal_bytes_ = read->good_bytes;
  if (!last) return seal();
  const std::lock_guard lock(mutex_);
  auto cut = journal();
  return cut ? Result<Done>(Done{}) : cut.error();
}

}  // namespace securebase::logs
