#include "k6/rewriter.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "k6/tokens.h"

namespace securebase::k6 {

namespace {

void append_utf8(std::string& out, std::uint32_t code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xc0 | (code >> 6));
    out += static_cast<char>(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xe0 | (code >> 12));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3f));
    out += static_cast<char>(0x80 | (code & 0x3f));
  } else if (code < 0x110000) {
    out += static_cast<char>(0xf0 | (code >> 18));
    out += static_cast<char>(0x80 | ((code >> 12) & 0x3f));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3f));
    out += static_cast<char>(0x80 | (code & 0x3f));
  }
}

bool assigns(const Token& token) {
  if (token.kind != TokenKind::kPunctuator || token.text.empty() || token.text.back() != '=') return false;
  static const std::set<std::string_view> kComparisons = {"==", "===", "!=", "!==", "<=", ">="};
  return !kComparisons.contains(token.text);
}

class Rewriter {
 public:
  Rewriter(std::string_view source, std::vector<Token> tokens) : source_(source), tokens_(std::move(tokens)) {}

  Result<ModuleText> run() {
    text_.body = std::string(source_);
    if (text_.body.starts_with("#!")) text_.body.replace(0, 2, "//");
    for (at_ = 0; at_ < tokens_.size();) {
      const Token& token = tokens_[at_];
      if (token.kind != TokenKind::kName || after_dot()) {
        ++at_;
      } else if (token.text == "import") {
        if (auto taken = take_import(); !taken) return taken.error();
      } else if (token.text == "export" && token.depth == 0) {
        if (auto taken = take_export(); !taken) return taken.error();
      } else {
        if (token.text == "await" && token.depth == 0) text_.top_level_await = true;
        if (token.text == "require") note_require();
        ++at_;
      }
    }
    for (auto& exported : text_.exports) exported.reassigned = reassigned(exported.local);
    if (auto distinct = check_names(); !distinct) return distinct.error();
    // Longer forms first moved nothing: replacements go in from the end, so offsets in front of them hold.
    std::sort(changes_.begin(), changes_.end(), [](const auto& a, const auto& b) { return a.begin > b.begin; });
    for (const auto& change : changes_) text_.body.replace(change.begin, change.end - change.begin, change.text);
    return std::move(text_);
  }

 private:
  struct Change {
    std::size_t begin;
    std::size_t end;
    std::string text;
  };

  static Error fail(const Token& token, std::string_view message) {
    return Error{Errc::kMalformed, fmt::format("{}:{}: {}", token.line, token.column, message)};
  }
  Error unexpected(std::string_view expected) const {
    if (at_ >= tokens_.size()) {
      const Place end = tokens_.empty() ? Place{} : Place{tokens_.back().line, tokens_.back().column};
      return Error{Errc::kMalformed,
                   fmt::format("{}:{}: expected {}, found the end of the script", end.line, end.column, expected)};
    }
    return fail(tokens_[at_], fmt::format("expected {}, found {}", expected, tokens_[at_].text.substr(0, 40)));
  }

  bool after_dot() const { return at_ > 0 && (tokens_[at_ - 1].is(".") || tokens_[at_ - 1].is("?.")); }
  bool next_is(std::string_view text) const { return at_ < tokens_.size() && tokens_[at_].is(text); }
  bool ahead_is(std::size_t ahead, std::string_view text) const {
    return at_ + ahead < tokens_.size() && tokens_[at_ + ahead].is(text);
  }
  bool next_kind(TokenKind kind) const { return at_ < tokens_.size() && tokens_[at_].kind == kind; }
  Place place() const { return {tokens_[at_].line, tokens_[at_].column}; }

  // Replaces source bytes by `text`, filled up with blanks; line ends stay.
  void replace(std::size_t begin, std::size_t end, std::string text) {
    std::string filled = std::move(text);
    std::size_t used = filled.size();
    for (std::size_t i = begin; i < end; ++i) {
      const char c = source_[i];
      if (c == '\n' || c == '\r') {
        filled += c;
      } else if (used > 0) {
        --used;
      } else {
        filled += ' ';
      }
    }
    changes_.push_back({begin, end, std::move(filled)});
  }

