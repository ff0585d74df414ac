#include "logs/put_request.h"

#include <emmintrin.h>
#include <simdjson.h>

#include <charconv>
#include <cstring>

namespace securebase::logs {

namespace {

constexpr std::size_t kMostEvents = 10'000;  // CloudWatch's of a request
constexpr std::size_t kSafeDigits = 18;      // of a number that 64 bits hold
constexpr std::size_t kStride = 16;

// Whether a byte of a string is more than itself: a quote, a backslash, or a control character, which JSON does not
// allow there.
bool is_special(char c) { return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20; }

// A bit for each of the bytes that is_special().
unsigned specials(__m128i bytes) {
  const auto controls = _mm_cmpeq_epi8(_mm_max_epu8(bytes, _mm_set1_epi8(0x1f)), _mm_set1_epi8(0x1f));
  const auto quotes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
  const auto slashes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
  return static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(controls, _mm_or_si128(quotes, slashes))));
}

// After the first surprise everything is nothing, and bad().
class Reader {
 public:
  explicit Reader(std::string_view json) : at_(json.data()), end_(json.data() + json.size()) {}

  std::optional<PutRequest> read() {
    // An escape is longer than what it stands for. The bytes behind it are for strides that are written whole.
    made_.unescaped = std::make_unique_for_overwrite<char[]>(static_cast<std::size_t>(end_ - at_) + kStride);
    out_ = made_.unescaped.get();
    bool listed = false;
    want('{');
    do {
      const auto name = text();
      want(':');
      if (name == "logGroupName" && made_.group.empty()) {
        made_.group = text();
      } else if (name == "logStreamName" && made_.stream.empty()) {
        made_.stream = text();
      } else if (name == "logEvents" && !listed) {
        listed = true;
        events();
      } else {
        return std::nullopt;
      }
    } while (!bad_ && take(','));
    want('}');
    pass_blanks();
    if (bad_ || at_ != end_ || made_.group.empty() || made_.stream.empty() || made_.events.empty()) return std::nullopt;
    return std::move(made_);
  }

 private:
  void fail() {
    bad_ = true;
    at_ = end_;
  }
  void pass_blanks() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
  }
  bool take(char sign) {
    pass_blanks();
    if (at_ == end_ || *at_ != sign) return false;
    ++at_;
    return true;
  }
  void want(char sign) {
    if (!take(sign)) fail();
  }

  void events() {
    want('[');
    do {
      if (made_.events.size() == kMostEvents) return fail();
      event();
    } while (!bad_ && take(','));
    want(']');
  }

  void event() {
    Event event;
    bool timed = false;
    want('{');
    do {
      const auto name = text();
      want(':');
      if (name == "timestamp" && !timed) {
        timed = true;
        event.time_ms = whole_number();
      } else if (name == "message" && event.message.empty()) {
        event.message = text();
        if (event.message.empty()) return fail();
      } else {
        return fail();
      }
    } while (!bad_ && take(','));
    want('}');
    if (!timed || event.message.empty()) return fail();
    if (!bad_) made_.events.push_back(event);
  }

  // Of a sign, a point or an exponent the model makes what there is to make.
  std::int64_t whole_number() {
    pass_blanks();
    const char* const begin = at_;
    while (at_ != end_ && *at_ >= '0' && *at_ <= '9') ++at_;
    const auto digits = static_cast<std::size_t>(at_ - begin);
    if (digits == 0 || digits > kSafeDigits || (digits > 1 && *begin == '0')) return fail(), 0;
    std::int64_t value = 0;
    std::from_chars(begin, at_, value);
    return value;
  }

  std::string_view text() {
    if (!take('"')) return fail(), "";
    const char* const begin = at_;
    pass_plain();
    if (at_ != end_ && *at_ == '"') return {begin, static_cast<std::size_t>(at_++ - begin)};
    char* const made = out_;
    std::memcpy(out_, begin, static_cast<std::size_t>(at_ - begin));
    out_ += at_ - begin;
    while (at_ != end_ && *at_ == '\\') {
      ++at_;
      if (!escape()) return fail(), "";
      copy_plain();
    }
    if (at_ == end_ || *at_ != '"') return fail(), "";
    ++at_;
    return {made, static_cast<std::size_t>(out_ - made)};
  }

  // Up to the next special byte.
  void pass_plain() {
    while (end_ - at_ >= static_cast<std::ptrdiff_t>(kStride)) {
      const auto found = specials(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at_)));
      if (found != 0) {
        at_ += __builtin_ctz(found);
        return;
      }
      at_ += kStride;
    }
    while (at_ != end_ && !is_special(*at_)) ++at_;
  }

  void copy_plain() {
    while (end_ - at_ >= static_cast<std::ptrdiff_t>(kStride)) {
      const auto bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at_));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(out_), bytes);
      const auto found = specials(bytes);
      const auto count = found != 0 ? static_cast<std::size_t>(__builtin_ctz(found)) : kStride;
      at_ += count;
      out_ += count;
      if (found != 0) return;
    }
    while (at_ != end_ && !is_special(*at_)) *out_++ = *at_++;
  }

  // Behind the backslash.
  bool escape() {
    if (at_ == end_) return false;
    const char c = *at_++;
    switch (c) {
      case '"':
      case '\\':
      case '/':
        *out_++ = c;
        return true;
      case 'n':
        *out_++ = '\n';
        return true;
      case 't':
        *out_++ = '\t';
        return true;
      case 'r':
        *out_++ = '\r';
        return true;
      case 'b':
        *out_++ = '\b';
        return true;
      case 'f':
        *out_++ = '\f';
        return true;
      case 'u':
        return unicode();
      default:
        return false;
    }
  }

  // Behind "\u". What is beyond 16 bits comes as a pair of surrogates; one of them alone is nothing.
  bool unicode() {
    auto code = four_digits();
    if (!code || (*code >= 0xdc00 && *code <= 0xdfff)) return false;
    if (*code >= 0xd800 && *code <= 0xdbff) {
      if (end_ - at_ < 2 || at_[0] != '\\' || at_[1] != 'u') return false;
      at_ += 2;
      const auto low = four_digits();
      if (!low || *low < 0xdc00 || *low > 0xdfff) return false;
      code = 0x10000 + ((*code - 0xd800) << 10) + (*low - 0xdc00);
    }
    put_utf8(*code);
    return true;
  }

  std::optional<std::uint32_t> four_digits() {
    if (end_ - at_ < 4) return std::nullopt;
    std::uint32_t code = 0;
    const auto [stop, failure] = std::from_chars(at_, at_ + 4, code, 16);
    if (failure != std::errc{} || stop != at_ + 4) return std::nullopt;
    at_ += 4;
    return code;
  }

  void put_utf8(std::uint32_t code) {
    const auto put = [this](std::uint32_t byte) { *out_++ = static_cast<char>(byte); };
    if (code < 0x80) return put(code);
    if (code < 0x800) {
      put(0xc0 | code >> 6);
    } else {
      if (code < 0x10000) {
        put(0xe0 | code >> 12);
      } else {
        put(0xf0 | code >> 18);
        put(0x80 | (code >> 12 & 0x3f));
      }
      put(0x80 | (code >> 6 & 0x3f));
    }
    put(0x80 | (code & 0x3f));
  }

  const char* at_;
  const char* const end_;
  char* out_ = nullptr;
  bool bad_ = false;
  PutRequest made_;
};

}  // namespace

std::optional<PutRequest> read_put_request(std::string_view json) {
  if (!simdjson::validate_utf8(json.data(), json.size())) return std::nullopt;
  return Reader(json).read();
}

}  // namespace securebase::logs
