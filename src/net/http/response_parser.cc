#include "net/http/response_parser.h"

#include <fmt/format.h>

#include "net/http/syntax.h"

namespace securebase::http {

namespace {

Error malformed(std::string_view what) {
  return Error{Errc::kMalformed, fmt::format("the origin's response: {}", what)};
}

std::optional<std::uint64_t> parse_length(std::string_view text) {
  if (text.empty() || text.size() > 18) return std::nullopt;
  std::uint64_t length = 0;
  for (const char c : text) {
    if (!is_digit(c)) return std::nullopt;
    length = length * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return length;
}

}  // namespace

// True: the head is complete.
Result<bool> ResponseParser::scan(std::string_view bytes) {
  for (;;) {
    const auto found = bytes.find('\n', scanned_);
    const auto at = found == std::string_view::npos ? bytes.size() : found;
    if (at >= limits_.head_bytes) return Error{Errc::kLimit, "the origin's response: its head is too long"};
    if (found == std::string_view::npos) {
      scanned_ = at;
      return false;
    }
    if (at == line_start_ || bytes[at - 1] != '\r') return malformed("a line does not end with CR LF");
    scanned_ = at + 1;
    if (at - 1 == line_start_) {
      if (lines_ == 0) return malformed("an empty line before the status line");
      return true;
    }
    line_start_ = scanned_;
    if (++lines_ > limits_.header_count + 1) return Error{Errc::kLimit, "the origin's response: too many fields"};
  }
}

Result<Done> ResponseParser::parse_status_line(std::string_view line, Head& head, bool& old) {
  if (line.size() < 12 || line.substr(0, 7) != "HTTP/1." || !is_digit(line[7]) || line[8] != ' ' ||
      !is_digit(line[9]) || !is_digit(line[10]) || !is_digit(line[11]) || (line.size() > 12 && line[12] != ' ') ||
      !is_field_value(line)) {
    return malformed("no status line of HTTP/1.x");
  }
  head.status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
  if (head.status < 100 || head.status > 599) return malformed("a status outside 100 to 599");
  if (head.status == 101) return malformed("it switches protocols, which was not asked for");
  old = line[7] == '0';
  return Done{};
}

Result<std::optional<ResponseParser::Head>> ResponseParser::parse(std::string_view bytes, Method method) {
  auto complete = scan(bytes);
  if (!complete) return complete.error();
  if (!*complete) return std::optional<Head>{};

  Head head;
  bool old = false;
  bool chunked = false;
  bool asked_to_stay = false;
  std::optional<std::uint64_t> length;
  std::string connection;
  const auto line_end = bytes.find("\r\n");
  auto status = parse_status_line(bytes.substr(0, line_end), head, old);
  if (!status) return status.error();
  for (std::size_t start = line_end + 2; start + 2 < scanned_;) {
    const auto end = bytes.find("\r\n", start);
    const auto line = bytes.substr(start, end - start);
    start = end + 2;
    const auto colon = line.find(':');
    const auto name = line.substr(0, colon);
    if (colon == std::string_view::npos || !is_token(name)) return malformed("a malformed or folded header name");
    const auto value = trim_blanks(line.substr(colon + 1));
    if (!is_field_value(value)) return malformed("a header value with a control character");
    if (equal_ignoring_case(name, "Content-Length")) {
      if (length) return malformed("more than one Content-Length");
      length = parse_length(value);
      if (!length) return malformed("a malformed Content-Length");
    } else if (equal_ignoring_case(name, "Transfer-Encoding")) {
      if (chunked || old || !equal_ignoring_case(value, "chunked")) return malformed("an unknown Transfer-Encoding");
      chunked = true;
    } else if (equal_ignoring_case(name, "Connection")) {
      for_each_element(value, [&](std::string_view option) {
        if (equal_ignoring_case(option, "close")) head.keep_alive = false;
        if (equal_ignoring_case(option, "keep-alive")) asked_to_stay = true;
      });
      connection.append(value).push_back(',');
    }
    if (!is_hop_by_hop(name)) head.headers.add(name, value);
  }
  if (chunked && length) return malformed("Content-Length with Transfer-Encoding");
  if (old && !asked_to_stay) head.keep_alive = false;
  remove_hop_by_hop(head.headers, connection);

  // RFC 9112 §6.3.
  if (method == Method::kHead || head.status < 200 || head.status == 204 || head.status == 304) {
    head.body = Body::kNone;
  } else if (chunked) {
    head.body = Body::kChunked;
  } else if (length) {
    head.body = *length > 0 ? Body::kLength : Body::kNone;
    head.content_length = *length;
  } else {
    head.body = Body::kUntilClose;
    head.keep_alive = false;
  }
  return std::optional(std::move(head));
}

}  // namespace securebase::http
