#include "net/tls_stream.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "net/worker.h"

namespace securebase::net {

namespace {

constexpr std::size_t kRecord = 16 << 10;    // RFC 8446 §5.1: the longest plaintext of a record
constexpr std::size_t kIncoming = 32 << 10;  // ciphertext read at once
constexpr std::size_t kOutgoing = 64 << 10;  // ciphertext made before it is written
constexpr std::chrono::seconds kHandshakeTime{10};

// A coroutine that nobody awaits: it keeps its engine alive, and ends with the operation that it carries out.
struct Pump {
  struct promise_type {
    Cancellation* cancellation = nullptr;
    Pump get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() noexcept {}
    [[noreturn]] void unhandled_exception() noexcept { std::terminate(); }
    static void* operator new(std::size_t bytes) { return allocate_frame(bytes); }
    static void operator delete(void* frame, std::size_t bytes) noexcept { free_frame(frame, bytes); }
  };
};

// The TLS state, and ciphertext on its way in and out.
class Engine : public std::enable_shared_from_this<Engine> {
 public:
  using Outcome = std::optional<Result<std::size_t>>;

  Engine(std::unique_ptr<Stream> below, SslPointer ssl, std::shared_ptr<const void> settings)
      : settings_(std::move(settings)), below_(std::move(below)), ssl_(std::move(ssl)) {
    BIO* bio = BIO_new(method());
    BIO_set_data(bio, this);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl_.get(), bio, bio);  // takes it
  }

  Stream& below() { return *below_; }
  SSL* ssl() { return ssl_.get(); }

  static Task<Result<Done>> shake_hands(std::shared_ptr<Engine> self) {
    for (;;) {
      ERR_clear_error();
      const int result = SSL_do_handshake(self->ssl());
      const int why = SSL_get_error(self->ssl(), result);
      std::optional<Error> failure;
      if (result != 1 && why != SSL_ERROR_WANT_READ) failure = ssl_error(Errc::kMalformed, "the TLS handshake failed");
      if (!self->out_.empty()) {  // an alert goes out too
        auto sent = co_await self->write_out();
        if (!sent && !failure) co_return sent.error();
      }
      if (failure) co_return *failure;
      if (result == 1) co_return Done{};
      auto got = co_await self->below_->read(self->room());
      if (!got) co_return got.error();
      if (*got == 0) co_return Error{Errc::kClosed, "the peer closed within the TLS handshake"};
      self->in_end_ += *got;
    }
  }

  Outcome start(IoOperation& operation) {
    starting_ = true;
    settled_.reset();
    if (operation.kind() == IoOperation::Kind::kRead) {
      if (auto outcome = decrypt(operation.into())) {
        starting_ = false;
        flush_alone();
        return outcome;
      }
      read_ = &operation;
      pump_in(shared_from_this());
    } else {
      write_ = &operation;
      rest_ = operation.pieces();
      taken_ = 0;
      if (!pumping_out_) pump_out(shared_from_this());  // else it takes this along
    }
    starting_ = false;
    return std::exchange(settled_, std::nullopt);
  }

  void cancel(IoOperation& operation) {
    if (read_ == &operation && reading_) reading_->cancel();
    if (write_ == &operation && writing_) writing_->cancel();
  }

  // Reads past the stream below, which waits for nothing meanwhile and finds its socket emptier than it thought.
  bool is_quiet() {
    if (below_->hung_up()) return false;
    constexpr int kMostReads = 4;  // tickets are small; who sends more than 128 KiB of them keeps the worker busy
    for (int reads = 0; reads < kMostReads; ++reads) {
      ERR_clear_error();
      char byte = 0;
      std::size_t got = 0;
      const int result = SSL_peek_ex(ssl_.get(), &byte, 1, &got);
      if (result == 1 || SSL_get_error(ssl_.get(), result) != SSL_ERROR_WANT_READ) return false;
      flush_alone();
      const auto space = room();
      const auto came = ::recv(below_->descriptor(), space.data(), space.size(), MSG_DONTWAIT);
      if (came < 0) return errno == EAGAIN;
      if (came == 0) return false;
      in_end_ += static_cast<std::size_t>(came);
    }
    return false;
  }

  static Task<Result<Done>> shut_down(std::shared_ptr<Engine> self) {
    ERR_clear_error();
    SSL_shutdown(self->ssl());  // close_notify
    if (!self->out_.empty() && !self->pumping_out_) {
      auto sent = co_await self->write_out();
      if (!sent) co_return sent.error();
    }
    co_return co_await self->below_->shut_down();
  }

