// MD4 (RFC 1320), which OpenSSL 3 no longer has in its default provider. For scripts that talk to old systems; it
// protects nothing.
#pragma once

#include <string>
#include <string_view>

namespace securebase::k6 {

// 16 bytes.
std::string md4(std::string_view bytes);
// RFC 2104 over it.
std::string hmac_md4(std::string_view key, std::string_view bytes);

}  // namespace securebase::k6