  std::size_t depend_on(const std::string& specifier, Place where) {
    for (std::size_t i = 0; i < text_.dependencies.size(); ++i) {
      if (text_.dependencies[i].specifier == specifier) return i;
    }
    text_.dependencies.push_back({specifier, where});
    return text_.dependencies.size() - 1;
  }

  void note_require() {
    if (ahead_is(1, "(") && at_ + 3 < tokens_.size() && tokens_[at_ + 2].kind == TokenKind::kString &&
        ahead_is(3, ")")) {
      text_.requires_.push_back({unquote(tokens_[at_ + 2].text), {tokens_[at_ + 2].line, tokens_[at_ + 2].column}});
    }
  }

  // import(...) {...} in a class or an object is a method of that name.
  bool is_method() const {
    const std::uint32_t inside = tokens_[at_ + 1].depth + 1;
    std::size_t i = at_ + 2;
    while (i < tokens_.size() && !(tokens_[i].is(")") && tokens_[i].depth == inside)) ++i;
    return i + 1 < tokens_.size() && tokens_[i + 1].is("{") && !tokens_[i + 1].newline_before;
  }

  Result<Done> take_import() {
    const Token& keyword = tokens_[at_];
    if (ahead_is(1, "(") && is_method()) {
      ++at_;
      return Done{};
    }
    if (ahead_is(1, "(")) {  // import("...")
      replace(keyword.offset, keyword.end(), "__k6_i");
      ++at_;
      return Done{};
    }
    if (ahead_is(1, ".")) {  // import.meta
      if (!ahead_is(2, "meta")) {
        at_ += 2;
        return unexpected("'meta' behind 'import.'");
      }
      replace(keyword.offset, tokens_[at_ + 2].end(), "__k6_meta");
      at_ += 3;
      text_.is_module = true;
      return Done{};
    }
    if (keyword.depth != 0) {
      ++at_;  // a property or a method of that name; as a declaration it is an error that the engine reports
      return Done{};
    }
    text_.is_module = true;
    ++at_;
    std::vector<ModuleText::Import> names;
    if (!next_kind(TokenKind::kString)) {
      if (next_is("type") && at_ + 1 < tokens_.size() && tokens_[at_ + 1].kind != TokenKind::kString &&
          !ahead_is(1, "from") && !ahead_is(1, ",")) {
        return fail(tokens_[at_], "'import type' is TypeScript; compile the script to JavaScript first");
      }
      if (next_kind(TokenKind::kName)) {
        names.push_back({0, "default", std::string(tokens_[at_].text), place()});
        ++at_;
        if (next_is(",")) {
          ++at_;
        } else if (!next_is("from")) {
          return unexpected("'from' or ','");
        }
      }
      if (next_is("*")) {
        ++at_;
        if (!next_is("as")) return unexpected("'as' and a name, as in: import * as http from 'k6/http'");
        ++at_;
        if (!next_kind(TokenKind::kName)) return unexpected("a name");
        names.push_back({0, "*", std::string(tokens_[at_].text), place()});
        ++at_;
      } else if (next_is("{")) {
        if (auto taken = take_import_names(names); !taken) return taken.error();
      }
      if (!next_is("from")) return unexpected("'from' and the module's name in quotes");
      ++at_;
    }
    auto dependency = take_source(keyword);
    if (!dependency) return dependency.error();
    for (auto& name : names) {
      name.dependency = *dependency;
      text_.imports.push_back(std::move(name));
    }
    return Done{};
  }

  Result<Done> take_import_names(std::vector<ModuleText::Import>& names) {
    ++at_;
    while (!next_is("}")) {
      if (!next_kind(TokenKind::kName) && !next_kind(TokenKind::kString)) return unexpected("a name or '}'");
      const Place where = place();
      std::string imported = take_export_name();
      std::string local = imported;
      if (next_is("as")) {
        ++at_;
        if (!next_kind(TokenKind::kName)) return unexpected("a name behind 'as'");
        local = std::string(tokens_[at_++].text);
      }
      names.push_back({0, std::move(imported), std::move(local), where});
      if (next_is(",")) {
        ++at_;
      } else if (!next_is("}")) {
        return unexpected("',' or '}'");
      }
    }
    ++at_;
    return Done{};
  }

