#include "process/child_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>

#include "base/file.h"

namespace securebase::process {

namespace fs = std::filesystem;

Result<int> ChildLog::open() {
  if (auto made = base::make_directory(path_.parent_path()); !made) return made.error();
  const int file = ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
  if (file < 0) return system_error(errno, "open", path_.native());
  std::error_code failure;
  begin_ = fs::file_size(path_, failure);
  if (failure) begin_ = 0;
  return file;
}

void ChildLog::cut() {
  std::error_code failure;
  if (fs::file_size(path_, failure) <= limit_bytes_ || failure) return;
  fs::copy_file(path_, path_.native() + ".1", fs::copy_options::overwrite_existing, failure);
  fs::resize_file(path_, 0, failure);
  begin_ = 0;
}

std::string ChildLog::last_lines() const {
  constexpr std::uintmax_t kMostBytes = 8 << 10;
  constexpr int kMostLines = 20;
  std::ifstream file(path_, std::ios::binary | std::ios::ate);
  if (!file) return "";
  const auto size = static_cast<std::uintmax_t>(file.tellg());
  const auto from = std::max(std::min(begin_, size), size > kMostBytes ? size - kMostBytes : 0);
  file.seekg(static_cast<std::streamoff>(from));
  std::string text(size - from, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  while (!text.empty() && text.back() == '\n') text.pop_back();
  std::size_t at = text.size();
  for (int lines = 0; at > 0; --at) {
    if (text[at - 1] == '\n' && ++lines == kMostLines) break;
  }
  return text.substr(at);
}

}  // namespace securebase::process
