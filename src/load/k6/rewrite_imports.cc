#include "k6/module_rewriter.h"

namespace securebase::k6 {

bool ModuleRewriter::is_method() const {
  const std::uint32_t inside = tokens_[at_ + 1].depth + 1;
  std::size_t i = at_ + 2;
  while (i < tokens_.size() && !(tokens_[i].is(")") && tokens_[i].depth == inside)) ++i;
  return i + 1 < tokens_.size() && tokens_[i + 1].is("{") && !tokens_[i + 1].newline_before;
}

Result<Done> ModuleRewriter::take_import() {
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

Result<Done> ModuleRewriter::take_import_names(std::vector<ModuleText::Import>& names) {
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

}  // namespace securebase::k6
