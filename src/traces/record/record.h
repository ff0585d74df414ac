// What is kept of a trace: the hops of this platform in a few bytes each, and the documents that others sent, as they
// came. Records of one trace may lie in several blocks; who reads puts them together by the trace's id.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "telemetry/span.h"

namespace securebase::traces {

struct TraceId {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  // "1-5759e988-bd862e3fe1be46a994272793".
  std::string text() const;
  static std::optional<TraceId> parse(std::string_view text);
  auto operator<=>(const TraceId&) const = default;
};
struct TraceIdHash {
  std::size_t operator()(const TraceId& id) const { return id.low ^ (id.high * 0x9e3779b97f4a7c15ULL); }
};

// Wall time in nanoseconds since the epoch: hops are compared within one process, so they keep their precision.
using WallTime = std::chrono::sys_time<std::chrono::nanoseconds>;
inline double seconds_of(WallTime time) { return std::chrono::duration<double>(time.time_since_epoch()).count(); }

// One hop, as telemetry::Span has it.
struct Hop {
  std::uint64_t id = 0;
  std::uint64_t parent = 0;
  WallTime begin{};
  std::chrono::nanoseconds duration{0};
  telemetry::Hop kind = telemetry::Hop::kEdge;
  bool failed = false;
  bool cold = false;
  bool entry = false;
  bool tls = false;
  std::uint16_t status = 0;
  std::uint32_t calls = 0;
  std::string method;
  std::string name;
  std::string route;
  std::string subject;

  WallTime end() const { return begin + duration; }
  bool operator==(const Hop&) const = default;
};

// Why a trace was kept; bits.
enum Reason : std::uint8_t {
  kFailed = 1,    // a 5xx, a function error, a 4xx of the viewer's
  kCold = 2,      // waited for an instance's start
  kSlow = 4,      // an outlier of its route
  kFirst = 8,     // the first of its route in that second
  kSampled = 16,  // a sampling rule said so, and others were asked to add to it
  kLate = 32,     // came after its request was answered: a refresh in the background
};
// "failed, slow".
std::string reasons_text(std::uint8_t reasons);

struct HopRecord {
  TraceId id;
  std::uint8_t reasons = 0;
  std::vector<Hop> hops;
  bool operator==(const HopRecord&) const = default;
};

// A segment document, valid when it was taken.
struct DocumentRecord {
  TraceId id;
  WallTime begin{};
  std::string json;
  bool operator==(const DocumentRecord&) const = default;
};

struct Records {
  std::vector<HopRecord> hops;
  std::vector<DocumentRecord> documents;
  std::size_t size() const { return hops.size() + documents.size(); }
};

// The body of a block, not yet compressed. Texts are stored once a block.
std::string encode(const Records& records);
// kMalformed: not what encode() made.
Result<Records> decode(std::string_view bytes);

}  // namespace securebase::traces
