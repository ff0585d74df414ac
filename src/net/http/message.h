// HTTP messages (RFC 9110) as every room sees them, whatever version carried them.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "net/shared_bytes.h"
#include "net/task.h"
#include "telemetry/trace.h"

namespace securebase::http {

enum class Method { kGet, kHead, kPost, kPut, kDelete, kConnect, kOptions, kTrace, kPatch, kOther };
Method method_from(std::string_view name);                         // case-sensitive, RFC 9110 §9.1
std::string_view to_string(Method method);                         // "" for kOther
std::string_view reason_phrase(int status);                        // RFC 9110 §15; "" if unknown
bool equal_ignoring_case(std::string_view a, std::string_view b);  // ASCII

// Text that lives as long as its owner: what is copied into it stays where it is.
class Arena {
 public:
  std::string_view copy(std::string_view text);
  // Forgets all copies; keeps its first chunk for the next ones.
  void clear();

 private:
  std::vector<std::unique_ptr<char[]>> chunks_;
  std::size_t used_ = 0;            // of the last chunk
  std::size_t capacity_ = 0;        // of the last chunk
  std::size_t first_capacity_ = 0;  // of the first
};

// Field lines in the order they came. Names compare without case. Either views into memory of others (add_view), which
// must outlive this, or copies of its own (add).
class Headers {
 public:
  struct Field {
    std::string_view name;
    std::string_view value;
  };

  Headers() = default;
  Headers(Headers&&) = default;
  Headers& operator=(Headers&&) = default;
  // Copies own everything they hold.
  Headers(const Headers& other);
  Headers& operator=(const Headers& other);

  void add(std::string_view name, std::string_view value);
  void add_view(std::string_view name, std::string_view value) { fields_.push_back({name, value}); }
  // Replaces all lines of that name by one.
  void set(std::string_view name, std::string_view value);
  // The same, as views.
  void set_view(std::string_view name, std::string_view value);
  std::size_t remove(std::string_view name);
  // Removes the lines whose name `predicate` accepts.
  template <class Predicate>
  std::size_t remove_if(Predicate predicate) {
    return std::erase_if(fields_, [&predicate](const Field& field) { return predicate(field.name); });
  }

  // The first line's value; nullopt if there is none.
  std::optional<std::string_view> get(std::string_view name) const;
  bool has(std::string_view name) const { return get(name).has_value(); }
  // All lines of that name joined by ", " (RFC 9110 §5.3); not for Set-Cookie.
  std::string joined(std::string_view name) const;

  const std::vector<Field>& fields() const { return fields_; }
  std::size_t size() const { return fields_.size(); }
  // Keeps its memory, so that headers that are filled again and again do not allocate.
  void clear();

 private:
  std::vector<Field> fields_;
  std::unique_ptr<Arena> arena_;
};

// A body that comes in pieces. One reader. Dropping it before its end tells the sender to stop.
class BodyReader {
 public:
  virtual ~BodyReader() = default;
  // The next piece, valid until the next call; empty at the end. After an error: no more calls.
  virtual net::Task<Result<std::string_view>> next() = 0;
};

// Reads to the end. kLimit when more than `limit_bytes` come.
net::Task<Result<std::string>> read_all(BodyReader& body, std::size_t limit_bytes);

using net::SharedBytes;

// Nothing, bytes of its own, shared bytes, or pieces that come. A stream whose length is known says so, and is then
// sent with Content-Length rather than chunked.
class Body {
 public:
  Body() = default;
  Body(std::string bytes) : content_(std::move(bytes)) {}    // NOLINT: implicit by design
  Body(const char* bytes) : content_(std::string(bytes)) {}  // NOLINT
  Body(SharedBytes bytes) : content_(std::move(bytes)) {}    // NOLINT
  Body(std::unique_ptr<BodyReader> pieces, std::optional<std::uint64_t> length = std::nullopt)  // NOLINT
      : content_(std::move(pieces)), stream_length_(length) {}

  bool is_stream() const { return std::holds_alternative<std::unique_ptr<BodyReader>>(content_); }
  // nullopt: a stream of unknown length.
  std::optional<std::uint64_t> length() const;
  // The bytes of a body that is no stream.
  std::string_view bytes() const;
  // Where they lie in a file too.
  net::FilePlace file() const;
  // The stream, which leaves this; null if it is none.
  std::unique_ptr<BodyReader> take_stream();

 private:
  std::variant<std::monostate, std::string, SharedBytes, std::unique_ptr<BodyReader>> content_;
  std::optional<std::uint64_t> stream_length_;
};

// A request as a handler sees it. Its views live in the connection's memory until the handler's response has been
// sent: what is kept longer is copied.
struct Request {
  Method method = Method::kGet;
  std::string_view method_name = "GET";
  std::string_view scheme = "http";
  std::string_view authority;     // Host, in lower case, with its port if it has one; "" only in HTTP/1.0
  std::string_view target = "/";  // as received: origin form, or what an absolute form reduces to
  std::string_view path = "/";    // the target up to '?', not decoded, not normalised
  std::string_view query;         // after '?', without it
  Headers headers;                // hop-by-hop fields taken out
  BodyReader* body = nullptr;     // null: no body. Owned by the connection.
  std::optional<std::uint64_t> content_length;
  std::string_view peer_address;
  std::uint16_t peer_port = 0;
  std::uint64_t connection = 0;  // a number that no other of its worker and server ever has; 0: none
  std::string_view tls_version;  // "" without TLS
  int version_major = 1;
  int version_minor = 1;
  base::SteadyPoint received;  // when its first byte was read
  telemetry::TraceContext trace;
};

// A response kept whole and sent often: immutable, shared between workers. `head` is its status line and field lines as
// HTTP/1.1 writes them, without those that differ each time (Date, Age, Connection, and `Response::headers`) and
// without the empty line at the end; Content-Length is in it.
struct PreparedResponse {
  int status = 200;
  Headers headers;
  std::string head;
  SharedBytes body;
};

// Makes `head`. Adds Content-Length; Date and the fields that belong to a connection are left out of `head`. A field
// that would break the framing (CR, LF, NUL, an empty name) makes it a 500 without a body, and a line in the log.
std::shared_ptr<const PreparedResponse> prepare(int status, Headers headers, SharedBytes body);

// What a handler answers. With `prepared`, status and most fields come from there, `headers` are those to add, and
// `body` is not used. Framing (Content-Length, Transfer-Encoding), Connection and Date are the server's.
struct Response {
  int status = 200;
  Headers headers;
  Body body;
  std::shared_ptr<const PreparedResponse> prepared;
};

// Something that answers requests. One handler serves a listener on all workers at once; it outlives the server.
class Handler {
 public:
  virtual ~Handler() = default;

  // Answers at once, without waiting: true when it did. The hot path: it must not block, and should not allocate.
  virtual bool answer_now(const Request& request, Response& response) {
    static_cast<void>(request);
    static_cast<void>(response);
    return false;
  }

  // Never fails: a failure is a response too. The task is cancelled when the client goes away.
  virtual net::Task<Response> answer(Request& request) = 0;
};

}  // namespace securebase::http
