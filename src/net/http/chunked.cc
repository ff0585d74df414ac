#include "net/http/chunked.h"

#include <algorithm>

#include "net/http/syntax.h"

namespace securebase::http {

namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

bool ChunkedDecoder::take(char c) {
  constexpr unsigned kMostDigits = 15;  // 60 bits: no overflow
  switch (state_) {
    case State::kSizeStart:
    case State::kSize:
      if (const int digit = hex_digit(c); digit >= 0) {
        if (++digits_ > kMostDigits) return false;
        size_ = size_ * 16 + static_cast<std::uint64_t>(digit);
        state_ = State::kSize;
        return true;
      }
      if (state_ == State::kSizeStart) return false;
      if (c == '\r') return state_ = State::kSizeLf, true;
      if (c == ';') return state_ = State::kExtension, ++extension_bytes_ <= limits_.extension_bytes;
      return false;
    case State::kExtension:
      if (c == '\r') return state_ = State::kSizeLf, true;
      return is(c, classes::kValue) && ++extension_bytes_ <= limits_.extension_bytes;
    case State::kSizeLf:
      state_ = size_ == 0 ? State::kTrailerStart : State::kData;
      digits_ = 0;
      return c == '\n';
    case State::kDataCr:
      state_ = State::kDataLf;
      return c == '\r';
    case State::kDataLf:
      state_ = State::kSizeStart;
      return c == '\n';
    case State::kTrailerStart:
      if (c == '\r') return state_ = State::kEndLf, true;
      state_ = State::kTrailerName;
      return is(c, classes::kToken) && ++trailer_bytes_ <= limits_.trailer_bytes;
    case State::kTrailerName:
      if (c == ':') state_ = State::kTrailerValue;
      return (c == ':' || is(c, classes::kToken)) && ++trailer_bytes_ <= limits_.trailer_bytes;
    case State::kTrailerValue:
      if (c == '\r') return state_ = State::kTrailerLf, true;
      return is(c, classes::kValue) && ++trailer_bytes_ <= limits_.trailer_bytes;
    case State::kTrailerLf:
      state_ = State::kTrailerStart;
      return c == '\n';
    case State::kEndLf:
      state_ = State::kEnd;
      return c == '\n';
    case State::kData:
    case State::kEnd:
      break;
  }
  return false;
}

Result<ChunkedDecoder::Step> ChunkedDecoder::next(std::string_view& input) {
  for (;;) {
    if (state_ == State::kEnd) return Step::kEnd;
    if (input.empty()) return Step::kNeedMore;
    if (state_ == State::kData) {
      data_ = input.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(size_, input.size())));
      input.remove_prefix(data_.size());
      size_ -= data_.size();
      if (size_ == 0) state_ = State::kDataCr;
      return Step::kData;
    }
    const char c = input.front();
    input.remove_prefix(1);
    if (!take(c)) return Error{Errc::kMalformed, "the chunked body is malformed, or its extensions are too long"};
  }
}

}  // namespace securebase::http
