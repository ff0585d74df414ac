#include "logs/store/platform_lines.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>

namespace securebase::logs {

namespace {

constexpr std::size_t kUuidLength = 36;
constexpr std::string_view kRequestId = "RequestId: ";

bool looks_like_uuid(std::string_view text) {
  if (text.size() != kUuidLength) return false;
  for (std::size_t i = 0; i < kUuidLength; ++i) {
    const char c = text[i];
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? c != '-' : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))) return false;
  }
  return true;
}

std::string_view take_word(std::string_view& text, char end) {
  const auto word = text.substr(0, text.find(end));
  text.remove_prefix(std::min(word.size() + 1, text.size()));
  return word;
}

// The number at the front, if the text goes on with `unit` after it.
std::optional<double> measured(std::string_view text, std::string_view unit) {
  double number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc{} || !std::isfinite(number)) return std::nullopt;  // "inf" is read, too
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return text == unit ? std::optional(number) : std::nullopt;
}

struct ReportPart {
  std::string_view label;
  std::string_view unit;
  std::string_view field;
  double factor;
};
// Megabytes are 1,000,000 bytes, as queries that divide by 1000 expect (CloudWatch Logs user guide, sample queries).
constexpr ReportPart kReportParts[] = {
    {"Duration: ", " ms", "@duration", 1},
    {"Billed Duration: ", " ms", "@billedDuration", 1},
    {"Memory Size: ", " MB", "@memorySize", 1e6},
    {"Max Memory Used: ", " MB", "@maxMemoryUsed", 1e6},
    {"Init Duration: ", " ms", "@initDuration", 1},
    {"Restore Duration: ", " ms", "@restoreDuration", 1},
    {"Billed Restore Duration: ", " ms", "@billedRestoreDuration", 1},
};

// "Duration: 12.34 ms\tBilled Duration: 13 ms\t...\nXRAY TraceId: 1-...\tSegmentId: ...\tSampled: true".
void report_parts(std::string_view rest, FieldReceiver& into) {
  while (!rest.empty()) {
    const auto end = std::min(rest.find_first_of("\t\n"), rest.size());
    auto part = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (part.starts_with("XRAY TraceId: ")) {
      into.text("@xrayTraceId", part.substr(14));
    } else if (part.starts_with("SegmentId: ")) {
      into.text("@xraySegmentId", part.substr(11));
    } else if (part.starts_with("Status: ")) {
      into.text("@status", part.substr(8));
    } else {
      for (const auto& known : kReportParts) {
        if (!part.starts_with(known.label)) continue;
        if (const auto number = measured(part.substr(known.label.size()), known.unit)) {
          into.number(known.field, *number * known.factor);
        }
        break;
      }
    }
  }
}

bool lambda_line(std::string_view message, FieldReceiver& into) {
  for (const std::string_view type : {"START", "END", "REPORT"}) {
    if (!message.starts_with(type)) continue;
    auto rest = message.substr(type.size());
    if (!rest.starts_with(' ') || !rest.substr(1).starts_with(kRequestId)) return false;
    rest.remove_prefix(1 + kRequestId.size());
    const auto id = rest.substr(0, kUuidLength);
    if (!looks_like_uuid(id)) return false;
    rest.remove_prefix(kUuidLength);
    if (!rest.empty() && rest.front() != '\t' && rest.front() != ' ' && rest.front() != '\n') return false;
    into.text("@type", type);
    into.text("@requestId", id);
    if (type == "REPORT" && !rest.empty()) report_parts(rest.substr(1), into);
    return true;
  }
  return false;
}

