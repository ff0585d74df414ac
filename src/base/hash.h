// Digests. Cryptographic ones are OpenSSL's; hash64 is for tables and shards only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace securebase::base {

// Raw digest bytes, not hex.
std::string md5(std::string_view bytes);
std::string sha1(std::string_view bytes);
std::string sha256(std::string_view bytes);
std::string sha512(std::string_view bytes);
std::string hmac_sha256(std::string_view key, std::string_view bytes);

// Does not tell by its duration where the first difference lies.
bool equal_in_constant_time(std::string_view a, std::string_view b);

// FNV-1a with a final mix: the same on every machine and in every run, not proof against chosen keys.
std::uint64_t hash64(std::string_view bytes, std::uint64_t seed = 0);

}  // namespace securebase::base
