// What k6 calls the ways in which a request fails: its error codes, which scripts compare and thresholds select.
#pragma once

#include <openssl/types.h>

#include <string>

namespace securebase::k6::failures {

inline constexpr int kDefault = 1000;
inline constexpr int kInvalidUrl = 1020;
inline constexpr int kTimeout = 1050;
inline constexpr int kDns = 1100;
inline constexpr int kNoSuchHost = 1101;
inline constexpr int kBlacklistedIp = 1110;
inline constexpr int kBlockedHostname = 1111;
inline constexpr int kTcp = 1200;
inline constexpr int kBrokenPipe = 1201;
inline constexpr int kDial = 1210;
inline constexpr int kDialTimeout = 1211;
inline constexpr int kDialRefused = 1212;
inline constexpr int kDialUnknown = 1213;
inline constexpr int kReset = 1220;
inline constexpr int kTls = 1300;
inline constexpr int kTlsHeader = 1301;
inline constexpr int kUnknownAuthority = 1310;
inline constexpr int kHostname = 1311;
inline constexpr int kDecompression = 1701;
// 1400 + the last two digits of a 4xx status, 1500 + those of a 5xx one.
inline int of_status(int status) { return status >= 400 && status < 600 ? 1000 + status : 0; }

struct Failure {
  int code;
  std::string message;
};
// Why SSL_connect failed just now, on this thread.
Failure of_handshake(SSL* ssl, const std::string& host);

}  // namespace securebase::k6::failures
