// Bytes as text: hex, base64, percent-encoding. Decoders are strict and return nullopt for what is not their alphabet.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace securebase::base {

std::string hex(std::string_view bytes);  // lower case
std::optional<std::string> from_hex(std::string_view text);

std::string base64(std::string_view bytes);  // RFC 4648 §4, padded
// Padding may be missing; white space may not be there.
std::optional<std::string> from_base64(std::string_view text);
std::string base64url(std::string_view bytes);  // RFC 4648 §5, not padded
std::optional<std::string> from_base64url(std::string_view text);

// RFC 3986 §2.1: everything but the unreserved characters and those in `also_kept` becomes %XX.
std::string percent_encode(std::string_view text, std::string_view also_kept = {});
enum class Plus { kLiteral, kSpace };  // kSpace: '+' is a space, as in application/x-www-form-urlencoded
// nullopt: a '%' without two hex digits.
std::optional<std::string> percent_decode(std::string_view text, Plus plus = Plus::kLiteral);

}  // namespace securebase::base
