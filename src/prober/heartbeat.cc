#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>

#include "base/file.h"
#include "prober/prober.h"

namespace securebase::prober {

namespace {

constexpr std::string_view kStopped = "stopped";
constexpr std::size_t kRecord = 32;  // "1795733347680123 running" and blanks: always as long, so that it is overwritten

// Overwritten in place by one write: a beat is lost with the machine, never torn by the process.
Result<Done> write_record(const std::filesystem::path& file, base::TimePoint now, std::string_view word) {
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor < 0) return system_error(errno, "open", file.native());
  const std::string text =
      fmt::format("{:<{}}\n", fmt::format("{} {}", now.time_since_epoch().count(), word), kRecord - 1);
  const auto written = ::pwrite(descriptor, text.data(), text.size(), 0);
  const int number = errno;
  ::close(descriptor);
  if (written != static_cast<ssize_t>(text.size())) return system_error(number, "write", file.native());
  return Done{};
}

}  // namespace

Result<Heartbeat> Heartbeat::begin(const std::filesystem::path& file, base::TimePoint now) {
  Heartbeat heartbeat(file);
  auto made = base::make_directory(file.parent_path());
  if (!made) return made.error();
  if (auto text = base::read_file(file, 4096); text) {
    std::int64_t last = 0;
    const auto [end, failure] = std::from_chars(text->data(), text->data() + text->size(), last);
    const base::TimePoint beat{std::chrono::microseconds{last}};
    const bool stopped = std::string_view(end, text->data() + text->size()).find(kStopped) != std::string_view::npos;
    if (failure == std::errc{} && last > 0 && !stopped && now - beat > kTolerance) {
      heartbeat.outage_ = Outage{beat, now};
    }
  }
  if (heartbeat.outage_) return heartbeat;
  if (auto done = heartbeat.beat(now); !done) return done.error();
  return heartbeat;
}

Result<Done> Heartbeat::beat(base::TimePoint now) { return write_record(file_, now, "running"); }

Result<Done> Heartbeat::stop(base::TimePoint now) { return write_record(file_, now, kStopped); }

}  // namespace securebase::prober
