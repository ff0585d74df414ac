#include "telemetry/trace.h"

#include <fmt/format.h>

#include <charconv>

#include "base/random.h"

namespace securebase::telemetry {

namespace {

bool read_hex(std::string_view text, std::uint64_t& value) {
  if (text.empty() || text.front() == '-' || text.front() == '+') return false;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  return failure == std::errc{} && end == text.data() + text.size();
}

bool is_lower_hex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

std::uint64_t new_span_id() {
  // splitmix64: ids have to differ, not to be secret.
  thread_local std::uint64_t state = base::random_u64();
  for (;;) {
    state += 0x9e3779b97f4a7c15ULL;
    std::uint64_t z = state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    z ^= z >> 31;
    if (z != 0) return z;
  }
}

TraceContext new_trace(base::TimePoint now) {
  const auto second = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  TraceContext trace;
  trace.trace_high = (static_cast<std::uint64_t>(second) << 32) | (new_span_id() >> 32);
  trace.trace_low = new_span_id();
  return trace;
}

std::string to_xray_id(const TraceContext& trace) {
  return fmt::format("1-{:08x}-{:08x}{:016x}", trace.trace_high >> 32, trace.trace_high & 0xffffffff, trace.trace_low);
}

bool from_xray_id(std::string_view text, TraceContext& trace) {
  std::uint64_t second = 0;
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  if (text.size() != 35 || text.substr(0, 2) != "1-" || text[10] != '-') return false;
  if (!read_hex(text.substr(2, 8), second) || !read_hex(text.substr(11, 8), high) || !read_hex(text.substr(19), low)) {
    return false;
  }
  trace.trace_high = (second << 32) | high;
  trace.trace_low = low;
  return true;
}

std::string to_xray_header(const TraceContext& trace) {
  std::string text = "Root=" + to_xray_id(trace);
  if (trace.parent_span != 0) text += fmt::format(";Parent={:016x}", trace.parent_span);
  text += trace.sampled ? ";Sampled=1" : ";Sampled=0";
  return text;
}

TraceContext from_xray_header(std::string_view text) {
  TraceContext trace;
  bool rooted = false;
  while (!text.empty()) {
    const auto end = std::min(text.find(';'), text.size());
    std::string_view part = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    while (!part.empty() && part.front() == ' ') part.remove_prefix(1);
    if (part.starts_with("Root=")) {
      rooted = from_xray_id(part.substr(5), trace);
    } else if (part.starts_with("Parent=")) {
      if (part.size() != 23 || !read_hex(part.substr(7), trace.parent_span)) return {};
    } else if (part == "Sampled=1" || part == "Sampled=0") {
      trace.sampled = part.back() == '1';
      trace.decided = true;
    }
  }
  return rooted && trace.known() ? trace : TraceContext{};
}

std::string to_traceparent(const TraceContext& trace) {
  // A parent of zeros is not allowed (3.2.2.4): who has no span yet is given one that nobody records.
  return fmt::format("00-{:016x}{:016x}-{:016x}-{}", trace.trace_high, trace.trace_low,
                     trace.parent_span != 0 ? trace.parent_span : new_span_id(), trace.sampled ? "01" : "00");
}

TraceContext from_traceparent(std::string_view text) {
  TraceContext trace;
  std::uint64_t version = 0;
  std::uint64_t flags = 0;
  if (text.size() < 55 || text[2] != '-' || text[35] != '-' || text[52] != '-' || !is_lower_hex(text.substr(0, 2)) ||
      !is_lower_hex(text.substr(3, 32)) || !is_lower_hex(text.substr(36, 16)) || !is_lower_hex(text.substr(53, 2))) {
    return {};
  }
  if (!read_hex(text.substr(0, 2), version) || version == 0xff) return {};
  if (text.size() > 55 && (version == 0 || text[55] != '-')) return {};
  if (!read_hex(text.substr(3, 16), trace.trace_high) || !read_hex(text.substr(19, 16), trace.trace_low) ||
      !read_hex(text.substr(36, 16), trace.parent_span) || !read_hex(text.substr(53, 2), flags)) {
    return {};
  }
  if (!trace.known() || trace.parent_span == 0) return {};
  trace.sampled = (flags & 1) != 0;
  trace.decided = true;
  return trace;
}

}  // namespace securebase::telemetry
