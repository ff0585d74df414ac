#include "load/engine/failure.h"

#include <cerrno>
#include <cstring>

namespace securebase::load {

std::string_view node_name(Failure failure) {
  switch (failure) {
    case Failure::kNone:
      return "";
    case Failure::kRefused:
      return "ECONNREFUSED";
    case Failure::kReset:
    case Failure::kEndedEarly:
      return "ECONNRESET";
    case Failure::kConnectTimeout:
    case Failure::kTimeout:
      return "ETIMEDOUT";
    case Failure::kUnknownHost:
      return "ENOTFOUND";
    case Failure::kUnreachable:
      return "EHOSTUNREACH";
    case Failure::kGarbage:
      return "EPROTO";
    case Failure::kTls:
      return "ERR_TLS";
    case Failure::kTooLarge:
      return "ERR_TOO_LARGE";
    case Failure::kNoDescriptors:
      return "EMFILE";
    case Failure::kNoPorts:
      return "EADDRNOTAVAIL";
    case Failure::kCancelled:
      return "ECANCELED";
    case Failure::kOther:
      return "EIO";
  }
  return "EIO";
}

std::string_view words(Failure failure) {
  switch (failure) {
    case Failure::kNone:
      return "none";
    case Failure::kRefused:
      return "connection refused";
    case Failure::kReset:
      return "connection reset";
    case Failure::kEndedEarly:
      return "answer ended early";
    case Failure::kConnectTimeout:
      return "no connection in time";
    case Failure::kTimeout:
      return "no answer in time";
    case Failure::kUnknownHost:
      return "unknown host";
    case Failure::kUnreachable:
      return "host unreachable";
    case Failure::kGarbage:
      return "not HTTP/1.1";
    case Failure::kTls:
      return "TLS failed";
    case Failure::kTooLarge:
      return "answer too large";
    case Failure::kNoDescriptors:
      return "generator out of descriptors";
    case Failure::kNoPorts:
      return "generator out of local ports";
    case Failure::kCancelled:
      return "given up at the end";
    case Failure::kOther:
      return "other";
  }
  return "other";
}

bool is_generators_own(Failure failure) { return failure == Failure::kNoDescriptors || failure == Failure::kNoPorts; }

// net's errors keep the system's number as its text only (system_error in base/result.h), at their end.
Failure failure_of(const Error& error, bool during_tls) {
  const auto is = [&](int number) { return error.message.ends_with(std::strerror(number)); };
  switch (error.code) {
    case Errc::kTimeout:
      return Failure::kConnectTimeout;
    case Errc::kCancelled:
      return Failure::kCancelled;
    case Errc::kNotFound:
      return Failure::kUnknownHost;
    case Errc::kMalformed:
    case Errc::kDenied:
      return during_tls ? Failure::kTls : Failure::kOther;
    case Errc::kClosed:
      return during_tls ? Failure::kTls : Failure::kReset;
    case Errc::kLimit:
      return Failure::kNoDescriptors;
    case Errc::kUnavailable:
      if (is(ECONNREFUSED)) return Failure::kRefused;
      // What is left is the resolver, which had no answer (EAI_AGAIN).
      return is(EHOSTUNREACH) || is(ENETUNREACH) ? Failure::kUnreachable : Failure::kUnknownHost;
    default:
      break;
  }
  if (is(EADDRNOTAVAIL)) return Failure::kNoPorts;
  return Failure::kOther;
}

}  // namespace securebase::load
