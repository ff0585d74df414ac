// Bytes in and out. A Stream is one connection, on one worker: TCP, a Unix socket, or TLS over one of them. At most one
// read and one write wait at a time. The operations are awaitables that live in the awaiting frame: a read that finds
// bytes, or a write that the kernel takes whole, allocates nothing and does not suspend.
#pragma once

#include <sys/uio.h>

#include <chrono>
#include <coroutine>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/cancellation.h"
#include "net/shared_bytes.h"
#include "net/task.h"

namespace securebase::net {

class Stream;

// One read or one write under way. Made by Stream::read and Stream::write only.
class IoOperation final : Cancellation::Hook {
 public:
  enum class Kind { kRead, kWrite };

  IoOperation(Stream& stream, std::span<char> into) : stream_(stream), kind_(Kind::kRead), into_(into) {}
  IoOperation(Stream& stream, std::span<iovec> pieces, FilePlace last_in)
      : stream_(stream), kind_(Kind::kWrite), pieces_(pieces), last_in_(last_in) {}

  bool await_ready() const noexcept { return false; }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> awaiter) {
    awaiter_ = awaiter;
    return begin(awaiter.promise().cancellation);
  }
  // Read: bytes read, 0 at the end of the stream. Write: all bytes were taken.
  Result<std::size_t> await_resume();

  // For streams, which are the other side of it.
  Kind kind() const { return kind_; }
  std::span<char> into() const { return into_; }
  std::span<iovec> pieces() const { return pieces_; }
  FilePlace last_in() const { return last_in_; }
  // Ends this operation alone, if it still waits: it completes with kCancelled, from the loop.
  void cancel() { on_cancel(); }
  // Called once, on the stream's worker, from its loop and not from inside Stream::start.
  void complete(Result<std::size_t> outcome);

 private:
  bool begin(Cancellation* cancellation);
  void on_cancel() override;

  Stream& stream_;
  const Kind kind_;
  std::span<char> into_;
  std::span<iovec> pieces_;
  FilePlace last_in_;
  std::coroutine_handle<> awaiter_;
  Result<std::size_t> outcome_ = std::size_t{0};
};

// Hears that the peer is gone, without reading: the way to stop work that nobody waits for any more.
class HangUpListener {
 public:
  // From the loop. A peer that has only ended its own direction counts as gone: the two look the same from here.
  virtual void on_hang_up() = 0;

 protected:
  virtual ~HangUpListener() = default;
};

class Stream {
 public:
  virtual ~Stream() = default;

  // `into` stays valid until the read ends.
  IoOperation read(std::span<char> into) { return {*this, into}; }
  // Writes all pieces in order. The pieces, and the bytes they point to, stay valid until the write ends; the stream
  // may change the iovecs themselves. `last_in`: where the last piece lies in a file too, whose bytes do not change, so
  // that a stream that can lets the kernel take them from there.
  IoOperation write(std::span<iovec> pieces, FilePlace last_in = {}) { return {*this, pieces, last_in}; }

  // Tells the peer that no more will come. Reads go on.
  virtual Task<Result<Done>> shut_down() = 0;
  // Ends everything at once; what waits completes with kCancelled. Idempotent.
  virtual void close() = 0;

  // Bytes that the kernel has taken so far, also of a write that still waits: whether a slow peer makes progress.
  virtual std::uint64_t written() const = 0;

  // Whether the peer has ended its direction; bytes it sent before may still be unread.
  virtual bool hung_up() const = 0;
  // Of a kept connection that should be silent: false when the peer has ended it, or sent what nobody asked for. What
  // TLS itself sends (session tickets) does not count. Not while a read waits.
  virtual bool is_quiet() = 0;
  // Tells `listener` when the peer ends its direction; null: nobody. It outlives the stream or is taken back.
  virtual void listen_for_hang_up(HangUpListener* listener) = 0;

  // "127.0.0.1", "::1", or empty for a Unix socket.
  virtual std::string_view peer_address() const = 0;
  virtual std::uint16_t peer_port() const = 0;
  // What TLS agreed on; empty without TLS: "TLSv1.3", "h2", "shop.example".
  virtual std::string_view tls_version() const { return {}; }
  virtual std::string_view alpn() const { return {}; }
  virtual std::string_view server_name() const { return {}; }
  // Whether TLS went on from an earlier session, without a full handshake.
  virtual bool resumed() const { return false; }
  // The descriptor below, for options and credentials (SO_PEERCRED).
  virtual int descriptor() const = 0;

 protected:
  friend class IoOperation;
  // Tries at once: the outcome if there is one already, or nullopt when operation.complete() will be called later.
  virtual std::optional<Result<std::size_t>> start(IoOperation& operation) = 0;
  // Makes the waiting operation complete with kCancelled, from the loop.
  virtual void cancel(IoOperation& operation) = 0;
};

// Where to listen and where to connect: "127.0.0.1:8080", "[::1]:8080", "localhost:5432", "unix:/run/x.sock".
struct Address {
  std::string host;  // empty for a Unix socket
  std::uint16_t port = 0;
  std::string path;  // of a Unix socket

  static Result<Address> parse(std::string_view text);
  std::string to_string() const;
};

// Accepts on one worker. The workers of one server listen on the same port at once (SO_REUSEPORT): the kernel spreads
// connections over them.
class Listener {
 public:
  // Who else may listen on the port: nobody; those who come with kFurther; those and who came with kFirst.
  enum class Sharing { kAlone, kFirst, kFurther };
  // kConflict names the owner of a taken port where that can be known. Port 0: any free one, see port().
  static Result<std::unique_ptr<Listener>> open(const Address& address, Sharing sharing = Sharing::kAlone);
  virtual ~Listener() = default;
  virtual Task<Result<std::unique_ptr<Stream>>> accept() = 0;
  virtual std::uint16_t port() const = 0;
  virtual void close() = 0;
};

// Tries the addresses that the host has, in order. On the current worker.
Task<Result<std::unique_ptr<Stream>>> connect(Address address, std::chrono::steady_clock::duration timeout);

}  // namespace securebase::net
