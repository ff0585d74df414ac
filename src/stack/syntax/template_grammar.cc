#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "stack/syntax/grammar.h"

namespace securebase::stack {

struct Grammar::Piece {
  enum class Kind { kText, kValue, kIf, kElse, kEndIf, kFor, kEndFor };
  Kind kind = Kind::kText;
  std::string text;
  ExpressionPtr expression;
  std::string key;
  std::string value;
  bool trims_before = false;
  bool trims_after = false;
  SourceRange range;
};

// What ends a template: a quote, a line that holds only the marker, or (neither) the end of the text.
struct Grammar::TemplateEnd {
  bool quote = false;
  std::string marker;

  bool reached(const Scanner& scanner, bool at_line_start) const {
    if (quote) return scanner.character() == '"';
    if (marker.empty()) return scanner.at_end();
    if (!at_line_start) return false;
    std::string_view line = scanner.rest().substr(0, scanner.rest().find('\n'));
    while (!line.empty() && (line.front() == ' ' || line.front() == '\t')) line.remove_prefix(1);
    while (!line.empty() && (line.back() == ' ' || line.back() == '\t' || line.back() == '\r')) line.remove_suffix(1);
    return line == marker;
  }
};

namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f'; }

void trim_left(std::string& text) {
  text.erase(text.begin(), std::find_if(text.begin(), text.end(), [](char c) { return !is_space(c); }));
}

void trim_right(std::string& text) {
  while (!text.empty() && is_space(text.back())) text.pop_back();
}

void append_utf8(std::string& out, char32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xc0 | c >> 6);
    out += static_cast<char>(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    out += static_cast<char>(0xe0 | c >> 12);
    out += static_cast<char>(0x80 | (c >> 6 & 0x3f));
    out += static_cast<char>(0x80 | (c & 0x3f));
  } else {
    out += static_cast<char>(0xf0 | c >> 18);
    out += static_cast<char>(0x80 | (c >> 12 & 0x3f));
    out += static_cast<char>(0x80 | (c >> 6 & 0x3f));
    out += static_cast<char>(0x80 | (c & 0x3f));
  }
}

bool is_blank_line(const std::string& text) {
  return text.ends_with('\n') && text.find_first_not_of(" \t") == text.size() - 1;
}

// What strip markers take away, they take from the one piece beside them: of a heredoc, that is one line. Terraform
// does it before it looks for margins.
template <class Pieces>
void strip(Pieces& pieces) {
  using Kind = typename Pieces::value_type::Kind;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const bool before = pieces[i].trims_before && i > 0 && pieces[i - 1].kind == Kind::kText;
    const bool after = pieces[i].trims_after && i + 1 < pieces.size() && pieces[i + 1].kind == Kind::kText;
    if (before) trim_right(pieces[i - 1].text);
    if (after) trim_left(pieces[i + 1].text);
  }
}

// <<-: the smallest margin of any line goes from all of them.
template <class Pieces>
void remove_margin(Pieces& pieces) {
  std::size_t margin = std::numeric_limits<std::size_t>::max();
  const auto each_line = [&](auto visit) {
    bool line_start = true;
    for (auto& piece : pieces) {
      if (piece.kind == std::remove_reference_t<decltype(piece)>::Kind::kText) {
        if (line_start) visit(&piece.text);
        line_start = piece.text.ends_with('\n');
      } else {
        if (line_start) visit(static_cast<std::string*>(nullptr));
        line_start = false;
      }
    }
  };
  each_line([&](const std::string* text) {
    if (!text) {
      margin = 0;
      return;
    }
    if (is_blank_line(*text)) return;  // has no margin of its own, and keeps what it has
    const std::size_t spaces = text->find_first_not_of(" \t");
    margin = std::min(margin, spaces == std::string::npos ? text->size() : spaces);
  });
  if (margin == std::numeric_limits<std::size_t>::max()) return;
  each_line([&](std::string* text) {
    if (text && !is_blank_line(*text)) text->erase(0, std::min({margin, text->find_first_not_of(" \t"), text->size()}));
  });
}

}  // namespace

ExpressionPtr Grammar::whole_template() {
  std::vector<Piece> found;
  const Position start = scanner_.cursor();
  if (!pieces(found, {})) return nullptr;
  strip(found);
  return template_of(std::move(found), scanner_.range_from(start));
}

ExpressionPtr Grammar::quoted_template(const Token& quote) {
  if (!enter(quote.range)) return nullptr;
  std::vector<Piece> found;
  const TemplateEnd end{true, {}};
  if (!pieces(found, end)) return nullptr;
  scanner_.advance(1);
  leave();
  strip(found);
  return template_of(std::move(found), scanner_.range_from(quote.range.start));
}

