// The wire format of Protocol Buffers (protobuf.dev, "Encoding"), as far as OTLP's traces need it.
#include <fmt/format.h>

#include <cmath>
#include <map>
#include <optional>
#include <unordered_map>

#include "base/encoding.h"
#include "traces/otlp/spans.h"
#include "traces/record/bytes.h"

namespace securebase::traces::otlp {

namespace {

constexpr int kDeepestSegment = 64;
constexpr std::uint64_t kLargestField = (1 << 29) - 1;

class ProtoFields {
 public:
  explicit ProtoFields(std::string_view message) : in_(message) {}

  // The next field; false: no more, or (bad()) no message.
  bool next() {
    if (in_.at_end() || in_.bad()) return false;
    const auto tag = in_.varint();
    if (tag >> 3 == 0 || tag >> 3 > kLargestField) return in_.fail(), false;
    number_ = static_cast<std::uint32_t>(tag >> 3);
    bits_ = 0;
    bytes_ = {};
    switch (tag & 7) {
      case 0:
        bits_ = in_.varint();
        break;
      case 1:
        bits_ = in_.fixed<std::uint64_t>();
        break;
      case 2:
        bytes_ = in_.take(static_cast<std::size_t>(in_.varint()));
        break;
      case 5:
        bits_ = in_.fixed<std::uint32_t>();
        break;
      default:  // groups, which no message of today's has
        in_.fail();
    }
    return !in_.bad();
  }
  bool bad() const { return in_.bad(); }
  std::uint32_t number() const { return number_; }
  // What a field of another wire type gives is nothing: 0 or no bytes.
  std::uint64_t integer() const { return bits_; }
  std::string_view bytes() const { return bytes_; }

