#include "monitoring/metrics/manifest.h"

#include <fmt/format.h>

#include "base/file.h"
#include "base/json.h"
#include "monitoring/metrics/level.h"

namespace securebase::monitoring {

namespace {

constexpr std::int64_t kFormat = 1;
std::filesystem::path manifest_path(const std::filesystem::path& directory) { return directory / "manifest.json"; }

}  // namespace

Result<Manifest> read_manifest(const std::filesystem::path& directory) {
  std::error_code ignored;
  if (!std::filesystem::exists(manifest_path(directory), ignored)) return Manifest{};
  const auto text = base::read_file(manifest_path(directory));
  if (!text) return text.error();
  const auto json = base::Json::parse(*text);
  if (!json) return json.error().within(manifest_path(directory).native());
  if ((*json)["format"].integer_or(0) != kFormat) {
    return Error{
        Errc::kUnsupported,
        fmt::format("{} has format {}, this program knows format {}: start the program that wrote it, or remove "
                    "{} to begin without metrics",
                    manifest_path(directory).native(), (*json)["format"].integer_or(0), kFormat, directory.native())};
  }
  Manifest manifest;
  manifest.next_sequence = static_cast<std::uint64_t>((*json)["next_sequence"].integer_or(1));
  manifest.first_log = static_cast<std::uint64_t>((*json)["first_log"].integer_or(1));
  if (const auto* segments = (*json)["segments"].as_array()) {
    for (const auto& entry : *segments) {
      const auto level = entry["level"].integer_or(-1);
      if (level < 0 || level >= static_cast<std::int64_t>(kLevels.size())) {
        return Error{Errc::kMalformed, fmt::format("{} names a segment of level {}; levels are 0 to {}",
                                                   manifest_path(directory).native(), level, kLevels.size() - 1)};
      }
      manifest.segments.push_back({static_cast<std::uint32_t>(level), entry["partition"].integer_or(0),
                                   static_cast<std::uint64_t>(entry["sequence"].integer_or(0))});
    }
  }
  return manifest;
}

Result<Done> write_manifest(const std::filesystem::path& directory, const Manifest& manifest) {
  auto segments = base::Json::array();
  for (const auto& name : manifest.segments) {
    segments.push_back(
        base::Json::object({{"level", name.level}, {"partition", name.partition}, {"sequence", name.sequence}}));
  }
  const auto json = base::Json::object({{"format", kFormat},
                                        {"next_sequence", manifest.next_sequence},
                                        {"first_log", manifest.first_log},
                                        {"segments", std::move(segments)}});
  return base::replace_file(manifest_path(directory), json.dump(1) + "\n", 0600);
}

}  // namespace securebase::monitoring
