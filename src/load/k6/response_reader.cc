#include "k6/response_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "net/http/syntax.h"

namespace securebase::k6 {

namespace {

Error garbage(std::string_view what) {
  return Error{Errc::kMalformed, fmt::format("malformed HTTP response: {}", what)};
}

bool same_name(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
           return (x >= 'A' && x <= 'Z' ? x + 32 : x) == (y >= 'A' && y <= 'Z' ? y + 32 : y);
         });
}

}  // namespace

void ResponseReader::begin(bool head_only, bool keep_body) {
  state_ = State::kHead;
  head_only_ = head_only;
  keep_body_ = keep_body;
  began_ = false;
  keep_alive_ = true;
  pending_.clear();
  scanned_ = 0;
  left_ = 0;
  trailer_bytes_ = 0;
  status_ = 0;
  status_text_.clear();
  protocol_.clear();
  fields_.clear();
  body_.clear();
}

Result<ResponseReader::Step> ResponseReader::take(std::string_view bytes) {
  if (!bytes.empty()) began_ = true;
  while (true) {
    switch (state_) {
      case State::kHead: {
        pending_ += bytes;
        bytes = {};
        const auto end = pending_.find("\r\n\r\n", scanned_ > 3 ? scanned_ - 3 : 0);
        if (end == std::string::npos) {
          scanned_ = pending_.size();
          // Its empty line may still be under way, by three of its four bytes.
          if (pending_.size() >= limits_.head_bytes + 2) return garbage("its head is larger than 256 KiB");
          // What is not HTTP at all is told at once, and not waited for.
          const std::string_view start = "HTTP/";
          if (std::string_view(pending_).substr(0, 5) != start.substr(0, std::min<std::size_t>(pending_.size(), 5))) {
            return garbage("it does not begin with HTTP/");
          }
          return Step::kMore;
        }
        const std::string head = pending_.substr(0, end + 2);
        const std::string rest = pending_.substr(end + 4);
        pending_.clear();
        scanned_ = 0;
        if (head.size() > limits_.head_bytes) return garbage("its head is larger than 256 KiB");
        if (auto read = read_head(head); !read) return read.error();
        if (state_ == State::kComplete) {
          return rest.empty() ? Result<Step>(Step::kComplete) : garbage("bytes came behind its end");
        }
        return rest.empty() && state_ != State::kHead ? Result<Step>(Step::kMore) : take(rest);
      }
      case State::kLength:
      case State::kChunk: {
        const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size()));
        if (auto added = add_body(bytes.substr(0, count)); !added) return added.error();
        left_ -= count;
        bytes.remove_prefix(count);
        if (left_ > 0) return Step::kMore;
        state_ = state_ == State::kLength ? State::kComplete : State::kChunkEnd;
        break;
      }
      case State::kUntilClose:
        if (auto added = add_body(bytes); !added) return added.error();
        return Step::kMore;
      case State::kChunkSize:
      case State::kChunkEnd:
      case State::kTrailer: {
        const auto newline = bytes.find('\n');
        pending_ += bytes.substr(0, newline);
        if (pending_.size() > limits_.line_bytes) return garbage("a line of its chunks is longer than 16 KiB");
        if (newline == std::string_view::npos) return Step::kMore;
        bytes.remove_prefix(newline + 1);
        if (!pending_.ends_with('\r')) return garbage("a line of its chunks does not end with CR LF");
        pending_.pop_back();
        const std::string line = std::move(pending_);
        pending_.clear();
        if (state_ == State::kChunkEnd) {
          if (!line.empty()) return garbage("a chunk is longer than its size says");
          state_ = State::kChunkSize;
        } else if (state_ == State::kChunkSize) {
          if (auto read = take_chunk_size(line); !read) return read.error();
        } else if (line.empty()) {
          state_ = State::kComplete;
        } else {
          trailer_bytes_ += line.size();
          if (trailer_bytes_ > limits_.line_bytes) return garbage("its trailers are larger than 16 KiB");
          const auto colon = line.find(':');
          if (colon == std::string::npos || !http::is_token(std::string_view(line).substr(0, colon))) {
            return garbage("a trailer is not a field");
          }
        }
        break;
      }
      case State::kComplete:
        return bytes.empty() ? Result<Step>(Step::kComplete) : garbage("bytes came behind its end");
    }
    if (bytes.empty() && state_ != State::kComplete) return Step::kMore;
  }
}

Result<ResponseReader::Step> ResponseReader::end() {
  if (state_ == State::kUntilClose || state_ == State::kComplete) {
    state_ = State::kComplete;
    keep_alive_ = false;
    return Step::kComplete;
  }
  return Error{Errc::kClosed, began_ ? "unexpected EOF" : "EOF"};
}

