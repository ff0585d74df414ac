// OTLP's spans, as far as X-Ray's segments can say them (opentelemetry-proto v1, trace.proto), in both of its
// encodings.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "traces/segment/segment.h"

namespace securebase::traces::otlp {

using Attributes = std::vector<std::pair<std::string, Annotation>>;

enum class Kind : std::uint8_t { kUnspecified, kInternal, kServer, kClient, kProducer, kConsumer };

// More of them in one span than an SDK sends by its own default are left out: each is many bytes here and few there.
struct SpanLimits {
  static constexpr std::size_t kAttributes = 128;
  static constexpr std::size_t kExceptions = 64;
  static constexpr std::size_t kLinks = 64;
  // Of the attributes of a span, and of a resource, which each of its spans gets.
  static constexpr std::size_t kSpanBytes = std::size_t{64} << 10;
  static constexpr std::size_t kResourceBytes = std::size_t{8} << 10;
  static constexpr std::size_t kServiceBytes = 200;
};

// Takes it unless there are too many, or they are too large together.
void add_attribute(Attributes& attributes, std::string_view key, Annotation value,
                   std::size_t most_bytes = SpanLimits::kSpanBytes);

struct OtlpLink {
  std::string trace_id;
  std::string span_id;
};

struct OtlpSpan {
  std::string service;                         // service.name of its resource
  std::shared_ptr<const Attributes> resource;  // the others of it; never null in what a reader gives
  std::string trace_id;                        // 32 hex digits
  std::string span_id;                         // 16
  std::string parent_id;                       // 16, or ""
  std::string name;
  Kind kind = Kind::kUnspecified;
  std::uint64_t start_ns = 0;
  std::uint64_t end_ns = 0;
  Attributes attributes;
  std::vector<Exception> exceptions;  // of its events; others are not kept
  std::vector<OtlpLink> links;
  bool failed = false;
  std::string message;  // of the status
};

inline constexpr std::size_t kMostSpans = 20'000;  // of one request

// ExportTraceServiceRequest. kMalformed, kLimit.
Result<std::vector<OtlpSpan>> read_protobuf(std::string_view body);
Result<std::vector<OtlpSpan>> read_json(std::string_view body);
// ExportTraceServiceResponse; `rejected` 0: all were taken.
std::string answer_protobuf(std::uint64_t rejected, std::string_view why);
// What a collector's ExportTraceServiceResponse says of spans that it did not take; nothing of what is none.
struct PartialSuccess {
  std::uint64_t rejected_spans = 0;
  std::string message;
};
PartialSuccess read_answer(std::string_view body);
std::string answer_json(std::uint64_t rejected, std::string_view why);

// Whether the ids are some at all: those of zeros are none. Of other lengths parse_segment() says what is wrong.
bool has_ids(const OtlpSpan& span);
// As a segment document: of servers, consumers and roots a segment, of everything else a subsegment of its parent.
base::Json document_of(const OtlpSpan& span);

// ExportTraceServiceRequest of this platform's hops and of documents; what is still in progress comes when it is whole.
std::string write_protobuf(const Records& records);

}  // namespace securebase::traces::otlp
