// Where node, Chromium and tools/browser are.
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <initializer_list>

#include "platform/platform.h"

namespace securebase::platform {

namespace {

namespace fs = std::filesystem;

bool is_program(const fs::path& file) { return access(file.c_str(), X_OK) == 0; }

std::string on_the_path(std::initializer_list<std::string_view> names) {
  const char* const variable = std::getenv("PATH");
  const std::string path = variable ? variable : "/usr/local/bin:/usr/bin:/bin";
  for (const auto name : names) {
    for (std::size_t begin = 0; begin <= path.size();) {
      const auto end = std::min(path.find(':', begin), path.size());
      const auto candidate = fs::path(path.substr(begin, end - begin)) / name;
      begin = end + 1;
      if (candidate.is_absolute() && is_program(candidate)) return candidate.native();
    }
  }
  return "";
}

// Of the checkout that this program was built in.
fs::path folder_of_tools() {
  if (const char* const given = std::getenv("SECUREBASE_BROWSER_TOOLS")) return given;
  std::error_code failure;
  for (auto at = fs::read_symlink("/proc/self/exe", failure); at.has_relative_path(); at = at.parent_path()) {
    auto candidate = at.parent_path() / "tools" / "browser";
    if (fs::exists(candidate / "lighthouse.mjs", failure)) return candidate;
  }
  return {};
}

}  // namespace

BrowserTools find_browser_tools() {
  BrowserTools found;
  std::error_code failure;
  found.tools = folder_of_tools();
  if (!fs::exists(found.tools / "node_modules" / "puppeteer-core", failure)) found.tools.clear();
  found.node = on_the_path({"node", "nodejs"});
  const char* const given = std::getenv("CHROMIUM");
  found.chromium = given ? given : on_the_path({"chromium", "chromium-browser", "google-chrome"});
  if (!is_program(found.chromium)) found.chromium.clear();
  return found;
}

}  // namespace securebase::platform
