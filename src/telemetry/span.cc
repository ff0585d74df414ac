#include "telemetry/span.h"

#include <mutex>

#include "base/check.h"
#include "telemetry/metrics.h"

namespace securebase::telemetry {

std::string_view to_string(Hop hop) {
  static constexpr std::string_view kNames[kHops] = {
      "edge",     "flight", "origin api", "origin bucket", "origin http", "gateway", "authorizer",
      "upstream", "invoke", "init",       "function",      "sql",         "cache"};
  return kNames[static_cast<std::size_t>(hop)];
}

struct alignas(64) Spans::Buffer {
  mutable std::mutex mutex;  // its thread's own, but for the moment in which the reader swaps
  std::vector<Span> spans;
  std::uint64_t lost = 0;
};

Spans::Spans(std::size_t buffer_size) : buffers_(std::make_unique<Buffer[]>(kCells)) {
  check(buffer_size > 0, "a buffer holds at least one span");
  for (std::size_t i = 0; i < kCells; ++i) buffers_[i].spans.reserve(buffer_size);
  spare_.reserve(buffer_size);
}
Spans::~Spans() = default;

void Spans::record(const Span& span) {
  Buffer& buffer = buffers_[cell_of_this_thread().index];
  const std::lock_guard lock(buffer.mutex);
  if (buffer.spans.size() < buffer.spans.capacity()) {
    buffer.spans.push_back(span);
  } else {
    ++buffer.lost;
  }
}

void Spans::take(std::vector<Span>& into) {
  for (std::size_t i = 0; i < kCells; ++i) {
    Buffer& buffer = buffers_[i];
    {
      const std::lock_guard lock(buffer.mutex);
      if (buffer.spans.empty()) continue;
      std::swap(buffer.spans, spare_);  // of one capacity
    }
    into.insert(into.end(), spare_.begin(), spare_.end());
    spare_.clear();
  }
}

std::uint64_t Spans::lost() const {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < kCells; ++i) {
    const std::lock_guard lock(buffers_[i].mutex);
    sum += buffers_[i].lost;
  }
  return sum;
}

void Spans::decide(TraceContext& trace, const Arrival& arrival) const {
  if (trace.decided) return;
  HeadSampler* sampler = sampler_.load(std::memory_order_acquire);
  trace.sampled = !sampler || sampler->sample(arrival);
  trace.decided = true;
}

SpanGuard::SpanGuard(Spans* spans, const base::Clock& clock, const TraceContext& cause, Hop hop, std::string_view name,
                     std::string_view subject)
    : spans_(spans), clock_(clock), trace_(cause) {
  if (!spans_) return;
  span_.trace_high = cause.trace_high;
  span_.trace_low = cause.trace_low;
  span_.parent = cause.parent_span;
  span_.id = new_span_id();
  span_.hop = hop;
  span_.entry = !cause.inside;
  span_.name.assign(name);
  span_.subject.assign(subject);
  span_.begin = clock_.steady();
  trace_.parent_span = span_.id;
  trace_.inside = true;
}

SpanGuard::~SpanGuard() {
  if (!spans_ || dropped_) return;
  span_.sampled = trace_.sampled;
  span_.end = clock_.steady();
  spans_->record(span_);
}

void SpanGuard::decide(const Arrival& arrival) {
  if (spans_) spans_->decide(trace_, arrival);
}

void SpanGuard::status(int status) {
  span_.status = static_cast<std::uint16_t>(status);
  if (status >= 500) span_.failed = true;
}

}  // namespace securebase::telemetry