  // A name, or a string that stands for one.
  std::string take_export_name() {
    const Token& token = tokens_[at_++];
    return token.kind == TokenKind::kString ? unquote(token.text) : std::string(token.text);
  }

  // 'specifier' [with {...}] [;], and blanks everything from `begin` on.
  Result<std::size_t> take_source(const Token& begin) {
    if (!next_kind(TokenKind::kString)) return unexpected("the module's name in quotes");
    const std::size_t dependency = depend_on(unquote(tokens_[at_].text), place());
    std::size_t end = tokens_[at_].end();
    ++at_;
    if ((next_is("with") || (next_is("assert") && !tokens_[at_].newline_before)) && ahead_is(1, "{")) {
      at_ += 2;
      while (at_ < tokens_.size() && !(next_is("}") && tokens_[at_].depth == 1)) ++at_;
      if (at_ >= tokens_.size()) return unexpected("'}'");
      end = tokens_[at_].end();
      ++at_;
    }
    if (next_is(";")) {
      end = tokens_[at_].end();
      ++at_;
    }
    replace(begin.offset, end, ";");
    return dependency;
  }

  Result<Done> take_export() {
    const Token& keyword = tokens_[at_];
    text_.is_module = true;
    ++at_;
    if (next_is("*")) return take_star(keyword);
    if (next_is("{")) return take_export_list(keyword);
    if (next_is("default")) return take_default(keyword);
    if (next_is("const") || next_is("let") || next_is("var")) {
      replace(keyword.offset, keyword.end(), ";");
      ++at_;
      const std::size_t behind = at_;
      auto declared = take_declarators();
      // Bodies of initializers have import() and await of their own: they are looked at again.
      at_ = behind;
      return declared;
    }
    if (next_is("function") || next_is("class") || (next_is("async") && ahead_is(1, "function"))) {
      replace(keyword.offset, keyword.end(), ";");
      if (next_is("async")) ++at_;
      ++at_;
      if (next_is("*")) ++at_;
      if (!next_kind(TokenKind::kName)) return unexpected("a name");
      text_.exports.push_back({std::string(tokens_[at_].text), std::string(tokens_[at_].text)});
      ++at_;
      return Done{};
    }
    return unexpected("'default', a declaration, '{' or '*' behind 'export'");
  }

  Result<Done> take_star(const Token& keyword) {
    const Place where = place();
    ++at_;
    std::string name;
    if (next_is("as")) {
      ++at_;
      if (!next_kind(TokenKind::kName) && !next_kind(TokenKind::kString)) return unexpected("a name behind 'as'");
      name = take_export_name();
    }
    if (!next_is("from")) return unexpected("'from' and the module's name in quotes");
    ++at_;
    auto dependency = take_source(keyword);
    if (!dependency) return dependency.error();
    if (name.empty()) {
      text_.stars.push_back(*dependency);
    } else {
      text_.re_exports.push_back({*dependency, "*", name, where});
    }
    return Done{};
  }

  Result<Done> take_export_list(const Token& keyword) {
    ++at_;
    struct Name {
      std::string local, exported;
      Place where;
    };
    std::vector<Name> names;
    while (!next_is("}")) {
      if (!next_kind(TokenKind::kName) && !next_kind(TokenKind::kString)) return unexpected("a name or '}'");
      const Place where = place();
      std::string local = take_export_name();
      std::string exported = local;
      if (next_is("as")) {
        ++at_;
        if (!next_kind(TokenKind::kName) && !next_kind(TokenKind::kString)) return unexpected("a name behind 'as'");
        exported = take_export_name();
      }
      names.push_back({std::move(local), std::move(exported), where});
      if (next_is(",")) {
        ++at_;
      } else if (!next_is("}")) {
        return unexpected("',' or '}'");
      }
    }
    const std::size_t end = tokens_[at_].end();
    ++at_;
    if (next_is("from") && at_ + 1 < tokens_.size() && tokens_[at_ + 1].kind == TokenKind::kString) {
      ++at_;
      auto dependency = take_source(keyword);
      if (!dependency) return dependency.error();
      for (auto& name : names) text_.re_exports.push_back({*dependency, name.local, name.exported, name.where});
      return Done{};
    }
    replace(keyword.offset, end, ";");
    for (auto& name : names) text_.exports.push_back({name.exported, name.local});
    return Done{};
  }

