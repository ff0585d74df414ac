#include "aws/chunked_upload.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "net/http/syntax.h"

namespace securebase::aws {

namespace {

constexpr std::size_t kMaxLineBytes = 1024;
constexpr std::size_t kMaxTrailers = 16;
constexpr std::uint64_t kMaxChunkBytes = std::uint64_t{5} << 30;  // the largest object that is put at once

Error malformed(std::string message) { return {Errc::kMalformed, "aws-chunked body: " + std::move(message)}; }

}  // namespace

Result<ChunkedUploadParser::Event> ChunkedUploadParser::next(std::string_view& input) {
  for (;;) {
    switch (state_) {
      case State::kSizeLine: {
        auto whole = take_line(input);
        if (!whole) return whole.error();
        if (!*whole) return Event::kNeedMore;
        if (auto taken = take_size_line(); !taken) return taken.error();
        if (last_) {
          state_ = State::kTrailer;
          return Event::kChunkEnds;
        }
        state_ = State::kData;
        break;
      }
      case State::kData: {
        if (left_ == 0) {
          state_ = State::kDataEnd;
          break;
        }
        if (input.empty()) return Event::kNeedMore;
        data_ = input.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size())));
        input.remove_prefix(data_.size());
        left_ -= data_.size();
        return Event::kData;
      }
      case State::kDataEnd: {
        auto whole = take_line(input);
        if (!whole) return whole.error();
        if (!*whole) return Event::kNeedMore;
        if (!line_.empty()) return malformed("a chunk is longer than its size says");
        state_ = State::kSizeLine;
        return Event::kChunkEnds;
      }
      case State::kTrailer: {
        auto whole = take_line(input);
        if (!whole) return whole.error();
        if (!*whole) return Event::kNeedMore;
        if (line_.empty()) {
          state_ = State::kDone;
          return Event::kEnds;
        }
        if (auto taken = take_trailer_line(); !taken) return taken.error();
        break;
      }
      case State::kDone:
        if (!input.empty()) return malformed("bytes after its end");
        return Event::kNeedMore;
    }
  }
}

Result<bool> ChunkedUploadParser::take_line(std::string_view& input) {
  if (std::exchange(line_is_whole_, false)) line_.clear();
  const auto end = input.find('\n');
  const auto piece = input.substr(0, end == std::string_view::npos ? input.size() : end + 1);
  if (line_.size() + piece.size() > kMaxLineBytes) {
    return malformed(fmt::format("a line of more than {} bytes", kMaxLineBytes));
  }
  line_ += piece;
  input.remove_prefix(piece.size());
  if (!line_.ends_with('\n')) return false;
  line_.pop_back();
  if (!line_.ends_with('\r')) return malformed("a line that does not end in CR LF");
  line_.pop_back();
  line_is_whole_ = true;
  return true;
}

Result<Done> ChunkedUploadParser::take_size_line() {
  const std::string_view line = line_;
  const auto semicolon = std::min(line.find(';'), line.size());
  const auto digits = line.substr(0, semicolon);
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), left_, 16);
  if (digits.empty() || failure != std::errc{} || end != digits.data() + digits.size()) {
    return malformed(fmt::format("\"{}\" is no size in hex", digits.substr(0, 40)));
  }
  if (left_ > kMaxChunkBytes) return malformed(fmt::format("a chunk of {} bytes", left_));
  last_ = left_ == 0;
  signature_.clear();
  constexpr std::string_view kSignature = "chunk-signature=";
  const auto extension = line.substr(std::min(semicolon + 1, line.size()));
  if (extension.starts_with(kSignature)) signature_ = extension.substr(kSignature.size());
  return Done{};
}

Result<Done> ChunkedUploadParser::take_trailer_line() {
  const std::string_view line = line_;
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || !http::is_token(line.substr(0, colon))) {
    return malformed("a trailer without a name");
  }
  std::string name(line.substr(0, colon));
  for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  std::string value(http::trim_blanks(line.substr(colon + 1)));
  if (name == "x-amz-trailer-signature") {
    trailer_signature_ = std::move(value);
    return Done{};
  }
  if (trailers_.size() == kMaxTrailers) return malformed(fmt::format("more than {} trailers", kMaxTrailers));
  trailers_.push_back({std::move(name), std::move(value)});
  return Done{};
}

}  // namespace securebase::aws
