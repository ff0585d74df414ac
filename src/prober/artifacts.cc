#include "prober/artifacts.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace securebase::prober {

namespace {

namespace fs = std::filesystem;

std::size_t leave_out_what_is_too_much(const fs::path& made, const ArtifactLimits& limits) {
  std::error_code failure;
  std::vector<fs::path> entries;
  for (fs::recursive_directory_iterator at(made, failure), end; !failure && at != end; at.increment(failure)) {
    if (!fs::is_directory(at->symlink_status(failure))) entries.push_back(at->path());
  }
  std::sort(entries.begin(), entries.end());
  std::uint64_t bytes = 0;
  std::size_t files = 0, left_out = 0;
  for (const auto& entry : entries) {
    const bool regular = fs::is_regular_file(fs::symlink_status(entry, failure));
    const auto size = regular ? fs::file_size(entry, failure) : 0;
    if (regular && !failure && files < limits.files && size <= limits.bytes - bytes) {
      bytes += size;
      ++files;
    } else {
      fs::remove(entry, failure);
      ++left_out;
    }
  }
  return left_out;
}

}  // namespace

std::size_t keep_artifacts(const fs::path& made, const fs::path& place, const std::string& run,
                           const ArtifactLimits& limits) {
  std::error_code failure;
  if (!fs::is_directory(fs::symlink_status(made, failure)) || fs::is_empty(made, failure)) return 0;
  const auto left_out = leave_out_what_is_too_much(made, limits);
  fs::create_directories(place, failure);
  // By their time: names of runs say nothing of it.
  std::vector<std::pair<fs::file_time_type, fs::path>> kept;
  for (const auto& entry : fs::directory_iterator(place, failure))
    kept.emplace_back(entry.last_write_time(failure), entry);
  std::sort(kept.begin(), kept.end());
  for (std::size_t i = 0; i + limits.runs <= kept.size(); ++i) fs::remove_all(kept[i].second, failure);
  fs::rename(made, place / run, failure);
  return left_out;
}

}  // namespace securebase::prober
