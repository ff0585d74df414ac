#include "edge/invalidations.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/file.h"
#include "base/log.h"

namespace securebase::edge {

namespace {

using base::Json;

constexpr std::string_view kFile = "invalidations.json";
constexpr std::int64_t kFormat = 1;

Json to_json(const Invalidation& made) {
  auto paths = Json::array();
  for (const auto& path : made.paths) paths.push_back(path);
  return Json::object({{"id", made.id},
                       {"distribution", made.distribution},
                       {"caller_reference", made.caller_reference},
                       {"created_us", made.created.time_since_epoch().count()},
                       {"paths", paths}});
}

}  // namespace

std::optional<Invalidation> invalidation_from(const Json& json) {
  Invalidation made;
  made.id = json["id"].string_or("");
  made.distribution = json["distribution"].string_or("");
  made.caller_reference = json["caller_reference"].string_or("");
  made.created = base::TimePoint{std::chrono::microseconds{json["created_us"].integer_or(0)}};
  if (const auto* paths = json["paths"].as_array()) {
    for (const auto& path : *paths) made.paths.emplace_back(path.string_or(""));
  }
  if (made.id.empty() || made.distribution.empty()) return std::nullopt;
  return made;
}

Invalidations::Invalidations(std::filesystem::path directory) : directory_(std::move(directory)) {
  if (!directory_.empty()) read();
}

void Invalidations::read() {
  std::error_code none;
  if (!std::filesystem::exists(directory_ / kFile, none)) return;
  auto text = base::read_file(directory_ / kFile);
  auto parsed = text ? Json::parse(*text) : Result<Json>(text.error());
  if (!parsed || (*parsed)["format"].integer_or(0) != kFormat) {
    base::log(base::Level::kWarning, "edge", "{} is not read, and will be replaced: {}", (directory_ / kFile).native(),
              parsed ? "it is of another format" : parsed.error().message);
    return;
  }
  if (const auto* list = (*parsed)["invalidations"].as_array()) {
    for (const auto& each : *list) {
      if (auto made = invalidation_from(each)) all_.push_back(std::move(*made));
    }
  }
}

Result<Done> Invalidations::add(Invalidation made) {
  const std::lock_guard lock(mutex_);
  all_.push_back(std::move(made));
  std::size_t paths = 0;
  for (const auto& each : all_) paths += each.paths.size();
  while (all_.size() > 1 && (all_.size() > kMost || paths > kMostPaths)) {
    paths -= all_.front().paths.size();
    all_.erase(all_.begin());
  }
  if (directory_.empty()) return Done{};
  auto list = Json::array();
  for (const auto& each : all_) list.push_back(to_json(each));
  auto written = base::make_directory(directory_, 0700);
  if (written) {
    written = base::replace_file(directory_ / kFile,
                                 Json::object({{"format", kFormat}, {"invalidations", list}}).dump(1), 0600);
  }
  if (written) return Done{};
  all_.pop_back();
  return written.error().within("keeping an invalidation");
}

std::optional<Invalidation> Invalidations::find(std::string_view distribution, std::string_view id) const {
  const std::lock_guard lock(mutex_);
  for (const auto& each : all_) {
    if (each.id == id && each.distribution == distribution) return each;
  }
  return std::nullopt;
}

std::optional<Invalidation> Invalidations::find_reference(std::string_view distribution,
                                                          std::string_view caller_reference) const {
  const std::lock_guard lock(mutex_);
  for (const auto& each : all_) {
    if (each.caller_reference == caller_reference && each.distribution == distribution) return each;
  }
  return std::nullopt;
}

std::vector<Invalidation> Invalidations::of(std::string_view distribution) const {
  std::vector<Invalidation> found;
  const std::lock_guard lock(mutex_);
  for (auto each = all_.rbegin(); each != all_.rend(); ++each) {
    if (each->distribution == distribution) found.push_back(*each);
  }
  return found;
}

}  // namespace securebase::edge
