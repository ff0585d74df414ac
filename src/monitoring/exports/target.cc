#include "monitoring/exports/target.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/file.h"
#include "base/log.h"
#include "net/http/message.h"
#include "net/http/syntax.h"

namespace securebase::monitoring::exports {

namespace {

constexpr std::size_t kMostUrlBytes = 2048;
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

bool is_visible(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f; });
}

// "host", "host:1", "[::1]:1".
Result<Done> split_authority(std::string_view authority, Target& target) {
  std::string_view digits;
  if (authority.starts_with('[')) {
    const auto end = authority.find(']');
    if (end == std::string_view::npos) return malformed("the IPv6 address has no ']'");
    target.origin.host = authority.substr(1, end - 1);
    digits = authority.substr(end + 1);
  } else {
    const auto colon = std::min(authority.find(':'), authority.size());
    target.origin.host = authority.substr(0, colon);
    digits = authority.substr(colon);
  }
  if (target.origin.host.empty()) return malformed("it has no host");
  if (digits.empty()) return Done{};
  const char* const end = digits.data() + digits.size();
  const auto [stopped, failure] = std::from_chars(digits.data() + 1, end, target.origin.port);
  if (digits[0] != ':' || failure != std::errc{} || stopped != end || target.origin.port == 0) {
    return malformed(fmt::format("\":PORT\" is expected behind the host, not \"{}\"", digits));
  }
  return Done{};
}

}  // namespace

std::string Target::shown() const {
  return fmt::format("{}://{}{}", tls ? "https" : "http", authority, path.substr(0, path.find('?')));
}

Result<Target> parse_target(std::string_view url) {
  const auto wrong = [&](std::string_view why) {
    return malformed(
        fmt::format("\"{}\" is no URL to export to, like https://host:9090/api/v1/write: {}", url.substr(0, 200), why));
  };
  if (url.size() > kMostUrlBytes || !is_visible(url)) return wrong("it has blanks, or is too long");
  Target target;
  std::string_view rest = url;
  if (rest.starts_with("https://")) {
    target.tls = true;
    rest.remove_prefix(8);
  } else if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
  } else {
    return wrong("it begins with neither http:// nor https://");
  }
  if (rest.find('#') != std::string_view::npos) return wrong("it has a fragment");
  const auto path = std::min(rest.find_first_of("/?"), rest.size());
  const auto authority = rest.substr(0, path);
  if (authority.find('@') != std::string_view::npos) {
    return malformed(
        "a URL to export to holds no user and no password, which every user of this machine could see: put "
        "\"Authorization: Basic ...\" into the file of header fields");
  }
  target.origin.port = target.tls ? 443 : 80;
  if (auto split = split_authority(authority, target); !split) return wrong(split.error().message);
  target.authority = authority;
  if (path < rest.size()) target.path = (rest[path] == '?' ? "/" : "") + std::string(rest.substr(path));
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
