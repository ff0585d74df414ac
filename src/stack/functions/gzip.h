// gzip (RFC 1952) of a whole text, and zip archives whose bytes follow from their content alone: no times, no owners.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace securebase::stack {

std::string gzip(std::string_view bytes);

struct ZipEntry {
  std::string name;
  std::string content;
  unsigned mode = 0644;
};
Result<std::string> zip(const std::vector<ZipEntry>& entries);

}  // namespace securebase::stack
