#include "prober/place.h"

#include <fmt/format.h>

namespace securebase::prober {

Result<Place> place_of(std::string_view url) {
  constexpr std::string_view kPlain = "http://";
  constexpr std::string_view kSecure = "https://";
  Place place;
  place.tls = url.starts_with(kSecure);
  if (!place.tls && !url.starts_with(kPlain)) {
    return Error{Errc::kMalformed, fmt::format("a probe's URL begins with http:// or https://, not \"{}\"", url)};
  }
  url.remove_prefix(place.tls ? kSecure.size() : kPlain.size());
  const auto end = std::min(url.find_first_of("/?"), url.size());
  place.authority = url.substr(0, end);
  place.path = url.substr(end);
  if (!place.path.starts_with('/')) place.path.insert(0, "/");
  const bool has_port = place.authority.find(':', place.authority.rfind(']') + 1) != std::string::npos;
  auto address = net::Address::parse(has_port ? place.authority : place.authority + (place.tls ? ":443" : ":80"));
  if (!address) return address.error();
  place.address = std::move(*address);
  return place;
}

}  // namespace securebase::prober
