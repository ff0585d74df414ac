#include "platform/programs.h"

#include <fmt/format.h>

#include <array>
#include <mutex>

#include "base/file.h"

namespace securebase::platform {

namespace fs = std::filesystem;

namespace {
constexpr std::array kNames = {"artillery", "aws", "k6", "securebase"};
}

Result<fs::path> lay_out_programs(const fs::path& state) {
  static std::mutex one_at_a_time;
  const std::lock_guard lock(one_at_a_time);
  const fs::path directory = state / "bin";
  if (auto made = base::make_directory(directory); !made) return made.error();
  std::error_code failure;
  const fs::path self = fs::read_symlink("/proc/self/exe", failure);
  if (failure) return system_error(failure.value(), "readlink", "/proc/self/exe");
  for (const char* name : kNames) {
    const fs::path link = directory / name;
    if (fs::read_symlink(link, failure) == self && !failure) continue;
    // Beside it and renamed over: whoever looks meanwhile finds the old one or the new one.
    const fs::path beside = directory / fmt::format(".{}", name);
    fs::remove(beside, failure);
    fs::create_symlink(self, beside, failure);
    if (!failure) fs::rename(beside, link, failure);
    if (failure) return system_error(failure.value(), "make the link", link.native());
  }
  return directory;
}

}  // namespace securebase::platform
