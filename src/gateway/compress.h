// Content codings of API Gateway's minimum_compression_size: gzip and deflate out, gzip and deflate in (Developer
// Guide, "Payload compression for REST APIs").
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace securebase::gateway {

enum class Coding { kIdentity, kGzip, kDeflate };
std::string_view to_string(Coding coding);

// The coding that the client likes best, gzip before deflate (RFC 9110 §12.5.3). kIdentity when none is acceptable: a
// response without a coding is better than none.
Coding choose_coding(std::string_view accept_encoding);
// Media types that are compressed already are sent as they are.
bool is_compressible(std::string_view content_type);

std::string compress(std::string_view bytes, Coding coding);
// kMalformed, or kLimit when more than `limit_bytes` come out of it.
Result<std::string> decompress(std::string_view bytes, Coding coding, std::size_t limit_bytes);
// Of a Content-Encoding header; nullopt: a coding that is not known here.
std::optional<Coding> coding_from(std::string_view name);

}  // namespace securebase::gateway
