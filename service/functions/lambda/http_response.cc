#include "lambda/http_response.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace securebase::lambda {

namespace {

Error malformed(std::string_view what) {
  return Error{Errc::kMalformed, fmt::format("response of the Runtime API: {}", what)};
}

bool is_token_char(char c) {  // RFC 9110 §5.6.2
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

// "HTTP/1.1 200 OK"
Result<int> parse_status_line(std::string_view line) {
  constexpr std::string_view kVersion = "HTTP/1.1 ";
  if (!line.starts_with(kVersion)) return malformed("the status line does not begin with HTTP/1.1");
  line.remove_prefix(kVersion.size());
  int status = 0;
  const bool complete = line.size() >= 3 && (line.size() == 3 || line[3] == ' ');
  if (!complete || std::from_chars(line.data(), line.data() + 3, status).ptr != line.data() + 3 || status < 200) {
    return malformed("the status is no final status of three digits");
  }
  return status;
}

Result<std::pair<std::string, std::string>> parse_header(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return malformed("a header line without a name");
  std::string name(line.substr(0, colon));
  if (!std::ranges::all_of(name, is_token_char)) return malformed("a header name with a forbidden character");
  std::ranges::transform(name, name.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
  std::string_view value = line.substr(colon + 1);
  while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
  while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) value.remove_suffix(1);
  const auto forbidden = [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; };
  if (std::ranges::any_of(value, forbidden)) return malformed("a header value with a control character");
  return std::pair(std::move(name), std::string(value));
}

Result<std::size_t> body_length(const HttpResponse& response, const HttpLimits& limits) {
  if (!response.header("transfer-encoding").empty()) return malformed("a Transfer-Encoding, expected Content-Length");
  const auto is_length = [](const auto& header) { return header.first == "content-length"; };
  if (std::ranges::count_if(response.headers, is_length) > 1) return malformed("several Content-Lengths");
  const std::string_view text = response.header("content-length");
  if (text.empty()) {
    if (response.status == 204 || response.status == 304) return std::size_t{0};
    return malformed("no Content-Length");
  }
  std::size_t length = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), length);
  if (failure != std::errc{} || end != text.data() + text.size()) return malformed("Content-Length is no number");
  if (length > limits.body_bytes) {
    return Error{Errc::kLimit, fmt::format("a body of {} bytes, at most {} are read", length, limits.body_bytes)};
  }
  return length;
}

}  // namespace

std::string_view HttpResponse::header(std::string_view lower_case_name) const {
  for (const auto& [name, value] : headers) {
    if (name == lower_case_name) return value;
  }
  return {};
}

Result<std::optional<HttpResponse>> take_response(std::string& buffer, const HttpLimits& limits) {
  const std::size_t end = buffer.find("\r\n\r\n");
  if (std::min(end, buffer.size()) > limits.head_bytes) return Error{Errc::kLimit, "a response head without end"};
  if (end == std::string::npos) return std::optional<HttpResponse>();

  HttpResponse response;
  std::string_view head(buffer.data(), end);
  for (bool first = true; first || !head.empty(); first = false) {
    const std::size_t line_end = std::min(head.find("\r\n"), head.size());
    const std::string_view line = head.substr(0, line_end);
    head.remove_prefix(std::min(line_end + 2, head.size()));
    if (first) {
      auto status = parse_status_line(line);
      if (!status) return status.error();
      response.status = *status;
      continue;
    }
    if (response.headers.size() == limits.headers) return Error{Errc::kLimit, "too many header lines"};
    auto header = parse_header(line);
    if (!header) return header.error();
    response.headers.push_back(std::move(*header));
  }

  auto length = body_length(response, limits);
  if (!length) return length.error();
  const std::size_t body = end + 4;
  if (buffer.size() - body < *length) return std::optional<HttpResponse>();
  response.body = buffer.substr(body, *length);
  buffer.erase(0, body + *length);
  return std::optional(std::move(response));
}

}  // namespace securebase::lambda
