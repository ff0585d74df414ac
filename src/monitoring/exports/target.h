// Where exports go: a URL and the fields that come with each request, credentials among them.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "net/http/url.h"

namespace securebase::monitoring::exports {

// A URL without user. kMalformed says what is wrong with it.
Result<http::Url> parse_target(std::string_view url);
// For logs and lists: without the query, which may hold a key.
std::string shown(const http::Url& target);

using Fields = std::vector<std::pair<std::string, std::string>>;
// Lines of "Name: value"; empty lines and those that begin with '#' count for nothing. kMalformed: a line that is
// neither, or a field that is the exporter's own (Host, framing, content).
Result<Fields> parse_fields(std::string_view text);
// Blocks. Warns in the log when others than the owner may read the file.
Result<Fields> read_fields(const std::filesystem::path& file);

}  // namespace securebase::monitoring::exports
