#include "k6/http_exchange.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace securebase::k6 {

namespace {

double milliseconds(Steady::duration duration) { return std::chrono::duration<double, std::milli>(duration).count(); }

constexpr std::size_t kMostHead = 256 << 10;
constexpr std::size_t kMostBody = std::size_t{256} << 20;
constexpr std::size_t kTogether = 16 << 10;  // a small body goes with the head in one packet

}  // namespace

HttpClient::Exchange::Exchange(HttpClient& client, const HttpRequest& request)
    : client_(client),
      request_(request),
      began_(Steady::now()),
      deadline_(began_ + request.timeout),
      key_(request.url->origin) {
  open();
}

void HttpClient::Exchange::step() {
  while (state_ != State::kDone) {
    bool more = false;
    switch (state_) {
      case State::kConnecting:
        more = connect_step();
        break;
      case State::kHandshaking:
        more = handshake_step();
        break;
      case State::kSending:
        more = send_step();
        break;
      case State::kReceiving:
        more = receive_step();
        break;
      case State::kDone:
        return;
    }
    if (!more) return;
  }
}

void HttpClient::Exchange::expire() {
  fail(state_ == State::kConnecting ? failures::kDialTimeout : failures::kTimeout,
       state_ == State::kConnecting ? "dial: i/o timeout" : "request timeout");
}

void HttpClient::Exchange::interrupt() {
  response_.interrupted = true;
  fail(failures::kDefault, "context canceled");
}

void HttpClient::Exchange::open() {
  connection_ = client_.take_idle(key_);
  if (connection_) {
    begin_sending();
    return;
  }
  const auto asked = Steady::now();
  auto address = client_.shared_.look_up(*request_.url);
  response_.timings.looking_up = milliseconds(Steady::now() - asked);
  if (!address) return fail(address.error().code, address.error().message);
  connection_ = std::make_unique<Connection>();
  connection_->key = key_;
  connection_->peer.ip = address->ip;
  connection_->peer.port = address->port;
  phase_ = Steady::now();
  response_.timings.blocked = milliseconds(phase_ - began_);
  start_connecting();
}

