#include "gateway/access_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <map>

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"

namespace securebase::gateway {
namespace {

constexpr std::chrono::milliseconds kGather{50};  // lines of so long are written together

bool is_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

std::string milliseconds(std::chrono::microseconds time) {
  return std::to_string(std::chrono::round<std::chrono::milliseconds>(time).count());
}

// "-" is what API Gateway writes for what there is not.
std::string value_of(const Call& call, const Answered& answered, std::string_view name) {
  if (name == "status") return std::to_string(answered.status);
  if (name == "responseLength") return answered.length ? std::to_string(*answered.length) : "-";
  if (name == "responseLatency") return milliseconds(answered.latency);
  if (name == "integrationStatus" || name == "integration.status" || name == "integration.integrationStatus") {
    return answered.integration_status ? std::to_string(*answered.integration_status) : "-";
  }
  if (name == "integrationLatency" || name == "integration.latency") {
    return answered.integration_latency ? milliseconds(*answered.integration_latency) : "-";
  }
  if (name == "error.message" || name == "error.messageString" || name == "integrationErrorMessage") {
    return answered.error_message.empty() ? "-" : std::string(answered.error_message);
  }
  if (name == "error.responseType") return answered.error_type.empty() ? "-" : std::string(answered.error_type);
  if (!call.resource && (name.starts_with("resource"))) return "-";
  if (!call.stage) return "-";
  return context_value(call, name).value_or("-");
}

void append(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto written = ::write(file, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      base::log(base::Level::kWarning, "gateway", "an access log cannot be written: {}", std::strerror(errno));
      return;
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

void append_to_file(const std::filesystem::path& path, std::string_view bytes, std::uint64_t file_bytes) {
  struct stat about {};
  if (::stat(path.c_str(), &about) == 0 && static_cast<std::uint64_t>(about.st_size) > file_bytes) {
    std::error_code ignored;  // the file then grows on, which the next flush tries to end again
    std::filesystem::rename(path, path.string() + ".1", ignored);
  }
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  if (file < 0) {
    base::log(base::Level::kWarning, "gateway", "{} cannot be opened: {}", path.string(), std::strerror(errno));
    return;
  }
  append(file, bytes);
  ::close(file);
}

}  // namespace

LogFormat::LogFormat(std::string_view format) {
  constexpr std::string_view kMark = "$context.";
  while (!format.empty()) {
    const auto at = format.find(kMark);
    if (at != 0) pieces_.push_back({std::string(format.substr(0, at)), false});
    if (at == std::string_view::npos) return;
    format.remove_prefix(at + kMark.size());
    std::size_t end = 0;
    while (end < format.size() &&
           (is_name(format[end]) || (format[end] == '.' && end + 1 < format.size() && is_name(format[end + 1])))) {
      ++end;
    }
    pieces_.push_back({std::string(format.substr(0, end)), true});
    format.remove_prefix(end);
  }
}

std::string LogFormat::line(const Call& call, const Answered& answered) const {
  std::string out, quoted;
  for (const auto& piece : pieces_) {
    if (!piece.variable) {
      for (const char c : piece.text) out += c == '\n' || c == '\r' ? ' ' : c;
      continue;
    }
    quoted.clear();
    base::append_json_string(quoted, value_of(call, answered, piece.text));
    out += std::string_view(quoted).substr(1, quoted.size() - 2);
  }
  return out;
}

LogFiles::LogFiles(std::filesystem::path directory, std::size_t queue_lines, std::uint64_t file_bytes)
    : directory_(std::move(directory)), limit_(queue_lines), file_bytes_(file_bytes), thread_([this] { work(); }) {}

LogFiles::~LogFiles() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  news_.notify_one();
  thread_.join();
}

void LogFiles::write(std::string_view group, std::string line) {
  line += '\n';
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() >= limit_) {
      dropped_.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    waiting_.emplace_back(group, std::move(line));
    wake = std::exchange(sleeping_, false);
  }
  if (wake) news_.notify_one();
}

void LogFiles::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    sleeping_ = waiting_.empty();
    news_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
    sleeping_ = false;
    news_.wait_for(lock, kGather, [this] { return ending_; });
    const Lines lines = std::exchange(waiting_, {});
    const bool last = ending_;
    lock.unlock();
    append_all(lines);
    if (last) return;
    lock.lock();
  }
}

void LogFiles::append_all(const Lines& lines) const {
  std::map<std::string, std::string> files;
  for (const auto& [group, line] : lines) files[group] += line;
  for (const auto& [group, bytes] : files) {
    const auto relative = std::filesystem::path(group).relative_path();
    const auto path = directory_ / relative;
    if (auto made = base::make_directory(path.parent_path(), 0750); !made) {
      base::log(base::Level::kWarning, "gateway", "{}", made.error().message);
      continue;
    }
    append_to_file(path.string() + ".log", bytes, file_bytes_);
  }
}

}  // namespace securebase::gateway
