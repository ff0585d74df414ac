#include "k6/console.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/clock.h"
#include "base/json.h"

namespace securebase::k6 {

namespace {
constexpr std::array<std::string_view, 4> kNames = {"DEBU", "INFO", "WARN", "ERRO"};
constexpr std::array<int, 4> kColours = {37, 36, 33, 31};
constexpr std::array<std::string_view, 4> kLevels = {"debug", "info", "warning", "error"};
constexpr std::size_t kMostTexts = 1000;
}  // namespace

Console::Console(bool verbose, bool colours) : verbose_(verbose), colours_(colours) {}

Console::~Console() {
  if (scripts_) std::fclose(scripts_);
  if (own_log_) std::fclose(log_);
}

Result<Done> Console::log_to(std::string_view output, std::string_view format) {
  if (format == "json") {
    format_ = Format::kJson;
  } else if (format == "raw") {
    format_ = Format::kRaw;
  } else if (format != "text" && !format.empty()) {
    return Error{Errc::kUnsupported, fmt::format("--log-format: expected text, raw or json, found '{}'", format)};
  }
  if (output == "stderr" || output.empty()) return Done{};
  if (output == "stdout") {
    log_ = stdout;
    return Done{};
  }
  if (output == "none") {
    log_ = nullptr;
    return Done{};
  }
  if (!output.starts_with("file=")) {
    return Error{Errc::kUnsupported,
                 fmt::format("--log-output: expected stderr, stdout, none or file=PATH, found '{}'", output)};
  }
  output.remove_prefix(5);
  const std::string path(output.substr(0, output.find(',')));
  output.remove_prefix(std::min(path.size() + 1, output.size()));
  if (!output.empty()) {
    const auto level = output.starts_with("level=") ? output.substr(6) : std::string_view{};
    const auto known = std::find(kLevels.begin(), kLevels.end(), level == "warn" ? "warning" : level);
    if (known == kLevels.end()) {
      return Error{Errc::kMalformed,
                   fmt::format("--log-output file=: expected level=debug, info, warning or error, found '{}'", output)};
    }
    least_ = static_cast<Level>(known - kLevels.begin());
  }
  std::FILE* const file = std::fopen(path.c_str(), "ae");
  if (!file) return system_error(errno, "open", path).within("--log-output");  // said where it was said before
  log_ = file;
  own_log_ = true;
  return Done{};
}

bool Console::write_scripts_to(const std::string& path) {
  scripts_ = std::fopen(path.c_str(), "ae");
  return scripts_ != nullptr;
}

void Console::say(Level level, std::string_view text) {
  if (level == kDebug && !verbose_) return;
  if (level == kError) ++errors_;
  const std::lock_guard lock(mutex_);
  write(log_, level, text, "");
}

void Console::script(Level level, std::string_view text) {
  if (level == kDebug && !verbose_) return;
  const std::lock_guard lock(mutex_);
  write(scripts_ ? scripts_ : log_, level, text, "console");
}

void Console::repeated(Level level, const std::string& text) {
  std::uint64_t times = 0;
  {
    const std::lock_guard lock(mutex_);
    if (seen_.size() >= kMostTexts && !seen_.contains(text)) seen_.clear();
    times = ++seen_[text];
  }
  if (times <= 10)
    say(level, text);
  else if (times % 1000 == 0)
    say(level, fmt::format("{} times: {}", times, text));
}

void Console::write(std::FILE* to, Level level, std::string_view text, std::string_view source) {
  if (!to || (to == log_ && level < least_)) return;
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - began_).count();
  std::string line;
  if (format_ == Format::kRaw) {
    line = fmt::format("{}\n", text);
  } else if (format_ == Format::kJson) {
    auto entry = base::Json::object({{"level", kLevels[level]},
                                     {"msg", std::string(text)},
                                     {"time", base::iso8601_millis(base::system_clock().now())}});
    if (!source.empty()) entry.set("source", std::string(source));
    line = entry.dump() + "\n";
  } else {
    const std::string head = colours_ && to == stderr ? fmt::format("\x1b[{}m{}\x1b[0m", kColours[level], kNames[level])
                                                      : std::string(kNames[level]);
    line =
        fmt::format("{}[{:04d}] {}{}\n", head, seconds, text, source.empty() ? "" : fmt::format("  source={}", source));
  }
  const bool over = to == stderr && !progress_.empty();
  if (over) std::fputs("\r\x1b[2K", to);
  std::fwrite(line.data(), 1, line.size(), to);
  if (over) std::fputs(progress_.c_str(), to);
  std::fflush(to);
}

void Console::progress(std::string_view line) {
  const std::lock_guard lock(mutex_);
  if (!progress_.empty()) std::fputs("\r\x1b[2K", stderr);
  progress_ = std::string(line);
  std::fputs(progress_.c_str(), stderr);
  std::fflush(stderr);
}

}  // namespace securebase::k6