void HttpClient::Exchange::start_connecting() {
  sockaddr_storage storage{};
  socklen_t length = 0;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&storage);
  if (inet_pton(AF_INET, connection_->peer.ip.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(static_cast<std::uint16_t>(connection_->peer.port));
    length = sizeof *v4;
  } else if (inet_pton(AF_INET6, connection_->peer.ip.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(static_cast<std::uint16_t>(connection_->peer.port));
    length = sizeof *v6;
  } else {
    return fail(failures::kDial, fmt::format("dial: '{}' is not an address", connection_->peer.ip));
  }
  connection_->fd = socket(storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (connection_->fd < 0) return fail_dial(errno);
  if (!bind_locally(storage.ss_family)) return;
  const int on = 1;
  setsockopt(connection_->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  state_ = State::kConnecting;
  if (connect(connection_->fd, reinterpret_cast<sockaddr*>(&storage), length) == 0) {
    connected();
  } else if (errno == EINPROGRESS) {
    wanted_ = POLLOUT;
  } else {
    fail_dial(errno);
  }
}

bool HttpClient::Exchange::bind_locally(int family) {
  const std::string& ip = client_.local_ip_;
  if (ip.empty()) return true;
  sockaddr_storage storage{};
  auto* v4 = reinterpret_cast<sockaddr_in*>(&storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&storage);
  socklen_t length = 0;
  if (family == AF_INET && inet_pton(AF_INET, ip.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    length = sizeof *v4;
  } else if (family == AF_INET6 && inet_pton(AF_INET6, ip.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    length = sizeof *v6;
  } else {
    fail(failures::kDial,
         fmt::format("dial: the local address {} is of another kind than {}", ip, connection_->peer.ip));
    return false;
  }
  const int on = 1;  // the port is chosen when the peer is known: as many connections as without a local address
  setsockopt(connection_->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  if (bind(connection_->fd, reinterpret_cast<sockaddr*>(&storage), length) == 0) return true;
  fail(failures::kDial, fmt::format("dial: the local address {}: {}", ip, std::strerror(errno)));
  return false;
}

bool HttpClient::Exchange::connect_step() {
  pollfd ready{connection_->fd, POLLOUT, 0};
  if (poll(&ready, 1, 0) <= 0) {
    wanted_ = POLLOUT;
    return false;
  }
  int failure = 0;
  socklen_t length = sizeof failure;
  getsockopt(connection_->fd, SOL_SOCKET, SO_ERROR, &failure, &length);
  if (failure != 0) {
    fail_dial(failure);
    return false;
  }
  connected();
  return state_ != State::kDone;
}

void HttpClient::Exchange::connected() {
  const auto now = Steady::now();
  response_.timings.connecting = milliseconds(now - phase_);
  phase_ = now;
  if (!request_.url->tls) {
    // From now on a call may wait: it is how an answer is received with one call instead of two.
    const timeval nap{0, std::chrono::microseconds(kNap).count()};
    setsockopt(connection_->fd, SOL_SOCKET, SO_RCVTIMEO, &nap, sizeof nap);
    fcntl(connection_->fd, F_SETFL, fcntl(connection_->fd, F_GETFL) & ~O_NONBLOCK);
    return begin_sending();
  }
  SSL* const ssl = SSL_new(client_.shared_.tls_context(request_.url->host));
  if (!ssl) return fail(failures::kTls, "tls: out of memory");
  connection_->ssl = ssl;
  SSL_set_fd(ssl, connection_->fd);
  in_addr v4{};
  in6_addr v6{};
  const std::string& host = request_.url->host;
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1 || inet_pton(AF_INET6, host.c_str(), &v6) == 1) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host.c_str());
  } else {
    SSL_set1_host(ssl, host.c_str());
    SSL_set_tlsext_host_name(ssl, host.c_str());
  }
  if (const auto session = client_.sessions_.find(key_); session != client_.sessions_.end()) {
    SSL_set_session(ssl, session->second);
  }
  state_ = State::kHandshaking;
}

bool HttpClient::Exchange::handshake_step() {
  ERR_clear_error();
  const int result = SSL_connect(connection_->ssl);
  if (result == 1) {
    response_.timings.tls_handshaking = milliseconds(Steady::now() - phase_);
    describe_tls();
    begin_sending();
    return true;
  }
  switch (SSL_get_error(connection_->ssl, result)) {
    case SSL_ERROR_WANT_READ:
      wanted_ = POLLIN;
      return false;
    case SSL_ERROR_WANT_WRITE:
      wanted_ = POLLOUT;
      return false;
    default:
      break;
  }
  const auto failure = failures::of_handshake(connection_->ssl, request_.url->host);
  fail(failure.code, failure.message);
  return false;
}

void HttpClient::Exchange::begin_sending() {
  if (response_.timings.blocked == 0) response_.timings.blocked = milliseconds(Steady::now() - began_);
  if (connection_->used) response_.timings.blocked = milliseconds(Steady::now() - began_);
  out_ = request_.head;
  body_at_ = 0;
  if (!request_.body.empty() && request_.body.size() <= kTogether) {
    with_body_.assign(request_.head).append(request_.body);
    out_ = with_body_;
    body_at_ = request_.body.size();
  }
  out_at_ = 0;
  reader_.begin(request_.is_head, request_.keep_body ? load::Keep::kAll : load::Keep::kHead, kMostHead, kMostBody);
  state_ = State::kSending;
  phase_ = Steady::now();
  if (response_.sent_at == Steady::time_point{}) response_.sent_at = phase_;
}

ssize_t HttpClient::Exchange::put(const char* bytes, std::size_t count) {
  if (!connection_->ssl) {
    const auto sent = ::send(connection_->fd, bytes, count, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) return sent;
    if (errno != EAGAIN && errno != EINTR) return -1;
    wanted_ = POLLOUT;
    return 0;
  }
  ERR_clear_error();
  std::size_t sent = 0;
  const int result = SSL_write_ex(connection_->ssl, bytes, count, &sent);
  if (result == 1) return static_cast<ssize_t>(sent);
  switch (SSL_get_error(connection_->ssl, result)) {
    case SSL_ERROR_WANT_READ:
      wanted_ = POLLIN;
      return 0;
    case SSL_ERROR_WANT_WRITE:
      wanted_ = POLLOUT;
      return 0;
    default:
      note_tls_problem(result);
      if (tls_problem_.empty()) look_for_alert();
      return -1;
  }
}

// A peer that ends a handshake of TLS 1.3, for want of a certificate say, tells it when ours is over already; what it
// said waits to be read, though nothing can be written any more.
void HttpClient::Exchange::look_for_alert() {
  const int failure = errno;
  ERR_clear_error();
  char byte = 0;
  std::size_t count = 0;
  if (const int result = SSL_read_ex(connection_->ssl, &byte, 1, &count); result != 1) note_tls_problem(result);
  errno = failure;
}

void HttpClient::Exchange::note_tls_problem(int result) {
  if (SSL_get_error(connection_->ssl, result) != SSL_ERROR_SSL) return;
  const char* const reason = ERR_reason_error_string(ERR_peek_last_error());
  tls_problem_ = fmt::format("tls: {}", reason ? reason : "what came is not TLS");
}

bool HttpClient::Exchange::send_step() {
  while (out_at_ < out_.size() || body_at_ < request_.body.size()) {
    const bool head = out_at_ < out_.size();
    const char* const from = head ? out_.data() + out_at_ : request_.body.data() + body_at_;
    const std::size_t count = head ? out_.size() - out_at_ : request_.body.size() - body_at_;
    errno = 0;
    const auto sent = put(from, count);
    if (sent == 0) return false;
    if (sent < 0) {
      if (retry(request_.idempotent || response_.bytes_sent == 0)) return true;
      if (!tls_problem_.empty())
        fail(failures::kTls, tls_problem_);
      else if (errno == EPIPE)
        fail(failures::kBrokenPipe, "write: broken pipe");
      else if (errno == ECONNRESET)
        fail(failures::kReset, "write: connection reset by peer");
      else
        fail(failures::kTcp, fmt::format("write: {}", std::strerror(errno)));
      return false;
    }
    response_.bytes_sent += static_cast<std::uint64_t>(sent);
    (head ? out_at_ : body_at_) += static_cast<std::size_t>(sent);
  }
  const auto now = Steady::now();
  response_.timings.sending = milliseconds(now - phase_);
  phase_ = now;
  first_byte_ = {};
  state_ = State::kReceiving;
  wanted_ = POLLIN;
  // The answer is not there yet: waiting comes first, and saves a call that would find nothing.
  return connection_->ssl && SSL_pending(connection_->ssl) > 0;
}

bool HttpClient::Exchange::wait_and_step() {
  const auto before = response_.bytes_received;
  const bool more = receive_step(0);
  if (more) step();
  return more || state_ == State::kDone || response_.bytes_received != before;
}

bool HttpClient::Exchange::receive_step(int flags) {
  std::string& buffer = client_.buffer_;
  while (true) {
    ssize_t got = 0;
    bool closed = false;
    if (!connection_->ssl) {
      got = recv(connection_->fd, buffer.data(), buffer.size(), flags);
      if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        wanted_ = POLLIN;
        return false;
      }
      closed = got == 0;
    } else {
      ERR_clear_error();
      std::size_t count = 0;
      errno = 0;
      const int result = SSL_read_ex(connection_->ssl, buffer.data(), buffer.size(), &count);
      got = result == 1 ? static_cast<ssize_t>(count) : -1;
      if (result != 1) {
        switch (SSL_get_error(connection_->ssl, result)) {
          case SSL_ERROR_WANT_READ:
            wanted_ = POLLIN;
            return false;
          case SSL_ERROR_WANT_WRITE:
            wanted_ = POLLOUT;
            return false;
          case SSL_ERROR_ZERO_RETURN:
            closed = true;
            break;
          default:
            note_tls_problem(result);
            closed = errno == 0 && tls_problem_.empty();
            break;
        }
      }
    }
    if (got > 0) {
      if (first_byte_ == Steady::time_point{}) first_byte_ = Steady::now();
      response_.bytes_received += static_cast<std::uint64_t>(got);
      std::string_view bytes(buffer.data(), static_cast<std::size_t>(got));
      switch (reader_.take(bytes)) {
        case load::ResponseReader::Outcome::kComplete:
          return finish(bytes.empty());
        case load::ResponseReader::Outcome::kGarbage:
        case load::ResponseReader::Outcome::kTooLarge:
          fail(failures::kDefault, fmt::format("malformed HTTP response: {}", reader_.problem()));
          return false;
        case load::ResponseReader::Outcome::kMore:
          break;
      }
      if (static_cast<std::size_t>(got) < buffer.size() && !connection_->ssl) {
        wanted_ = POLLIN;
        return false;
      }
      continue;
    }
    if (!closed) {
      const int failure = errno;
      if (!tls_problem_.empty()) {
        fail(failures::kTls, tls_problem_);
        return false;
      }
      if (first_byte_ == Steady::time_point{} && retry(failure == ECONNRESET && request_.idempotent)) return true;
      fail(failure == ECONNRESET ? failures::kReset : failures::kTcp,
           failure == ECONNRESET ? "read: connection reset by peer" : fmt::format("read: {}", std::strerror(failure)));
      return false;
    }
    const bool began = first_byte_ != Steady::time_point{};
    if (reader_.end() == load::ResponseReader::Outcome::kComplete) return finish(false);
    if (!began && retry(request_.idempotent)) return true;
    fail(failures::kDefault, began ? "unexpected EOF" : "EOF");
    return false;
  }
}

bool HttpClient::Exchange::finish(bool clean) {
  const auto now = Steady::now();
  if (first_byte_ == Steady::time_point{}) first_byte_ = now;
  response_.timings.waiting = milliseconds(first_byte_ - phase_);
  response_.timings.receiving = milliseconds(now - first_byte_);
  response_.status = reader_.status();
  response_.status_line = reader_.status_line();
  response_.head = reader_.take_head();
  response_.body = reader_.take_body();
  response_.peer = connection_->peer;
  state_ = State::kDone;
  connection_->used = true;
  if (clean && reader_.keep_alive() && client_.shared_.settings().keep_connections) {
    client_.keep(std::move(connection_));
  } else {
    connection_.reset();
  }
  return false;
}

void HttpClient::Exchange::describe_tls() {
  Peer& peer = connection_->peer;
  const std::string version = SSL_get_version(connection_->ssl);  // "TLSv1.3"
  peer.tls_version = "tls" + (version == "TLSv1" ? "1.0" : version.substr(std::min<std::size_t>(4, version.size())));
  if (const SSL_CIPHER* cipher = SSL_get_current_cipher(connection_->ssl)) {
    const char* const name = SSL_CIPHER_standard_name(cipher);
    peer.tls_cipher_suite = name ? name : "";
  }
}

bool HttpClient::Exchange::retry(bool safe) {
  if (!connection_->used || retried_ || !safe) return false;
  retried_ = true;
  tls_problem_.clear();
  connection_.reset();
  response_ = HttpResponse{};
  client_.idle_.erase(key_);
  open();
  return true;  // when it failed to open, step() sees that it is done
}

void HttpClient::Exchange::fail_dial(int failure) {
  if (failure == ECONNREFUSED) return fail(failures::kDialRefused, "dial: connection refused");
  if (failure == ETIMEDOUT) return fail(failures::kDialTimeout, "dial: i/o timeout");
  fail(failures::kDialUnknown, fmt::format("dial: {}", std::strerror(failure)));
}

void HttpClient::Exchange::fail(int code, std::string message) {
  if (state_ == State::kReceiving) {
    const auto now = Steady::now();
    response_.timings.waiting = milliseconds((first_byte_ == Steady::time_point{} ? now : first_byte_) - phase_);
    if (first_byte_ != Steady::time_point{}) response_.timings.receiving = milliseconds(now - first_byte_);
  }
  if (connection_) response_.peer = connection_->peer;
  response_.status = 0;
  response_.error_code = code;
  response_.error = std::move(message);
  connection_.reset();
  state_ = State::kDone;
}

}  // namespace securebase::k6
