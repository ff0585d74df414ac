// A segment as X-Ray has it (developer guide, "AWS X-Ray segment documents"): what one service did for one request,
// with the subsegments in which it did it. Read from the documents that others send, and made from this platform's
// hops.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/json.h"
#include "traces/record/record.h"

namespace securebase::traces {

using Annotation = std::variant<std::string, double, bool>;

struct Exception {
  std::string type;
  std::string message;
  bool remote = false;
};

// Another trace's segment that this one has to do with, as a message's receiver with its senders.
struct Link {
  TraceId trace;
  std::string id;  // 16 hex digits
};

struct Segment {
  struct Http {
    std::string method;
    std::string url;
    std::string user_agent;
    std::string client_ip;
    std::int64_t status = 0;
  };

  std::string id;         // 16 hex digits
  std::string parent_id;  // or ""
  std::string name;
  std::string origin;      // "AWS::Lambda::Function"
  std::string name_space;  // "aws", "remote", or "": of a subsegment, a call of something outside
  double begin = 0;        // seconds since the epoch
  double end = 0;          // while in progress: begin
  bool subsegment = false;
  bool in_progress = false;
  bool fault = false;
  bool error = false;
  bool throttle = false;
  Http http;
  std::string user;
  std::string resource_arn;
  std::string instance_id;
  std::string availability_zone;
  bool sql = false;
  std::vector<std::pair<std::string, Annotation>> annotations;
  std::vector<Exception> exceptions;
  std::vector<Link> links;
  std::vector<Segment> subsegments;

  double duration() const { return end - begin; }
};

// Why a document is not taken: X-Ray's code for PutTraceSegments, and words.
struct SegmentRefusal {
  std::string id;  // the segment's, where it says one
  std::string code;
  std::string message;
};

inline constexpr std::size_t kSegmentBytes = 64 << 10;

struct ParsedSegment {
  TraceId trace;
  Segment segment;
};
// A document of up to 64 KB, with its limits: 50 annotations, 16 levels, 2000 subsegments. `now`: it begins within the
// last 30 days and not a day ahead.
Result<ParsedSegment, SegmentRefusal> parse_segment(std::string_view json, base::TimePoint now);

// The segments of this platform's hops, each a document of its own: those of edge, gateway and function are segments,
// the others subsegments in the one above them.
std::vector<Segment> segments_of(const HopRecord& record);
// As a document; with trace_id where it is not inside of another.
base::Json to_json(const Segment& segment, const TraceId* trace);

// A whole trace: top segments, with subsegments that came on their own put in their places.
struct Trace {
  TraceId id;
  WallTime begin{};  // of its first record, to the nanosecond, as the store finds it
  std::uint8_t reasons = 0;
  std::vector<Segment> segments;
  // Documents as they came or as hops give them: id and text.
  std::vector<std::pair<std::string, std::string>> documents;
};
Trace assemble(const TraceId& id, const Records& records);

// Each subsegment in the segment that it names as its parent, wherever that is among them.
std::vector<Segment> linked(std::vector<Segment> segments);

template <class Visit>
void for_each_segment(const Segment& segment, Visit&& visit) {
  visit(segment);
  for (const auto& inner : segment.subsegments) for_each_segment(inner, visit);
}

}  // namespace securebase::traces
