// How the plugin metrics-by-endpoint names a request.
#pragma once

#include <string>
#include <string_view>

#include "load/artillery/script.h"

namespace securebase::load::artillery {

// The path of `url` (with host and port where they are not the target's, with the query unless it is stripped), and the
// request's name in brackets; the name alone when the plugin says so. Empty: the request is not kept.
std::string endpoint_name(const EndpointPlugin& plugin, std::string_view target, std::string_view url,
                          std::string_view name);

// The sum of "total;dur=" in a Server-Timing field; -1: there is none.
double server_timing_total(std::string_view field);

}  // namespace securebase::load::artillery
