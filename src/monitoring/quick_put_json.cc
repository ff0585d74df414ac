// PutMetricData in JSON (RFC 8259), as botocore and the AWS CLI write it in json 1.0. The JsonCursor takes texts
// without escapes only, and numbers as the JSON of every operation does.
#include <charconv>
#include <cmath>

#include "monitoring/put_assembler.h"
#include "monitoring/put_members.h"
#include "monitoring/quick_put.h"

namespace securebase::monitoring {

namespace {

// After the first surprise everything is nothing, and bad().
class JsonCursor {
 public:
  explicit JsonCursor(std::string_view bytes) : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  bool bad() const { return bad_; }
  bool at_end() { return pass_blanks(), at_ == end_; }
  void fail() { bad_ = true, at_ = end_; }

  // Takes `sign` if it is what comes next.
  bool take(char sign) {
    pass_blanks();
    if (at_ == end_ || *at_ != sign) return false;
    ++at_;
    return true;
  }
  void want(char sign) {
    if (!take(sign)) fail();
  }

  std::string_view text() {
    if (!take('"')) return fail(), "";
    const char* const begin = at_;
    for (; at_ != end_ && *at_ != '"'; ++at_) {
      if (*at_ == '\\' || static_cast<unsigned char>(*at_) < 0x20) return fail(), "";
    }
    if (at_ == end_) return fail(), "";
    return {begin, static_cast<std::size_t>(at_++ - begin)};
  }

  double number() {
    pass_blanks();
    const char* const begin = at_;
    const char* end = begin;
    if (end != end_ && *end == '-') ++end;
    const char* const whole = end;
    const std::size_t size = pass_digits(end);
    if (size == 0 || (size > 1 && *whole == '0')) return fail(), 0;
    const char* const whole_end = end;
    if (end != end_ && *end == '.' && pass_digits(++end) == 0) return fail(), 0;
    if (end != end_ && (*end == 'e' || *end == 'E')) {
      if (++end != end_ && (*end == '+' || *end == '-')) ++end;
      if (pass_digits(end) == 0) return fail(), 0;
    }
    at_ = end;
    if (end == whole_end) {
      std::int64_t value = 0;  // -0 is 0
      if (size > kSafeDigits || std::from_chars(begin, end, value).ec != std::errc{}) return fail(), 0;
      return static_cast<double>(value);
    }
    double value = 0;
    const auto [parsed, failure] = std::from_chars(begin, end, value);
    if (failure != std::errc{} || parsed != end) return fail(), 0;
    return value;
  }

  // Where it stands, and what was read since then.
  const char* place() {
    pass_blanks();
    return at_;
  }
  std::string_view since(const char* place) const { return {place, static_cast<std::size_t>(at_ - place)}; }
  // Takes `bytes`, if they are what comes next.
  bool take(std::string_view bytes) {
    if (!std::string_view(at_, static_cast<std::size_t>(end_ - at_)).starts_with(bytes)) return false;
    at_ += bytes.size();
    return true;
  }

 private:
  static constexpr std::size_t kSafeDigits = 18;  // of a number that 64 bits hold

  void pass_blanks() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
  }
  std::size_t pass_digits(const char*& at) const {
    const char* const begin = at;
    while (at != end_ && *at >= '0' && *at <= '9') ++at;
    return static_cast<std::size_t>(at - begin);
  }

  const char* at_;
  const char* end_;
  bool bad_ = false;
};

class JsonPutReader {
 public:
  JsonPutReader(std::string_view json, base::TimePoint now, const KnownSeries& known)
      : json_(json), in_(json), assembler_(now, known) {}

  std::optional<PutBatch> read() {
    if (!find_name_space()) return std::nullopt;
    bool names = false;
    bool data_read = false;
    in_.want('{');
    do {
      const auto name = in_.text();
      in_.want(':');
      if (name == "Namespace" && !names) {
        names = true;
        in_.text();
      } else if (name == "MetricData" && !data_read) {
        data_read = true;
        data();
      } else {
        return std::nullopt;
      }
    } while (good() && in_.take(','));
    in_.want('}');
    if (!names || !data_read || !good() || !in_.at_end()) return std::nullopt;
    return assembler_.take();
  }