 private:
  // nullopt: more ciphertext is needed.
  Outcome decrypt(std::span<char> into) {
    ERR_clear_error();
    std::size_t got = 0;
    const int result = SSL_read_ex(ssl_.get(), into.data(), into.size(), &got);
    if (result == 1) return got;
    switch (SSL_get_error(ssl_.get(), result)) {
      case SSL_ERROR_WANT_READ:
        return std::nullopt;
      case SSL_ERROR_ZERO_RETURN:
        return std::size_t{0};
      default:
        return ssl_error(Errc::kMalformed, "the TLS connection broke");
    }
  }

  // Turns the front of `pieces` into records, up to kOutgoing. Small pieces share a record.
  std::optional<Error> encrypt(std::span<iovec>& pieces, std::size_t& taken) {
    while (!pieces.empty() && out_.size() < kOutgoing) {
      record_.clear();
      while (!pieces.empty() && record_.size() < kRecord) {
        auto& piece = pieces.front();
        const std::size_t count = std::min(piece.iov_len, kRecord - record_.size());
        record_.append(static_cast<const char*>(piece.iov_base), count);
        piece.iov_base = static_cast<char*>(piece.iov_base) + count;
        piece.iov_len -= count;
        if (piece.iov_len == 0) pieces = pieces.subspan(1);
      }
      if (record_.empty()) break;
      ERR_clear_error();
      std::size_t written = 0;
      if (SSL_write_ex(ssl_.get(), record_.data(), record_.size(), &written) != 1) {
        return ssl_error(Errc::kClosed, "TLS takes no more");
      }
      taken += written;
    }
    return std::nullopt;
  }

  static Pump pump_in(std::shared_ptr<Engine> self) {
    for (;;) {
      auto read = self->below_->read(self->room());
      self->reading_ = &read;
      auto got = co_await read;
      self->reading_ = nullptr;
      Outcome outcome;
      if (!got) {
        outcome = got.error();
      } else if (*got == 0) {
        outcome = Error{Errc::kClosed, "the peer closed without TLS close_notify: what came may be cut short"};
      } else {
        self->in_end_ += *got;
        outcome = self->decrypt(self->read_->into());
        self->flush_alone();
      }
      if (!outcome) continue;
      self->settle(self->read_, std::move(*outcome));
      co_return;
    }
  }

  // Writes what there is to be written, and the operation that waits, until both are done.
  static Pump pump_out(std::shared_ptr<Engine> self) {
    self->pumping_out_ = true;
    std::optional<Error> failure;
    while (!failure) {
      if (self->write_) failure = self->encrypt(self->rest_, self->taken_);
      if (failure || self->out_.empty()) break;
      auto sent = co_await self->write_out();
      if (!sent) failure = sent.error();
    }
    self->pumping_out_ = false;
    if (!self->write_) co_return;
    if (failure) {
      self->settle(self->write_, *failure);
    } else {
      self->settle(self->write_, self->taken_);
    }
  }

  Task<Result<Done>> write_out() {
    sending_.swap(out_);
    out_.clear();
    iovec piece{sending_.data(), sending_.size()};
    auto write = below_->write({&piece, 1});
    writing_ = &write;
    auto sent = co_await write;
    writing_ = nullptr;
    if (!sent) co_return sent.error();
    co_return Done{};
  }

  // Reading makes OpenSSL answer now and then (a key update): that is sent even if nobody writes.
  void flush_alone() {
    if (!out_.empty() && !pumping_out_) pump_out(shared_from_this());
  }

  void settle(IoOperation*& slot, Result<std::size_t> outcome) {
    IoOperation* operation = std::exchange(slot, nullptr);
    if (starting_) {
      settled_ = std::move(outcome);
    } else {
      operation->complete(std::move(outcome));
    }
  }

  std::span<char> room() {
    if (in_begin_ == in_end_) in_begin_ = in_end_ = 0;
    if (in_.empty()) in_.resize(kIncoming);
    if (in_end_ == in_.size()) {
      // OpenSSL asks for a record's rest only when it has taken its beginning: what is left is never much.
      std::memmove(in_.data(), in_.data() + in_begin_, in_end_ - in_begin_);
      in_end_ -= in_begin_;
      in_begin_ = 0;
    }
    return std::span(in_).subspan(in_end_);
  }

