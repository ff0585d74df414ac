// Spans: what one hop did for one request, from when to when, and which span caused it. Recorded into a buffer of the
// calling thread's cell; the reader takes the buffer and leaves an empty one. A full buffer loses its newest spans and
// counts them: recording never waits for a reader.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "telemetry/trace.h"

namespace securebase::telemetry {

// The hops of this platform that are told apart.
enum class Hop : std::uint8_t {
  kEdge,          // a viewer's request at the edge: name is the distribution's domain, subject the path
  kFlight,        // waits for what another request fetches
  kOriginApi,     // the edge asks an API of this platform: name is the origin's domain
  kOriginBucket,  // the edge reads a bucket
  kOriginHttp,    // the edge asks an HTTP server
  kGateway,       // an API's stage: name is "api/stage", route the resource's path
  kAuthorizer,    // waits for the authorizer's verdict: name is its function
  kUpstream,      // the gateway asks an HTTP server
  kInvoke,        // a call of a function from outside: admission, queue, handing over; name is the function
  kInit,          // the start of its instance, where the call waited for that
  kFunction,      // the handler, as the instance's runtime has it
  kSql,           // what the handler's statements took together, as its runtime tells
  kCache,         // its Redis commands, likewise
};
inline constexpr std::size_t kHops = 13;
std::string_view to_string(Hop hop);

// Up to Size bytes, cut to fit; not zeroed, so that it costs what it holds.
template <std::size_t Size>
class ShortText {
 public:
  void assign(std::string_view text) {
    size_ = static_cast<std::uint8_t>(text.size() < Size ? text.size() : Size);
    if (size_ != 0) std::memcpy(bytes_.data(), text.data(), size_);
  }
  std::string_view view() const { return {bytes_.data(), size_}; }

 private:
  static_assert(Size < 256);
  std::uint8_t size_ = 0;
  std::array<char, Size> bytes_;
};

struct Span {
  std::uint64_t trace_high = 0;
  std::uint64_t trace_low = 0;
  std::uint64_t id = 0;
  std::uint64_t parent = 0;  // 0: the root
  base::SteadyPoint begin{};
  base::SteadyPoint end{};
  std::string_view method;   // static storage: "GET"; "" where there is none
  std::uint32_t calls = 0;   // kSql, kCache: how many it stands for
  std::uint16_t status = 0;  // HTTP status, or 0
  Hop hop = Hop::kEdge;
  bool failed = false;
  bool cold = false;     // of kFunction: the instance's first call
  bool entry = false;    // the first hop of this platform: when it ends, the trace is complete
  bool sampled = false;  // as its trace
  bool tls = false;
  bool alone = false;  // nothing was called: no span has this one as its parent
  ShortText<71> name;
  ShortText<63> route;  // "/v1/customers/{id}", or a behaviour's pattern
  ShortText<95> subject;
};

// What a decision about a trace can go by.
struct Arrival {
  std::string_view service;  // the entry's name
  std::string_view type;     // "AWS::ApiGateway::Stage"
  std::string_view host;
  std::string_view method;
  std::string_view path;
};

// Decides where a trace begins whether it is sampled (X-Ray's sampling rules). Any thread.
class HeadSampler {
 public:
  virtual ~HeadSampler() = default;
  virtual bool sample(const Arrival& arrival) = 0;
};

class Spans {
 public:
  explicit Spans(std::size_t buffer_size = 4096);
  ~Spans();
  Spans(const Spans&) = delete;
  Spans& operator=(const Spans&) = delete;

  void record(const Span& span);

  // Adds what was recorded since the last take to `into`, oldest first within each thread. One reader.
  void take(std::vector<Span>& into);
  std::uint64_t lost() const;

  // Outlives the spans, or is taken away again by null. Without one, everything is sampled.
  void set_sampler(HeadSampler* sampler) { sampler_.store(sampler, std::memory_order_release); }
  // Decides, unless that was done by whoever the trace comes from.
  void decide(TraceContext& trace, const Arrival& arrival) const;

 private:
  struct Buffer;
  std::unique_ptr<Buffer[]> buffers_;
  std::vector<Span> spare_;  // the reader's
  std::atomic<HeadSampler*> sampler_{nullptr};
};

// A hop under way: begun when made, recorded when it goes. `trace().parent_span` is this span's id: give it to what
// the hop calls. Costs nothing when `spans` is null.
class SpanGuard {
 public:
  SpanGuard(Spans* spans, const base::Clock& clock, const TraceContext& cause, Hop hop, std::string_view name,
            std::string_view subject = {});
  ~SpanGuard();
  SpanGuard(const SpanGuard&) = delete;
  SpanGuard& operator=(const SpanGuard&) = delete;

  const TraceContext& trace() const { return trace_; }
  void decide(const Arrival& arrival);
  // A status from 500 on is a failure.
  void status(int status);
  void fail() { span_.failed = true; }
  // What else there is to say. Only for an entry or a hop of its own, so not part of the constructor.
  Span& span() { return span_; }
  // It turned out that there is nothing to tell.
  void drop() { dropped_ = true; }

 private:
  Spans* const spans_;
  const base::Clock& clock_;
  TraceContext trace_;
  bool dropped_ = false;
  Span span_;
};

}  // namespace securebase::telemetry
