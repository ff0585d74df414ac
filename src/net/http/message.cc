#include "net/http/message.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <iterator>

#include "base/log.h"
#include "net/http/syntax.h"

namespace securebase::http {

namespace {

constexpr std::array<std::string_view, 10> kMethods = {"GET",     "HEAD",    "POST",  "PUT",   "DELETE",
                                                       "CONNECT", "OPTIONS", "TRACE", "PATCH", ""};

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

}  // namespace

Method method_from(std::string_view name) {
  for (std::size_t i = 0; i + 1 < kMethods.size(); ++i) {
    if (kMethods[i] == name) return static_cast<Method>(i);
  }
  return Method::kOther;
}

std::string_view to_string(Method method) { return kMethods[static_cast<std::size_t>(method)]; }

std::string_view reason_phrase(int status) {
  switch (status) {
    case 100:
      return "Continue";
    case 101:
      return "Switching Protocols";
    case 103:
      return "Early Hints";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 203:
      return "Non-Authoritative Information";
    case 204:
      return "No Content";
    case 205:
      return "Reset Content";
    case 206:
      return "Partial Content";
    case 207:
      return "Multi-Status";
    case 300:
      return "Multiple Choices";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 402:
      return "Payment Required";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 407:
      return "Proxy Authentication Required";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 416:
      return "Range Not Satisfiable";
    case 417:
      return "Expectation Failed";
    case 421:
      return "Misdirected Request";
    case 422:
      return "Unprocessable Content";
    case 424:
      return "Failed Dependency";
    case 425:
      return "Too Early";
    case 426:
      return "Upgrade Required";
    case 428:
      return "Precondition Required";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 451:
      return "Unavailable For Legal Reasons";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    case 507:
      return "Insufficient Storage";
    case 511:
      return "Network Authentication Required";
    default:
      return "";
  }
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] != b[i] && lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

std::string_view Arena::copy(std::string_view text) {
  if (text.empty()) return {};
  if (chunks_.empty() || capacity_ - used_ < text.size()) {
    constexpr std::size_t kFirst = 512;
    constexpr std::size_t kLargest = 16 << 10;
    const std::size_t usual = chunks_.empty() ? kFirst : std::min(capacity_ * 2, kLargest);
    capacity_ = std::max(usual, text.size());
    chunks_.push_back(std::make_unique_for_overwrite<char[]>(capacity_));
    if (chunks_.size() == 1) first_capacity_ = capacity_;
    used_ = 0;
  }
  char* place = chunks_.back().get() + used_;
  std::memcpy(place, text.data(), text.size());
  used_ += text.size();
  return {place, text.size()};
}

void Arena::clear() {
  if (chunks_.size() > 1) chunks_.resize(1);
  used_ = 0;
  capacity_ = first_capacity_;
}

Headers::Headers(const Headers& other) {
  fields_.reserve(other.fields_.size());
  for (const auto& field : other.fields_) add(field.name, field.value);
}

Headers& Headers::operator=(const Headers& other) {
  if (this != &other) *this = Headers(other);
  return *this;
}

void Headers::add(std::string_view name, std::string_view value) {
  if (!arena_) arena_ = std::make_unique<Arena>();
  const auto own_name = arena_->copy(name);
  fields_.push_back({own_name, arena_->copy(value)});
}

void Headers::set(std::string_view name, std::string_view value) {
  // Copied first: `name` or `value` may be a view of a field that goes.
  if (!arena_) arena_ = std::make_unique<Arena>();
  const auto own_name = arena_->copy(name);
  set_view(own_name, arena_->copy(value));
}

void Headers::set_view(std::string_view name, std::string_view value) {
  for (auto& line : fields_) {
    if (!equal_ignoring_case(line.name, name)) continue;
    line.value = value;
    const auto* kept = &line;
    std::erase_if(fields_, [&](const Field& other) { return &other > kept && equal_ignoring_case(other.name, name); });
    return;
  }
  fields_.push_back({name, value});
}

std::size_t Headers::remove(std::string_view name) {
  return std::erase_if(fields_, [name](const Field& field) { return equal_ignoring_case(field.name, name); });
}

std::optional<std::string_view> Headers::get(std::string_view name) const {
  for (const auto& field : fields_) {
    if (equal_ignoring_case(field.name, name)) return field.value;
  }
  return std::nullopt;
}

std::string Headers::joined(std::string_view name) const {
  std::string all;
  bool first = true;
  for (const auto& field : fields_) {
    if (!equal_ignoring_case(field.name, name)) continue;
    if (!first) all += ", ";
    first = false;
    all += field.value;
  }
  return all;
}

void Headers::clear() {
  fields_.clear();
  if (arena_) arena_->clear();
}

net::Task<Result<std::string>> read_all(BodyReader& body, std::size_t limit_bytes) {
  std::string all;
  for (;;) {
    auto piece = co_await body.next();
    if (!piece) co_return piece.error();
    if (piece->empty()) co_return all;
    if (piece->size() > limit_bytes - all.size()) {
      co_return Error{Errc::kLimit, fmt::format("the body is longer than {} bytes", limit_bytes)};
    }
    all += *piece;
  }
}

std::optional<std::uint64_t> Body::length() const {
  if (is_stream()) return stream_length_;
  return bytes().size();
}

std::string_view Body::bytes() const {
  if (const auto* own = std::get_if<std::string>(&content_)) return *own;
  if (const auto* shared = std::get_if<SharedBytes>(&content_)) return shared->bytes();
  return {};
}

net::FilePlace Body::file() const {
  const auto* shared = std::get_if<SharedBytes>(&content_);
  return shared ? shared->file() : net::FilePlace{};
}

std::unique_ptr<BodyReader> Body::take_stream() {
  auto* stream = std::get_if<std::unique_ptr<BodyReader>>(&content_);
  if (!stream) return nullptr;
  auto taken = std::move(*stream);
  content_ = std::monostate{};
  stream_length_.reset();
  return taken;
}

std::shared_ptr<const PreparedResponse> prepare(int status, Headers headers, SharedBytes body) {
  auto prepared = std::make_shared<PreparedResponse>();
  for (const auto& field : headers.fields()) {
    if (is_token(field.name) && is_field_value(field.value)) continue;
    base::log(base::Level::kError, "net", "a response with a malformed field ({} bytes of name) becomes a 500",
              field.name.size());
    return prepare(500, {}, {});
  }
  prepared->status = status;
  fmt::format_to(std::back_inserter(prepared->head), "HTTP/1.1 {} {}\r\n", status, reason_phrase(status));
  for (const auto& field : headers.fields()) {
    if (is_framing(field.name) || equal_ignoring_case(field.name, "Date")) continue;
    prepared->head.append(field.name).append(": ").append(field.value).append("\r\n");
  }
  if (status != 204 && status != 304) {
    fmt::format_to(std::back_inserter(prepared->head), "Content-Length: {}\r\n", body.size());
  }
  prepared->headers = std::move(headers);
  prepared->body = std::move(body);
  return prepared;
}

}  // namespace securebase::http
