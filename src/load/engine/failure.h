// Why a request has no answer, told apart as Node does (Artillery counts errors.ECONNREFUSED) and as people say it.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace securebase::load {

enum class Failure : std::uint8_t {
  kNone,
  kRefused,         // ECONNREFUSED
  kReset,           // ECONNRESET: the connection broke, or ended before a byte of the answer
  kEndedEarly,      // ECONNRESET: the answer ended before its end
  kConnectTimeout,  // ETIMEDOUT: no connection in time
  kTimeout,         // ETIMEDOUT: no answer, or not all of it, in time
  kUnknownHost,     // ENOTFOUND
  kUnreachable,     // EHOSTUNREACH
  kGarbage,         // EPROTO: what came is not HTTP/1.1
  kTls,             // ERR_TLS: no handshake, or a certificate that does not hold
  kTooLarge,        // ERR_TOO_LARGE: a head or a body beyond the limit
  kNoDescriptors,   // EMFILE: the generator ran out of descriptors (ulimit -n), not the target
  kNoPorts,         // EADDRNOTAVAIL: the generator ran out of local ports
  kCancelled,       // the run ended first
  kOther,
};
inline constexpr std::size_t kFailures = static_cast<std::size_t>(Failure::kOther) + 1;

std::string_view node_name(Failure failure);  // "ECONNREFUSED"
std::string_view words(Failure failure);      // "connection refused"
// Whether it says something of the generator rather than of the target: a run that has these is not valid.
bool is_generators_own(Failure failure);

// What net's connect and handshake report. `during_tls`: the TCP connection stood.
Failure failure_of(const Error& error, bool during_tls);

}  // namespace securebase::load