// "[INFO]\t2026-11-24T10:00:00.000Z\t{request id}\tmessage" (Python) and "2026-...Z\t{request id}\tINFO\tmessage"
// (Node).
void logger_line(std::string_view message, FieldReceiver& into) {
  const auto first = message.find('\t');
  if (first == std::string_view::npos || first > 32) return;
  auto rest = message.substr(first + 1);
  const auto second = take_word(rest, '\t');
  if (looks_like_uuid(second)) {
    into.text("@requestId", second);
  } else if (const auto third = rest.substr(0, rest.find('\t')); message.front() == '[' && looks_like_uuid(third)) {
    into.text("@requestId", third);
  }
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// "2026-11-24 10:00:00 UTC:127.0.0.1(5000):app@securebase:[123]:LOG:  duration: 12.345 ms  statement: SELECT 1", which
// is RDS's log_line_prefix.
bool postgresql_line(std::string_view message, FieldReceiver& into) {
  if (message.size() < 24 || !is_digit(message[0]) || message[4] != '-' || message[10] != ' ') return false;
  const auto zone_end = message.find(':', 19);
  if (zone_end == std::string_view::npos || zone_end > 32) return false;
  auto rest = message.substr(zone_end + 1);
  const auto pid_begin = rest.find(":[");
  if (pid_begin == std::string_view::npos || pid_begin > 512) return false;
  const auto who = rest.substr(0, pid_begin);
  rest.remove_prefix(pid_begin + 2);
  const auto pid = take_word(rest, ']');
  std::int64_t process = 0;
  const auto [end, failure] = std::from_chars(pid.data(), pid.data() + pid.size(), process);
  if (failure != std::errc{} || end != pid.data() + pid.size() || !rest.starts_with(':')) return false;
  rest.remove_prefix(1);
  const auto level = take_word(rest, ':');
  if (level.empty() || level.size() > 16 || !rest.starts_with("  ")) return false;
  rest.remove_prefix(2);
  // user@database stands after the client's address, which may hold colons itself.
  const auto user_begin = who.rfind(':');
  const auto user = user_begin == std::string_view::npos ? who : who.substr(user_begin + 1);
  if (const auto at = user.rfind('@'); at != std::string_view::npos) {
    if (at > 0) into.text("user", user.substr(0, at));
    if (at + 1 < user.size()) into.text("database", user.substr(at + 1));
  }
  into.number("pid", static_cast<double>(process));
  into.text("level", level);
  if (!rest.starts_with("duration: ")) return true;
  rest.remove_prefix(10);
  const auto unit = rest.find(" ms");
  if (unit == std::string_view::npos) return true;
  if (const auto duration = measured(rest.substr(0, unit), "")) into.number("@duration", *duration);
  rest.remove_prefix(unit + 3);
  // "  statement: ", "  execute <unnamed>: ", "  parse ...: ", "  bind ...: "
  if (const auto colon = rest.find(": "); rest.starts_with("  ") && colon != std::string_view::npos) {
    into.text("statement", rest.substr(colon + 2));
  }
  return true;
}

// "2026-11-24T10:00:00.000Z (1b2c...) Method completed with status: 200, latency 12 us".
bool execution_line(std::string_view message, FieldReceiver& into) {
  constexpr std::string_view kCompleted = "Method completed with status: ";
  const auto open = message.find('(');
  if (open == std::string_view::npos || open > 40) return false;
  const auto close = message.find(") ", open);
  if (close == std::string_view::npos || close - open > 80) return false;
  auto rest = message.substr(close + 2);
  if (!rest.starts_with(kCompleted)) return false;
  rest.remove_prefix(kCompleted.size());
  int status = 0;
  if (std::from_chars(rest.data(), rest.data() + rest.size(), status).ec != std::errc{}) return false;
  into.text("@requestId", message.substr(open + 1, close - open - 1));
  into.number("status", status);
  return true;
}

}  // namespace

bool discover_platform_line(std::string_view message, FieldReceiver& into) {
  if (message.empty()) return false;
  switch (message.front()) {
    case 'S':
    case 'E':
    case 'R':
      if (lambda_line(message, into)) return true;
      break;
    case '(':
      return execution_line(message, into);
    case '[':
      logger_line(message, into);
      return false;
    default:
      if (is_digit(message.front())) {
        if (postgresql_line(message, into) || execution_line(message, into)) return true;
        logger_line(message, into);
      }
  }
  return false;
}

}  // namespace securebase::logs
