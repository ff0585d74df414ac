#include "load/artillery/period_spool.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>

#include "base/random.h"

namespace securebase::load::artillery {

PeriodSpool::~PeriodSpool() {
  if (file_ >= 0) ::close(file_);
}

Result<Done> PeriodSpool::open(const std::filesystem::path& directory) {
  file_ = ::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (file_ < 0) {
    // A file system without O_TMPFILE (open(2)): a name for a moment.
    const auto path = directory / (".periods-" + base::random_hex(8));
    file_ = ::open(path.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
    if (file_ < 0) return system_error(errno, "create", path.native());
    ::unlink(path.c_str());
  }
  failure_.clear();
  return Done{};
}

void PeriodSpool::add(std::string_view json) {
  ++added_;
  if (!failure_.empty()) {
    ++missing_;
    return;
  }
  const std::string text = fmt::format("{}\n    {}", bytes_ == 0 ? "" : ",", json);
  std::size_t done = 0;
  while (done < text.size()) {
    const auto written = ::pwrite(file_, text.data() + done, text.size() - done, static_cast<off_t>(bytes_ + done));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      failure_ = system_error(written < 0 ? errno : ENOSPC, "write", "the periods of the report").message;
      ++missing_;
      return;
    }
    done += static_cast<std::size_t>(written);
  }
  bytes_ += text.size();
}

Result<Done> PeriodSpool::give(const Take& take) const {
  std::array<char, 64 << 10> piece;
  std::uint64_t at = 0;
  while (at < bytes_) {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), bytes_ - at));
    const auto got = ::pread(file_, piece.data(), wanted, static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return system_error(got < 0 ? errno : EIO, "read", "the periods of the report");
    auto taken = take({piece.data(), static_cast<std::size_t>(got)});
    if (!taken) return taken;
    at += static_cast<std::uint64_t>(got);
  }
  if (missing_ == 0) return Done{};
  return Error{Errc::kIo, fmt::format("{} of {} periods are missing in the report: {}", missing_, added_, failure_)};
}

}  // namespace securebase::load::artillery