 private:
  Bytes in_;
  std::uint32_t number_ = 0;
  std::uint64_t bits_ = 0;
  std::string_view bytes_;
};

bool read_value(std::string_view message, std::optional<Annotation>& value) {
  ProtoFields fields(message);
  while (fields.next()) {
    switch (fields.number()) {
      case 1:
        value = std::string(fields.bytes());
        break;
      case 2:
        value = fields.integer() != 0;
        break;
      case 3:
        value = static_cast<double>(static_cast<std::int64_t>(fields.integer()));
        break;
      case 4: {
        double real = 0;
        const auto bits = fields.integer();
        std::memcpy(&real, &bits, sizeof real);
        value = real;
        break;
      }
      default:
        break;  // lists and maps are no annotations
    }
  }
  return !fields.bad();
}

bool read_attribute(std::string_view message, Attributes& attributes, std::size_t most_bytes = SpanLimits::kSpanBytes) {
  ProtoFields fields(message);
  std::string key;
  std::optional<Annotation> value;
  while (fields.next()) {
    if (fields.number() == 1) key = fields.bytes();
    if (fields.number() == 2 && !read_value(fields.bytes(), value)) return false;
  }
  if (value && !key.empty()) add_attribute(attributes, key, std::move(*value), most_bytes);
  return !fields.bad();
}

bool read_event(std::string_view message, OtlpSpan& span) {
  ProtoFields fields(message);
  std::string_view name;
  Attributes attributes;
  while (fields.next()) {
    if (fields.number() == 2) name = fields.bytes();
    if (fields.number() == 3 && !read_attribute(fields.bytes(), attributes)) return false;
  }
  if (name == "exception" && span.exceptions.size() < SpanLimits::kExceptions) {
    Exception exception;
    for (const auto& [key, value] : attributes) {
      const auto* text = std::get_if<std::string>(&value);
      if (text && key == "exception.type") exception.type = *text;
      if (text && key == "exception.message") exception.message = *text;
    }
    span.exceptions.push_back(std::move(exception));
  }
  return !fields.bad();
}

bool read_link(std::string_view message, OtlpSpan& span) {
  ProtoFields fields(message);
  OtlpLink link;
  while (fields.next()) {
    if (fields.number() == 1) link.trace_id = base::hex(fields.bytes());
    if (fields.number() == 2) link.span_id = base::hex(fields.bytes());
  }
  if (span.links.size() < SpanLimits::kLinks) span.links.push_back(std::move(link));
  return !fields.bad();
}

bool read_span(std::string_view message, OtlpSpan& span) {
  ProtoFields fields(message);
  while (fields.next()) {
    switch (fields.number()) {
      case 1:
        span.trace_id = base::hex(fields.bytes());
        break;
      case 2:
        span.span_id = base::hex(fields.bytes());
        break;
      case 4:
        span.parent_id = base::hex(fields.bytes());
        break;
      case 5:
        span.name = fields.bytes();
        break;
      case 6:
        if (fields.integer() <= 5) span.kind = static_cast<Kind>(fields.integer());
        break;
      case 7:
        span.start_ns = fields.integer();
        break;
      case 8:
        span.end_ns = fields.integer();
        break;
      case 9:
        if (!read_attribute(fields.bytes(), span.attributes)) return false;
        break;
      case 11:
        if (!read_event(fields.bytes(), span)) return false;
        break;
      case 13:
        if (!read_link(fields.bytes(), span)) return false;
        break;
      case 15: {
        ProtoFields status(fields.bytes());
        while (status.next()) {
          if (status.number() == 2) span.message = status.bytes();
          if (status.number() == 3) span.failed = status.integer() == 2;
        }
        if (status.bad()) return false;
        break;
      }
      default:
        break;
    }
  }
  return !fields.bad();
}

enum class Reading { kDone, kMalformed, kTooMany };

Reading read_resource_spans(std::string_view message, std::vector<OtlpSpan>& spans) {
  std::string service;
  auto attributes = std::make_shared<Attributes>();
  const auto first = spans.size();
  ProtoFields fields(message);
  while (fields.next()) {
    if (fields.number() == 1) {
      ProtoFields resource(fields.bytes());
      while (resource.next()) {
        if (resource.number() != 1) continue;
        if (!read_attribute(resource.bytes(), *attributes, SpanLimits::kResourceBytes)) return Reading::kMalformed;
      }
      if (resource.bad()) return Reading::kMalformed;
      for (const auto& [key, value] : *attributes) {
        if (const auto* text = std::get_if<std::string>(&value); text && key == "service.name") {
          service = text->substr(0, SpanLimits::kServiceBytes);
        }
      }
    }
    if (fields.number() != 2) continue;
    ProtoFields scope(fields.bytes());
    while (scope.next()) {
      if (scope.number() != 2) continue;
      if (spans.size() >= kMostSpans) return Reading::kTooMany;
      if (!read_span(scope.bytes(), spans.emplace_back())) return Reading::kMalformed;
    }
    if (scope.bad()) return Reading::kMalformed;
  }
  for (auto i = first; i < spans.size(); ++i) {
    spans[i].service = service;
    spans[i].resource = attributes;
  }
  return fields.bad() ? Reading::kMalformed : Reading::kDone;
}

void put_bytes(std::string& out, std::uint32_t number, std::string_view bytes) {
  put_varint(out, std::uint64_t{number} << 3 | 2);
  put_text(out, bytes);
}
void put_integer(std::string& out, std::uint32_t number, std::uint64_t value) {
  put_varint(out, std::uint64_t{number} << 3);
  put_varint(out, value);
}
void put_fixed64(std::string& out, std::uint32_t number, std::uint64_t value) {
  put_varint(out, std::uint64_t{number} << 3 | 1);
  put_fixed(out, value);
}

void put_pair(std::string& out, std::uint32_t number, std::string_view key, std::string_view any) {
  std::string pair;
  put_bytes(pair, 1, key);
  put_bytes(pair, 2, any);
  put_bytes(out, number, pair);
}

// An annotation's number is a double, with or without a fraction: the values of one name are all of one type.
void put_attribute(std::string& out, std::uint32_t number, std::string_view key, const Annotation& value) {
  std::string any;
  if (const auto* text = std::get_if<std::string>(&value)) put_bytes(any, 1, *text);
  if (const auto* yes = std::get_if<bool>(&value)) put_integer(any, 2, *yes ? 1 : 0);
  if (const auto* real = std::get_if<double>(&value)) {
    std::uint64_t bits = 0;
    std::memcpy(&bits, real, sizeof bits);
    put_fixed64(any, 4, bits);
  }
  put_pair(out, number, key, any);
}

// What semantic conventions have as an integer.
void put_integer_attribute(std::string& out, std::uint32_t number, std::string_view key, std::int64_t value) {
  std::string any;
  put_integer(any, 3, static_cast<std::uint64_t>(value));
  put_pair(out, number, key, any);
}

std::string binary(const TraceId& id) { return *base::from_hex(fmt::format("{:016x}{:016x}", id.high, id.low)); }

void put_rest(std::string& span, const Segment& segment, Kind kind) {
  for (const auto& exception : segment.exceptions) {
    std::string event;
    put_fixed64(event, 1, static_cast<std::uint64_t>(segment.end * 1e9));
    put_bytes(event, 2, "exception");
    put_attribute(event, 3, "exception.type", exception.type);
    put_attribute(event, 3, "exception.message", exception.message);
    put_bytes(span, 11, event);
  }
  for (const auto& link : segment.links) {
    std::string other;
    put_bytes(other, 1, binary(link.trace));
    put_bytes(other, 2, base::from_hex(link.id).value_or(""));
    put_bytes(span, 13, other);
  }
  // Semantic conventions, HTTP: a 4xx is an error of who asked, and none of who answered.
  if (segment.fault || (segment.error && kind == Kind::kClient)) {
    std::string status;
    if (!segment.exceptions.empty()) put_bytes(status, 2, segment.exceptions.front().message);
    put_integer(status, 3, 2);
    put_bytes(span, 15, status);
  }
}

void put_one(std::string& spans, const Segment& segment, const std::string& parent, const std::string& trace) {
  const auto id = base::from_hex(segment.id).value_or("");
  std::string span;
  put_bytes(span, 1, trace);
  put_bytes(span, 2, id);
  const auto above = base::from_hex(parent.empty() ? segment.parent_id : parent).value_or("");
  if (!above.empty()) put_bytes(span, 4, above);
  put_bytes(span, 5, segment.http.url.empty() ? segment.name : segment.http.method + " " + segment.name);
  const auto kind = !segment.subsegment ? Kind::kServer : segment.name_space.empty() ? Kind::kInternal : Kind::kClient;
  put_integer(span, 6, static_cast<std::uint64_t>(kind));
  put_fixed64(span, 7, static_cast<std::uint64_t>(segment.begin * 1e9));
  put_fixed64(span, 8, static_cast<std::uint64_t>(segment.end * 1e9));
  for (const auto& [key, value] : segment.annotations) put_attribute(span, 9, key, value);
  if (!segment.http.url.empty()) put_attribute(span, 9, "url.full", segment.http.url);
  if (!segment.http.method.empty()) put_attribute(span, 9, "http.request.method", segment.http.method);
  if (segment.http.status != 0) put_integer_attribute(span, 9, "http.response.status_code", segment.http.status);
  if (!segment.origin.empty()) put_attribute(span, 9, "aws.xray.origin", segment.origin);
  put_rest(span, segment, kind);
  put_bytes(spans, 2, span);
}

// One segment or subsegment, then those inside of it.
void put_segment(std::string& spans, const Segment& segment, const std::string& parent, const std::string& trace,
                 int level = 0) {
  // Of one in progress nothing goes out: its document comes whole when it has ended, with all that is inside of it.
  if (level > kDeepestSegment || segment.in_progress) return;
  put_one(spans, segment, parent, trace);
  for (const auto& inner : segment.subsegments) put_segment(spans, inner, segment.id, trace, level + 1);
}

// Which service a subsegment that came on its own is part of, as far as the records of its batch tell.
class Owners {
 public:
  void add(const TraceId& trace, const Segment& top) {
    const auto key = [&](const std::string& id) { return trace.text() + id; };
    for_each_segment(top, [&](const Segment& segment) {
      if (!top.subsegment) {
        services_.emplace(key(segment.id), top.name);
      } else {
        parents_.emplace(key(segment.id), key(top.parent_id));
      }
    });
  }
  std::string of(const TraceId& trace, const Segment& top) const {
    if (!top.subsegment) return top.name;
    auto at = trace.text() + top.parent_id;
    for (int steps = 0; steps < kDeepestSegment; ++steps) {
      if (const auto found = services_.find(at); found != services_.end()) return found->second;
      const auto above = parents_.find(at);
      if (above == parents_.end()) break;
      at = above->second;
    }
    return top.name;
  }

