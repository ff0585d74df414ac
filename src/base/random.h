// Unpredictable bytes from the kernel, and the ids made of them. Any thread; safe after fork.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace securebase::base {

std::string random_bytes(std::size_t count);
std::uint64_t random_u64();
std::string random_hex(std::size_t digits);
// "0189f7ea-....-4...": version 4, RFC 9562 §5.4.
std::string random_uuid();
// Drawn evenly from `alphabet`, for passwords and tokens.
std::string random_text(std::size_t length, std::string_view alphabet);

}  // namespace securebase::base
