#include "k6/failures.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <cerrno>
#include <cstring>

namespace securebase::k6::failures {

Failure of_handshake(SSL* ssl, const std::string& host) {
  const long verified = SSL_get_verify_result(ssl);
  if (verified == X509_V_ERR_HOSTNAME_MISMATCH || verified == X509_V_ERR_IP_ADDRESS_MISMATCH) {
    return {kHostname, fmt::format("x509: certificate doesn't match hostname {}", host)};
  }
  if (verified != X509_V_OK) {
    return {kUnknownAuthority, fmt::format("x509: unknown authority ({})", X509_verify_cert_error_string(verified))};
  }
  const unsigned long code = ERR_get_error();
  if (code != 0) {
    const int reason = ERR_GET_REASON(code);
    const char* const words = ERR_reason_error_string(code);
    const bool no_tls =
        reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_HTTP_REQUEST || reason == SSL_R_PACKET_LENGTH_TOO_LONG;
    return {no_tls ? kTlsHeader : kTls, fmt::format("tls: {}", words ? words : "handshake failure")};
  }
  if (errno == ECONNRESET) return {kReset, "read: connection reset by peer"};
  return {kTls, errno != 0 ? fmt::format("tls: {}", std::strerror(errno)) : "tls: EOF in the handshake"};
}

}  // namespace securebase::k6::failures