  Result<Done> take_default(const Token& keyword) {
    const Token& word = tokens_[at_];
    ++at_;
    const bool is_async = next_is("async") && ahead_is(1, "function") && !tokens_[at_ + 1].newline_before;
    if (is_async || next_is("function") || next_is("class")) {
      const std::size_t head = at_;
      if (is_async) ++at_;
      const bool is_class = next_is("class");
      ++at_;
      const bool generator = !is_class && next_is("*");
      if (generator) ++at_;
      const bool named = next_kind(TokenKind::kName) && !next_is("extends");
      if (named) {
        replace(keyword.offset, word.end(), ";");
        text_.exports.push_back({"default", std::string(tokens_[at_].text)});
      } else {
        replace(keyword.offset, tokens_[at_ - 1].end(),
                fmt::format(";{}{}{} __k6_d", is_async ? "async " : "", is_class ? "class" : "function",
                            generator ? "*" : ""));
        text_.exports.push_back({"default", "__k6_d"});
      }
      (void)head;
      return Done{};
    }
    if (at_ >= tokens_.size()) return unexpected("an expression behind 'export default'");
    replace(keyword.offset, word.end(), ";const __k6_d=");
    text_.exports.push_back({"default", "__k6_d"});
    return Done{};
  }

  // The names that `const a = 1, {b, c: [d = 2]} = e;` declares, behind its keyword.
  Result<Done> take_declarators() {
    while (true) {
      if (auto pattern = take_pattern(); !pattern) return pattern.error();
      skip_initializer();
      if (!next_is(",") || tokens_[at_].depth != 0) return Done{};
      ++at_;
    }
  }

  Result<Done> take_pattern() {
    if (at_ >= tokens_.size()) return unexpected("a name");
    const Token& token = tokens_[at_];
    if (token.kind == TokenKind::kName) {
      text_.exports.push_back({std::string(token.text), std::string(token.text)});
      ++at_;
      return Done{};
    }
    const bool object = token.is("{");
    if (!object && !token.is("[")) return unexpected("a name");
    const std::uint32_t inside = token.depth + 1;
    const std::string_view close = object ? "}" : "]";
    ++at_;
    while (at_ < tokens_.size() && !(tokens_[at_].is(close) && tokens_[at_].depth == inside)) {
      if (next_is(",")) {
        ++at_;
        continue;
      }
      if (next_is("...")) ++at_;
      if (object) {
        if (auto key = skip_key(inside); !key) return key.error();
      }
      if (auto pattern = take_pattern(); !pattern) return pattern.error();
      while (at_ < tokens_.size() && !(tokens_[at_].depth == inside && (next_is(",") || tokens_[at_].is(close)))) ++at_;
    }
    if (at_ >= tokens_.size()) return unexpected(object ? "'}'" : "']'");
    ++at_;
    return Done{};
  }

  // `key:` of a pattern's property, where there is one: shorthand names are patterns themselves.
  Result<Done> skip_key(std::uint32_t inside) {
    if (next_is("[")) {
      while (at_ < tokens_.size() && !(tokens_[at_].is("]") && tokens_[at_].depth == inside + 1)) ++at_;
      ++at_;
      if (!next_is(":")) return unexpected("':'");
      ++at_;
    } else if (ahead_is(1, ":")) {
      at_ += 2;
    }
    return Done{};
  }

  static bool ends_expression(const Token& token) {
    switch (token.kind) {
      case TokenKind::kNumber:
      case TokenKind::kString:
      case TokenKind::kRegex:
        return true;
      case TokenKind::kTemplate:
        return token.text.back() == '`';
      case TokenKind::kName: {
        static const std::set<std::string_view> kMore = {"typeof", "new",        "delete",   "void",
                                                         "in",     "instanceof", "await",    "yield",
                                                         "async",  "extends",    "function", "class"};
        return !kMore.contains(token.text);
      }
      case TokenKind::kPunctuator:
        return token.text == ")" || token.text == "]" || token.text == "}" || token.text == "++" || token.text == "--";
    }
    return false;
  }
  static bool begins_statement(const Token& token) {
    switch (token.kind) {
      case TokenKind::kNumber:
      case TokenKind::kString:
        return true;
      case TokenKind::kName:
        return token.text != "in" && token.text != "instanceof";
      case TokenKind::kPunctuator:
        return token.text == "{" || token.text == "++" || token.text == "--";
      default:
        return false;
    }
  }

