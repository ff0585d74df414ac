// Reads the head of an HTTP/1.1 request (RFC 9112), strictly: whatever two parsers could read differently is an error
// that closes the connection. docs/http.md lists what and why.
//
// The parser looks at the connection's own buffer: what it gives are views into it. It takes the bytes as they arrive
// and gives the same result however they are cut.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "net/http/message.h"

namespace securebase::http {

class RequestParser {
 public:
  struct Limits {
    std::size_t head_bytes = 32 << 10;   // what a connection may make us hold before its request is known
    std::size_t target_bytes = 8 << 10;  // RFC 9112 §3 asks for 8000 at least
    std::size_t header_count = 100;      // each costs a scan of the list
  };
  enum class Status { kNeedMore, kDone, kRefused };

  // How the bytes after the head are framed, and what becomes of the connection after them.
  struct Framing {
    bool chunked = false;
    std::optional<std::uint64_t> content_length;
    bool expects_continue = false;
    bool keep_alive = true;
    bool has_body() const { return chunked || content_length.value_or(0) > 0; }
  };

  explicit RequestParser(Limits limits) : limits_(limits) {}

  // `bytes` is everything since the end of the last message, and begins with the same byte each time until the result
  // is not kNeedMore; it may have moved in memory. On kDone `request` is filled (but for the connection's own: scheme,
  // peer, time, trace). Host names in `bytes` are turned to lower case.
  Status parse(std::span<char> bytes, Request& request);
  // Makes ready for the next head.
  void reset();

  // After kDone.
  std::size_t head_bytes() const { return scanned_; }
  const Framing& framing() const { return framing_; }
  // After kRefused: the answer (400, 414, 417, 431, 501, 505), and why, for the log and the client.
  int refusal() const { return refusal_; }
  std::string_view reason() const { return reason_; }

 private:
  Status refuse(int status, std::string_view reason);
  Status scan(std::span<char> bytes);
  Status parse_request_line(std::span<char> line, Request& request);
  Status parse_target(std::string_view target, Request& request);
  Status parse_absolute(std::string_view rest, Request& request);
  Status parse_field(std::span<char> line, Request& request);
  Status parse_length(std::string_view value);
  Status finish(Request& request);

  const Limits limits_;
  // Of the head under way.
  std::size_t scanned_ = 0;               // bytes looked at
  std::size_t start_ = 0;                 // of the request line: 2 after an empty line that is skipped
  std::vector<std::uint32_t> line_ends_;  // where each line's CRLF begins
  Framing framing_;
  int hosts_ = 0;
  bool transfer_encoding_ = false;
  bool absolute_ = false;
  std::string_view host_;   // of the Host field
  std::string connection_;  // what Connection names, when it names more than close and keep-alive
  bool close_ = false;
  bool keep_alive_asked_ = false;
  std::string rewritten_target_;  // of an absolute form without a path
  int refusal_ = 0;
  std::string_view reason_;
};

// host [ ":" port ] as we take it in Host and in absolute targets: letters, digits, - . _ ~ %, or an IP literal.
bool is_authority(std::string_view text);

}  // namespace securebase::http
