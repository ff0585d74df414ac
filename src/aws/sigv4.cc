#include "aws/sigv4.h"

#include <algorithm>

#include "base/encoding.h"
#include "base/hash.h"
#include "net/http/syntax.h"

namespace securebase::aws {

namespace {

// RFC 3986 §5.2.4 and no empty segments, as services other than S3 do before they sign.
std::string normal_path(std::string_view path) {
  std::vector<std::string_view> segments;
  const bool slash_at_end = path.ends_with('/');
  while (!path.empty()) {
    const auto end = std::min(path.find('/'), path.size());
    const auto segment = path.substr(0, end);
    path.remove_prefix(std::min(end + 1, path.size()));
    if (segment == "..") {
      if (!segments.empty()) segments.pop_back();
    } else if (!segment.empty() && segment != ".") {
      segments.push_back(segment);
    }
  }
  std::string normal;
  for (const auto segment : segments) {
    normal += '/';
    normal += segment;
  }
  if (normal.empty() || slash_at_end) normal += '/';
  return normal;
}

std::string canonical_path(std::string_view path, PathForm form) {
  if (form == PathForm::kOthers) return base::percent_encode(normal_path(path), "/");
  // One encoding, in one spelling: clients differ in what they leave as it is.
  const auto decoded = base::percent_decode(path);
  return decoded ? base::percent_encode(*decoded, "/") : std::string(path);
}

std::string canonical_query(const std::vector<Parameter>& query) {
  std::vector<Parameter> encoded;
  encoded.reserve(query.size());
  for (const auto& one : query) {
    if (one.name == "X-Amz-Signature") continue;
    encoded.push_back({base::percent_encode(one.name), base::percent_encode(one.value)});
  }
  std::sort(encoded.begin(), encoded.end());
  std::string text;
  for (const auto& one : encoded) {
    if (!text.empty()) text += '&';
    text += one.name;
    text += '=';
    text += one.value;
  }
  return text;
}

// Blanks around a value go, several in a row become one.
void append_trimmed(std::string& out, std::string_view value) {
  value = http::trim_blanks(value);
  bool blank = false;
  for (const char c : value) {
    if (c == ' ' && blank) continue;
    blank = c == ' ';
    out += c;
  }
}

void append_headers(std::string& out, const http::Headers& headers, std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  for (const auto& name : names) {
    out += name;
    out += ':';
    bool first = true;
    for (const auto& field : headers.fields()) {
      if (!http::equal_ignoring_case(field.name, name)) continue;
      if (!first) out += ',';
      first = false;
      append_trimmed(out, field.value);
    }
    out += '\n';
  }
  out += '\n';
  for (const auto& name : names) {
    if (&name != names.data()) out += ';';
    out += name;
  }
}

}  // namespace

std::string canonical_request(const http::Request& request, const std::vector<Parameter>& query,
                              const Authorization& authorization, std::string_view payload_hash, PathForm form) {
  std::string text;
  text.reserve(1024);
  text += request.method_name;
  text += '\n';
  text += canonical_path(request.path, form);
  text += '\n';
  text += canonical_query(query);
  text += '\n';
  append_headers(text, request.headers, authorization.signed_headers);
  text += '\n';
  text += payload_hash;
  return text;
}

std::string string_to_sign(const Authorization& authorization, std::string_view canonical_request) {
  std::string text = "AWS4-HMAC-SHA256\n";
  text += authorization.time;
  text += '\n';
  text += authorization.scope();
  text += '\n';
  text += base::hex(base::sha256(canonical_request));
  return text;
}

std::string signing_key(std::string_view secret_access_key, std::string_view date, std::string_view region,
                        std::string_view service) {
  const auto day = base::hmac_sha256("AWS4" + std::string(secret_access_key), date);
  return base::hmac_sha256(base::hmac_sha256(base::hmac_sha256(day, region), service), "aws4_request");
}

std::string sign(std::string_view key, std::string_view text) { return base::hex(base::hmac_sha256(key, text)); }

std::string SigningKeys::key_for(const Authorization& authorization, std::string_view secret_access_key) {
  std::string name = authorization.access_key_id + '\n' + authorization.scope();
  {
    const std::lock_guard lock(mutex_);
    const auto found = keys_.find(name);
    if (found != keys_.end() && found->second.secret_access_key == secret_access_key) return found->second.key;
  }
  auto key = signing_key(secret_access_key, authorization.date, authorization.region, authorization.service);
  const std::lock_guard lock(mutex_);
  if (keys_.size() >= kKept) keys_.clear();
  keys_[std::move(name)] = {std::string(secret_access_key), key};
  return key;
}

}  // namespace securebase::aws
