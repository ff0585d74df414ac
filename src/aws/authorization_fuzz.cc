// The Authorization header, and what stands in a presigned URL.
#include <cstddef>
#include <cstdint>

#include "aws/authorization.h"
#include "base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace securebase;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto believe = [](const aws::Authorization& found) {
    check(found.signature.size() == 64 && found.date.size() == 8 && !found.access_key_id.empty() &&
              !found.signed_headers.empty(),
          "what is accepted is whole");
  };
  if (const auto header = aws::parse_authorization_header(text)) believe(*header);
  if (const auto query = aws::parse_form(text)) {
    const http::Request request;
    const auto presigned = aws::parse_authorization(request, *query);
    if (presigned && *presigned) believe(**presigned);
  }
  return 0;
}
