#include "load/scenarios/path_secrets.h"

#include <algorithm>
#include <optional>

#include "base/encoding.h"

namespace securebase::load {

namespace {

constexpr std::string_view kRedacted = "redacted";
constexpr std::size_t kLongestPlain = 20;  // letters and digits mixed beyond that are a token
constexpr std::size_t kLongestWord = 32;   // letters alone
constexpr std::size_t kLongestHash = 32;   // in an asset's name
constexpr std::size_t kLongestMixed = 8;   // of one part of a name in words: "v2", "h264", "2nd"
constexpr int kMostEncodings = 3;          // one within another

// How services begin their keys, so that their owners find them in files.
constexpr std::string_view kKeyBeginnings[] = {
    "sg.",         "ya29.",  "1//",     "eyj",     "ghp_",     "gho_",      "ghu_",   "ghs_",  "ghr_",
    "github_pat_", "glpat-", "xoxb-",   "xoxp-",   "xoxa-",    "xoxs-",     "xapp-",  "sk_",   "rk_",
    "pk_",         "sk-",    "whsec_",  "akia",    "asia",     "aiza",      "npm_",   "pypi-", "hf_",
    "shpat_",      "shpss_", "dop_v1_", "doo_v1_", "lin_api_", "rubygems_", "bearer", "basic", "key-"};

// What stands before a secret in a path.
constexpr std::string_view kTelling[] = {"token",
                                         "tokens",
                                         "access_token",
                                         "accesstoken",
                                         "access-token",
                                         "auth",
                                         "key",
                                         "keys",
                                         "apikey",
                                         "apikeys",
                                         "api-key",
                                         "api_key",
                                         "secret",
                                         "secrets",
                                         "password",
                                         "passwords",
                                         "passwd",
                                         "pwd",
                                         "pass",
                                         "pin",
                                         "otp",
                                         "code",
                                         "reset",
                                         "reset-password",
                                         "password-reset",
                                         "resetpassword",
                                         "forgot",
                                         "recover",
                                         "recovery",
                                         "verify",
                                         "verification",
                                         "confirm",
                                         "confirmation",
                                         "activate",
                                         "activation",
                                         "invite",
                                         "invites",
                                         "invitation",
                                         "invitations",
                                         "magic",
                                         "magic-link",
                                         "magiclink",
                                         "session",
                                         "sessions",
                                         "sid",
                                         "jsessionid",
                                         "phpsessid",
                                         "signature",
                                         "sig",
                                         "hmac",
                                         "jwt",
                                         "unsubscribe",
                                         "share",
                                         "shared",
                                         "credential",
                                         "credentials",
                                         "webhook",
                                         "webhooks",
                                         "hook",
                                         "hooks",
                                         "oauth",
                                         "sso",
                                         "saml",
                                         "nonce"};

// Built files carry the hash of what is in them.
constexpr std::string_view kAssets[] = {"js",  "mjs", "css", "map",  "woff", "woff2", "ttf", "wasm",
                                        "svg", "png", "jpg", "jpeg", "webp", "avif",  "gif", "ico"};

template <std::size_t N>
bool one_of(std::string_view text, const std::string_view (&list)[N]) {
  return std::find(std::begin(list), std::end(list), text) != std::end(list);
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

std::string in_lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = is_upper(c) ? static_cast<char>(c | 0x20) : c;
  return lower;
}

struct Kinds {
  std::size_t digits = 0;
  std::size_t lower = 0;
  std::size_t upper = 0;
  std::size_t turns = 0;  // from a digit to a letter or back, from a capital letter to a small one or back

  explicit Kinds(std::string_view text) {
    char before = 0;
    for (const char c : text) {
      const char kind = is_digit(c) ? 'd' : is_lower(c) ? 'l' : is_upper(c) ? 'u' : 0;
      digits += kind == 'd';
      lower += kind == 'l';
      upper += kind == 'u';
      turns += before != 0 && kind != before;
      before = kind;
    }
  }
  std::size_t letters() const { return lower + upper; }
};

// 8-4-4-4-12.
bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : !is_hex(text[i])) return false;
  }
  return true;
}

// ISO/IEC 7812-1: numbers of cards are 12 to 19 digits with a check digit.
bool is_card_number(std::string_view text) {
  if (text.size() < 12 || text.size() > 19 || !std::all_of(text.begin(), text.end(), is_digit)) return false;
  int sum = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    int digit = text[text.size() - 1 - i] - '0';
    if (i % 2 == 1) digit = digit * 2 > 9 ? digit * 2 - 9 : digit * 2;
    sum += digit;
  }
  return sum % 10 == 0;
}

std::string_view next_part(std::string_view& rest) {
  const auto end = std::min(rest.find_first_of(".-_~+,:!*'()$&% "), rest.size());
  const auto part = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return part;
}

// A part of a name in words.
bool is_part_of_words(std::string_view part) {
  const Kinds kinds(part);
  if (kinds.letters() + kinds.digits != part.size()) return false;  // not ASCII
  if (kinds.digits == 0 && (kinds.upper == 0 || kinds.lower == 0)) return part.size() < kLongestWord;
  // "customerInvoices" turns at each word's capital letter; a token turns at every second letter.
  if (kinds.digits == 0) return part.size() < kLongestWord && kinds.turns * 3 <= part.size();
  return kinds.letters() == 0 || part.size() <= kLongestMixed;
}

