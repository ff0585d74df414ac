// Which configuration is in force, since when, and the way back to the ones before: `securebase rollback`.
#include <fmt/format.h>

#include "base/encoding.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "platform/rooms.h"

namespace securebase::platform {

namespace {

using base::Json;

constexpr std::size_t kNoteBytes = 1 << 16;

std::int64_t seconds_of(base::TimePoint time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}
base::TimePoint time_of(const Json& seconds) { return base::TimePoint{std::chrono::seconds{seconds.integer_or(0)}}; }

std::optional<advisor::Rehearsal> read_rehearsal(const std::filesystem::path& file) {
  auto text = base::read_file(file, kNoteBytes);
  auto json = text ? Json::parse(*text) : Result<Json>(text.error());
  if (!json) return std::nullopt;
  return advisor::Rehearsal{time_of((*json)["at"]), std::string((*json)["from"].string_or("")),
                            std::string((*json)["to"].string_or("")), std::string((*json)["summary"].string_or(""))};
}

Result<Done> write_rehearsal(const std::filesystem::path& file, const advisor::Rehearsal& rehearsal) {
  const auto json = Json::object({{"at", seconds_of(rehearsal.at)},
                                  {"from", rehearsal.from},
                                  {"to", rehearsal.to},
                                  {"summary", rehearsal.summary}});
  if (auto made = base::make_directory(file.parent_path(), 0700); !made) return made;
  return base::replace_file(file, json.dump(2) + "\n", 0600);
}

}  // namespace

// The files' own fingerprint would not tell what an API changed, so it is of the resources as they are in force.
std::string Rooms::configuration_in_force() const {
  const auto& files = generations_->all();
  const auto resources = stack::applied(*applied_.stack).to_json().dump();
  return base::hex(base::sha256((files.empty() ? "" : files.back().digest) + resources)).substr(0, 12);
}

// A change stands, whether it can be written down or not.
void Rooms::note_configuration(const StackSource* files) {
  const auto now = base::system_clock().now();
  if (files) {
    if (auto kept = generations_->keep(*files_, *files, now); !kept) {
      base::log(base::Level::kWarning, "platform", "there will be no way back to this configuration: {}",
                kept.error().message);
    }
  }
  const auto file = state_.of("advisor") / "in-force.json";
  const auto configuration = configuration_in_force();
  auto text = base::read_file(file, kNoteBytes);
  auto json = text ? Json::parse(*text) : Result<Json>(text.error());
  if (json && (*json)["configuration"].string_or("") == configuration) {
    deployed_ = time_of((*json)["since"]);
    return;
  }
  deployed_ = now;
  auto made = base::make_directory(file.parent_path(), 0700);
  if (made) {
    made = base::replace_file(
        file, Json::object({{"configuration", configuration}, {"since", seconds_of(now)}}).dump() + "\n", 0600);
  }
  if (!made) base::log(base::Level::kWarning, "platform", "{}", made.error().message);
}

std::optional<advisor::Rehearsal> Rooms::last_rehearsal() const {
  return read_rehearsal(state_.of("advisor") / "rehearsal.json");
}

Result<Rooms::WayBack> Rooms::way_back(std::int64_t number) const {
  const auto* generation =
      number == 0 ? generations_->earlier() : generations_->find(static_cast<std::uint64_t>(number));
  if (!generation) {
    return Error{Errc::kNotFound,
                 number == 0 ? std::string("there is no earlier configuration to go back to: since the first start "
                                           "nothing else was applied")
                             : fmt::format("there is no generation {}; `securebase rollback --list` shows those that "
                                           "are kept",
                                           number)};
  }
  auto files = read(generations_->kept_source(*generation));
  if (!files) return files.error().within(generation->name());
  auto next = wanted(std::move(*files), recorded_);
  if (!next) return next.error().within(generation->name());
  auto changes = stack::diff(stack::applied(*applied_.stack), *next->configuration.stack);
  add_what_rooms_keep(changes, *next->configuration.stack);
  generations_->forget_places(changes);
  return WayBack{generation, std::move(*next), std::move(changes)};
}

Result<Json> Rooms::rollback(const Json& question) {
  const auto what = question["what"].string_or("");
  const std::lock_guard lock(mutex_);
  if (what == "list") {
    auto list = Json::array();
    for (const auto& one : generations_->all()) {
      list.push_back(Json::object({{"number", one.number},
                                   {"digest", one.digest},
                                   {"since", base::iso8601(one.since)},
                                   {"back_to", one.back_to},
                                   {"files", std::uint64_t{one.files.size()}},
                                   {"directory", one.source.directory.native()}}));
    }
    return Json::object({{"generations", std::move(list)}});
  }
  auto way = way_back(question["to"].integer_or(0));
  if (!way) return way.error();
  const auto& after = *way->wanted.configuration.stack;
  const auto text = stack::render_plan(way->changes, after);
  const auto fingerprint = base::hex(base::sha256(text)).substr(0, 16);
  if (what == "plan" || what == "rehearse") {
    const auto count = way->changes.changes.size();
    if (what == "rehearse") {
      const advisor::Rehearsal rehearsal{base::system_clock().now(), configuration_in_force(), way->generation->name(),
                                         fmt::format("every room took it; {} resources would change", count)};
      if (auto noted = write_rehearsal(state_.of("advisor") / "rehearsal.json", rehearsal); !noted)
        return noted.error();
    }
    return Json::object({{"text", text},
                         {"to", way->generation->name()},
                         {"changes", std::uint64_t{count}},
                         {"fingerprint", fingerprint}});
  }
  if (what != "apply") return Error{Errc::kMalformed, "what about the way back: list, rehearse, plan or apply?"};
  if (question["fingerprint"].string_or("") != fingerprint) {
    return Error{Errc::kConflict, "the platform changed since the way back was shown; look again"};
  }
  const Generation back_to = *way->generation;
  if (auto done = go_over_to(std::move(way->wanted), nullptr); !done) return done.error();
  if (auto kept = generations_->keep_again(back_to, base::system_clock().now()); !kept) {
    base::log(base::Level::kWarning, "platform", "the rollback is not written down: {}", kept.error().message);
  }
  note_configuration(nullptr);
  return Json::object({{"to", back_to.name()}, {"directory", back_to.source.directory.native()}});
}

}  // namespace securebase::platform