  // OpenSSL's way to our buffers.
  static int bio_read(BIO* bio, char* into, std::size_t wanted, std::size_t* got) {
    auto& self = *static_cast<Engine*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    *got = std::min(wanted, self.in_end_ - self.in_begin_);
    if (*got == 0) {
      BIO_set_retry_read(bio);
      return 0;
    }
    std::memcpy(into, self.in_.data() + self.in_begin_, *got);
    self.in_begin_ += *got;
    return 1;
  }
  static int bio_write(BIO* bio, const char* bytes, std::size_t count, std::size_t* taken) {
    static_cast<Engine*>(BIO_get_data(bio))->out_.append(bytes, count);
    *taken = count;
    return 1;
  }
  static long bio_control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }
  static const BIO_METHOD* method() {
    static BIO_METHOD* const made = [] {
      BIO_METHOD* method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "securebase");
      BIO_meth_set_read_ex(method, bio_read);
      BIO_meth_set_write_ex(method, bio_write);
      BIO_meth_set_ctrl(method, bio_control);
      return method;
    }();
    return made;
  }

  const std::shared_ptr<const void> settings_;  // what OpenSSL's callbacks use
  std::unique_ptr<Stream> below_;
  SslPointer ssl_;
  std::string in_;  // [in_begin_, in_end_): came, not taken by OpenSSL yet
  std::size_t in_begin_ = 0;
  std::size_t in_end_ = 0;
  std::string out_;      // to be written
  std::string sending_;  // being written
  std::string record_;
  IoOperation* read_ = nullptr;
  IoOperation* write_ = nullptr;
  std::span<iovec> rest_;  // of write_
  std::size_t taken_ = 0;  // of write_
  bool pumping_out_ = false;
  IoOperation* reading_ = nullptr;  // below
  IoOperation* writing_ = nullptr;  // below
  bool starting_ = false;           // inside start(): outcomes go to settled_
  Outcome settled_;
};

class TlsStream final : public Stream {
 public:
  explicit TlsStream(std::shared_ptr<Engine> engine) : engine_(std::move(engine)) {
    const unsigned char* protocol = nullptr;
    unsigned length = 0;
    SSL_get0_alpn_selected(engine_->ssl(), &protocol, &length);
    if (length) alpn_.assign(reinterpret_cast<const char*>(protocol), length);
    if (const char* name = SSL_get_servername(engine_->ssl(), TLSEXT_NAMETYPE_host_name)) server_name_ = name;
  }
  ~TlsStream() override {
    listen_for_hang_up(nullptr);
    close();  // a flush that nobody waits for ends with it
  }

  Task<Result<Done>> shut_down() override { return Engine::shut_down(engine_); }
  void close() override { engine_->below().close(); }
  std::uint64_t written() const override { return engine_->below().written(); }
  bool hung_up() const override { return engine_->below().hung_up(); }
  bool is_quiet() override { return engine_->is_quiet(); }
  void listen_for_hang_up(HangUpListener* listener) override { engine_->below().listen_for_hang_up(listener); }
  std::string_view peer_address() const override { return engine_->below().peer_address(); }
  std::uint16_t peer_port() const override { return engine_->below().peer_port(); }
  std::string_view tls_version() const override { return SSL_get_version(engine_->ssl()); }
  std::string_view alpn() const override { return alpn_; }
  std::string_view server_name() const override { return server_name_; }
  bool resumed() const override { return SSL_session_reused(engine_->ssl()) == 1; }
  int descriptor() const override { return engine_->below().descriptor(); }

 private:
  std::optional<Result<std::size_t>> start(IoOperation& operation) override { return engine_->start(operation); }
  void cancel(IoOperation& operation) override { engine_->cancel(operation); }

  const std::shared_ptr<Engine> engine_;  // shared with its pumps
  std::string alpn_;
  std::string server_name_;
};

}  // namespace

Error ssl_error(Errc code, std::string_view what) {
  const unsigned long number = ERR_get_error();
  const char* reason = ERR_reason_error_string(number);
  ERR_clear_error();
  return Error{code, fmt::format("{}: {}", what, reason ? reason : "no reason given")};
}

Task<Result<std::unique_ptr<Stream>>> shake_hands(std::unique_ptr<Stream> connection, SslPointer ssl,
                                                  std::shared_ptr<const void> settings) {
  auto engine = std::make_shared<Engine>(std::move(connection), std::move(ssl), std::move(settings));
  auto done = co_await with_timeout(kHandshakeTime, Engine::shake_hands(engine));
  if (!done) {
    engine->below().close();
    co_return done.error();
  }
  std::unique_ptr<Stream> stream = std::make_unique<TlsStream>(std::move(engine));
  co_return stream;
}

}  // namespace securebase::net
