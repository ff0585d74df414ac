#include "gateway/path.h"

namespace securebase::gateway {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_unreserved(unsigned char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

bool is_control(unsigned char c) { return c < 0x20 || c == 0x7f; }

Error bad_path(const char* why) { return Error{Errc::kMalformed, why}; }

// Nothing to change: no escape, no segment that begins with a dot, nothing that is refused.
bool is_plain(std::string_view path) {
  char before = 0;
  for (const char c : path) {
    if (c == '%' || c == '\\' || is_control(static_cast<unsigned char>(c)) || (c == '.' && before == '/')) return false;
    before = c;
  }
  return true;
}

Result<Done> decode_into(std::string_view path, std::string& out) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  for (std::size_t i = 0; i < path.size(); ++i) {
    auto c = static_cast<unsigned char>(path[i]);
    if (c == '\\' || is_control(c)) return bad_path("a path holds no control characters and no backslashes");
    if (c != '%') {
      out += static_cast<char>(c);
      continue;
    }
    const int high = i + 2 < path.size() ? hex_digit(path[i + 1]) : -1;
    const int low = i + 2 < path.size() ? hex_digit(path[i + 2]) : -1;
    if (high < 0 || low < 0) return bad_path("'%' in a path is followed by two hexadecimal digits");
    c = static_cast<unsigned char>(high * 16 + low);
    i += 2;
    if (is_control(c) || c == '\\') return bad_path("a path holds no control characters and no backslashes");
    if (is_unreserved(c)) {
      out += static_cast<char>(c);
    } else {
      out += '%';
      out += kDigits[c >> 4];
      out += kDigits[c & 15];
    }
  }
  return Done{};
}

// RFC 3986 §5.2.4, except that leading above the root is an error.
Result<std::string> without_dot_segments(std::string_view path) {
  std::string out;
  while (!path.empty()) {
    const auto end = path.find('/', 1);
    const auto segment = path.substr(1, end == std::string_view::npos ? end : end - 1);
    const bool last = end == std::string_view::npos;
    if (segment == "..") {
      if (out.empty()) return bad_path("a path does not lead above its root");
      out.resize(out.rfind('/'));
      if (last) out += '/';
    } else if (segment == ".") {
      if (last) out += '/';
    } else {
      out += '/';
      out += segment;
    }
    path = last ? std::string_view() : path.substr(end);
  }
  if (out.empty()) out = "/";
  return out;
}

}  // namespace

Result<std::string_view> normal_path(std::string_view path, std::string& storage) {
  if (path.empty() || path.front() != '/') return bad_path("a path begins with '/'");
  if (is_plain(path)) return path;
  std::string decoded;
  decoded.reserve(path.size());
  if (auto done = decode_into(path, decoded); !done) return done.error();
  auto normal = without_dot_segments(decoded);
  if (!normal) return normal.error();
  storage = std::move(*normal);
  return std::string_view(storage);
}

}  // namespace securebase::gateway
