// PutMetricData in CBOR (RFC 8949): the CborCursor takes definite lengths only.
#include <algorithm>
#include <bit>
#include <cstring>

#include "monitoring/put_assembler.h"
#include "monitoring/put_members.h"
#include "monitoring/quick_put.h"

namespace securebase::monitoring {

namespace {

// After the first surprise everything is nothing, and bad().
class CborCursor {
 public:
  explicit CborCursor(std::string_view bytes) : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  bool bad() const { return bad_; }
  bool at_end() const { return at_ == end_; }

  std::uint64_t array() { return sized(4); }
  std::uint64_t map() { return sized(5); }
  [[gnu::always_inline]] std::string_view text() {
    // Nearly all texts are short: their head is one byte.
    if (const std::size_t left = bytes_left(); left > 0) {
      const std::size_t size = static_cast<unsigned char>(*at_) - std::size_t{0x60};
      if (size < 24 && size < left) {
        const std::string_view text(at_ + 1, size);
        at_ += 1 + size;
        return text;
      }
    }
    return long_text();
  }
  [[gnu::always_inline]] double number() {
    // As are numbers doubles.
    if (bytes_left() > 8 && static_cast<unsigned char>(*at_) == 0xfb) {
      std::uint64_t bits = 0;
      std::memcpy(&bits, at_ + 1, sizeof bits);
      at_ += 9;
      return std::bit_cast<double>(__builtin_bswap64(bits));
    }
    return other_number();
  }
  // Seconds since 1970: a number with tag 1.
  double time() {
    const auto [major, additional, tag] = head();
    return major == 6 && tag == 1 ? number() : (fail(), 0.0);
  }
  void fail() { bad_ = true, at_ = end_; }

  // Where it stands, and what was read since then.
  const char* place() const { return at_; }
  std::string_view since(const char* place) const { return {place, static_cast<std::size_t>(at_ - place)}; }
  // Takes `bytes`, if they are what comes next.
  bool take(std::string_view bytes) {
    if (!std::string_view(at_, bytes_left()).starts_with(bytes)) return false;
    at_ += bytes.size();
    return true;
  }

 private:
  struct Head {
    unsigned major = 8;
    unsigned additional = 0;
    std::uint64_t argument = 0;
  };

  Head head() {
    if (at_ == end_) return fail(), Head{};
    const auto first = static_cast<unsigned char>(*at_++);
    Head head{static_cast<unsigned>(first) >> 5U, first & 31U, first & 31U};
    if (head.additional < 24) return head;
    const std::size_t size = std::size_t{1} << (head.additional - 24);
    if (head.additional > 27 || bytes_left() < size) return fail(), Head{};
    head.argument = 0;
    for (std::size_t i = 0; i < size; ++i) head.argument = head.argument << 8 | static_cast<unsigned char>(at_[i]);
    at_ += size;
    return head;
  }

  std::string_view long_text() {
    const std::uint64_t size = sized(3);
    const std::string_view text(at_, size);
    at_ += size;
    return text;
  }
  double other_number() {
    const auto [major, additional, argument] = head();
    if (major == 0) return static_cast<double>(argument);
    if (major == 1 && argument <= INT64_MAX) return static_cast<double>(-1 - static_cast<std::int64_t>(argument));
    if (major == 7 && additional == 27) return std::bit_cast<double>(argument);
    if (major == 7 && additional == 26) return std::bit_cast<float>(static_cast<std::uint32_t>(argument));
    return fail(), 0;
  }

  // Nothing has more elements, or more bytes, than there are bytes left.
  std::uint64_t sized(unsigned wanted) {
    if (bytes_left() > 0) {  // a short one, as above
      const std::size_t size = static_cast<unsigned char>(*at_) - std::size_t{wanted << 5U};
      if (size < 24 && size < bytes_left()) return ++at_, size;
    }
    const Head found = head();
    if (found.major != wanted || found.argument > bytes_left()) return fail(), 0;
    return found.argument;
  }
  std::size_t bytes_left() const { return static_cast<std::size_t>(end_ - at_); }

  const char* at_;
  const char* end_;
  bool bad_ = false;
};

class CborPutReader {
 public:
  CborPutReader(std::string_view cbor, base::TimePoint now, const KnownSeries& known)
      : in_(cbor), assembler_(now, known) {}

