// One request and its answer over HTTP/1.1, with the times that matter.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "load/engine/failure.h"

namespace securebase::load {

// Where a URL points: scheme, host and port. Connections are kept by it.
struct Origin {
  bool tls = false;
  std::string host;  // without the brackets of an IPv6 address
  std::uint16_t port = 80;

  // What the Host field says; the port only when it is not the scheme's own.
  std::string authority() const;
  auto operator<=>(const Origin&) const = default;
};

struct Url {
  Origin origin;
  std::string target;  // path and query, at least "/"; the fragment is cut off
};
// "http://host[:port][/path][?query][#fragment]", https too; a name and password in it are refused.
Result<Url> parse_url(std::string_view text);
// A reference (Location, or a script's "/path") against where it stands.
Result<Url> resolve_url(const Url& base, std::string_view reference);

// A request as it goes over the wire: made once when it is always the same, or for every send.
struct Request {
  Origin origin;
  std::string head;      // request line and fields, with the empty line
  std::string body;      // its length is in the head
  bool is_head = false;  // a HEAD: the answer has no body
  bool closes = false;   // "Connection: close" is in it: whatever the server does, we close after the answer
};

using HeaderList = std::vector<std::pair<std::string, std::string>>;

// Adds Host, Content-Length and what is missing of Accept, User-Agent; refuses a method, target or field that would
// break the framing (control characters), and Transfer-Encoding.
Result<Request> make_request(std::string_view method, const Url& url, const HeaderList& headers, std::string body = {});

struct Limits {
  std::chrono::milliseconds connect{10'000};     // to a connection, with TLS
  std::chrono::milliseconds first_byte{10'000};  // from the request being sent
  std::chrono::milliseconds whole{60'000};       // from the request being sent to the answer's last byte
  std::size_t head_bytes = 64 << 10;
  std::size_t body_bytes = 64 << 20;  // kept; a body that is not kept may be of any length
};
// Limits of time are looked at every kSweep: a timeout comes at most that much late.
inline constexpr std::chrono::milliseconds kSweep{20};

struct Times {
  base::SteadyPoint begun;       // before a connection was looked for
  base::SteadyPoint connected;   // TCP stands; both are `begun` when the connection was there
  base::SteadyPoint secured;     // TLS too
  base::SteadyPoint sent;        // the request was given to the kernel from here on
  base::SteadyPoint first_byte;  // of the answer
  base::SteadyPoint last_byte;   // of the answer, or when it failed
  bool new_connection = false;
};

struct Answer {
  int status = 0;
  Failure failure = Failure::kNone;
  std::string explanation;  // of a failure that connecting reports; else empty
  std::string head;         // fields as they came, each line with its CRLF, without the status line; if kept
  std::string body;         // decoded from chunks, not decompressed; if kept
  std::uint64_t body_bytes = 0;
  std::uint64_t sent_bytes = 0;
  std::uint64_t received_bytes = 0;
  Times times;

  bool ok() const { return failure == Failure::kNone; }
  // The first field of that name (any case), without white space around it; nullopt: none. Needs a kept head; the view
  // lives as long as the answer.
  std::optional<std::string_view> header(std::string_view name) const;
  // All fields, names as they came.
  HeaderList headers() const;
};

enum class Keep { kNothing, kHead, kAll };  // of an answer

}  // namespace securebase::load
