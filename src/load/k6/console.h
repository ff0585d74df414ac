// What a run says while it runs: lines of scripts' consoles, warnings and errors, on standard error or into a file.
// Lines of several users do not mix; the same text in great number is counted instead. Any thread.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "base/result.h"

namespace securebase::k6 {

class Console {
 public:
  enum Level { kDebug, kInfo, kWarning, kError };

  Console(bool verbose, bool colours);
  ~Console();
  // Where everything goes, as --log-output has it: stderr, stdout, none, file=PATH[,level=LEVEL]; and how lines look:
  // text, raw, json. Before anything is said.
  Result<Done> log_to(std::string_view output, std::string_view format);
  // From scripts; `console_output` of the options sends them into a file.
  bool write_scripts_to(const std::string& path);

  void say(Level level, std::string_view text);
  void script(Level level, std::string_view text);
  // Errors that many users make again and again: after ten of one text only every thousandth is shown.
  void repeated(Level level, const std::string& text);
  // A line that is written over: the progress. Empty: takes it away.
  void progress(std::string_view line);
  std::uint64_t errors() const { return errors_; }

 private:
  enum class Format { kText, kRaw, kJson };

  void write(std::FILE* to, Level level, std::string_view text, std::string_view source);

  const bool verbose_;
  const bool colours_;
  // These four are constant once something is said.
  Format format_ = Format::kText;
  std::FILE* log_ = stderr;  // null: nowhere
  bool own_log_ = false;     // a file of ours
  Level least_ = kDebug;
  const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  std::mutex mutex_;
  std::FILE* scripts_ = nullptr;
  std::string progress_;
  std::map<std::string, std::uint64_t> seen_;
  std::atomic<std::uint64_t> errors_{0};
};

}  // namespace securebase::k6
