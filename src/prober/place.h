// Where a URL leads.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "net/stream.h"

namespace securebase::prober {

struct Place {
  net::Address address;
  std::string authority;  // as the Host field has it
  std::string path;       // with its query; at least "/"
  bool tls = false;
};
// http://host:port/path and https://.
Result<Place> place_of(std::string_view url);

}  // namespace securebase::prober