// "index.4f8a9b2c.js": words, and hashes of hexadecimal or of a bundler's eight letters.
bool is_asset(std::string_view segment) {
  const auto dot = segment.rfind('.');
  if (dot == std::string_view::npos || !one_of(in_lower_case(segment.substr(dot + 1)), kAssets)) return false;
  std::size_t hashes = 0;
  for (auto rest = segment.substr(0, dot); !rest.empty();) {
    const auto part = next_part(rest);
    if (is_part_of_words(part)) continue;
    const bool hash = part.size() <= kLongestHash && std::all_of(part.begin(), part.end(), is_hex);
    if (!hash && part.size() > 10) return false;
    ++hashes;
  }
  return hashes <= 1;
}

bool looks_like_token(std::string_view segment) {
  const std::string lower = in_lower_case(segment);
  for (const auto beginning : kKeyBeginnings) {
    if (!lower.starts_with(beginning)) continue;
    // "basic" and "key-value" are words too; a key goes on for a while and not in words.
    const Kinds rest(segment.substr(beginning.size()));
    if (segment.size() >= beginning.size() + 6 && (rest.digits > 0 || (rest.upper > 0 && rest.lower > 0))) return true;
  }
  std::size_t mixed = 0;    // parts with digits and letters
  std::size_t strange = 0;  // characters in parts that are no words
  for (std::string_view rest = segment; !rest.empty();) {
    const auto part = next_part(rest);
    if (part.starts_with("eyJ") && part.size() > 6) return true;  // a JSON object in base64: a JWT or what resembles it
    if (is_card_number(part)) return true;
    const Kinds kinds(part);
    mixed += kinds.digits > 0 && kinds.letters() > 0 && part.size() > 3;
    if (is_part_of_words(part)) continue;
    if (part.size() >= kLongestPlain || (kinds.digits > 0 && kinds.upper > 0 && kinds.lower > 0 && part.size() >= 12)) {
      return true;
    }
    strange += part.size();
  }
  return segment.size() >= kLongestPlain && (strange >= kLongestPlain / 2 || mixed >= 2);
}

// Behind a telling word only plain words stay: "/password/reset", but not "/reset/4711".
bool is_plain_word(std::string_view segment) {
  return segment.size() <= 16 &&
         std::all_of(segment.begin(), segment.end(), [](char c) { return is_lower(c) || c == '-' || c == '_'; });
}

// With its percent-encodings taken away; nullopt: they are wrong, or too many within one another.
std::optional<std::string> decoded(std::string_view segment) {
  std::string text(segment);
  for (int i = 0; i <= kMostEncodings; ++i) {
    if (text.find('%') == std::string::npos) return text;
    auto plain = base::percent_decode(text);
    if (!plain || *plain == text) return std::nullopt;
    text = std::move(*plain);
  }
  return std::nullopt;
}

// A segment as it may be written down; `telling`: what stands before it announces a secret.
std::string kept_of(std::string_view segment, bool telling) {
  // Parameters of the segment (RFC 3986 §3.3): what is in them is for the server, and often a session.
  segment = segment.substr(0, segment.find(';'));
  if (segment.starts_with('{') && segment.ends_with('}')) return std::string(segment);
  const auto text = decoded(segment);
  if (!text) return std::string(kRedacted);
  // Encoded delimiters are as good as plain ones to a server that decodes first.
  const auto end = text->find_first_of(";?#");
  const auto plain = std::string_view(*text).substr(0, end);
  if (plain.find('@') != std::string_view::npos) return std::string(kRedacted);
  if (const auto equals = plain.find('='); equals != std::string_view::npos) {
    const auto name = plain.substr(0, equals);
    return is_plain_word(name) && !name.empty() ? std::string(name) + "=redacted" : std::string(kRedacted);
  }
  if (plain.find('/') != std::string_view::npos) {
    // A path within a segment ("%2F").
    const auto inner = without_secrets("/" + std::string(plain));
    if (telling || inner != "/" + std::string(plain)) return std::string(kRedacted);
    return end == std::string::npos ? std::string(segment) : base::percent_encode(plain);
  }
  if (telling && !is_plain_word(plain)) return std::string(kRedacted);
  if (!is_uuid(plain) && !is_asset(plain) && looks_like_token(plain)) return std::string(kRedacted);
  return end == std::string::npos ? std::string(segment) : base::percent_encode(plain);
}

}  // namespace

std::string without_secrets(std::string_view path) {
  path = path.substr(0, path.find_first_of("?#"));
  std::string out;
  std::size_t at = 0;
  bool telling = false;
  while (at <= path.size()) {
    const auto end = std::min(path.find('/', at), path.size());
    const auto segment = path.substr(at, end - at);
    const auto kept = kept_of(segment, telling);
    out += kept;
    if (end < path.size()) out += '/';
    at = end + 1;
    if (!segment.empty()) telling = one_of(in_lower_case(kept), kTelling);
  }
  return out;
}

}  // namespace securebase::load
