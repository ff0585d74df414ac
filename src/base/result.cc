#include "base/result.h"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace securebase {

std::string_view to_string(Errc code) {
  switch (code) {
    case Errc::kMalformed:
      return "malformed";
    case Errc::kNotFound:
      return "not found";
    case Errc::kDenied:
      return "denied";
    case Errc::kConflict:
      return "conflict";
    case Errc::kLimit:
      return "limit reached";
    case Errc::kTimeout:
      return "timed out";
    case Errc::kCancelled:
      return "cancelled";
    case Errc::kClosed:
      return "closed";
    case Errc::kUnavailable:
      return "unavailable";
    case Errc::kIo:
      return "input or output failed";
    case Errc::kUnsupported:
      return "unsupported";
  }
  return "unknown";
}

Error Error::within(std::string_view circumstance) const {
  return Error{code, fmt::format("{}: {}", circumstance, message)};
}

Error system_error(int number, std::string_view call, std::string_view subject) {
  Errc code = Errc::kIo;
  switch (number) {
    case ENOENT:
      code = Errc::kNotFound;
      break;
    case EACCES:
    case EPERM:
      code = Errc::kDenied;
      break;
    case EEXIST:
    case EADDRINUSE:
      code = Errc::kConflict;
      break;
    case EMFILE:
    case ENFILE:
    case ENOSPC:
    case EDQUOT:
      code = Errc::kLimit;
      break;
    case ETIMEDOUT:
      code = Errc::kTimeout;
      break;
    case EPIPE:
    case ECONNRESET:
      code = Errc::kClosed;
      break;
    case ECONNREFUSED:
    case EHOSTUNREACH:
    case ENETUNREACH:
      code = Errc::kUnavailable;
      break;
    default:
      break;
  }
  return Error{code, fmt::format("{} {}: {}", call, subject, std::strerror(number))};
}

void stop_on_broken_invariant(std::string_view believed, const std::source_location& where) {
  std::fprintf(stderr, "securebase stops: %.*s does not hold, at %s:%u in %s\n", static_cast<int>(believed.size()),
               believed.data(), where.file_name(), where.line(), where.function_name());
  std::fflush(stderr);
  std::abort();
}

}  // namespace securebase