 private:
  std::unordered_map<std::string, std::string> services_;
  std::unordered_map<std::string, std::string> parents_;
};

}  // namespace

Result<std::vector<OtlpSpan>> read_protobuf(std::string_view body) {
  std::vector<OtlpSpan> spans;
  ProtoFields fields(body);
  while (fields.next()) {
    if (fields.number() != 1) continue;
    switch (read_resource_spans(fields.bytes(), spans)) {
      case Reading::kDone:
        break;
      case Reading::kMalformed:
        return Error{Errc::kMalformed, "the body is no ExportTraceServiceRequest"};
      case Reading::kTooMany:
        return Error{Errc::kLimit, fmt::format("a request has at most {} spans", kMostSpans)};
    }
  }
  if (fields.bad()) return Error{Errc::kMalformed, "the body is no ExportTraceServiceRequest"};
  return spans;
}

std::string answer_protobuf(std::uint64_t rejected, std::string_view why) {
  std::string out;
  if (rejected == 0) return out;
  std::string partial;
  put_integer(partial, 1, rejected);
  put_bytes(partial, 2, why);
  put_bytes(out, 1, partial);
  return out;
}

PartialSuccess read_answer(std::string_view body) {
  PartialSuccess said;
  ProtoFields fields(body);
  while (fields.next()) {
    if (fields.number() != 1) continue;
    ProtoFields partial(fields.bytes());
    while (partial.next()) {
      if (partial.number() == 1) said.rejected_spans = partial.integer();
      if (partial.number() == 2) said.message = partial.bytes();
    }
  }
  return said;
}

std::string write_protobuf(const Records& records) {
  std::vector<std::pair<TraceId, std::vector<Segment>>> all;
  for (const auto& record : records.hops) all.emplace_back(record.id, segments_of(record));
  for (const auto& document : records.documents) {
    auto parsed = parse_segment(document.json, std::chrono::floor<std::chrono::microseconds>(document.begin));
    if (!parsed) continue;
    all.emplace_back(document.id, std::vector<Segment>());
    all.back().second.push_back(std::move(parsed->segment));
  }
  Owners owners;
  for (const auto& [id, tops] : all) {
    for (const auto& top : tops) owners.add(id, top);
  }
  std::string out;
  for (const auto& [id, tops] : all) {
    std::map<std::string, std::string> services;  // scope_spans, by service.name
    for (const auto& top : tops) put_segment(services[owners.of(id, top)], top, "", binary(id));
    for (const auto& [service, spans] : services) {
      if (spans.empty()) continue;
      std::string resource;
      put_attribute(resource, 1, "service.name", service);
      std::string both;
      put_bytes(both, 1, resource);
      put_bytes(both, 2, spans);
      put_bytes(out, 1, both);
    }
  }
  return out;
}

}  // namespace securebase::traces::otlp