  std::optional<PutBatch> read() {
    bool data_read = false;
    for (std::uint64_t members = in_.map(); members > 0 && !in_.bad(); --members) {
      const auto name = in_.text();
      if (name == "Namespace") {
        if (!assembler_.name_space(in_.text())) return std::nullopt;
      } else if (name == "MetricData" && !data_read && assembler_.has_name_space()) {  // keys begin with the namespace
        data_read = true;
        const std::uint64_t count = in_.array();
        if (count > kMostData) return std::nullopt;
        assembler_.reserve(count);
        for (std::uint64_t i = 0; i < count && good(); ++i) datum();
      } else {
        return std::nullopt;
      }
    }
    if (!good() || !in_.at_end() || !data_read) return std::nullopt;
    return assembler_.take();
  }

 private:
  bool good() const { return !in_.bad() && !assembler_.failed(); }

  void datum() {
    std::string_view name = "";
    std::string_view dimensions = "";
    assembler_.begin();
    unsigned seen = 0;
    for (std::uint64_t members = in_.map(); members > 0 && good(); --members) {
      const DatumMember member = datum_member(in_.text());
      if ((seen & member) != 0) return in_.fail();
      seen |= member;
      switch (member) {
        case kMetricName:
          name = in_.text();
          break;
        case kDimensions:
          dimensions = pass_dimensions();
          break;
        case kTimestamp:
          time();
          break;
        case kValue:
          assembler_.value(in_.number());
          break;
        case kValues:
          for (auto left = in_.array(); left > 0 && good(); --left) assembler_.listed_value(in_.number());
          break;
        case kCounts:
          for (auto left = in_.array(); left > 0 && good(); --left) assembler_.count(in_.number());
          break;
        case kUnit:
          assembler_.unit(in_.text());
          break;
        case kStorageResolution:
          assembler_.resolution(in_.number());
          break;
        case kUnknownMember:
          return in_.fail();
      }
    }
    if (!good()) return;
    assembler_.end(name, dimensions, [dimensions](PutAssembler::Dimensions& into) {
      return dimensions.empty() || read_dimensions(CborCursor(dimensions), into);
    });
  }

  // Most requests have one time throughout.
  void time() {
    if (!time_bytes_.empty() && in_.take(time_bytes_)) return assembler_.time(time_);
    const char* const begin = in_.place();
    const double seconds = in_.time();
    if (in_.bad() || !(std::abs(seconds) < 1e11)) return in_.fail();
    const double whole = std::floor(seconds);
    time_ = base::TimePoint{std::chrono::seconds{static_cast<std::int64_t>(whole)}} +
            std::chrono::microseconds{std::llround((seconds - whole) * 1e6)};
    time_bytes_ = in_.since(begin);
    assembler_.time(time_);
  }

  // The bytes of a list of dimensions, whatever they say.
  std::string_view pass_dimensions() {
    const char* const begin = in_.place();
    if (const auto expected = assembler_.expected_dimensions(); !expected.empty() && in_.take(expected)) {
      return in_.since(begin);
    }
    for (std::uint64_t left = in_.array(); left > 0 && !in_.bad(); --left) {
      if (in_.map() != 2) return in_.fail(), "";
      for (int text = 0; text < 4; ++text) in_.text();
    }
    return in_.bad() ? "" : in_.since(begin);
  }

  static bool read_dimensions(CborCursor in, PutAssembler::Dimensions& into) {
    const std::uint64_t count = in.array();
    if (count > into.all.size()) return false;
    for (std::uint64_t i = 0; i < count; ++i) {
      auto& [name, value] = into.all[i];
      name = value = {};
      if (in.map() != 2) return false;
      for (int member = 0; member < 2; ++member) {
        const auto what = in.text();
        auto& text = what == "Name" ? name : value;
        if ((what != "Name" && what != "Value") || !text.empty()) return false;
        text = in.text();
      }
    }
    into.count = count;
    return !in.bad();
  }

  CborCursor in_;
  PutAssembler assembler_;
  std::string_view time_bytes_;  // of the time before; empty: none yet
  base::TimePoint time_;
};

}  // namespace

std::optional<PutBatch> read_cbor_put(std::string_view cbor, base::TimePoint now, const KnownSeries& known) {
  return CborPutReader(cbor, now, known).read();
}

}  // namespace securebase::monitoring
