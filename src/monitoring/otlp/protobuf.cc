// Field numbers are those of opentelemetry/proto/metrics/v1/metrics.proto, common.proto and resource.proto.
#include <fmt/format.h>

#include <cstring>

#include "monitoring/metrics/protobuf.h"
#include "monitoring/otlp/points.h"

namespace securebase::monitoring::otlp {

namespace {

// Parsing stops at the first error, which is kept here.
class ProtobufParser {
 public:
  explicit ProtobufParser(const Limits& limits) : limits_(limits) {}

  Result<std::vector<ResourceMetrics>> request(std::string_view body) {
    std::vector<ResourceMetrics> all;
    each_field(body, [&](ProtoReader& field) {
      if (field.number() == 1) all.push_back(resource_metrics(field.bytes()));
    });
    if (failure_) return *failure_;
    return all;
  }

 private:
  template <class F>
  void each_field(std::string_view message, F f) {
    ProtoReader reader(message);
    while (!failure_ && reader.next()) f(reader);
    if (reader.bad() && !failure_) {
      failure_ =
          Error{Errc::kMalformed, "the body is no ExportMetricsServiceRequest in protobuf: a field ends past it"};
    }
  }

  void limit(std::size_t count, std::size_t most, std::string_view what) {
    if (count > most && !failure_) {
      failure_ = Error{Errc::kLimit, fmt::format("the request has more than {} {}; send smaller ones", most, what)};
    }
  }

  ResourceMetrics resource_metrics(std::string_view message) {
    ResourceMetrics out;
    each_field(message, [&](ProtoReader& field) {
      if (field.number() == 1) {
        each_field(field.bytes(), [&](ProtoReader& of_resource) {
          if (of_resource.number() == 1) add_attribute(of_resource.bytes(), out.resource);
        });
      } else if (field.number() == 2) {
        each_field(field.bytes(), [&](ProtoReader& of_scope) {
          if (of_scope.number() == 2) out.metrics.push_back(metric(of_scope.bytes()));
        });
      }
    });
    return out;
  }

  void add_attribute(std::string_view message, Attributes& attributes) {
    std::pair<std::string, std::string> made;
    each_field(message, [&](ProtoReader& field) {
      if (field.number() == 1) made.first = field.bytes();
      if (field.number() == 2) made.second = any_value(field.bytes());
    });
    attributes.push_back(std::move(made));
    limit(attributes.size(), limits_.attributes, "attributes at one place");
  }

  // Scalars only: lists and maps identify nothing.
  std::string any_value(std::string_view message) {
    std::string text;
    each_field(message, [&](ProtoReader& field) {
      if (field.number() == 1) text = field.bytes();
      if (field.number() == 2) text = field.integer() ? "true" : "false";
      if (field.number() == 3) text = std::to_string(static_cast<std::int64_t>(field.integer()));
      if (field.number() == 4) text = fmt::format("{}", field.real());
    });
    return text;
  }

  Metric metric(std::string_view message) {
    Metric out;
    each_field(message, [&](ProtoReader& field) {
      switch (field.number()) {
        case 1:
          out.name = field.bytes();
          break;
        case 3:
          out.unit = field.bytes();
          break;
        case 5:
          data(field.bytes(), Kind::kGauge, out);
          break;
        case 7:
          data(field.bytes(), Kind::kSum, out);
          break;
        case 9:
          data(field.bytes(), Kind::kHistogram, out);
          break;
        case 10:
          data(field.bytes(), Kind::kExponentialHistogram, out);
          break;
        case 11:
          data(field.bytes(), Kind::kSummary, out);
          break;
        default:
          break;
      }
    });
    return out;
  }

  void data(std::string_view message, Kind kind, Metric& out) {
    out.kind = kind;
    each_field(message, [&](ProtoReader& field) {
      if (field.number() == 1) {
        limit(++points_, limits_.points, "data points");
        out.points.push_back(kind == Kind::kGauge || kind == Kind::kSum ? number_point(field.bytes())
                             : kind == Kind::kHistogram                 ? histogram_point(field.bytes())
                             : kind == Kind::kExponentialHistogram      ? exponential_point(field.bytes())
                                                                        : Point{});
      }
      if (field.number() == 2) out.temporality = static_cast<Temporality>(field.integer() <= 2 ? field.integer() : 0);
      if (field.number() == 3) out.monotonic = field.integer() != 0;
    });
  }

