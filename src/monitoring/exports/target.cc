#include "monitoring/exports/target.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/file.h"
#include "base/log.h"
#include "net/http/message.h"
#include "net/http/syntax.h"

namespace securebase::monitoring::exports {

namespace {

constexpr std::size_t kMostFieldBytes = 64 << 10;

constexpr std::array<std::string_view, 8> kOurs{"Host",
                                                "Content-Type",
                                                "Content-Encoding",
                                                "Content-Length",
                                                "Transfer-Encoding",
                                                "Connection",
                                                "User-Agent",
                                                "X-Prometheus-Remote-Write-Version"};

Error malformed(std::string text) { return {Errc::kMalformed, std::move(text)}; }

}  // namespace

std::string shown(const http::Url& target) {
  return target.origin() + target.target.substr(0, target.target.find('?'));
}

Result<http::Url> parse_target(std::string_view url) {
  auto target = http::parse_url(url);
  if (!target) return target.error().within("a URL to export to, like https://host:9090/api/v1/write");
  if (!target->user_info.empty()) {
    return malformed(
        "a URL to export to holds no user and no password, which every user of this machine could see: put "
        "\"Authorization: Basic ...\" into the file of header fields");
  }
  return target;
}

Result<Fields> parse_fields(std::string_view text) {
  Fields fields;
  std::size_t number = 0;
  while (!text.empty()) {
    ++number;
    const auto end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    line = http::trim_blanks(line);
    if (line.empty() || line.front() == '#') continue;
    const auto colon = std::min(line.find(':'), line.size());
    const auto name = line.substr(0, colon);
    const auto value = http::trim_blanks(line.substr(std::min(colon + 1, line.size())));
    // The line itself is not shown: it may hold a password.
    if (value.empty() || !http::is_token(name) || !http::is_field_value(value)) {
      return malformed(fmt::format("line {} is not \"Name: value\"", number));
    }
    if (std::ranges::any_of(kOurs, [&](auto ours) { return http::equal_ignoring_case(ours, name); })) {
      return malformed(fmt::format("line {}: {} is set by the exporter itself", number, name));
    }
    fields.emplace_back(name, value);
  }
  return fields;
}

Result<Fields> read_fields(const std::filesystem::path& file) {
  auto text = base::read_file(file, kMostFieldBytes);
  if (!text) return text.error().within("header fields for exports");
  auto fields = parse_fields(*text);
  if (!fields) return fields.error().within(file.native());
  std::error_code failure;
  const auto mode = std::filesystem::status(file, failure).permissions();
  using std::filesystem::perms;
  if (!failure && (mode & (perms::group_read | perms::others_read)) != perms::none) {
    base::log(base::Level::kWarning, "monitoring", "{} can be read by others than its owner: chmod 600 it",
              file.native());
  }
  return fields;
}

}  // namespace securebase::monitoring::exports