 private:
  bool good() const { return !in_.bad() && !assembler_.failed(); }

  // Keys begin with the namespace, which need not stand first. There are no escapes in what is taken, so a text is what
  // it looks like; and if what is found here belongs to a datum, that datum is not taken.
  bool find_name_space() {
    constexpr std::string_view kMember = "\"Namespace\"";
    const auto at = json_.find(kMember);
    if (at == std::string_view::npos) return false;
    JsonCursor in(json_.substr(at + kMember.size()));
    in.want(':');
    const auto name = in.text();
    return !in.bad() && assembler_.name_space(name);
  }

  void data() {
    in_.want('[');
    if (in_.take(']')) return;
    do {
      if (assembler_.data() == kMostData) return in_.fail();
      datum();
    } while (good() && in_.take(','));
    in_.want(']');
  }

  void datum() {
    std::string_view name = "";
    std::string_view dimensions = "";
    assembler_.begin();
    unsigned seen = 0;
    in_.want('{');
    do {
      const DatumMember member = datum_member(in_.text());
      in_.want(':');
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
          numbers(&PutAssembler::listed_value);
          break;
        case kCounts:
          numbers(&PutAssembler::count);
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
    } while (good() && in_.take(','));
    in_.want('}');
    if (!good()) return;
    assembler_.end(name, dimensions, [dimensions](PutAssembler::Dimensions& into) {
      return dimensions.empty() || read_dimensions(JsonCursor(dimensions), into);
    });
  }

  void numbers(void (PutAssembler::*take)(double)) {
    in_.want('[');
    if (in_.take(']')) return;
    do {
      (assembler_.*take)(in_.number());
    } while (good() && in_.take(','));
    in_.want(']');
  }

  void time() {
    const double seconds = in_.number();
    if (in_.bad() || !(std::abs(seconds) < 1e11)) return in_.fail();
    const double whole = std::floor(seconds);
    assembler_.time(base::TimePoint{std::chrono::seconds{static_cast<std::int64_t>(whole)}} +
                    std::chrono::microseconds{std::llround((seconds - whole) * 1e6)});
  }

  // The bytes of a list of dimensions, whatever they say.
  std::string_view pass_dimensions() {
    const char* const begin = in_.place();
    if (const auto expected = assembler_.expected_dimensions(); !expected.empty() && in_.take(expected)) {
      return in_.since(begin);
    }
    in_.want('[');
    if (!in_.take(']')) {
      do {
        in_.want('{');
        for (int member = 0; member < 2; ++member) {
          if (member > 0) in_.want(',');
          in_.text();
          in_.want(':');
          in_.text();
        }
        in_.want('}');
      } while (!in_.bad() && in_.take(','));
      in_.want(']');
    }
    return in_.bad() ? "" : in_.since(begin);
  }

  // Of what pass_dimensions() has passed.
  static bool read_dimensions(JsonCursor in, PutAssembler::Dimensions& into) {
    in.want('[');
    if (in.take(']')) return !in.bad();
    do {
      if (into.count == into.all.size()) return false;
      auto& [name, value] = into.all[into.count++];
      in.want('{');
      for (int member = 0; member < 2; ++member) {
        if (member > 0) in.want(',');
        const auto what = in.text();
        auto& text = what == "Name" ? name : value;
        if ((what != "Name" && what != "Value") || !text.empty()) return false;
        in.want(':');
        text = in.text();
      }
      in.want('}');
    } while (!in.bad() && in.take(','));
    return !in.bad();
  }

  const std::string_view json_;
  JsonCursor in_;
  PutAssembler assembler_;
};

}  // namespace

std::optional<PutBatch> read_json_put(std::string_view json, base::TimePoint now, const KnownSeries& known) {
  return JsonPutReader(json, now, known).read();
}

}  // namespace securebase::monitoring
