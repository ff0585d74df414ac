#include "functions/code_links.h"

#include <fmt/format.h>

#include <charconv>

#include "base/encoding.h"
#include "base/file.h"
#include "base/hash.h"
#include "functions/api/lambda_api.h"

namespace securebase::functions {

namespace {

constexpr std::string_view kPrefix = "/_securebase/code/";  // no bucket begins with an underscore
constexpr std::string_view kFunction = "function/";
constexpr std::string_view kLayer = "layer/";

std::string_view parameter(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const auto one = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(one.size() + 1, query.size()));
    if (one.starts_with(name) && one.substr(name.size()).starts_with('=')) return one.substr(name.size() + 1);
  }
  return {};
}

http::Response link_refused(int status) {
  http::Response response;
  response.status = status;
  response.headers.add("Content-Type", "application/xml");
  const auto* code = status == 403 ? "AccessDenied" : status == 404 ? "NoSuchKey" : "ServiceUnavailable";
  const auto* message = status == 403   ? "The link is not one of ours, or its time is over; GetFunction gives another."
                        : status == 404 ? "The code is there no more."
                                        : "The code cannot be read now.";
  response.body = fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{}</Code><Message>{}</Message></Error>", code, message);
  return response;
}

}  // namespace

CodeLinks::CodeLinks(Settings settings, const stack::Changes& changes, net::Pool& pool, const base::Clock& clock)
    : settings_(std::move(settings)), changes_(changes), pool_(pool), clock_(clock) {}

std::string CodeLinks::signature(std::string_view path, std::string_view expires) const {
  return base::hex(base::hmac_sha256(settings_.key, fmt::format("{}\n{}", path, expires)));
}

std::string CodeLinks::link(Kind kind, std::string_view name, std::string_view version) const {
  const auto path = fmt::format("{}{}{}/{}", kPrefix, kind == Kind::kLayer ? kLayer : kFunction,
                                base::percent_encode(name), base::percent_encode(version));
  const auto until = std::chrono::duration_cast<std::chrono::seconds>((clock_.now() + kValid).time_since_epoch());
  const auto expires = std::to_string(until.count());
  return fmt::format("{}{}?Expires={}&Signature={}", settings_.public_url, path, expires, signature(path, expires));
}

bool CodeLinks::recognises(const http::Request& request) const { return request.path.starts_with(kPrefix); }

Result<std::filesystem::path, int> CodeLinks::allowed(const http::Request& request) const {
  const auto expires = parameter(request.query, "Expires");
  if (!base::equal_in_constant_time(signature(request.path, expires), parameter(request.query, "Signature")))
    return 403;
  std::int64_t until = 0;
  std::from_chars(expires.data(), expires.data() + expires.size(), until);
  if (clock_.now() > base::TimePoint(std::chrono::seconds{until})) return 403;
  auto rest = request.path.substr(kPrefix.size());
  const bool layer = rest.starts_with(kLayer);
  rest.remove_prefix(layer ? kLayer.size() : kFunction.size());
  const auto slash = rest.find('/');
  const auto name = base::percent_decode(rest.substr(0, slash));
  const auto version = base::percent_decode(rest.substr(slash + 1));
  if (slash == rest.npos || !name || !version) return 404;
  const auto stack = changes_.current();
  auto file = layer ? layer_zip(*stack, *name, *version) : function_zip(*stack, *name, *version);
  if (!file) return 404;
  return std::move(*file);
}

net::Task<http::Response> CodeLinks::answer(http::Request& request) {
  if (request.method != http::Method::kGet && request.method != http::Method::kHead) co_return link_refused(403);
  auto file = allowed(request);
  if (!file) co_return link_refused(file.error());
  auto read = co_await pool_.run([&] { return base::read_file(*file); });
  if (!read || !*read) co_return link_refused(503);
  http::Response response;
  response.headers.add("Content-Type", "application/zip");
  response.headers.add("Cache-Control", "no-store");
  response.body = std::move(**read);
  co_return response;
}

namespace {

std::optional<std::filesystem::path> zip_at(const stack::Stack& stack, const std::optional<std::string>& written) {
  if (!written) return std::nullopt;
  auto file = place_of(stack, *written);
  std::error_code failure;
  if (!std::filesystem::is_regular_file(file, failure)) return std::nullopt;
  return file;
}

}  // namespace

std::optional<std::filesystem::path> function_zip(const stack::Stack& stack, std::string_view name,
                                                  std::string_view version) {
  const auto found = LambdaApi::find(stack, name, version);
  return found ? zip_at(stack, found->value.filename) : std::nullopt;
}

std::optional<std::filesystem::path> layer_zip(const stack::Stack& stack, std::string_view name,
                                               std::string_view version) {
  for (const auto& found : stack.all<LayerResource>("aws_lambda_layer_version")) {
    if (found.value.layer_name != name || std::to_string(found.value.version) != version) continue;
    return zip_at(stack, found.value.filename);
  }
  return std::nullopt;
}

}  // namespace securebase::functions
