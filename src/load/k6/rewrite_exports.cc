#include <set>

#include "k6/module_rewriter.h"

namespace securebase::k6 {

Result<Done> ModuleRewriter::take_export() {
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
    add_export(std::string(tokens_[at_].text), std::string(tokens_[at_].text), place());
    ++at_;
    return Done{};
  }
  return unexpected("'default', a declaration, '{' or '*' behind 'export'");
}

Result<Done> ModuleRewriter::take_star(const Token& keyword) {
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

Result<Done> ModuleRewriter::take_export_list(const Token& keyword) {
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
  for (auto& name : names) add_export(name.exported, name.local, name.where);
  return Done{};
}

Result<Done> ModuleRewriter::take_default(const Token& keyword) {
  const Token& word = tokens_[at_];
  ++at_;
  const bool is_async = next_is("async") && ahead_is(1, "function") && !tokens_[at_ + 1].newline_before;
  if (is_async || next_is("function") || next_is("class")) {
    if (is_async) ++at_;
    const bool is_class = next_is("class");
    ++at_;
    const bool generator = !is_class && next_is("*");
    if (generator) ++at_;
    const bool named = next_kind(TokenKind::kName) && !next_is("extends");
    if (named) {
      replace(keyword.offset, word.end(), ";");
      add_export("default", std::string(tokens_[at_].text), place());
    } else {
      replace(keyword.offset, tokens_[at_ - 1].end(),
              fmt::format(";{}{}{} __k6_d", is_async ? "async " : "", is_class ? "class" : "function",
                          generator ? "*" : ""));
      add_export("default", "__k6_d", {word.line, word.column});
    }
    return Done{};
  }
  if (at_ >= tokens_.size()) return unexpected("an expression behind 'export default'");
  replace(keyword.offset, word.end(), ";const __k6_d=");
  add_export("default", "__k6_d", {word.line, word.column});
  return Done{};
}

Result<Done> ModuleRewriter::check_names() const {
  std::set<std::string_view> seen;
  const auto twice = [](const auto& exported) {
    const Place where = exported.place;
    return Error{Errc::kMalformed,
                 fmt::format("{}:{}: '{}' is exported twice", where.line, where.column, exported.exported)};
  };
  for (const auto& exported : text_.exports) {
    if (!seen.insert(exported.exported).second) return twice(exported);
  }
  for (const auto& exported : text_.re_exports) {
    if (!seen.insert(exported.exported).second) return twice(exported);
  }
  return Done{};
}

}  // namespace securebase::k6
