#include "stack/syntax/json_places.h"

#include "stack/syntax/scanner.h"

namespace securebase::stack {

namespace {

constexpr unsigned kMostDepth = 512;  // as base::Json

class Places {
 public:
  explicit Places(const std::shared_ptr<const SourceFile>& file) : scanner_(file) {}

  bool value(JsonPlace& into, unsigned depth) {
    skip_blanks();
    const Position start = scanner_.cursor();
    const char c = scanner_.character();
    bool read = false;
    if (c == '"') return string(into.range, into.has_escapes);
    if (depth < kMostDepth && (c == '{' || c == '[')) {
      scanner_.advance(1);
      read = list(into, c == '{', depth);
    } else {
      read = literal();
    }
    into.range = scanner_.range_from(start);
    return read;
  }

  Position cursor() const { return scanner_.cursor(); }

 private:
  void skip_blanks() {
    while (!scanner_.at_end() && std::string_view(" \t\r\n").find(scanner_.character()) != std::string_view::npos) {
      scanner_.advance(1);
    }
  }

  // What stands between braces or brackets, and the closing one.
  bool list(JsonPlace& into, bool object, unsigned depth) {
    const char close = object ? '}' : ']';
    skip_blanks();
    if (scanner_.character() == close) return scanner_.advance(1), true;
    for (;;) {
      JsonPlace& one = into.inner.emplace_back();
      if (object && !name(one)) return false;
      if (!value(one, depth + 1)) return false;
      skip_blanks();
      const char c = scanner_.character();
      if (c != ',' && c != close) return false;
      scanner_.advance(1);
      if (c == close) return true;
    }
  }

  bool name(JsonPlace& member) {
    bool escapes = false;
    skip_blanks();
    if (!string(member.name, escapes)) return false;
    skip_blanks();
    if (scanner_.character() != ':') return false;
    scanner_.advance(1);
    return true;
  }

  bool string(SourceRange& range, bool& escapes) {
    if (scanner_.character() != '"') return false;
    scanner_.advance(1);
    const Position start = scanner_.cursor();
    while (!scanner_.at_end() && scanner_.character() != '"' && scanner_.character() != '\n') {
      const bool escape = scanner_.character() == '\\';
      escapes |= escape;
      scanner_.advance(escape ? 2 : 1);
    }
    range = scanner_.range_from(start);
    if (scanner_.character() != '"') return false;
    scanner_.advance(1);
    return true;
  }

  // A number, true, false or null; which of them is right, the JSON parser says.
  bool literal() {
    std::size_t length = 0;
    for (char c = scanner_.character(); c != '\0'; c = scanner_.character(++length)) {
      if (std::string_view(" \t\r\n,:]}[{\"").find(c) != std::string_view::npos) break;
    }
    scanner_.advance(length);
    return length > 0;
  }

  Scanner scanner_;
};

}  // namespace

JsonPlace json_places(const std::shared_ptr<const SourceFile>& file, Position* stopped) {
  Places places(file);
  JsonPlace whole;
  places.value(whole, 0);
  if (stopped) *stopped = places.cursor();
  return whole;
}

}  // namespace securebase::stack
