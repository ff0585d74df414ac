// How rewriter.h's work is done: one pass over a module's tokens. Used by rewriter.cc only, and defined by what is
// rewritten: rewrite_imports.cc, rewrite_exports.cc, exported_names.cc; and top_level_await.cc.
#pragma once

#include <fmt/format.h>

#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "k6/rewriter.h"
#include "k6/tokens.h"

namespace securebase::k6 {

class ModuleRewriter {
 public:
  ModuleRewriter(std::string_view source, std::vector<Token> tokens) : source_(source), tokens_(std::move(tokens)) {}
  Result<ModuleText> run();

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
  void replace(std::size_t begin, std::size_t end, std::string text);
  std::size_t depend_on(const std::string& specifier, Place where);
  void note_require();
  // A name, or a string that stands for one.
  std::string take_export_name();
  void add_export(std::string exported, std::string local, Place where);
  // 'specifier' [with {...}] [;], and blanks everything from `begin` on.
  Result<std::size_t> take_source(const Token& begin);

  // rewrite_imports.cc
  // import(...) {...} in a class or an object is a method of that name.
  bool is_method() const;
  Result<Done> take_import();
  Result<Done> take_import_names(std::vector<ModuleText::Import>& names);

  // rewrite_exports.cc
  Result<Done> take_export();
  Result<Done> take_star(const Token& keyword);
  Result<Done> take_export_list(const Token& keyword);
  Result<Done> take_default(const Token& keyword);
  Result<Done> check_names() const;

  // exported_names.cc
  // The names that `const a = 1, {b, c: [d = 2]} = e;` declares, behind its keyword.
  Result<Done> take_declarators();
  Result<Done> take_pattern();
  // `key:` of a pattern's property, where there is one: shorthand names are patterns themselves.
  Result<Done> skip_key(std::uint32_t inside);
  // To the ',' or the end of the declaration; a line end counts where the grammar puts a semicolon in.
  void skip_initializer();
  // Those that something is assigned to behind their declaration. Too many rather than too few.
  std::set<std::string_view> reassigned_names() const;

  // top_level_await.cc
  // Whether the token stands in a function, so that an `await` is that function's.
  bool in_function(std::size_t index);
  void note_functions();
  bool begins_function(std::size_t brace) const;

  // Where a line ends in front of `index`, and the grammar puts a semicolon there.
  bool semicolon_put_in(std::size_t index) const;
  // The place of the bracket that the one at `close` closes.
  std::size_t opening_of(std::size_t close) const;

  const std::string_view source_;
  const std::vector<Token> tokens_;
  std::size_t at_ = 0;
  ModuleText text_;
  std::vector<Change> changes_;
  std::vector<bool> in_functions_;  // of each token; made when it is asked for first
};

}  // namespace securebase::k6
