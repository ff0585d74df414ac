#include "load/artillery/console.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>

namespace securebase::load::artillery {
namespace {

std::string count_of(std::int64_t count, const char* what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

std::string span_text(std::chrono::seconds took) {
  const std::int64_t all = took.count();
  std::string out;
  if (all >= 86'400) out += count_of(all / 86'400, "day") + ", ";
  if (all >= 3600) out += count_of(all / 3600 % 24, "hour") + ", ";
  if (all >= 60) out += count_of(all / 60 % 60, "minute") + ", ";
  return out + count_of(all % 60, "second");
}

}  // namespace

std::string clock_text(base::TimePoint time) {
  const std::time_t seconds = std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
  std::tm local{};
  localtime_r(&seconds, &local);
  char text[32];
  const auto length = std::strftime(text, sizeof text, "%H:%M:%S(%z)", &local);
  return std::string(text, length);
}

std::string Console::painted(const char* code, std::string_view text) const {
  return colour_ ? fmt::format("\x1b[{}m{}\x1b[39m", code, text) : std::string(text);
}

std::string Console::phase_text(const Phase& phase, std::size_t index, bool started, base::TimePoint now) const {
  const double seconds = std::chrono::duration<double>(phase.duration).count();
  return fmt::format("Phase {}: {} (index: {}, duration: {}s) {}\n\n", started ? "started" : "completed",
                     painted("32", phase.name.empty() ? "unnamed" : phase.name), index, seconds, clock_text(now));
}

std::string Console::period_text(const Period& period, std::string_view suppressed) const {
  const base::TimePoint end{std::chrono::milliseconds{period.begin_ms + 10'000}};
  const std::string title = fmt::format("Metrics for period to: {}", clock_text(end));
  const double width = static_cast<double>(period.last_ms - period.first_ms) / 1000;
  return fmt::format("{0}\n{1} {2}\n{0}\n\n{3}\n\n", std::string(title.size(), '-'), title,
                     painted("90", fmt::format("(width: {}s)", width)), metrics_text(period, columns_, suppressed));
}

std::string Console::summary_text(const Period& aggregate, base::TimePoint now, std::chrono::seconds took,
                                  std::string_view suppressed) const {
  const std::string title = fmt::format("Summary report @ {}", clock_text(now));
  return fmt::format("All VUs finished. Total time: {0}\n\n{1}\n{2}\n{1}\n\n{3}", span_text(took),
                     std::string(title.size(), '-'), title, metrics_text(aggregate, columns_, suppressed));
}

std::string Console::checks_text(const std::vector<Checked>& checks) const {
  if (checks.empty()) return {};
  std::string out = "\nChecks:\n";
  for (const auto& check : checks) {
    out += check.ok
               ? fmt::format("{}: {}\n", painted("32", "ok"), check.original)
               : fmt::format("{}: {}{}{}\n", painted("31", "fail"), check.original, check.strict ? "" : " (optional)",
                             check.note.empty() ? "" : fmt::format("  [{}]", check.note));
  }
  return out;
}

}  // namespace securebase::load::artillery