  // To the ',' or the end of the declaration; a line end counts where the grammar puts a semicolon in.
  void skip_initializer() {
    bool first = true;
    while (at_ < tokens_.size()) {
      const Token& token = tokens_[at_];
      if (token.depth == 0) {
        if (token.is(",") || token.is(";")) return;
        if (token.newline_before && at_ > 0 && !(first && token.is("=")) && ends_expression(tokens_[at_ - 1]) &&
            begins_statement(token)) {
          return;
        }
      }
      first = false;
      ++at_;
    }
  }

  bool reassigned(std::string_view local) const {
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      const Token& token = tokens_[i];
      if (token.kind != TokenKind::kName || token.text != local) continue;
      const Token* before = i > 0 ? &tokens_[i - 1] : nullptr;
      const Token* after = i + 1 < tokens_.size() ? &tokens_[i + 1] : nullptr;
      if (before && (before->is(".") || before->is("?."))) continue;
      const bool declares = before && (before->is("const") || before->is("let") || before->is("var"));
      if (after && !declares && assigns(*after)) return true;
      if (after && (after->is("++") || after->is("--"))) return true;
      if (before && (before->is("++") || before->is("--"))) return true;
    }
    return false;
  }

  Result<Done> check_names() const {
    std::set<std::string_view> seen;
    const auto twice = [](std::string_view name) {
      return Error{Errc::kMalformed, fmt::format("1:1: '{}' is exported twice", name)};
    };
    for (const auto& exported : text_.exports) {
      if (!seen.insert(exported.exported).second) return twice(exported.exported);
    }
    for (const auto& exported : text_.re_exports) {
      if (!seen.insert(exported.exported).second) return twice(exported.exported);
    }
    return Done{};
  }

  const std::string_view source_;
  const std::vector<Token> tokens_;
  std::size_t at_ = 0;
  ModuleText text_;
  std::vector<Change> changes_;
};

}  // namespace

std::string unquote(std::string_view quoted) {
  if (quoted.size() < 2) return "";
  const auto inner = quoted.substr(1, quoted.size() - 2);
  std::string out;
  for (std::size_t i = 0; i < inner.size(); ++i) {
    if (inner[i] != '\\' || i + 1 >= inner.size()) {
      out += inner[i];
      continue;
    }
    const char c = inner[++i];
    const auto digits = [&](std::size_t from, std::size_t count) {
      std::uint32_t value = 0;
      const auto text = inner.substr(std::min(from, inner.size()), count);
      std::from_chars(text.data(), text.data() + text.size(), value, 16);
      return value;
    };
    switch (c) {
      case 'n':
        out += '\n';
        break;
      case 't':
        out += '\t';
        break;
      case 'r':
        out += '\r';
        break;
      case 'b':
        out += '\b';
        break;
      case 'f':
        out += '\f';
        break;
      case 'v':
        out += '\v';
        break;
      case '0':
        out += '\0';
        break;
      case '\n':
        break;
      case 'x':
        append_utf8(out, digits(i + 1, 2));
        i += 2;
        break;
      case 'u':
        if (i + 1 < inner.size() && inner[i + 1] == '{') {
          const auto end = std::min(inner.find('}', i), inner.size());
          append_utf8(out, digits(i + 2, end - i - 2));
          i = end;
        } else {
          append_utf8(out, digits(i + 1, 4));
          i += 4;
        }
        break;
      default:
        out += c;
    }
  }
  return out;
}

Result<ModuleText> rewrite(std::string_view source) {
  auto tokens = tokenize(source);
  if (!tokens) return tokens.error();
  return Rewriter(source, std::move(*tokens)).run();
}

}  // namespace securebase::k6
