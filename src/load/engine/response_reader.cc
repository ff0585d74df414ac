#include "load/engine/response_reader.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace securebase::load {

namespace {

constexpr std::size_t kMostLine = 1024;          // of a chunk's size with its extensions, or of a trailer
constexpr std::size_t kMostTrailers = 16 << 10;  // together
constexpr std::uint64_t kReserved = 64 << 10;    // for a body of a length that was claimed: the rest as it comes
constexpr std::string_view kLargeHead = "its head is too large";
constexpr std::string_view kNoHead = "it does not begin with HTTP/";

// RFC 9110 §5.5 and §5.6.2, as tables: every byte of every answer's head passes through here.
struct Alphabets {
  std::array<bool, 256> token{};
  std::array<bool, 256> value{};
  constexpr Alphabets() {
    for (int c = 0; c < 256; ++c) {
      const auto at = static_cast<std::size_t>(c);
      value[at] = c == '\t' || (c >= 0x20 && c != 0x7f);
      token[at] = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    }
    for (const char c : std::string_view("!#$%&'*+-.^_`|~")) token[static_cast<std::size_t>(c)] = true;
  }
};
constexpr Alphabets kAlphabets;

bool all_in(std::string_view text, const std::array<bool, 256>& alphabet) {
  bool fine = true;
  for (const char c : text) fine = fine && alphabet[static_cast<unsigned char>(c)];
  return fine;
}

// `lower` is in lower case.
bool is_word(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c) != lower[i]) return false;
  }
  return true;
}

std::string_view without_space(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// What begins otherwise cannot become a head. `text` may be the beginning of its beginning.
bool begins_a_head(std::string_view text) {
  constexpr std::string_view kBegin = "HTTP/";
  const auto size = std::min(text.size(), kBegin.size());
  return text.substr(0, size) == kBegin.substr(0, size);
}

// Digits only, below 2^60.
bool read_number(std::string_view text, unsigned base, std::uint64_t& number) {
  number = 0;
  if (text.empty()) return false;
  for (const char c : text) {
    unsigned digit = 16;
    if (c >= '0' && c <= '9') digit = static_cast<unsigned>(c - '0');
    if (c >= 'a' && c <= 'f') digit = static_cast<unsigned>(c - 'a' + 10);
    if (c >= 'A' && c <= 'F') digit = static_cast<unsigned>(c - 'A' + 10);
    if (digit >= base || number >= (std::uint64_t{1} << 56)) return false;
    number = number * base + digit;
  }
  return true;
}

}  // namespace

void ResponseReader::begin(bool is_head, Keep keep, std::size_t head_bytes, std::size_t body_bytes) {
  state_ = State::kHead;
  keep_ = keep;
  is_head_ = is_head;
  most_head_ = head_bytes;
  most_body_ = body_bytes;
  pending_.clear();
  head_.clear();
  body_.clear();
  body_seen_ = trailer_bytes_ = 0;
}

ResponseReader::Outcome ResponseReader::take(std::string_view& bytes) {
  while (!bytes.empty() || state_ == State::kComplete) {
    Outcome outcome = Outcome::kMore;
    std::string_view line;
    switch (state_) {
      case State::kHead:
        outcome = take_head(bytes);
        break;
      case State::kLength:
      case State::kUntilClose:
      case State::kChunk:
        outcome = take_some_body(bytes);
        break;
      case State::kChunkSize:
        outcome = take_line(bytes, line);
        if (outcome == Outcome::kComplete) {
          outcome = read_chunk_size(line) ? Outcome::kMore : garbage("the size of a chunk is no number");
        }
        break;
      case State::kChunkEnd:
        outcome = take_line(bytes, line);
        if (outcome == Outcome::kComplete) {
          outcome = line.empty() ? Outcome::kMore : garbage("a chunk is longer than its size says");
        }
        if (outcome == Outcome::kMore && pending_.empty()) state_ = State::kChunkSize;
        break;
      case State::kTrailer:
        outcome = take_line(bytes, line);
        if (outcome != Outcome::kComplete) break;
        trailer_bytes_ += line.size();
        outcome = trailer_bytes_ > kMostTrailers ? too_large("its trailers are too large") : Outcome::kMore;
        if (line.empty()) state_ = State::kComplete;
        break;
      case State::kComplete:
        return Outcome::kComplete;
    }
    if (outcome != Outcome::kMore) return outcome;
  }
  return Outcome::kMore;
}

