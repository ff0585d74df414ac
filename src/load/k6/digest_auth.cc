#include "k6/digest_auth.h"

#include <fmt/format.h>

#include <map>

#include "base/encoding.h"
#include "base/hash.h"
#include "net/http/syntax.h"

namespace securebase::k6 {

namespace {

std::string lower_of(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return out;
}

// name=value and name="value", separated by commas.
std::map<std::string, std::string> parameters_of(std::string_view text) {
  std::map<std::string, std::string> parameters;
  std::size_t i = 0;
  while (i < text.size() && parameters.size() < 50) {
    while (i < text.size() && (text[i] == ' ' || text[i] == ',' || text[i] == '\t')) ++i;
    const auto equals = text.find('=', i);
    if (equals == std::string_view::npos) break;
    const std::string name = lower_of(text.substr(i, equals - i));
    i = equals + 1;
    std::string value;
    if (i < text.size() && text[i] == '"') {
      for (++i; i < text.size() && text[i] != '"'; ++i) {
        if (text[i] == '\\' && i + 1 < text.size()) ++i;
        value += text[i];
      }
      ++i;
    } else {
      const auto end = std::min(text.find_first_of(", ", i), text.size());
      value = std::string(text.substr(i, end - i));
      i = end;
    }
    parameters[name] = std::move(value);
  }
  return parameters;
}

// A quoted-string (RFC 9110 §5.6.4).
std::string quoted_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

bool offers_auth(std::string_view qop) {
  bool found = false;
  http::for_each_element(qop, [&](std::string_view one) { found = found || lower_of(one) == "auth"; });
  return found;
}

}  // namespace

std::optional<std::string> answer_digest(std::string_view challenge, std::string_view user, std::string_view password,
                                         std::string_view method, std::string_view target,
                                         std::string_view client_nonce) {
  if (challenge.size() > 8192 || lower_of(challenge.substr(0, 7)) != "digest ") return std::nullopt;
  auto said = parameters_of(challenge.substr(7));
  const std::string algorithm = lower_of(said.contains("algorithm") ? said["algorithm"] : "md5");
  const bool sha = algorithm.starts_with("sha-256");
  if (!sha && !algorithm.starts_with("md5")) return std::nullopt;
  const auto digest = [sha](const std::string& text) { return base::hex(sha ? base::sha256(text) : base::md5(text)); };
  const std::string& realm = said["realm"];
  const std::string& nonce = said["nonce"];
  if (nonce.empty()) return std::nullopt;
  const bool counted = said.contains("qop");
  if (counted && !offers_auth(said["qop"])) return std::nullopt;
  std::string first = digest(fmt::format("{}:{}:{}", user, realm, password));
  if (algorithm.ends_with("-sess")) first = digest(fmt::format("{}:{}:{}", first, nonce, client_nonce));
  const std::string second = digest(fmt::format("{}:{}", method, target));
  const std::string response =
      counted ? digest(fmt::format("{}:{}:00000001:{}:auth:{}", first, nonce, client_nonce, second))
              : digest(fmt::format("{}:{}:{}", first, nonce, second));
  std::string field =
      fmt::format("Digest username={}, realm={}, nonce={}, uri={}, response=\"{}\"", quoted_string(user),
                  quoted_string(realm), quoted_string(nonce), quoted_string(target), response);
  if (said.contains("algorithm")) field += fmt::format(", algorithm={}", said["algorithm"]);
  if (said.contains("opaque")) field += fmt::format(", opaque={}", quoted_string(said["opaque"]));
  if (counted) field += fmt::format(", qop=auth, nc=00000001, cnonce=\"{}\"", client_nonce);
  if (!http::is_field_value(field)) return std::nullopt;  // a name with a line's end in it
  return field;
}

}  // namespace securebase::k6
