// Reads responses of HTTP/1.1 (RFC 9112) as they arrive. Strict: what frames ambiguously ends the connection. Bounded:
// a head of 256 KiB, 500 fields, a kept body of 256 MiB.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace securebase::k6 {

using Fields = std::vector<std::pair<std::string, std::string>>;

class ResponseReader {
 public:
  struct Limits {
    std::size_t head_bytes = 256 << 10;
    std::size_t fields = 500;
    std::size_t body_bytes = std::size_t{256} << 20;
    std::size_t line_bytes = 16 << 10;  // of a chunk's size line, and of all trailers
  };
  enum class Step { kMore, kComplete };

  ResponseReader() = default;
  explicit ResponseReader(Limits limits) : limits_(limits) {}

  // For the answer to a request. `head_only`: of a HEAD. `keep_body`: else it is read and counted only.
  void begin(bool head_only, bool keep_body);
  // Takes all of `bytes`, which may hold nothing beyond the response: nobody asked for more. After an error: close.
  Result<Step> take(std::string_view bytes);
  // The peer closed. kComplete: a body that ends with the connection has ended.
  Result<Step> end();

  bool began() const { return began_; }  // a byte came
  bool has_head() const { return state_ > State::kHead; }
  int status() const { return status_; }
  const std::string& status_text() const { return status_text_; }
  const std::string& protocol() const { return protocol_; }
  const Fields& fields() const { return fields_; }
  const std::string& body() const { return body_; }
  Fields take_fields() { return std::move(fields_); }
  std::string take_body() { return std::move(body_); }
  bool keep_alive() const { return keep_alive_; }

 private:
  enum class State { kHead, kLength, kUntilClose, kChunkSize, kChunk, kChunkEnd, kTrailer, kComplete };

  Result<Done> read_head(std::string_view head);
  Result<Done> read_status_line(std::string_view line);
  Result<Done> decide_framing();
  Result<Done> take_chunk_size(std::string_view line);
  Result<Done> add_body(std::string_view bytes);

  Limits limits_{};
  State state_ = State::kComplete;
  bool head_only_ = false;
  bool keep_body_ = true;
  bool began_ = false;
  bool keep_alive_ = true;
  std::string pending_;  // a head, or a line, of which a part has come
  std::size_t scanned_ = 0;
  std::uint64_t left_ = 0;
  std::size_t trailer_bytes_ = 0;
  int status_ = 0;
  std::string status_text_;
  std::string protocol_;
  Fields fields_;
  std::string body_;
};

}  // namespace securebase::k6
