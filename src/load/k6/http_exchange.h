// One request of a virtual user from its beginning to its answer, over a connection that is kept or made.
#pragma once

#include <poll.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <string_view>

#include "k6/failures.h"
#include "k6/http_client.h"
#include "load/engine/response_reader.h"

namespace securebase::k6 {

// How long a receiving call waits before it is asked again whether the user should end.
inline constexpr std::chrono::milliseconds kNap{100};

// Its socket blocks once it is connected, but for TLS: calls that shall not wait say so.
struct HttpClient::Connection {
  std::string key;
  int fd = -1;
  SSL* ssl = nullptr;
  Peer peer;
  bool used = false;  // has carried an exchange

  ~Connection() {
    if (ssl) {
      SSL_set_quiet_shutdown(ssl, 1);
      SSL_shutdown(ssl);
      SSL_free(ssl);
    }
    if (fd >= 0) close(fd);
  }
};

// One request from its beginning to its answer. step() goes as far as it can without waiting.
class HttpClient::Exchange {
 public:
  // Both outlive it.
  Exchange(HttpClient& client, const HttpRequest& request);

  bool done() const { return state_ == State::kDone; }
  short wanted() const { return wanted_; }
  int fd() const { return connection_ ? connection_->fd : -1; }
  Steady::time_point deadline() const { return deadline_; }

  void step();
  // What is left is receiving, and a call can wait for that by itself.
  bool can_wait() const { return state_ == State::kReceiving && !connection_->ssl; }
  // step() that waits, at most kNap. False: nothing came.
  bool wait_and_step();
  void expire();
  void interrupt();
  HttpResponse take() { return std::move(response_); }

 private:
  enum class State { kConnecting, kHandshaking, kSending, kReceiving, kDone };

  void open();
  void start_connecting();
  // Binds the socket to the user's own address, if it has one; false: failed.
  bool bind_locally(int family);
  bool connect_step();
  void connected();
  bool handshake_step();
  void begin_sending();
  // Bytes taken; 0: has to wait (wanted_ says for what); -1: failed.
  ssize_t put(const char* bytes, std::size_t count);
  bool send_step();
  bool receive_step(int flags = MSG_DONTWAIT);
  bool finish(bool clean);  // `clean`: nothing came behind the answer's end
  void describe_tls();
  void note_tls_problem(int result);
  void look_for_alert();
  // On a kept connection that the peer closed meanwhile, with nothing answered: makes the request again, once, on a new
  // one, when it is `safe` to.
  bool retry(bool safe);
  void fail_dial(int failure);
  void fail(int code, std::string message);

  HttpClient& client_;
  const HttpRequest& request_;
  const Steady::time_point began_;
  const Steady::time_point deadline_;
  const std::string& key_;
  State state_ = State::kConnecting;
  std::unique_ptr<Connection> connection_;
  Steady::time_point phase_{};
  Steady::time_point first_byte_{};
  std::string with_body_;  // head and body, when they go together
  std::string_view out_;
  std::size_t out_at_ = 0;
  std::size_t body_at_ = 0;
  short wanted_ = 0;
  bool retried_ = false;
  std::string tls_problem_;  // what TLS itself found wrong with what came: an alert of the peer's, say
  load::ResponseReader reader_;
  HttpResponse response_;

  friend class HttpClient;
};

}  // namespace securebase::k6
