// Reads the head of an HTTP/1.1 response as strictly as request_parser.h reads requests: an origin that frames
// ambiguously could otherwise put words into the mouth of the next response on its connection.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "net/http/message.h"

namespace securebase::http {

class ResponseParser {
 public:
  struct Limits {
    std::size_t head_bytes = 64 << 10;
    std::size_t header_count = 200;
  };
  enum class Body { kNone, kLength, kChunked, kUntilClose };
  struct Head {
    int status = 0;
    Headers headers;  // copies; hop-by-hop fields taken out
    Body body = Body::kNone;
    std::uint64_t content_length = 0;  // with kLength
    bool keep_alive = true;
  };

  explicit ResponseParser(Limits limits) : limits_(limits) {}

  // `bytes` is everything since the end of the last head, as in RequestParser. nullopt: more is needed. `method` is
  // that of the request. 1xx responses are given too, without a body; 101 is malformed, since we never ask for it.
  Result<std::optional<Head>> parse(std::string_view bytes, Method method);
  // After a head.
  std::size_t head_bytes() const { return scanned_; }
  void reset() { scanned_ = line_start_ = lines_ = 0; }

 private:
  Result<bool> scan(std::string_view bytes);
  static Result<Done> parse_status_line(std::string_view line, Head& head, bool& old);

  const Limits limits_;
  std::size_t scanned_ = 0;
  std::size_t line_start_ = 0;
  std::size_t lines_ = 0;
};

}  // namespace securebase::http
