#include "load/artillery/endpoint.h"

#include <fmt/format.h>

#include <charconv>

#include "base/encoding.h"

namespace securebase::load::artillery {
namespace {

struct Parts {
  std::string_view host;
  std::string_view port;
  std::string_view rest;  // path and query
};

Parts parts_of(std::string_view url) {
  Parts parts;
  const auto scheme = url.find("://");
  if (scheme == std::string_view::npos) {
    parts.rest = url;
    return parts;
  }
  std::string_view authority = url.substr(scheme + 3);
  // A template in the host has no slash that ends it.
  const auto slash = authority.find_first_of("/?#");
  parts.rest = slash == std::string_view::npos ? std::string_view("/") : authority.substr(slash);
  authority = authority.substr(0, slash);
  if (const auto at = authority.rfind('@'); at != std::string_view::npos) authority.remove_prefix(at + 1);
  const auto colon = authority.rfind(':');
  if (colon != std::string_view::npos && authority.find(']', colon) == std::string_view::npos) {
    parts.port = authority.substr(colon + 1);
    authority = authority.substr(0, colon);
  }
  parts.host = authority;
  return parts;
}

}  // namespace

std::string endpoint_name(const EndpointPlugin& plugin, std::string_view target, std::string_view url,
                          std::string_view name) {
  if (name.empty() && plugin.ignore_unnamed) return {};
  if (!name.empty() && plugin.only_request_names) return std::string(name);
  const Parts of_target = parts_of(target);
  const Parts of_url = parts_of(url);
  std::string_view rest = of_url.rest;
  rest = rest.substr(0, rest.find('#'));
  if (plugin.strip_query_string) rest = rest.substr(0, rest.find('?'));
  std::string base;
  if (!of_url.host.empty() && of_url.host != of_target.host) base += of_url.host;
  if (!of_url.port.empty() && of_url.port != of_target.port) base += fmt::format(":{}", of_url.port);
  base += base::percent_decode(rest).value_or(std::string(rest));
  return name.empty() ? base : fmt::format("{} ({})", base, name);
}

double server_timing_total(std::string_view field) {
  const auto at = field.find("total;dur=");
  if (at == std::string_view::npos) return -1;
  const std::string_view number = field.substr(at + 10);
  double value = 0;
  std::from_chars(number.data(), number.data() + number.size(), value);
  return value;
}

}  // namespace securebase::load::artillery
