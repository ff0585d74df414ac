// Integers of as many bytes as they need: seven bits a byte, the lowest first, the top bit says that more follow.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace securebase::traces {

inline void put_varint(std::string& out, std::uint64_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<char>(value));
}
inline void put_signed(std::string& out, std::int64_t value) {
  put_varint(out, (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63));
}
template <class T>
void put_fixed(std::string& out, T value) {  // as it lies in memory: little-endian machines only
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  out.append(bytes, sizeof value);
}
inline void put_text(std::string& out, std::string_view text) {
  put_varint(out, text.size());
  out += text;
}

// Reads from the front of bytes that outlive it. Past the end or over-long: bad() from then on, and zeros.
class Bytes {
 public:
  explicit Bytes(std::string_view bytes) : left_(bytes) {}

  bool bad() const { return bad_; }
  void fail() { bad_ = true, left_ = {}; }
  bool at_end() const { return left_.empty(); }
  std::size_t left() const { return left_.size(); }

  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64 && !left_.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(left_.front());
      left_.remove_prefix(1);
      value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    fail();
    return 0;
  }
  std::int64_t signed_varint() {
    const auto value = varint();
    return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
  }
  // How many of something follow, each of at least `least` bytes: no more than there can be.
  std::size_t count(std::size_t least = 1) {
    const auto value = varint();
    if (value > left() / least) return fail(), 0;
    return static_cast<std::size_t>(value);
  }
  std::uint8_t byte() { return fixed<std::uint8_t>(); }
  template <class T>
  T fixed() {
    T value{};
    if (left() < sizeof value) return fail(), value;
    std::memcpy(&value, left_.data(), sizeof value);
    left_.remove_prefix(sizeof value);
    return value;
  }
  std::string_view take(std::size_t size) {
    if (size > left()) return fail(), std::string_view{};
    const auto taken = left_.substr(0, size);
    left_.remove_prefix(size);
    return taken;
  }
  std::string_view text() { return take(count()); }

 private:
  std::string_view left_;
  bool bad_ = false;
};

}  // namespace securebase::traces
