#include "edge/path.h"

namespace securebase::edge {

namespace {

bool unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

// pchar without '%', and '/' (RFC 3986 §3.3).
bool plain(char c) { return unreserved(c) || std::string_view("/!$&'()*+,;=:@").find(c) != std::string_view::npos; }

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

void escape(unsigned char c, std::string& out) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  out += '%';
  out += kDigits[c >> 4];
  out += kDigits[c & 15];
}

bool decode(std::string_view raw, std::string& out) {
  for (std::size_t i = 0; i < raw.size(); ++i) {
    const char c = raw[i];
    if (c == '\\' || c == '\0') return false;
    if (c != '%') {
      if (plain(c)) {
        out += c;
      } else {
        escape(static_cast<unsigned char>(c), out);
      }
      continue;
    }
    const int high = i + 2 < raw.size() ? digit(raw[i + 1]) : -1;
    const int low = high >= 0 ? digit(raw[i + 2]) : -1;
    if (low < 0) return false;
    const char meant = static_cast<char>(high * 16 + low);
    if (meant == '/' || meant == '\\' || meant == '\0') return false;
    if (unreserved(meant)) {
      out += meant;
    } else {
      escape(static_cast<unsigned char>(meant), out);
    }
    i += 2;
  }
  return true;
}

// RFC 3986 §5.2.4, in place: `path` begins with '/'.
void remove_dot_segments(std::string& path) {
  std::string out;
  out.reserve(path.size());
  std::size_t at = 0;
  while (at < path.size()) {
    std::size_t end = path.find('/', at + 1);
    if (end == std::string::npos) end = path.size();
    const std::string_view segment(path.data() + at + 1, end - at - 1);
    const bool last = end == path.size();
    if (segment == "..") {
      const auto slash = out.rfind('/');
      out.resize(slash == std::string::npos ? 0 : slash);
      if (last) out += '/';
    } else if (segment == ".") {
      if (last) out += '/';
    } else {
      out.append("/").append(segment);
    }
    at = end;
  }
  path = std::move(out);
}

}  // namespace

std::optional<std::string_view> normal_path(std::string_view raw, std::string& scratch) {
  if (raw.empty() || raw.front() != '/') return std::nullopt;
  bool normal = true;
  for (std::size_t i = 0; normal && i < raw.size(); ++i) {
    normal = plain(raw[i]) && !(raw[i] == '.' && raw[i - 1] == '/');
  }
  if (normal) return raw;
  scratch.clear();
  if (!decode(raw, scratch)) return std::nullopt;
  remove_dot_segments(scratch);
  if (scratch.empty()) scratch = "/";
  return scratch;
}

bool path_matches(std::string_view pattern, std::string_view path) {
  if (!pattern.empty() && pattern.front() != '/' && pattern.front() != '*') path.remove_prefix(1);
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t resume = 0;
  while (t < path.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == path[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace securebase::edge