ResponseReader::Outcome ResponseReader::end() const {
  return state_ == State::kUntilClose || state_ == State::kComplete ? Outcome::kComplete : Outcome::kMore;
}

ResponseReader::Outcome ResponseReader::garbage(std::string_view problem) {
  problem_ = problem;
  return Outcome::kGarbage;
}

ResponseReader::Outcome ResponseReader::too_large(std::string_view problem) {
  problem_ = problem;
  return Outcome::kTooLarge;
}

bool ResponseReader::wrong(std::string_view problem) {
  problem_ = problem;
  return false;
}

ResponseReader::Outcome ResponseReader::too_large_head(std::string_view head) {
  return begins_a_head(head) ? too_large(kLargeHead) : garbage(kNoHead);
}

// The head's end may be cut anywhere; a head that came whole is read where it lies.
ResponseReader::Outcome ResponseReader::take_head(std::string_view& bytes) {
  constexpr std::string_view kEnd = "\r\n\r\n";
  if (pending_.empty()) {
    const auto* end = static_cast<const char*>(::memmem(bytes.data(), bytes.size(), kEnd.data(), kEnd.size()));
    if (end) {
      const auto size = static_cast<std::size_t>(end - bytes.data()) + kEnd.size();
      if (size > most_head_) return too_large_head(bytes);
      const auto outcome = read_head(bytes.substr(0, size - 2));
      bytes.remove_prefix(size);
      return outcome;
    }
  }
  const std::size_t before = pending_.size();
  const std::size_t room = most_head_ + 1 - std::min(before, most_head_);
  pending_.append(bytes.substr(0, room));
  const auto end = pending_.find(kEnd, before < 3 ? 0 : before - 3);
  if (end == std::string::npos) {
    if (!begins_a_head(pending_)) return garbage(kNoHead);  // before it fills the memory
    bytes.remove_prefix(std::min(room, bytes.size()));
    return pending_.size() > most_head_ ? too_large(kLargeHead) : Outcome::kMore;
  }
  if (end + kEnd.size() > most_head_) return too_large_head(pending_);
  bytes.remove_prefix(end + kEnd.size() - before);
  pending_.resize(end + 2);
  const auto head = std::move(pending_);
  pending_.clear();
  return read_head(head);
}

// `head` ends with the CRLF of its last line.
ResponseReader::Outcome ResponseReader::read_head(std::string_view head) {
  keep_alive_ = true;
  close_said_ = keep_alive_said_ = chunked_ = has_length_ = false;
  length_ = 0;
  const auto first_end = head.find("\r\n");
  if (!read_status_line(head.substr(0, first_end))) return garbage("expected 'HTTP/1.1 <status>' in its first line");
  const auto fields = head.substr(first_end + 2);
  for (auto rest = fields; !rest.empty();) {
    const auto* end = static_cast<const char*>(std::memchr(rest.data(), '\r', rest.size()));
    if (!end || end + 1 >= rest.data() + rest.size() || end[1] != '\n') {
      return garbage("a carriage return stands in a field");
    }
    const auto size = static_cast<std::size_t>(end - rest.data());
    if (!read_field(rest.substr(0, size))) return Outcome::kGarbage;  // which says why itself
    rest.remove_prefix(size + 2);
  }
  if (status_ == 101) return garbage("it switches protocols, which nobody asked for");
  if (status_ < 200) return Outcome::kMore;  // 100, 103: the answer is still to come
  if (keep_ != Keep::kNothing) {
    head_ = std::string(fields);
    status_line_ = head.substr(0, first_end);
  }
  return decide_framing() ? Outcome::kMore : Outcome::kGarbage;
}

// RFC 9112 §4: "HTTP/1.1 200 OK"; the reason may be empty, but not the space before it.
bool ResponseReader::read_status_line(std::string_view line) {
  if (line.size() < 12 || line.substr(0, 7) != "HTTP/1." || (line[7] != '1' && line[7] != '0') || line[8] != ' ') {
    return false;
  }
  std::uint64_t status = 0;
  if (!read_number(line.substr(9, 3), 10, status) || status < 100 || status > 599) return false;
  // Some servers leave out the space before an empty reason.
  if (line.size() > 12 && line[12] != ' ') return false;
  if (!all_in(line.substr(12), kAlphabets.value)) return false;
  status_ = static_cast<int>(status);
  old_ = line[7] == '0';
  return true;
}

