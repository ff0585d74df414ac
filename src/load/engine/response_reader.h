// Reads answers of HTTP/1.1 (RFC 9112) as they arrive: strict and bounded, and it keeps only what it is told to. What
// frames ambiguously is garbage: a generator that guesses would measure something else than the target's clients see.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "load/engine/exchange.h"

namespace securebase::load {

class ResponseReader {
 public:
  enum class Outcome {
    kMore,      // all bytes taken, the answer is not complete
    kComplete,  // what is left of the bytes belongs to nobody
    kGarbage,   // close the connection
    kTooLarge,  // a head or a kept body beyond its limit
  };

  // For the answer to a request; `is_head`: of a HEAD.
  void begin(bool is_head, Keep keep, std::size_t head_bytes, std::size_t body_bytes);
  // Takes from the front of `bytes`.
  Outcome take(std::string_view& bytes);
  // The connection ended. kComplete: so did the answer, which had no other end.
  Outcome end() const;

  // After kComplete.
  int status() const { return status_; }
  bool keep_alive() const { return keep_alive_; }
  std::uint64_t body_bytes() const { return body_seen_; }
  std::string take_head() { return std::move(head_); }
  std::string take_body() { return std::move(body_); }
  const std::string& status_line() const { return status_line_; }  // "HTTP/1.1 200 OK"; if a head is kept
  // After kGarbage and kTooLarge: what was wrong, for people.
  std::string_view problem() const { return problem_; }

 private:
  enum class State { kHead, kLength, kUntilClose, kChunkSize, kChunk, kChunkEnd, kTrailer, kComplete };

  Outcome garbage(std::string_view problem);
  Outcome too_large(std::string_view problem);
  Outcome too_large_head(std::string_view head);
  bool wrong(std::string_view problem);  // false, for the functions below
  Outcome take_head(std::string_view& bytes);
  Outcome read_head(std::string_view head);
  bool read_status_line(std::string_view line);
  bool read_field(std::string_view line);
  bool decide_framing();
  Outcome take_some_body(std::string_view& bytes);
  // A line up to its CRLF out of pieces; kMore until it is there.
  Outcome take_line(std::string_view& bytes, std::string_view& line);
  bool read_chunk_size(std::string_view line);

  State state_ = State::kComplete;
  Keep keep_ = Keep::kNothing;
  bool is_head_ = false;
  std::size_t most_head_ = 0;
  std::size_t most_body_ = 0;

  std::string pending_;  // a head or a line of which a part has come
  std::string line_;     // that take_line gave last
  int status_ = 0;
  bool old_ = false;  // HTTP/1.0
  bool keep_alive_ = true;
  bool close_said_ = false;
  bool keep_alive_said_ = false;
  bool chunked_ = false;
  bool has_length_ = false;
  std::uint64_t length_ = 0;  // of the body, or of a chunk: what is still to come
  std::uint64_t body_seen_ = 0;
  std::uint64_t trailer_bytes_ = 0;
  std::string status_line_;
  std::string head_;
  std::string body_;
  std::string_view problem_;
};

}  // namespace securebase::load
