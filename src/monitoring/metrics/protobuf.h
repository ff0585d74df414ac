// The wire format of Protocol Buffers (protobuf.dev, "Encoding"), as far as OTLP and Prometheus' remote write need it:
// a dozen messages whose numbers stand beside their use. So no generated code, no schemas of others, and a reader whose
// every length is checked against what is there.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "monitoring/metrics/varint.h"

namespace securebase::monitoring {

// Walks over the fields of one message. The bytes outlive it.
class ProtoReader {
 public:
  enum class Wire : std::uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

  explicit ProtoReader(std::string_view message) : in_(message) {}

  // The next field; false: no more, or (bad()) no message. A field's value is one of those below.
  bool next() {
    if (in_.at_end() || in_.bad()) return false;
    const std::uint64_t tag = in_.varint();
    number_ = static_cast<std::uint32_t>(tag >> 3);
    wire_ = static_cast<Wire>(tag & 7);
    switch (wire_) {
      case Wire::kVarint:
        bits_ = in_.varint();
        break;
      case Wire::kFixed64:
        bits_ = in_.fixed<std::uint64_t>();
        break;
      case Wire::kFixed32:
        bits_ = in_.fixed<std::uint32_t>();
        break;
      case Wire::kBytes:
        bytes_ = in_.bytes(in_.varint());
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
  std::uint64_t integer() const { return wire_ == Wire::kBytes ? 0 : bits_; }
  std::int64_t zigzag_integer() const { return unzigzag(integer()); }
  double real() const {
    double value = 0;
    if (wire_ == Wire::kFixed64) std::memcpy(&value, &bits_, sizeof value);
    return value;
  }
  std::string_view bytes() const { return wire_ == Wire::kBytes ? bytes_ : std::string_view{}; }

 private:
  Cursor in_;
  std::uint32_t number_ = 0;
  Wire wire_ = Wire::kVarint;
  std::uint64_t bits_ = 0;
  std::string_view bytes_;
};

inline void put_proto_bytes(std::string& out, std::uint32_t number, std::string_view bytes) {
  put_varint(out, std::uint64_t{number} << 3 | 2);
  put_varint(out, bytes.size());
  out += bytes;
}
inline void put_proto_integer(std::string& out, std::uint32_t number, std::uint64_t value) {
  put_varint(out, std::uint64_t{number} << 3);
  put_varint(out, value);
}
inline void put_proto_real(std::string& out, std::uint32_t number, double value) {
  put_varint(out, std::uint64_t{number} << 3 | 1);
  put_fixed(out, value);
}

}  // namespace securebase::monitoring
