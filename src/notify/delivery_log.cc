#include "notify/delivery_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/file.h"
#include "base/log.h"

namespace securebase::notify {

namespace {

constexpr std::size_t kWaitingBytes = std::size_t{4} << 20;

}  // namespace

struct DeliveryLog::Shared {
  std::filesystem::path file;
  std::size_t limit = 0;
  std::atomic<std::uint64_t> dropped{0};
  std::mutex writing;  // one at a time
  std::mutex mutex;
  // Guarded by mutex.
  std::string waiting;
  bool scheduled = false;
};

DeliveryLog::DeliveryLog(const std::filesystem::path& directory, std::size_t bytes, net::Pool& pool)
    : shared_(std::make_shared<Shared>()), pool_(pool) {
  shared_->file = directory / "deliveries.log";
  shared_->limit = bytes;
}

DeliveryLog::~DeliveryLog() { flush(*shared_); }

std::uint64_t DeliveryLog::dropped() const { return shared_->dropped.load(std::memory_order_relaxed); }

void DeliveryLog::write(const base::Json& line) {
  const auto text = line.dump();
  {
    const std::lock_guard lock(shared_->mutex);
    if (shared_->waiting.size() + text.size() > kWaitingBytes) {
      shared_->dropped.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    shared_->waiting += text;
    shared_->waiting += '\n';
    if (std::exchange(shared_->scheduled, true)) return;
  }
  if (pool_.submit([shared = shared_] { flush(*shared); })) return;
  // The pool is full: the next line tries again.
  const std::lock_guard lock(shared_->mutex);
  shared_->scheduled = false;
}

Result<std::vector<base::Json>> DeliveryLog::newest(std::size_t most,
                                                    const std::function<bool(const base::Json&)>& fits) const {
  flush(*shared_);
  std::vector<base::Json> found;
  for (const auto& file : {shared_->file, std::filesystem::path(shared_->file.native() + ".1")}) {
    std::error_code failure;
    if (!std::filesystem::exists(file, failure)) continue;
    auto text = base::read_file(file);
    if (!text) return text.error();
    // From the end, so that no more is parsed than is asked for. A line that a crash tore is no JSON, and is none.
    for (std::string_view rest = *text; !rest.empty() && found.size() < most;) {
      if (rest.back() == '\n') rest.remove_suffix(1);
      const auto begin = rest.rfind('\n') + 1;  // npos + 1 is 0
      if (auto line = base::Json::parse(rest.substr(begin)); line && fits(*line)) found.push_back(std::move(*line));
      rest.remove_suffix(rest.size() - begin);
    }
  }
  std::reverse(found.begin(), found.end());
  return found;
}

void DeliveryLog::flush(Shared& shared) {
  const std::lock_guard one(shared.writing);
  std::string lines;
  {
    const std::lock_guard lock(shared.mutex);
    lines.swap(shared.waiting);
    shared.scheduled = false;
  }
  if (lines.empty()) return;
  if (auto made = base::make_directory(shared.file.parent_path(), 0750); !made) {
    base::log(base::Level::kWarning, "notify", "{}", made.error().message);
    return;
  }
  struct stat about {};
  if (::stat(shared.file.c_str(), &about) == 0 &&
      static_cast<std::size_t>(about.st_size) + lines.size() > shared.limit / 2) {
    std::error_code ignored;  // then the file grows on, which the next flush tries to end again
    std::filesystem::rename(shared.file, shared.file.native() + ".1", ignored);
  }
  const int file = ::open(shared.file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  bool written = file >= 0;
  for (std::string_view rest = lines; written && !rest.empty();) {
    const auto count = ::write(file, rest.data(), rest.size());
    if (count < 0 && errno == EINTR) continue;
    written = count >= 0;
    if (written) rest.remove_prefix(static_cast<std::size_t>(count));
  }
  if (!written) {
    base::log(base::Level::kWarning, "notify", "{} cannot be written: {}", shared.file.native(), std::strerror(errno));
  }
  if (file >= 0) ::close(file);
}

}  // namespace securebase::notify
