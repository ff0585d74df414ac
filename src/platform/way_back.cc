// Which configuration is in force, since when, and the way back to the ones before: `securebase rollback`.
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

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

// The files' own fingerprint would not tell what an API changed, so it is of the resources as they are in force, and of
// what rooms that keep theirs themselves have instead of what the files say. Where files lie does not count.
std::string Rooms::configuration_in_force() const {
  const auto* files = generations_->current();
  auto text = (files ? files->digest : std::string()) + stack::applied(*applied_.stack).to_json().dump();
  stack::Plan drift;
  add_what_rooms_keep(drift, *applied_.stack);
  drift.beside.clear();
  if (!drift.empty()) text += stack::render_plan(drift, *applied_.stack);
  return base::hex(base::sha256(generations_->without_places(std::move(text)))).substr(0, 12);
}

void Rooms::note_configuration() {
  const auto now = base::system_clock().now();
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

// A change stands, whether there is a way back to it or not.
void Rooms::came_into_force(const Result<std::uint64_t>& kept) {
  not_kept_ = kept ? "" : kept.error().message;
  if (!kept)
    base::log(base::Level::kWarning, "platform", "there will be no way back to this configuration: {}", not_kept_);
  generations_->in_force(kept ? std::optional(*kept) : std::nullopt);
  note_configuration();
}

// Kept before it is in force: what is kept is what was read, and not what somebody wrote meanwhile.
Result<Done> Rooms::go_over_and_keep(Wanted next, const StackSource& source) {
  const auto* newest = generations_->all().empty() ? nullptr : &generations_->all().back();
  const std::uint64_t before = newest ? newest->number : 0;
  const auto kept = generations_->keep(*next.files, source, base::system_clock().now());
  if (auto done = go_over_to(std::move(next), nullptr); !done) {
    if (kept && *kept > before) generations_->drop(*kept);
    return done;
  }
  came_into_force(kept);
  return Done{};
}

std::optional<advisor::Rehearsal> Rooms::last_rehearsal() const {
  return read_rehearsal(state_.of("advisor") / "rehearsal.json");
}

// What the rooms would open when they go over to it.
Result<Done> Rooms::can_be_opened(const Configuration& configuration) const {
  std::vector<std::filesystem::path> wanted;
  for (const auto& function : configuration.functions->functions) {
    wanted.push_back(function.code);
    for (const auto& layer : function.layers) wanted.push_back(layer.code);
  }
  for (const auto& upload : configuration.objects->uploads) {
    if (!upload.source.empty()) wanted.push_back(upload.source);
  }
  for (const auto& path : wanted) {
    if (access(path.c_str(), R_OK) != 0)
      return system_error(errno, "open", generations_->without_places(path.native()));
  }
  return Done{};
}

Result<Rooms::WayBack> Rooms::way_back(const Generation& generation) const {
  auto source = generations_->kept_source(generation);
  if (!source) return source.error();
  auto files = read(*source);
  if (!files) return files.error().within(generation.name());
  if (auto back = generations_->check_read_back(generation, **files); !back) return back.error();
  auto next = wanted(std::move(*files), recorded_);
  if (!next) return next.error().within(generation.name());
  if (auto opened = can_be_opened(next->configuration); !opened) return opened.error().within(generation.name());
  auto changes = plan_of(next->configuration);
  if (!changes) return changes.error().within(generation.name());
  generations_->forget_places(*changes);
  auto text = generations_->without_places(stack::render_plan(*changes, *next->configuration.stack));
  return WayBack{std::move(*next), std::move(text), changes->changes.size()};
}

Result<Json> Rooms::listed_generations() const {
  auto list = Json::array();
  const auto* current = generations_->current();
  for (const auto& one : generations_->all()) {
    list.push_back(Json::object({{"number", one.number},
                                 {"digest", one.digest},
                                 {"since", base::iso8601(one.since)},
                                 {"back_to", one.back_to},
                                 {"in_force", current == &one},
                                 {"files", std::uint64_t{one.files.size()}},
                                 {"directory", one.source.directory.native()}}));
  }
  return Json::object({{"generations", std::move(list)}, {"not_kept", not_kept_}});
}

// The tree that it is read from is one of its own, so that no later one takes it away.
Result<Json> Rooms::go_back(const Generation& older) {
  const auto back_to = older.name();
  const auto directory = older.source.directory.native();
  const auto kept = generations_->keep_again(older, base::system_clock().now());
  if (!kept) return kept.error().within("nothing was changed");
  auto way = way_back(*generations_->find(*kept));
  Result<Done> done = way ? go_over_to(std::move(way->wanted), nullptr) : Result<Done>(way.error());
  if (!done) {
    generations_->drop(*kept);
    return done.error();
  }
  came_into_force(kept);
  return Json::object({{"to", back_to}, {"directory", directory}});
}

Result<Json> Rooms::rollback(const Json& question) {
  const auto what = question["what"].string_or("");
  const std::lock_guard lock(mutex_);
  if (what == "list") return listed_generations();
  const auto number = question["to"].integer_or(0);
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
  const auto way = way_back(*generation);
  if (!way) return way.error();
  const auto fingerprint = base::hex(base::sha256(way->text)).substr(0, 16);
  if (what == "apply") {
    if (question["fingerprint"].string_or("") == fingerprint) return go_back(*generation);
    return Error{Errc::kConflict, "the platform changed since the way back was shown; look again"};
  }
  if (what != "plan" && what != "rehearse") {
    return Error{Errc::kMalformed, "what about the way back: list, rehearse, plan or apply?"};
  }
  if (what == "rehearse") {
    const advisor::Rehearsal rehearsal{base::system_clock().now(), configuration_in_force(), generation->name(),
                                       fmt::format("read and configured; {} resources would change", way->changes)};
    auto noted = write_rehearsal(state_.of("advisor") / "rehearsal.json", rehearsal);
    if (!noted) return noted.error();
  }
  return Json::object({{"text", way->text},
                       {"to", generation->name()},
                       {"changes", std::uint64_t{way->changes}},
                       {"fingerprint", fingerprint}});
}

}  // namespace securebase::platform
