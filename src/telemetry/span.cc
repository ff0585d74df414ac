#include "telemetry/span.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <mutex>

#include "base/check.h"
#include "base/random.h"
#include "telemetry/metrics.h"

namespace securebase::telemetry {

struct Spans::Ring {
  std::mutex mutex;  // its thread's own, but for the moment in which the reader takes
  std::vector<Span> spans;
  std::uint64_t recorded = 0;
  std::uint64_t taken = 0;
  std::uint64_t lost = 0;
};

Spans::Spans(std::size_t ring_size) : rings_(std::make_unique<Ring[]>(kCells)) {
  check(ring_size > 0, "a ring holds at least one span");
  for (std::size_t i = 0; i < kCells; ++i) rings_[i].spans.reserve(ring_size);
}
Spans::~Spans() = default;

void Spans::record(const Span& span) {
  Ring& ring = rings_[cell_of_this_thread().index];
  const std::lock_guard lock(ring.mutex);
  if (ring.spans.size() < ring.spans.capacity()) {
    ring.spans.push_back(span);
  } else {
    ring.spans[ring.recorded % ring.spans.size()] = span;
  }
  ++ring.recorded;
}

std::vector<Span> Spans::take() {
  std::vector<Span> all;
  for (std::size_t i = 0; i < kCells; ++i) {
    Ring& ring = rings_[i];
    const std::lock_guard lock(ring.mutex);
    const std::uint64_t held = ring.spans.size();
    const std::uint64_t oldest = ring.recorded - std::min(held, ring.recorded - ring.taken);
    ring.lost += oldest - ring.taken;
    for (std::uint64_t n = oldest; n < ring.recorded; ++n) all.push_back(ring.spans[n % held]);
    ring.taken = ring.recorded;
  }
  return all;
}

std::uint64_t Spans::lost() const {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < kCells; ++i) {
    const std::lock_guard lock(rings_[i].mutex);
    sum += rings_[i].lost;
  }
  return sum;
}

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
  trace.sampled = true;
  return trace;
}

SpanGuard::SpanGuard(Spans* spans, const base::Clock& clock, const TraceContext& cause, std::string_view room,
                     std::string_view subject)
    : spans_(spans), clock_(clock), trace_(cause) {
  if (!spans_) return;
  span_.trace_high = cause.trace_high;
  span_.trace_low = cause.trace_low;
  span_.parent = cause.parent_span;
  span_.id = new_span_id();
  span_.room = room;
  subject.copy(span_.subject.data(), span_.subject.size() - 1);
  span_.begin = clock_.steady();
  trace_.parent_span = span_.id;
}

SpanGuard::~SpanGuard() {
  if (!spans_) return;
  span_.end = clock_.steady();
  spans_->record(span_);
}

std::string to_xray_header(const TraceContext& trace) {
  std::string text = fmt::format("Root=1-{:08x}-{:08x}{:016x}", trace.trace_high >> 32, trace.trace_high & 0xffffffff,
                                 trace.trace_low);
  if (trace.parent_span != 0) text += fmt::format(";Parent={:016x}", trace.parent_span);
  text += trace.sampled ? ";Sampled=1" : ";Sampled=0";
  return text;
}

namespace {

bool read_hex(std::string_view text, std::uint64_t& value) {
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  return failure == std::errc{} && end == text.data() + text.size() && !text.empty();
}

// "1-5759e988-bd862e3fe1be46a994272793"
bool read_root(std::string_view root, TraceContext& trace) {
  std::uint64_t second = 0;
  std::uint64_t high = 0;
  if (root.size() != 35 || root.substr(0, 2) != "1-" || root[10] != '-') return false;
  if (!read_hex(root.substr(2, 8), second) || !read_hex(root.substr(11, 8), high) ||
      !read_hex(root.substr(19), trace.trace_low)) {
    return false;
  }
  trace.trace_high = (second << 32) | high;
  return true;
}

}  // namespace

TraceContext from_xray_header(std::string_view text) {
  TraceContext trace;
  bool rooted = false;
  while (!text.empty()) {
    const auto end = std::min(text.find(';'), text.size());
    std::string_view part = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    while (!part.empty() && part.front() == ' ') part.remove_prefix(1);
    if (part.starts_with("Root=")) {
      rooted = read_root(part.substr(5), trace);
    } else if (part.starts_with("Parent=")) {
      if (part.size() != 23 || !read_hex(part.substr(7), trace.parent_span)) return {};
    } else if (part == "Sampled=1") {
      trace.sampled = true;
    }
  }
  return rooted ? trace : TraceContext{};
}

}  // namespace securebase::telemetry
