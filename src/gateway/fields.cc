#include "gateway/fields.h"

#include <array>

#include "net/http/syntax.h"

namespace securebase::gateway {
namespace {

template <std::size_t kCount>
bool is_one_of(const std::array<std::string_view, kCount>& names, std::string_view name) {
  for (const auto each : names) {
    if (name.size() == each.size() && http::equal_ignoring_case(name, each)) return true;
  }
  return false;
}

}  // namespace

bool is_dropped_from_request(std::string_view name) {
  static constexpr std::array<std::string_view, 5> kNames = {"Content-MD5", "Expect", "Max-Forwards", "Server",
                                                             "WWW-Authenticate"};
  return http::is_framing(name) || is_one_of(kNames, name);
}

void add_response_field(http::Headers& headers, std::string_view name, std::string_view value) {
  static constexpr std::array<std::string_view, 7> kRemappedNames = {
      "Authorization", "Content-MD5", "Date", "Max-Forwards", "Server", "User-Agent", "WWW-Authenticate"};
  static constexpr std::array<std::string_view, 3> kDroppedNames = {"Expect", "Host", "Via"};
  if (http::is_framing(name) || is_one_of(kDroppedNames, name)) return;
  if (is_one_of(kRemappedNames, name)) {
    headers.add(std::string("x-amzn-Remapped-").append(name), value);
  } else {
    headers.add(name, value);
  }
}

}  // namespace securebase::gateway