Result<Done> ResponseReader::read_head(std::string_view head) {
  const auto line_end = head.find("\r\n");
  if (auto read = read_status_line(head.substr(0, line_end)); !read) return read.error();
  fields_.clear();
  auto rest = head.substr(line_end + 2);
  while (!rest.empty()) {
    const auto end = rest.find("\r\n");
    const auto line = rest.substr(0, end);
    rest.remove_prefix(end + 2);
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || !http::is_token(line.substr(0, colon))) {
      return garbage(fmt::format("'{}' is not a field", line.substr(0, 60)));
    }
    const auto value = http::trim_blanks(line.substr(colon + 1));
    if (!http::is_field_value(value)) return garbage("a field's value has a control character");
    if (fields_.size() >= limits_.fields) return garbage("it has more than 500 fields");
    fields_.emplace_back(line.substr(0, colon), value);
  }
  if (status_ == 101) return garbage("it switches protocols, which nobody asked for");
  if (status_ < 200) {
    state_ = State::kHead;  // an interim response: the real one follows
    return Done{};
  }
  return decide_framing();
}

Result<Done> ResponseReader::read_status_line(std::string_view line) {
  if (!line.starts_with("HTTP/1.") || line.size() < 12 || (line[7] != '0' && line[7] != '1') || line[8] != ' ') {
    return garbage(fmt::format("expected 'HTTP/1.1 <status>', found '{}'", line.substr(0, 40)));
  }
  int status = 0;
  const auto [end, failure] = std::from_chars(line.data() + 9, line.data() + 12, status);
  if (failure != std::errc{} || end != line.data() + 12 || status < 100 || (line.size() > 12 && line[12] != ' ')) {
    return garbage(fmt::format("its status is not a number of three digits: '{}'", line.substr(0, 40)));
  }
  protocol_ = std::string(line.substr(0, 8));
  keep_alive_ = line[7] == '1';
  status_ = status;
  status_text_ = std::string(line.substr(9));
  return Done{};
}

Result<Done> ResponseReader::decide_framing() {
  bool chunked = false;
  std::optional<std::uint64_t> length;
  for (const auto& [name, value] : fields_) {
    if (same_name(name, "transfer-encoding")) {
      if (chunked || !same_name(value, "chunked"))
        return garbage(fmt::format("transfer coding '{}'", value.substr(0, 40)));
      chunked = true;
    } else if (same_name(name, "content-length")) {
      std::uint64_t number = 0;
      const auto [end, failure] = std::from_chars(value.data(), value.data() + value.size(), number);
      if (value.empty() || !http::is_digit(value.front()) || failure != std::errc{} ||
          end != value.data() + value.size()) {
        return garbage(fmt::format("Content-Length '{}' is not a number", value.substr(0, 40)));
      }
      if (length && *length != number) return garbage("it has two different Content-Length fields");
      length = number;
    } else if (same_name(name, "connection")) {
      http::for_each_element(value, [this](std::string_view option) {
        if (same_name(option, "close")) keep_alive_ = false;
        if (same_name(option, "keep-alive") && protocol_ == "HTTP/1.0") keep_alive_ = true;
      });
    }
  }
  if (chunked && length) return garbage("it has both Content-Length and Transfer-Encoding");
  if (head_only_ || status_ == 204 || status_ == 304) {
    state_ = State::kComplete;
  } else if (chunked) {
    state_ = State::kChunkSize;
  } else if (length) {
    left_ = *length;
    if (keep_body_ && left_ > limits_.body_bytes) return garbage("its body is larger than 256 MiB");
    if (keep_body_) body_.reserve(static_cast<std::size_t>(std::min<std::uint64_t>(left_, 1 << 20)));
    state_ = left_ == 0 ? State::kComplete : State::kLength;
  } else {
    state_ = State::kUntilClose;
    keep_alive_ = false;
  }
  return Done{};
}

Result<Done> ResponseReader::take_chunk_size(std::string_view line) {
  const auto digits = http::trim_blanks(line.substr(0, line.find(';')));
  std::uint64_t size = 0;
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), size, 16);
  if (digits.empty() || digits.size() > 15 || failure != std::errc{} || end != digits.data() + digits.size()) {
    return garbage(fmt::format("'{}' is not the size of a chunk", line.substr(0, 40)));
  }
  left_ = size;
  state_ = size == 0 ? State::kTrailer : State::kChunk;
  return Done{};
}

Result<Done> ResponseReader::add_body(std::string_view bytes) {
  if (!keep_body_) return Done{};
  if (body_.size() + bytes.size() > limits_.body_bytes) return garbage("its body is larger than 256 MiB");
  body_ += bytes;
  return Done{};
}

}  // namespace securebase::k6
