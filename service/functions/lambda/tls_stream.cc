#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>

#include "lambda/socket.h"
#include "lambda/stream.h"

namespace securebase::lambda {

namespace {

Error tls_error(std::string_view what) {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  char text[256] = "no reason given";
  if (code != 0) ERR_error_string_n(code, text, sizeof text);
  return Error{Errc::kUnavailable, fmt::format("{}: {}", what, text)};
}

class TlsStream final : public Stream {
 public:
  // Owns both; `ssl` borrows the socket's number.
  TlsStream(Socket socket, SSL* ssl) : socket_(std::move(socket)), ssl_(ssl) { SSL_set_fd(ssl_, socket_.fd()); }
  ~TlsStream() override {
    SSL_shutdown(ssl_);  // tells the peer, does not wait for its answer
    SSL_free(ssl_);
  }

  Result<Done> handshake(base::SteadyPoint deadline) {
    auto done = until_done("TLS handshake", deadline, [&] { return SSL_connect(ssl_); });
    if (!done && SSL_get_verify_result(ssl_) != X509_V_OK) {
      return Error{Errc::kDenied, fmt::format("the certificate is not trusted: {}; SSL_CERT_FILE names the CAs",
                                              X509_verify_cert_error_string(SSL_get_verify_result(ssl_)))};
    }
    return done;
  }

  Result<Done> read_some(std::string& into, base::SteadyPoint deadline) override {
    char buffer[16 << 10];  // a TLS record
    int count = 0;
    auto done = until_done("TLS read", deadline, [&] { return count = SSL_read(ssl_, buffer, sizeof buffer); });
    if (!done) return done;
    into.append(buffer, static_cast<std::size_t>(count));
    return Done{};
  }

  Result<Done> write_all(std::string_view bytes, base::SteadyPoint deadline) override {
    while (!bytes.empty()) {
      const int piece = static_cast<int>(std::min<std::size_t>(bytes.size(), 1 << 20));
      int count = 0;
      auto done = until_done("TLS write", deadline, [&] { return count = SSL_write(ssl_, bytes.data(), piece); });
      if (!done) return done;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return Done{};
  }

 private:
  template <class Step>
  Result<Done> until_done(std::string_view what, base::SteadyPoint deadline, Step step) {
    while (true) {
      ERR_clear_error();
      const int count = step();
      if (count > 0) return Done{};
      Result<Done> ready = Done{};
      switch (SSL_get_error(ssl_, count)) {
        case SSL_ERROR_WANT_READ:
          ready = socket_.wait(Socket::For::kReading, deadline);
          break;
        case SSL_ERROR_WANT_WRITE:
          ready = socket_.wait(Socket::For::kWriting, deadline);
          break;
        case SSL_ERROR_ZERO_RETURN:
        case SSL_ERROR_SYSCALL:
          return Error{Errc::kClosed, "the server closed the connection"};
        default:
          if (ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
            ERR_clear_error();
            return Error{Errc::kClosed, "the server closed the connection"};
          }
          return tls_error(what);
      }
      if (!ready) return ready;
    }
  }

  Socket socket_;
  SSL* ssl_;
};

}  // namespace

struct TlsClient::Context {
  SSL_CTX* const ctx = SSL_CTX_new(TLS_client_method());
  Context() = default;
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  ~Context() { SSL_CTX_free(ctx); }
};

TlsClient::TlsClient(std::unique_ptr<Context> context) : context_(std::move(context)) {}
TlsClient::TlsClient(TlsClient&&) noexcept = default;
TlsClient& TlsClient::operator=(TlsClient&&) noexcept = default;
TlsClient::~TlsClient() = default;

Result<TlsClient> TlsClient::with_system_trust() {
  auto context = std::make_unique<Context>();
  if (!context->ctx) return tls_error("TLS context");
  SSL_CTX_set_min_proto_version(context->ctx, TLS1_2_VERSION);
  SSL_CTX_set_verify(context->ctx, SSL_VERIFY_PEER, nullptr);
  // OpenSSL itself writes to its socket without MSG_NOSIGNAL.
  std::signal(SIGPIPE, SIG_IGN);
  const char* file = std::getenv("SSL_CERT_FILE");
  const bool loaded = file && *file ? SSL_CTX_load_verify_file(context->ctx, file) == 1
                                    : SSL_CTX_set_default_verify_paths(context->ctx) == 1;
  if (!loaded) return tls_error(fmt::format("trusted CAs ({})", file ? file : "the system's"));
  return TlsClient(std::move(context));
}

Result<std::unique_ptr<Stream>> TlsClient::connect(const std::string& host, std::uint16_t port,
                                                   base::SteadyPoint deadline) const {
  auto socket = Socket::connect(host, port, deadline);
  if (!socket) return socket.error();
  SSL* ssl = SSL_new(context_->ctx);
  check(ssl != nullptr, "memory for a TLS connection");
  auto stream = std::make_unique<TlsStream>(std::move(*socket), ssl);
  X509_VERIFY_PARAM* const expected = SSL_get0_param(ssl);
  const bool is_address = X509_VERIFY_PARAM_set1_ip_asc(expected, host.c_str()) == 1;
  if (!is_address) {
    ERR_clear_error();
    SSL_set1_host(ssl, host.c_str());
    SSL_set_tlsext_host_name(ssl, host.c_str());
  }
  if (auto done = stream->handshake(deadline); !done) {
    return done.error().within(fmt::format("TLS with {}:{}", host, port));
  }
  return std::unique_ptr<Stream>(std::move(stream));
}

}  // namespace securebase::lambda
