#include "base/encoding.h"
#include "monitoring/api.h"

namespace securebase::monitoring {

namespace {
constexpr std::string_view kTokenMark = "v1:";
}

aws::Fault validation(std::string message) { return {"ValidationError", std::move(message), 400, {}}; }

aws::Fault fault_of(const Error& error) {
  switch (error.code) {
    case Errc::kLimit:
      return {"LimitExceeded", error.message, 400, {}};
    case Errc::kNotFound:
      return {"ResourceNotFound", error.message, 404, {}};
    case Errc::kMalformed:
    case Errc::kConflict:
    case Errc::kUnsupported:
      return validation(error.message);
    default:
      return {"InternalServiceError", error.message, 500, {}};
  }
}

std::string page_token(std::string_view place) { return base::base64url(std::string(kTokenMark) + std::string(place)); }

std::optional<std::string> page_place(std::string_view token) {
  auto place = base::from_base64url(token);
  if (!place || !place->starts_with(kTokenMark)) return std::nullopt;
  return place->substr(kTokenMark.size());
}

}  // namespace securebase::monitoring