  Point number_point(std::string_view message) {
    Point out;
    each_field(message, [&](ProtoReader& field) {
      if (field.number() == 2) out.start_ns = field.integer();
      if (field.number() == 3) out.time_ns = field.integer();
      if (field.number() == 4) out.value = field.real();
      if (field.number() == 6) out.value = static_cast<double>(static_cast<std::int64_t>(field.integer()));
      if (field.number() == 7) add_attribute(field.bytes(), out.attributes);
      if (field.number() == 8) out.no_value = (field.integer() & 1) != 0;
    });
    return out;
  }

  // Packed, as proto3 writes them, or one by one.
  template <class T>
  void add_fixed(const ProtoReader& field, std::vector<T>& values) {
    Cursor in(field.bytes());
    while (!in.at_end() && !in.bad() && values.size() <= limits_.buckets) values.push_back(in.fixed<T>());
    if (in.bad() && !failure_) failure_ = Error{Errc::kMalformed, "a packed field is not whole numbers of eight bytes"};
    limit(values.size(), limits_.buckets, "buckets in one point");
  }

  Point histogram_point(std::string_view message) {
    Point out;
    each_field(message, [&](ProtoReader& field) {
      if (field.number() == 2) out.start_ns = field.integer();
      if (field.number() == 3) out.time_ns = field.integer();
      if (field.number() == 4) out.count = field.integer();
      if (field.number() == 5) out.sum = field.real();
      if (field.number() == 6) add_fixed(field, out.counts);
      if (field.number() == 7) add_fixed(field, out.bounds);
      if (field.number() == 9) add_attribute(field.bytes(), out.attributes);
      if (field.number() == 10) out.no_value = (field.integer() & 1) != 0;
      if (field.number() == 11) out.minimum = field.real();
      if (field.number() == 12) out.maximum = field.real();
    });
    return out;
  }

  void exponential_buckets(std::string_view message, std::int64_t& offset, std::vector<std::uint64_t>& counts) {
    each_field(message, [&](ProtoReader& field) {
      if (field.number() == 1) offset = field.zigzag_integer();
      if (field.number() != 2) return;
      Cursor in(field.bytes());
      while (!in.at_end() && !in.bad() && counts.size() <= limits_.buckets) counts.push_back(in.varint());
      if (in.bad() && !failure_) failure_ = Error{Errc::kMalformed, "a packed field does not end with a number"};
      limit(counts.size(), limits_.buckets, "buckets in one point");
    });
  }

  Point exponential_point(std::string_view message) {
    Point out;
    each_field(message, [&](ProtoReader& field) {
      if (field.number() == 1) add_attribute(field.bytes(), out.attributes);
      if (field.number() == 2) out.start_ns = field.integer();
      if (field.number() == 3) out.time_ns = field.integer();
      if (field.number() == 4) out.count = field.integer();
      if (field.number() == 5) out.sum = field.real();
      if (field.number() == 6) out.scale = static_cast<int>(field.zigzag_integer());
      if (field.number() == 7) out.zeros = field.integer();
      if (field.number() == 8) exponential_buckets(field.bytes(), out.offset, out.counts);
      if (field.number() == 9) exponential_buckets(field.bytes(), out.negative_offset, out.negative_counts);
      if (field.number() == 10) out.no_value = (field.integer() & 1) != 0;
      if (field.number() == 12) out.minimum = field.real();
      if (field.number() == 13) out.maximum = field.real();
    });
    return out;
  }

  const Limits& limits_;
  std::size_t points_ = 0;
  std::optional<Error> failure_;
};

}  // namespace

Result<std::vector<ResourceMetrics>> parse_protobuf(std::string_view body, const Limits& limits) {
  return ProtobufParser(limits).request(body);
}

}  // namespace securebase::monitoring::otlp
