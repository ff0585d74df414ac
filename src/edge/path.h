// The one form of a request's path: what is matched, keyed and forwarded is this text and no other, so that edge,
// gateway and bucket can never take one path for two.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace securebase::edge {

// Unreserved characters are decoded, other escapes written with upper-case digits, what has to be escaped is, dot
// segments are removed (RFC 3986 §6.2.2). nullopt for what parsers disagree about: an escaped slash, backslash or NUL,
// a backslash, a percent sign without two digits, a path that does not begin with '/'. The result is `raw` itself or
// lies in `scratch`.
std::optional<std::string_view> normal_path(std::string_view raw, std::string& scratch);

// CloudFront's path patterns: '*' is any text, '?' is one character; with or without a slash in front.
bool path_matches(std::string_view pattern, std::string_view path);

}  // namespace securebase::edge
