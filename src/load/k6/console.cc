#include "k6/console.h"

#include <fmt/format.h>

#include <array>

namespace securebase::k6 {

namespace {
constexpr std::array<std::string_view, 4> kNames = {"DEBU", "INFO", "WARN", "ERRO"};
constexpr std::array<int, 4> kColours = {37, 36, 33, 31};
constexpr std::size_t kMostTexts = 1000;
}  // namespace

Console::Console(bool verbose, bool colours) : verbose_(verbose), colours_(colours) {}

Console::~Console() {
  if (scripts_) std::fclose(scripts_);
}

bool Console::write_scripts_to(const std::string& path) {
  scripts_ = std::fopen(path.c_str(), "ae");
  return scripts_ != nullptr;
}

void Console::say(Level level, std::string_view text) {
  if (level == kDebug && !verbose_) return;
  if (level == kError) ++errors_;
  const std::lock_guard lock(mutex_);
  write(stderr, level, text, "");
}

void Console::script(Level level, std::string_view text) {
  if (level == kDebug && !verbose_) return;
  const std::lock_guard lock(mutex_);
  write(scripts_ ? scripts_ : stderr, level, text, "console");
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
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - began_).count();
  const bool over = to == stderr && !progress_.empty();
  if (over) std::fputs("\r\x1b[2K", to);
  const std::string head = colours_ && to == stderr ? fmt::format("\x1b[{}m{}\x1b[0m", kColours[level], kNames[level])
                                                    : std::string(kNames[level]);
  const std::string line =
      fmt::format("{}[{:04d}] {}{}\n", head, seconds, text, source.empty() ? "" : fmt::format("  source={}", source));
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
