// The wire format of Protocol Buffers (protobuf.dev, "Encoding"), as far as OTLP's traces need it.
#include <fmt/format.h>

#include <map>
#include <optional>

#include "base/encoding.h"
#include "traces/otlp/spans.h"
#include "traces/record/bytes.h"

namespace securebase::traces::otlp {

namespace {

constexpr int kDeepestValue = 8;

class ProtoFields {
 public:
  explicit ProtoFields(std::string_view message) : in_(message) {}

  // The next field; false: no more, or (bad()) no message.
  bool next() {
    if (in_.at_end() || in_.bad()) return false;
    const auto tag = in_.varint();
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
      default:
        in_.fail();
    }
    if (number_ == 0) in_.fail();
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

bool read_attribute(std::string_view message, Attributes& attributes) {
  ProtoFields fields(message);
  std::string key;
  std::optional<Annotation> value;
  while (fields.next()) {
    if (fields.number() == 1) key = fields.bytes();
    if (fields.number() == 2 && !read_value(fields.bytes(), value)) return false;
  }
  if (value && !key.empty()) attributes.emplace_back(std::move(key), std::move(*value));
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
  if (name == "exception") {
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
  const auto first = spans.size();
  ProtoFields fields(message);
  while (fields.next()) {
    if (fields.number() == 1) {
      ProtoFields resource(fields.bytes());
      Attributes attributes;
      while (resource.next()) {
        if (resource.number() == 1 && !read_attribute(resource.bytes(), attributes)) return Reading::kMalformed;
      }
      if (resource.bad()) return Reading::kMalformed;
      for (const auto& [key, value] : attributes) {
        if (const auto* text = std::get_if<std::string>(&value); text && key == "service.name") service = *text;
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
  for (auto i = first; i < spans.size(); ++i) spans[i].service = service;
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

void put_attribute(std::string& out, std::uint32_t number, std::string_view key, const Annotation& value) {
  std::string any;
  if (const auto* text = std::get_if<std::string>(&value)) put_bytes(any, 1, *text);
  if (const auto* yes = std::get_if<bool>(&value)) put_integer(any, 2, *yes ? 1 : 0);
  if (const auto* real = std::get_if<double>(&value)) {
    std::uint64_t bits = 0;
    std::memcpy(&bits, real, sizeof bits);
    put_fixed64(any, 4, bits);
  }
  std::string pair;
  put_bytes(pair, 1, key);
  put_bytes(pair, 2, any);
  put_bytes(out, number, pair);
}

std::string binary(const TraceId& id) { return *base::from_hex(fmt::format("{:016x}{:016x}", id.high, id.low)); }

// One segment or subsegment, then those inside of it.
void put_segment(std::map<std::string, std::string>& services, const Segment& segment, const std::string& service,
                 const std::string& parent, const std::string& trace, int level) {
  if (level > kDeepestValue * 8) return;
  const std::string& own_service = segment.subsegment ? service : segment.name;
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
  if (segment.http.status != 0) {
    put_attribute(span, 9, "http.response.status_code", static_cast<double>(segment.http.status));
  }
  if (!segment.origin.empty()) put_attribute(span, 9, "aws.xray.origin", segment.origin);
  if (segment.fault) {
    std::string status;
    put_integer(status, 3, 2);
    put_bytes(span, 15, status);
  }
  put_bytes(services[own_service], 2, span);
  for (const auto& inner : segment.subsegments) {
    put_segment(services, inner, own_service, segment.id, trace, level + 1);
  }
}

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

std::string write_protobuf(const Records& records) {
  std::string out;
  const auto add = [&out](const std::vector<Segment>& segments, const TraceId& id) {
    std::map<std::string, std::string> services;  // scope_spans, by service.name
    for (const auto& segment : segments) put_segment(services, segment, segment.name, "", binary(id), 0);
    for (const auto& [service, spans] : services) {
      std::string resource;
      put_attribute(resource, 1, "service.name", service);
      std::string both;
      put_bytes(both, 1, resource);
      put_bytes(both, 2, spans);
      put_bytes(out, 1, both);
    }
  };
  for (const auto& record : records.hops) add(segments_of(record), record.id);
  for (const auto& document : records.documents) {
    auto parsed = parse_segment(document.json, std::chrono::floor<std::chrono::microseconds>(document.begin));
    if (!parsed) continue;
    std::vector<Segment> one;
    one.push_back(std::move(parsed->segment));
    add(one, document.id);
  }
  return out;
}

}  // namespace securebase::traces::otlp
