// Responses on their way out: gathered, so that one write carries the head, the fields that differ each time and the
// body, and as many pipelined responses as are ready.
#pragma once

#include <sys/uio.h>

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "net/http/message.h"

namespace securebase::http {

class Output {
 public:
  bool empty() const { return pieces_.empty(); }
  // To be written before more is added.
  bool is_full() const { return bytes_ >= kGatheredBytes || last_in_; }

  // Copied.
  void add_copy(std::string_view text);
  // Not copied: stays valid until clear(), or is kept so by hold().
  void add_view(std::string_view text);
  void add_body_of(const PreparedResponse& prepared);  // not held
  void hold(std::shared_ptr<const PreparedResponse> prepared) { prepared_.push_back(std::move(prepared)); }
  // A body that is no stream, held too. From a file it is the last that a write can carry.
  void add_body(Body body);

  // Everything, for one write; valid until the next change.
  std::span<iovec> gather();
  // Where the last of them lies in a file too.
  net::FilePlace last_in() const { return last_in_; }
  // Keeps its memory.
  void clear();

 private:
  static constexpr std::size_t kGatheredBytes = 64 << 10;

  struct Piece {
    const char* view;    // null: in scratch_
    std::size_t offset;  // into scratch_
    std::size_t length;
  };
  void add_bytes(std::string_view bytes, net::FilePlace file);

  std::string scratch_;
  std::vector<Piece> pieces_;
  std::vector<iovec> gathered_;
  std::vector<std::shared_ptr<const PreparedResponse>> prepared_;
  std::vector<Body> bodies_;
  std::size_t bytes_ = 0;
  net::FilePlace last_in_;
};

// What the server decides about a response, beyond what the handler said.
struct ResponseFraming {
  bool head_only = false;  // the request was HEAD
  bool close = false;
  bool keep_alive = false;     // said in words, to HTTP/1.0
  bool may_chunk = true;       // not to HTTP/1.0
  std::string_view date_line;  // "Date: ...\r\n"
};

enum class BodyFraming { kNone, kWhole, kLength, kChunked, kUntilClose };

// Writes the head of `response`; what the body's framing is comes back. False-y fields (a name that is no token, a
// value with CR, LF or NUL) or a status outside 200 to 599 give nullopt, and nothing is written.
std::optional<BodyFraming> add_head(Output& output, const Response& response, const ResponseFraming& framing);

}  // namespace securebase::http
