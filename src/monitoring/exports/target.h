// Where exports go: an address and the fields that come with each request, credentials among them.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "net/stream.h"

namespace securebase::monitoring::exports {

struct Target {
  net::Address origin;
  bool tls = false;
  std::string authority;   // for Host
  std::string path = "/";  // and query

  std::string shown() const;  // for logs and lists; without the query, which may hold a key
};
// An absolute http or https URL without user and fragment. kMalformed says what is wrong with it.
Result<Target> parse_target(std::string_view url);

using Fields = std::vector<std::pair<std::string, std::string>>;
// Lines of "Name: value"; empty lines and those that begin with '#' count for nothing. kMalformed: a line that is
// neither, or a field that is the exporter's own (Host, framing, content).
Result<Fields> parse_fields(std::string_view text);
// Blocks. Warns in the log when others than the owner may read the file.
Result<Fields> read_fields(const std::filesystem::path& file);

}  // namespace securebase::monitoring::exports
