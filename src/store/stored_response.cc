#include "store/stored_response.h"

#include <algorithm>

#include "net/http/syntax.h"
#include "store/encodings.h"

namespace securebase::store {

namespace {

using http::equal_ignoring_case;

std::string lower(std::string_view text) {
  std::string made(text);
  for (char& c : made) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
  return made;
}

std::size_t bytes_of(const http::PreparedResponse& prepared) {
  // An arena grows in steps that double: at most twice of what lies in it.
  std::size_t fields = 0;
  for (const auto& field : prepared.headers.fields()) {
    fields += sizeof(field) + 2 * (field.name.size() + field.value.size());
  }
  return sizeof(prepared) + 32 + fields + prepared.head.capacity() + prepared.body.memory();
}

std::string weak(std::string_view etag) {
  return etag.starts_with("W/") ? std::string(etag) : "W/" + std::string(etag);
}

std::shared_ptr<const http::PreparedResponse> encoded(const http::PreparedResponse& identity, Encoding encoding,
                                                      std::string body) {
  http::Headers headers = identity.headers;
  headers.set("Content-Encoding", to_string(encoding));
  headers.remove("Accept-Ranges");
  // The bytes differ, the meaning does not (RFC 9110 §8.8.1).
  if (const auto etag = headers.get("ETag")) headers.set("ETag", weak(*etag));
  return http::prepare(identity.status, std::move(headers), std::move(body));
}

// RFC 9111 §3.2: what a 304 says about the message it did not send is not taken over.
bool stays(std::string_view name) {
  return http::is_framing(name) || equal_ignoring_case(name, "Content-Encoding") ||
         equal_ignoring_case(name, "Content-Type") || equal_ignoring_case(name, "Content-Range") ||
         equal_ignoring_case(name, "ETag") || equal_ignoring_case(name, "Vary") ||
         equal_ignoring_case(name, "Set-Cookie");
}

}  // namespace

seconds StoredResponse::age(base::SteadyPoint now) const {
  return std::max(std::chrono::floor<seconds>(now - born), seconds{0});
}

std::size_t StoredResponse::bytes() const {
  std::size_t sum = sizeof(*this) + 32 + etag.capacity() + last_modified.capacity() + principal.capacity() +
                    labels.bytes() + vary.capacity() * sizeof(std::string);
  for (const auto& name : vary) sum += name.capacity();
  for (const auto& variant : variants) {
    if (variant) sum += bytes_of(*variant);
  }
  return sum;
}

std::string vary_key(std::string_view key, const std::vector<std::string>& vary, const http::Headers& request) {
  std::string made(key);
  for (const auto& name : vary) {
    // No field value holds a line end, so that nobody can write another field's part.
    made.append("\nvary:").append(name).append("=");
    for (const auto& field : request.fields()) {
      if (equal_ignoring_case(field.name, name)) made.append(field.value).append("\r");
    }
  }
  return made;
}

std::vector<std::string> vary_names(const http::Headers& response) {
  std::vector<std::string> names;
  for (const auto& field : response.fields()) {
    if (!equal_ignoring_case(field.name, "Vary")) continue;
    http::for_each_element(field.value, [&](std::string_view name) {
      if (!equal_ignoring_case(name, "Accept-Encoding")) names.push_back(lower(name));
    });
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  if (std::find(names.begin(), names.end(), "*") != names.end()) return {"*"};
  return names;
}

std::shared_ptr<const StoredResponse> with_encoding(const StoredResponse& stored, Encoding encoding) {
  const auto index = static_cast<std::size_t>(encoding);
  if (!stored.compressible || stored.variants[index]) return nullptr;
  const auto& identity = stored.identity();
  auto body = encoding == Encoding::kGzip ? gzip(identity.body) : brotli(identity.body);
  auto made = std::make_shared<StoredResponse>(stored);
  // What does not become smaller is not tried again.
  if (body.empty() || body.size() >= identity.body.size()) {
    made->variants[index] = made->variants[0];
  } else {
    made->variants[index] = encoded(identity, encoding, std::move(body));
  }
  return made;
}

std::shared_ptr<const StoredResponse> refreshed(const StoredResponse& stored, const http::Headers& fields,
                                                const Freshness& freshness, base::SteadyPoint now, seconds age,
                                                Labels labels) {
  auto made = std::make_shared<StoredResponse>(stored);
  made->born = now - age;
  made->fresh_until = now + freshness.remaining;
  made->stale_while_revalidate = freshness.stale_while_revalidate;
  made->stale_if_error = freshness.stale_if_error;
  made->must_revalidate = freshness.must_revalidate;
  made->labels = std::move(labels);
  for (auto& variant : made->variants) {
    if (!variant) continue;
    http::Headers headers = variant->headers;
    // Lines of a name go before the new ones of that name come.
    for (const auto& field : fields.fields()) {
      if (!stays(field.name)) headers.remove(field.name);
    }
    for (const auto& field : fields.fields()) {
      if (!stays(field.name)) headers.add(field.name, field.value);
    }
    variant = http::prepare(variant->status, std::move(headers), variant->body);
  }
  if (const auto changed = made->identity().headers.get("Last-Modified")) made->last_modified = *changed;
  return made;
}

}  // namespace securebase::store
