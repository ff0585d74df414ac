// One connection of the server: one coroutine reads requests, asks the handler, writes responses, until either side has
// enough. Worker only.
#pragma once

#include <memory>

#include "net/http/chunked.h"
#include "net/http/output.h"
#include "net/http/request_parser.h"
#include "net/http/server.h"
#include "net/loop.h"

namespace securebase::http {

// What the connections of one worker share.
class ConnectionHost {
 public:
  // On the worker.
  ConnectionHost(const ServerSettings& settings, Handler& handler);

  const ServerSettings& settings;
  Handler& handler;
  bool draining = false;
  std::uint64_t connections = 0;  // so far

  // When this round of the loop began.
  base::SteadyPoint now() const { return loop_.now(); }
  // "Date: ...\r\n", made once a second.
  std::string_view date_line();
  // The wall clock's second, as old as date_line.
  base::TimePoint wall() const { return wall_; }

 private:
  const net::Worker::Loop& loop_;
  base::TimePoint wall_;
  std::string date_line_;
  base::SteadyPoint date_until_{};
};

// Bytes that came and are not used up: one block of memory, the head of a request at its beginning.
class Input {
 public:
  std::span<char> unread() { return {memory_.get() + begin_, end_ - begin_}; }
  bool empty() const { return begin_ == end_; }
  // At least one byte; moves what is unread, so no views may exist.
  std::span<char> room();
  void took(std::size_t count) { end_ += count; }
  void drop(std::size_t count) { begin_ += count; }
  // In place of everything.
  void assign(std::string_view bytes);

 private:
  void reallocate(std::size_t capacity);
  std::unique_ptr<char[]> memory_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

class Connection final : private net::HangUpListener {
 public:
  Connection(ConnectionHost& host, std::unique_ptr<net::Stream> stream);
  ~Connection() override;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  net::Task<void> run();

  // From the sweep: ends what has waited longer than its limit.
  void expire(base::SteadyPoint now);
  bool is_idle() const { return phase_ == Phase::kIdle; }
  void close() {
    if (stream_) stream_->close();
  }

  // In the server's list of connections, the oldest first.
  Connection* next = nullptr;
  Connection* previous = nullptr;

 private:
  enum class Phase { kHandshake, kIdle, kHead, kBody, kHandler, kWrite, kLinger };
  enum class After { kKeep, kClose, kLinger };

  // The body of the request under way.
  class RequestBody final : public BodyReader {
   public:
    explicit RequestBody(Connection& connection) : connection_(connection) {}
    void begin(const RequestParser::Framing& framing, std::string_view buffered);
    net::Task<Result<std::string_view>> next() override;
    bool is_done() const { return done_; }
    // The client still waits for leave to send it.
    bool is_withheld() const { return expects_continue_ && !done_; }
    std::optional<std::uint64_t> bytes_left() const { return chunked_ ? std::nullopt : std::optional(left_); }
    // What came beyond it.
    std::string_view beyond() const { return raw_; }
    bool beyond_is_in_input() const { return !reads_own_; }
    // 0, or the status that answers the failure; kGone when nobody is there to read it.
    int failure() const { return failure_; }
    static constexpr int kGone = -1;
    void release() { memory_.reset(); }

   private:
    Result<std::optional<std::string_view>> take();
    Error fail(int status, Error error);
    void finish();

    Connection& connection_;
    ChunkedDecoder decoder_;
    bool chunked_ = false;
    bool done_ = true;
    bool expects_continue_ = false;
    bool reads_own_ = false;  // raw_ is in memory_, not in the connection's input
    std::uint64_t left_ = 0;  // by Content-Length
    std::uint64_t taken_ = 0;
    int failure_ = 0;
    std::string_view raw_;  // came, not taken apart yet
    std::unique_ptr<char[]> memory_;
  };

  void enter(Phase phase);
  void begin_request();
  void end_request();
  bool queue_whole_response();
  net::Task<After> answer_slowly();
  net::Task<After> send_response(After after);
  net::Task<bool> send_stream(BodyReader& body, BodyFraming framing, std::optional<std::uint64_t> length);
  net::Task<bool> drain_body();
  net::Task<void> refuse(int status, std::string_view reason);
  net::Task<void> linger();
  net::Task<bool> flush();
  net::Task<bool> shake_hands();
  ResponseFraming response_framing(bool close);
  void on_hang_up() override;

  ConnectionHost& host_;
  std::unique_ptr<net::Stream> stream_;
  Phase phase_ = Phase::kHandshake;
  base::SteadyPoint since_;
  std::uint64_t written_ = 0;            // by the stream, when expire() last looked
  net::IoOperation* reading_ = nullptr;  // what expire() may end alone
  bool expired_ = false;
  net::Cancellation* handler_cancellation_ = nullptr;  // while a handler works
  Input input_;
  Output output_;
  RequestParser parser_;
  RequestBody body_{*this};
  Request request_;
  Response response_;
  std::size_t pipelined_ = 0;  // answers since the last write
};

}  // namespace securebase::http
