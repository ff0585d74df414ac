#include "net/http/syntax.h"

#include <algorithm>

namespace securebase::http {

bool is_hop_by_hop(std::string_view name) {
  constexpr std::array<std::string_view, 8> kNames = {"Connection", "Keep-Alive",        "Proxy-Connection",
                                                      "TE",         "Trailer",           "Transfer-Encoding",
                                                      "Upgrade",    "Proxy-Authenticate"};
  for (const auto known : kNames) {
    if (equal_ignoring_case(name, known)) return true;
  }
  return name.size() > 6 && equal_ignoring_case(name.substr(0, 6), "Proxy-");
}

bool is_framing(std::string_view name) { return equal_ignoring_case(name, "Content-Length") || is_hop_by_hop(name); }

void remove_hop_by_hop(Headers& headers, std::string_view connection) {
  for_each_element(connection, [&headers](std::string_view named) {
    // Naming an end-to-end field that framing or routing rests on does not take it away from us.
    if (equal_ignoring_case(named, "Host") || equal_ignoring_case(named, "Content-Length")) return;
    headers.remove(named);
  });
  headers.remove_if(is_hop_by_hop);
}

}  // namespace securebase::http