ExpressionPtr Grammar::heredoc(const Token& start) {
  if (!enter(start.range)) return nullptr;
  const bool flush = scanner_.character() == '-';
  if (flush) scanner_.advance(1);
  const TemplateEnd end{false, std::string(scanner_.rest().substr(0, identifier_length(scanner_.rest())))};
  scanner_.advance(end.marker.size());
  if (scanner_.character() == '\r') scanner_.advance(1);
  if (scanner_.character() != '\n') {
    return fail("Invalid heredoc", "A newline is required right after the marker that begins a heredoc.",
                scanner_.range_from(start.range.start));
  }
  scanner_.advance(1);
  std::vector<Piece> found;
  if (!pieces(found, end)) return nullptr;
  scanner_.advance(scanner_.rest().find(end.marker) + end.marker.size());
  leave();
  strip(found);
  if (flush) remove_margin(found);
  return template_of(std::move(found), scanner_.range_from(start.range.start));
}

bool Grammar::pieces(std::vector<Piece>& into, const TemplateEnd& end) {
  const Position start = scanner_.cursor();
  bool line_start = true;
  while (!end.reached(scanner_, line_start)) {
    if (scanner_.at_end()) {
      fail("Unterminated template string",
           end.quote ? "No closing quote was found for the string."
                     : fmt::format("No line with the closing marker \"{}\" was found for the heredoc.", end.marker),
           {scanner_.file(), start, start});
      return false;
    }
    const bool is_sequence = scanner_.looking_at("${") || scanner_.looking_at("%{");
    if (is_sequence ? !sequence(into) : !literal_piece(into, end)) return false;
    line_start = into.back().kind == Piece::Kind::kText && into.back().text.ends_with('\n');
  }
  return true;
}

// To the end of the line, the next sequence, or the end of the template.
bool Grammar::literal_piece(std::vector<Piece>& into, const TemplateEnd& end) {
  const Position start = scanner_.cursor();
  Piece piece;
  while (!scanner_.at_end() && !(end.quote && scanner_.character() == '"')) {
    if (scanner_.looking_at("$${") || scanner_.looking_at("%%{")) {
      piece.text += scanner_.rest().substr(1, 2);
      scanner_.advance(3);
      continue;
    }
    if (scanner_.looking_at("${") || scanner_.looking_at("%{")) break;
    const char c = scanner_.character();
    if (c == '\n' && end.quote) {
      fail("Invalid multi-line string",
           "Quoted strings may not be split over multiple lines. To produce a multi-line string, either use the \\n "
           "escape to represent a newline character or use the \"heredoc\" multi-line template syntax.",
           scanner_.range_from(start));
      return false;
    }
    if (c == '\\' && end.quote) {
      if (!escape(piece.text)) return false;
      continue;
    }
    if (c == '\r' && scanner_.character(1) == '\n' && !end.quote) {
      scanner_.advance(1);
      continue;
    }
    piece.text += c;
    scanner_.advance(1);
    if (c == '\n') break;
  }
  piece.range = scanner_.range_from(start);
  into.push_back(std::move(piece));
  return true;
}

bool Grammar::escape(std::string& out) {
  const Position start = scanner_.cursor();
  const char kind = scanner_.character(1);
  static constexpr std::pair<char, char> kSimple[] = {{'n', '\n'}, {'r', '\r'}, {'t', '\t'}, {'"', '"'}, {'\\', '\\'}};
  for (const auto& [letter, meaning] : kSimple) {
    if (kind == letter) {
      out += meaning;
      scanner_.advance(2);
      return true;
    }
  }
  const std::size_t digits = kind == 'u' ? 4 : kind == 'U' ? 8 : 0;
  const std::string_view number = scanner_.rest().substr(std::min<std::size_t>(2, scanner_.rest().size()), digits);
  std::uint32_t point = 0;
  const auto [last, failure] = std::from_chars(number.data(), number.data() + number.size(), point, 16);
  const bool whole =
      digits > 0 && number.size() == digits && failure == std::errc{} && last == number.data() + number.size();
  if (!whole || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) {
    scanner_.advance(2);
    fail("Invalid escape sequence",
         "The valid ones are \\n, \\r, \\t, \\\", \\\\, \\uNNNN and \\UNNNNNNNN. To write a backslash, write two.",
         scanner_.range_from(start));
    return false;
  }
  append_utf8(out, point);
  scanner_.advance(2 + digits);
  return true;
}

// ${ expression } or %{ directive }, with its strip markers.
bool Grammar::sequence(std::vector<Piece>& into) {
  const Position start = scanner_.cursor();
  Piece piece;
  const bool is_directive = scanner_.character() == '%';
  scanner_.advance(2);
  if (scanner_.character() == '~') {
    piece.trims_before = true;
    scanner_.advance(1);
  }
  const bool newlines = scanner_.ignore_newlines(true);
  if (is_directive) {
    if (!directive(piece)) return false;
  } else {
    piece.kind = Piece::Kind::kValue;
    piece.expression = expression();
    if (!piece.expression) return false;
  }
  if (peeks(TokenKind::kStrip)) {
    scanner_.next();
    piece.trims_after = true;
  }
  if (!peeks(TokenKind::kCloseBrace)) {
    const Token& found = scanner_.peek();
    fail("Extra characters after interpolation expression",
         fmt::format("Expected a closing brace to end the template sequence, found {}.", describe(found)), found.range);
    return false;
  }
  scanner_.next();
  scanner_.ignore_newlines(newlines);
  piece.range = scanner_.range_from(start);
  into.push_back(std::move(piece));
  return true;
}