bool ResponseReader::read_field(std::string_view line) {
  const auto* colon_at = static_cast<const char*>(std::memchr(line.data(), ':', line.size()));
  if (!colon_at) return wrong("a line of its head is not a field");
  const auto name = line.substr(0, static_cast<std::size_t>(colon_at - line.data()));
  auto value = line.substr(name.size() + 1);
  if (name.empty() || !all_in(name, kAlphabets.token)) return wrong("a line of its head is not a field");
  if (!all_in(value, kAlphabets.value)) return wrong("a field's value has a control character");
  const char first = static_cast<char>(name[0] | 0x20);
  if (first != 'c' && first != 't') return true;
  value = without_space(value);
  if (is_word(name, "content-length")) {
    std::uint64_t length = 0;
    if (!read_number(value, 10, length)) return wrong("Content-Length is not a number");
    if (has_length_ && length != length_) return wrong("it has two different Content-Length fields");
    has_length_ = true;
    length_ = length;
  } else if (is_word(name, "transfer-encoding")) {
    if (chunked_ || !is_word(value, "chunked")) return wrong("its Transfer-Encoding is not 'chunked'");
    chunked_ = true;
  } else if (is_word(name, "connection")) {
    while (!value.empty()) {
      const auto comma = std::min(value.find(','), value.size());
      const auto option = without_space(value.substr(0, comma));
      close_said_ = close_said_ || is_word(option, "close");
      keep_alive_said_ = keep_alive_said_ || is_word(option, "keep-alive");
      value.remove_prefix(std::min(comma + 1, value.size()));
    }
  }
  return true;
}

// RFC 9112 §6.3. Both framings at once are how answers are smuggled; here they are garbage.
bool ResponseReader::decide_framing() {
  if (chunked_ && (has_length_ || old_)) return wrong("it is chunked, and has a Content-Length or is HTTP/1.0");
  keep_alive_ = !close_said_ && (!old_ || keep_alive_said_);
  if (is_head_ || status_ == 204 || status_ == 304) {
    state_ = State::kComplete;
  } else if (chunked_) {
    state_ = State::kChunkSize;
  } else if (has_length_) {
    state_ = length_ == 0 ? State::kComplete : State::kLength;
  } else {
    state_ = State::kUntilClose;
    keep_alive_ = false;
  }
  return true;
}

ResponseReader::Outcome ResponseReader::take_some_body(std::string_view& bytes) {
  const bool counted = state_ != State::kUntilClose;
  const auto size = counted ? static_cast<std::size_t>(std::min<std::uint64_t>(length_, bytes.size())) : bytes.size();
  if (keep_ == Keep::kAll) {
    if (body_.size() + size > most_body_) return too_large("its body is larger than what is kept");
    if (body_.empty() && counted) body_.reserve(std::min<std::uint64_t>(length_, kReserved));
    body_.append(bytes.substr(0, size));
  }
  body_seen_ += size;
  bytes.remove_prefix(size);
  if (!counted) return Outcome::kMore;
  length_ -= size;
  if (length_ == 0) state_ = state_ == State::kLength ? State::kComplete : State::kChunkEnd;
  return Outcome::kMore;
}

ResponseReader::Outcome ResponseReader::take_line(std::string_view& bytes, std::string_view& line) {
  const auto newline = bytes.find('\n');
  const auto size = newline == std::string_view::npos ? bytes.size() : newline + 1;
  if (pending_.size() + size > kMostLine) return too_large("a line of its chunks is too long");
  pending_.append(bytes.substr(0, size));
  bytes.remove_prefix(size);
  if (newline == std::string_view::npos) return Outcome::kMore;
  if (pending_.size() < 2 || pending_[pending_.size() - 2] != '\r') {
    return garbage("a line of its chunks does not end with CR LF");
  }
  line_ = std::exchange(pending_, {});
  line = std::string_view(line_).substr(0, line_.size() - 2);
  return all_in(line, kAlphabets.value) ? Outcome::kComplete : garbage("its chunks hold a control character");
}

bool ResponseReader::read_chunk_size(std::string_view line) {
  const auto size = without_space(line.substr(0, line.find(';')));  // extensions mean nothing to us
  if (!read_number(size, 16, length_)) return false;
  state_ = length_ == 0 ? State::kTrailer : State::kChunk;
  return true;
}

}  // namespace securebase::load
