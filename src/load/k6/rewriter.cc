#include "k6/rewriter.h"

#include <algorithm>

#include "k6/module_rewriter.h"
#include "k6/string_literal.h"

namespace securebase::k6 {

Result<ModuleText> ModuleRewriter::run() {
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
      if (token.text == "await" && !text_.top_level_await && !ahead_is(1, ":"))
        text_.top_level_await = !in_function(at_);
      if (token.text == "require") note_require();
      ++at_;
    }
  }
  const auto reassigned = reassigned_names();
  for (auto& exported : text_.exports) exported.reassigned = reassigned.contains(exported.local);
  if (auto distinct = check_names(); !distinct) return distinct.error();
  // Longer forms first moved nothing: replacements go in from the end, so offsets in front of them hold.
  std::sort(changes_.begin(), changes_.end(), [](const auto& a, const auto& b) { return a.begin > b.begin; });
  for (const auto& change : changes_) text_.body.replace(change.begin, change.end - change.begin, change.text);
  return std::move(text_);
}

void ModuleRewriter::replace(std::size_t begin, std::size_t end, std::string text) {
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

void ModuleRewriter::add_export(std::string exported, std::string local, Place where) {
  text_.exports.push_back({std::move(exported), std::move(local), false, where});
}

std::size_t ModuleRewriter::depend_on(const std::string& specifier, Place where) {
  for (std::size_t i = 0; i < text_.dependencies.size(); ++i) {
    if (text_.dependencies[i].specifier == specifier) return i;
  }
  text_.dependencies.push_back({specifier, where});
  return text_.dependencies.size() - 1;
}

void ModuleRewriter::note_require() {
  if (ahead_is(1, "(") && at_ + 3 < tokens_.size() && tokens_[at_ + 2].kind == TokenKind::kString && ahead_is(3, ")")) {
    text_.requires_.push_back({unquote(tokens_[at_ + 2].text), {tokens_[at_ + 2].line, tokens_[at_ + 2].column}});
  }
}

std::string ModuleRewriter::take_export_name() {
  const Token& token = tokens_[at_++];
  return token.kind == TokenKind::kString ? unquote(token.text) : std::string(token.text);
}

Result<std::size_t> ModuleRewriter::take_source(const Token& begin) {
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

Result<ModuleText> rewrite(std::string_view source) {
  auto tokens = tokenize(source);
  if (!tokens) return tokens.error();
  return ModuleRewriter(source, std::move(*tokens)).run();
}

}  // namespace securebase::k6
