// HTTP digest authentication (RFC 7616): MD5 and SHA-256, with qop=auth or none.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace securebase::k6 {

// The Authorization field that answers `challenge` (a WWW-Authenticate field); nullopt: not a digest challenge that can
// be answered. `client_nonce` is random.
std::optional<std::string> answer_digest(std::string_view challenge, std::string_view user, std::string_view password,
                                         std::string_view method, std::string_view target,
                                         std::string_view client_nonce);

}  // namespace securebase::k6
