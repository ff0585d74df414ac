// Content codings: which one a viewer wants, what is worth compressing, and the compressing itself.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "store/stored_response.h"

namespace securebase::store {

struct Acceptable {
  bool gzip = false;
  bool brotli = false;
  bool identity = true;
};
// Accept-Encoding with its q values (RFC 9110 §12.5.3); "" accepts identity alone, as for a viewer without the field.
Acceptable parse_accept_encoding(std::string_view value);
// The coding to send: brotli before gzip where the viewer weighs them alike, as CloudFront.
Encoding preferred(std::string_view accept_encoding);
std::string_view to_string(Encoding encoding);  // "identity", "gzip", "br"

// CloudFront compresses bodies of 1,000 to 10,000,000 bytes of the types in its list ("Serve compressed files").
inline constexpr std::size_t kLeastCompressed = 1'000;
inline constexpr std::size_t kMostCompressed = 10'000'000;
bool is_compressible_type(std::string_view content_type);

// Bodies up to this are compressed where they are; larger ones belong on net::Pool (measured: 16 KB of JSON take
// brotli 5 about 0.4 ms).
inline constexpr std::size_t kCompressedAtOnce = 8 << 10;

std::string gzip(std::string_view bytes);
std::string brotli(std::string_view bytes);
// For tests and for purposes that need the plain bytes of what an origin sent.
Result<std::string> ungzip(std::string_view bytes, std::size_t limit_bytes);
Result<std::string> unbrotli(std::string_view bytes, std::size_t limit_bytes);

}  // namespace securebase::store
