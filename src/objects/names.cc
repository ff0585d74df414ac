// Names of buckets, and the hosts that stand for them.
#include <fmt/format.h>

#include "objects/objects.h"

namespace securebase::objects {

namespace {

bool lower_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

}  // namespace

Result<Done> check_bucket_name(std::string_view name) {
  bool fits = name.size() >= 3 && name.size() <= 63 && lower_or_digit(name.front()) && lower_or_digit(name.back()) &&
              name.find("..") == std::string_view::npos;
  for (const char c : name) fits = fits && (lower_or_digit(c) || c == '-' || c == '.');
  if (fits) return Done{};
  return Error{Errc::kMalformed,
               fmt::format("\"{}\" is no bucket name: 3 to 63 lower-case letters, digits, dots and hyphens, beginning "
                           "and ending with a letter or digit",
                           name)};
}

std::optional<std::string> bucket_of_host(std::string_view host) {
  constexpr std::string_view kEnd = ".amazonaws.com";
  if (!host.ends_with(kEnd)) return std::nullopt;
  host.remove_suffix(kEnd.size());
  // "bucket.s3", "bucket.s3.eu-west-1", "bucket.s3-website-us-east-1", "bucket.s3-website.eu-central-1"; a bucket's own
  // name may hold dots, so the last ".s3" counts.
  const auto at = host.rfind(".s3");
  if (at == std::string_view::npos || at == 0) return std::nullopt;
  const std::string_view rest = host.substr(at + 3);
  if (!rest.empty() && rest.front() != '.' && rest.front() != '-') return std::nullopt;
  const std::string_view bucket = host.substr(0, at);
  if (!check_bucket_name(bucket)) return std::nullopt;
  return std::string(bucket);
}

}  // namespace securebase::objects
