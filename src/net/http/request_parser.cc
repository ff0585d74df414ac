#include "net/http/request_parser.h"

#include <cstring>

#include "net/http/syntax.h"

namespace securebase::http {

namespace {

constexpr std::size_t kLongestMethod = 32;
constexpr std::size_t kVersionBytes = 8;  // "HTTP/1.1"

void to_lower(std::span<char> text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
}

std::string_view view(std::span<char> text) { return {text.data(), text.size()}; }

}  // namespace

bool is_authority(std::string_view text) {
  std::string_view port;
  if (!text.empty() && text.front() == '[') {
    const auto end = text.find(']');
    if (end == std::string_view::npos || end < 3) return false;
    for (const char c : text.substr(1, end - 1)) {
      if (!is_digit(c) && !(c >= 'a' && c <= 'f') && !(c >= 'A' && c <= 'F') && c != ':' && c != '.') return false;
    }
    port = text.substr(end + 1);
  } else {
    const auto colon = text.find(':');
    const auto host = text.substr(0, colon);
    if (host.empty() || !all_are(host, classes::kHost)) return false;
    if (colon != std::string_view::npos) port = text.substr(colon);
  }
  if (port.empty()) return true;
  if (port.front() != ':' || port.size() < 2 || port.size() > 6) return false;
  for (const char c : port.substr(1)) {
    if (!is_digit(c)) return false;
  }
  return true;
}

void RequestParser::reset() {
  scanned_ = 0;
  start_ = 0;
  line_ends_.clear();
  framing_ = {};
  hosts_ = 0;
  transfer_encoding_ = false;
  absolute_ = false;
  host_ = {};
  connection_.clear();
  close_ = false;
  keep_alive_asked_ = false;
  refusal_ = 0;
  reason_ = {};
}

RequestParser::Status RequestParser::refuse(int status, std::string_view reason) {
  refusal_ = status;
  reason_ = reason;
  return Status::kRefused;
}

// Finds the lines. Limits are judged by where a line ends, or would have ended at the earliest, so that the verdict
// does not depend on how much has arrived.
RequestParser::Status RequestParser::scan(std::span<char> bytes) {
  if (refusal_) return Status::kRefused;
  if (bytes.size() == scanned_) return Status::kNeedMore;
  if (scanned_ == 0 && !bytes.empty() && bytes[0] != '\r' && bytes[0] != '\n' && !is(bytes[0], classes::kToken)) {
    return refuse(400, "a request begins with a method");
  }
  for (;;) {
    const bool first_line = line_ends_.empty();
    const auto* found = static_cast<const char*>(std::memchr(bytes.data() + scanned_, '\n', bytes.size() - scanned_));
    const std::size_t at = found ? static_cast<std::size_t>(found - bytes.data()) : bytes.size();
    if (first_line && at - start_ > limits_.target_bytes + kLongestMethod + kVersionBytes + 3) {
      return refuse(414, "the request line is too long");
    }
    if (at >= limits_.head_bytes + start_) return refuse(431, "the head is too long");
    if (!found) {
      scanned_ = at;
      return Status::kNeedMore;
    }
    scanned_ = at + 1;
    if (at == 0 || bytes[at - 1] != '\r') return refuse(400, "a line ends with CR LF");
    const std::size_t line_start = first_line ? start_ : line_ends_.back() + 2;
    if (at - 1 > line_start) {
      line_ends_.push_back(static_cast<std::uint32_t>(at - 1));
      if (line_ends_.size() > limits_.header_count + 1) return refuse(431, "too many header fields");
    } else if (!first_line) {
      return Status::kDone;
    } else if (start_ != 0) {
      return refuse(400, "more than one empty line before a request");
    } else {
      start_ = 2;  // RFC 9112 §2.2: one is forgiven
    }
  }
}

RequestParser::Status RequestParser::parse(std::span<char> bytes, Request& request) {
  if (const auto status = scan(bytes); status != Status::kDone) return status;
  request.headers.clear();
  std::size_t start = start_;
  for (const auto end : line_ends_) {
    const auto line = bytes.subspan(start, end - start);
    const auto status = start == start_ ? parse_request_line(line, request) : parse_field(line, request);
    if (status == Status::kRefused) return status;
    start = end + 2;
  }
  return finish(request);
}

RequestParser::Status RequestParser::parse_request_line(std::span<char> line, Request& request) {
  const auto text = view(line);
  const auto first = text.find(' ');
  const auto last = text.rfind(' ');
  if (first == std::string_view::npos || first == last) return refuse(400, "the request line has three parts");
  const auto method = text.substr(0, first);
  const auto target = text.substr(first + 1, last - first - 1);
  const auto version = text.substr(last + 1);
  if (!is_token(method)) return refuse(400, "the method is not a token");
  if (version.size() != kVersionBytes || version.substr(0, 5) != "HTTP/" || !is_digit(version[5]) ||
      version[6] != '.' || !is_digit(version[7])) {
    return refuse(400, "the request line does not end with HTTP/x.y");
  }
  if (target.empty() || !all_are(target, classes::kTarget)) return refuse(400, "the target has a character it cannot");
  if (target.size() > limits_.target_bytes) return refuse(414, "the target is too long");
  if (method.size() > kLongestMethod) return refuse(501, "no such method");
  if (version[5] != '1') return refuse(505, "this is an HTTP/1.1 port");
  request.version_major = 1;
  request.version_minor = version[7] == '0' ? 0 : 1;
  request.method_name = method;
  request.method = method_from(method);
  return parse_target(target, request);
}

RequestParser::Status RequestParser::parse_target(std::string_view target, Request& request) {
  absolute_ = false;
  if (request.method == Method::kConnect) return refuse(501, "CONNECT is not served here");
  request.target = target;
  if (target.front() != '/') {
    const auto scheme_end = target.find("://");
    if (target == "*" && request.method == Method::kOptions) {
      // The server as a whole (RFC 9112 §3.2.4).
    } else if (scheme_end != std::string_view::npos && (equal_ignoring_case(target.substr(0, scheme_end), "http") ||
                                                        equal_ignoring_case(target.substr(0, scheme_end), "https"))) {
      if (const auto status = parse_absolute(target.substr(scheme_end + 3), request); status == Status::kRefused) {
        return status;
      }
    } else {
      return refuse(400, "the target is neither a path nor an absolute URI");
    }
  }
  const auto question = request.target.find('?');
  request.path = request.target.substr(0, question);
  request.query = question == std::string_view::npos ? std::string_view{} : request.target.substr(question + 1);
  return Status::kDone;
}

// RFC 9112 §3.2.2: what the target says replaces Host.
RequestParser::Status RequestParser::parse_absolute(std::string_view rest, Request& request) {
  const auto end = rest.find_first_of("/?");
  const auto authority = rest.substr(0, end);
  if (!is_authority(authority)) return refuse(400, "the target's authority is malformed");
  absolute_ = true;
  // The bytes are the connection's, and ours to change.
  to_lower({const_cast<char*>(authority.data()), authority.size()});
  request.authority = authority;
  if (end != std::string_view::npos && rest[end] == '/') {
    request.target = rest.substr(end);
  } else {
    const bool whole = end == std::string_view::npos && request.method == Method::kOptions;
    rewritten_target_ = whole ? "*" : "/";
    if (end != std::string_view::npos) rewritten_target_ += rest.substr(end);
    request.target = rewritten_target_;
  }
  return Status::kDone;
}

RequestParser::Status RequestParser::parse_field(std::span<char> line, Request& request) {
  const auto text = view(line);
  if (text.front() == ' ' || text.front() == '\t') return refuse(400, "a folded header line");
  std::size_t colon = 0;
  while (colon < text.size() && is(text[colon], classes::kToken)) ++colon;
  if (colon == 0 || colon == text.size() || text[colon] != ':') return refuse(400, "a malformed header name");
  const auto name = text.substr(0, colon);
  const auto value = trim_blanks(text.substr(colon + 1));
  if (!is_field_value(value)) return refuse(400, "a header value with a control character");
  // By length first: most fields are none of these.
  switch (name.size()) {
    case 4:
      if (equal_ignoring_case(name, "Host")) {
        if (++hosts_ > 1) return refuse(400, "more than one Host");
        if (!is_authority(value)) return refuse(400, "Host is malformed");
        to_lower({const_cast<char*>(value.data()), value.size()});
        host_ = value;
      }
      break;
    case 6:
      if (equal_ignoring_case(name, "Expect")) {
        if (!equal_ignoring_case(value, "100-continue")) return refuse(417, "only 100-continue can be expected");
        framing_.expects_continue = true;
      }
      break;
    case 10:
      if (equal_ignoring_case(name, "Connection")) {
        for_each_element(value, [this](std::string_view option) {
          if (equal_ignoring_case(option, "close")) {
            close_ = true;
          } else if (equal_ignoring_case(option, "keep-alive")) {
            keep_alive_asked_ = true;
          } else {
            connection_.append(option).push_back(',');
          }
        });
        return Status::kDone;
      }
      break;
    case 14:
      if (equal_ignoring_case(name, "Content-Length")) {
        if (const auto status = parse_length(value); status == Status::kRefused) return status;
      }
      break;
    case 17:
      if (equal_ignoring_case(name, "Transfer-Encoding")) {
        if (transfer_encoding_) return refuse(400, "more than one Transfer-Encoding");
        transfer_encoding_ = true;
        if (!equal_ignoring_case(value, "chunked")) return refuse(400, "a transfer coding other than chunked");
        framing_.chunked = true;
        return Status::kDone;
      }
      break;
    default:
      break;
  }
  if (is_hop_by_hop(name)) return Status::kDone;
  request.headers.add_view(name, value);
  return Status::kDone;
}

RequestParser::Status RequestParser::parse_length(std::string_view value) {
  constexpr std::size_t kMostDigits = 18;
  if (framing_.content_length) return refuse(400, "more than one Content-Length");
  if (value.empty() || value.size() > kMostDigits) return refuse(400, "Content-Length is malformed");
  std::uint64_t length = 0;
  for (const char c : value) {
    if (!is_digit(c)) return refuse(400, "Content-Length is malformed");
    length = length * 10 + static_cast<std::uint64_t>(c - '0');
  }
  framing_.content_length = length;
  return Status::kDone;
}

RequestParser::Status RequestParser::finish(Request& request) {
  if (framing_.chunked && framing_.content_length) return refuse(400, "Content-Length with Transfer-Encoding");
  const bool old = request.version_minor == 0;
  if (framing_.chunked && old) return refuse(400, "Transfer-Encoding in HTTP/1.0");
  if (hosts_ == 0 && !old) return refuse(400, "no Host");
  if (!absolute_) {
    request.authority = host_;
  } else if (hosts_ == 1) {
    request.headers.set_view("Host", request.authority);
  }
  if (!connection_.empty()) remove_hop_by_hop(request.headers, connection_);
  if (old) framing_.expects_continue = false;
  framing_.keep_alive = !close_ && (!old || keep_alive_asked_);
  request.content_length = framing_.content_length;
  return Status::kDone;
}

}  // namespace securebase::http
