// A Stream that speaks TLS over another. OpenSSL works on our buffers, and never sees the socket: one read takes as
// many records as have come, one write carries as many as there are. Worker only.
#pragma once

#include <openssl/ssl.h>

#include <memory>

#include "net/stream.h"

namespace securebase::net {

struct SslFree {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
};
using SslPointer = std::unique_ptr<SSL, SslFree>;
using SslContext = std::unique_ptr<SSL_CTX, SslFree>;
using SslSession = std::unique_ptr<SSL_SESSION, SslFree>;

// Shakes hands as what `ssl` was set up to be (SSL_set_accept_state, SSL_set_connect_state). `settings` is what its
// callbacks use; the stream keeps it.
Task<Result<std::unique_ptr<Stream>>> shake_hands(std::unique_ptr<Stream> connection, SslPointer ssl,
                                                  std::shared_ptr<const void> settings);

// What OpenSSL has to say about the last failure on this thread, as "what: reason".
Error ssl_error(Errc code, std::string_view what);

}  // namespace securebase::net