bool Grammar::directive(Piece& piece) {
  const Token word = scanner_.next();
  if (word.text == "if") {
    piece.kind = Piece::Kind::kIf;
    piece.expression = expression();
    return piece.expression != nullptr;
  }
  if (word.text == "else") return piece.kind = Piece::Kind::kElse, true;
  if (word.text == "endif") return piece.kind = Piece::Kind::kEndIf, true;
  if (word.text == "endfor") return piece.kind = Piece::Kind::kEndFor, true;
  if (word.text != "for") {
    fail("Invalid template directive",
         fmt::format("{} is not a directive: if, else, endif, for and endfor are.", describe(word)), word.range);
    return false;
  }
  piece.kind = Piece::Kind::kFor;
  const Token first = scanner_.next();
  piece.value = first.text;
  bool named = first.kind == TokenKind::kIdentifier;
  if (named && peeks(TokenKind::kComma)) {
    scanner_.next();
    const Token second = scanner_.next();
    piece.key = std::move(piece.value);
    piece.value = second.text;
    named = second.kind == TokenKind::kIdentifier;
  }
  if (!named || !peeks_word("in")) {
    fail("Invalid template directive", "Expected \"for NAME in COLLECTION\" or \"for KEY, NAME in COLLECTION\".",
         word.range);
    return false;
  }
  scanner_.next();
  piece.expression = expression();
  return piece.expression != nullptr;
}

// Takes pieces up to the one that ends or continues `opener`, which is left for the caller.
std::optional<Template> Grammar::nest(std::vector<Piece>& pieces, std::size_t& at, const Piece* opener) {
  Template made;
  for (; at < pieces.size(); ++at) {
    Piece& piece = pieces[at];
    switch (piece.kind) {
      case Piece::Kind::kText:
        if (!piece.text.empty()) made.parts.emplace_back(std::move(piece.text));
        break;
      case Piece::Kind::kValue:
        made.parts.emplace_back(std::move(piece.expression));
        break;
      case Piece::Kind::kIf: {
        if (!enter(piece.range)) return std::nullopt;
        auto branch = std::make_shared<Template::If>();
        branch->condition = piece.expression;
        auto then = nest(pieces, ++at, &piece);
        if (!then) return std::nullopt;
        branch->then = std::move(*then);
        if (pieces[at].kind == Piece::Kind::kElse) {
          auto otherwise = nest(pieces, ++at, &piece);
          if (!otherwise) return std::nullopt;
          branch->otherwise = std::move(*otherwise);
        }
        if (pieces[at].kind != Piece::Kind::kEndIf) {
          fail("Invalid template directive", "An \"if\" is ended by \"endif\", after at most one \"else\".",
               pieces[at].range);
          return std::nullopt;
        }
        made.parts.emplace_back(std::shared_ptr<const Template::If>(std::move(branch)));
        leave();
        break;
      }
      case Piece::Kind::kFor: {
        if (!enter(piece.range)) return std::nullopt;
        auto loop = std::make_shared<Template::For>();
        loop->key = piece.key;
        loop->value = piece.value;
        loop->collection = piece.expression;
        auto inside = nest(pieces, ++at, &piece);
        if (!inside) return std::nullopt;
        if (pieces[at].kind != Piece::Kind::kEndFor) {
          fail("Invalid template directive", "A \"for\" is ended by \"endfor\".", pieces[at].range);
          return std::nullopt;
        }
        loop->body = std::move(*inside);
        made.parts.emplace_back(std::shared_ptr<const Template::For>(std::move(loop)));
        leave();
        break;
      }
      default:
        if (opener) return made;
        fail("Unexpected template directive", "There is no \"if\" or \"for\" here that this could belong to.",
             piece.range);
        return std::nullopt;
    }
  }
  if (!opener) return made;
  fail("Unclosed template directive", "This directive has no \"endif\" or \"endfor\".", opener->range);
  return std::nullopt;
}

ExpressionPtr Grammar::template_of(std::vector<Piece> pieces, SourceRange range) {
  const bool only_text =
      std::all_of(pieces.begin(), pieces.end(), [](const Piece& p) { return p.kind == Piece::Kind::kText; });
  if (only_text) {
    std::string text;
    for (const auto& piece : pieces) text += piece.text;
    return make(std::move(range), Literal{Value(std::move(text))}, {});
  }
  unsigned deepest = 0;
  for (const auto& piece : pieces) {
    if (piece.expression) deepest = std::max(deepest, piece.expression->depth);
  }
  const bool only_value = pieces.size() == 1;
  std::size_t at = 0;
  auto made = nest(pieces, at, nullptr);
  if (!made) return nullptr;
  // Text beside it, even if it was stripped away, makes a lone value a string.
  if (!only_value && made->parts.size() == 1) made->parts.emplace_back(std::string());
  return make_deep(std::move(range), std::move(*made), deepest);
}

}  // namespace securebase::stack
