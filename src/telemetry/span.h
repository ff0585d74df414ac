// Spans: what one hop did for one request, from when to when, and which span caused it. Recorded into a ring of the
// calling thread's cell; the reader takes what is there. A full ring loses its oldest spans and counts them: recording
// never waits for a reader.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "telemetry/trace.h"

namespace securebase::telemetry {

struct Span {
  std::uint64_t trace_high = 0;
  std::uint64_t trace_low = 0;
  std::uint64_t id = 0;
  std::uint64_t parent = 0;        // 0: the root
  std::string_view room;           // static storage: "edge", "gateway", "functions"
  std::array<char, 64> subject{};  // what was worked on, cut to fit: a route, a function's name
  base::SteadyPoint begin{};
  base::SteadyPoint end{};
  std::int32_t status = 0;  // HTTP status, or 0
  bool failed = false;
};

class Spans {
 public:
  explicit Spans(std::size_t ring_size = 4096);
  ~Spans();
  Spans(const Spans&) = delete;
  Spans& operator=(const Spans&) = delete;

  void record(const Span& span);

  // What was recorded since the last take, oldest first within each thread. One reader.
  std::vector<Span> take();
  std::uint64_t lost() const;

 private:
  struct Ring;
  std::unique_ptr<Ring[]> rings_;
};

// From a generator of the calling thread's own, seeded by the kernel; never 0.
std::uint64_t new_span_id();
// A trace that begins here: X-Ray's form, whose first 32 bits are the second in which it began.
TraceContext new_trace(base::TimePoint now);

// A hop under way: begun when made, recorded when it goes. `trace().parent_span` is this span's id: give it to what
// the hop calls. Costs nothing when `spans` is null.
class SpanGuard {
 public:
  SpanGuard(Spans* spans, const base::Clock& clock, const TraceContext& cause, std::string_view room,
            std::string_view subject);
  ~SpanGuard();
  SpanGuard(const SpanGuard&) = delete;
  SpanGuard& operator=(const SpanGuard&) = delete;

  const TraceContext& trace() const { return trace_; }
  void status(int status) { span_.status = status; }
  void fail() { span_.failed = true; }

 private:
  Spans* const spans_;
  const base::Clock& clock_;
  TraceContext trace_;
  Span span_;
};

// X-Amzn-Trace-Id: "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
// (AWS X-Ray developer guide, "Tracing header").
std::string to_xray_header(const TraceContext& trace);
// A trace of zeros when the text is not one.
TraceContext from_xray_header(std::string_view text);

}  // namespace securebase::telemetry
