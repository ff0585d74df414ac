#include "monitoring/math/search.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace securebase::monitoring::math {

namespace {

constexpr std::size_t kDepth = 32;

enum class Character { kLower, kUpper, kDigit, kOther };
Character kind_of(char c) {
  const auto byte = static_cast<unsigned char>(c);
  if (std::islower(byte) || byte >= 0x80) return Character::kLower;
  if (std::isupper(byte)) return Character::kUpper;
  return std::isdigit(byte) ? Character::kDigit : Character::kOther;
}

bool contains_in_order(const std::vector<std::string>& all, const std::vector<std::string>& wanted) {
  return std::search(all.begin(), all.end(), wanted.begin(), wanted.end()) != all.end();
}

// The words as they are cut by punctuation alone: "HTTPServer" is found by "httpserver" too.
std::vector<std::string> coarse_tokens(std::string_view text) {
  std::vector<std::string> tokens;
  bool within = false;
  for (const char c : text) {
    if (kind_of(c) == Character::kOther) {
      within = false;
      continue;
    }
    if (!std::exchange(within, true)) tokens.emplace_back();
    tokens.back().push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
  }
  return tokens;
}

bool found_in(std::string_view text, const std::vector<std::string>& wanted) {
  if (contains_in_order(search_tokens(text), wanted)) return true;
  std::string joined;
  for (const auto& token : wanted) joined += token;
  const auto coarse = coarse_tokens(text);
  return std::find(coarse.begin(), coarse.end(), joined) != coarse.end();
}

}  // namespace

std::vector<std::string> search_tokens(std::string_view text) {
  std::vector<std::string> tokens;
  Character before = Character::kOther;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const Character now = kind_of(text[i]);
    if (now != Character::kOther) {
      // aB, a1, 1a begin a token, and so does the last capital of a run: HTTPServer is http, server.
      const bool run_ends = now == Character::kUpper && before == Character::kUpper && i + 1 < text.size() &&
                            kind_of(text[i + 1]) == Character::kLower;
      const bool continues = now == before || (before == Character::kUpper && now == Character::kLower);
      if (!continues || run_ends) tokens.emplace_back();
      tokens.back().push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(text[i]))));
    }
    before = now;
  }
  return tokens;
}

class Search::Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<Search> parse() {
    skip();
    if (peek() == '{') {
      if (auto done = schema(); !done) return done.error();
    }
    skip();
    if (place_ < text_.size()) {
      auto root = alternatives();
      if (!root) return root.error();
      if (place_ < text_.size()) return at("expected a term or the end");
    } else if (!made_.name_space_) {
      return at("expected a schema in braces or a term");
    }
    return std::move(made_);
  }

 private:
  Error at(std::string_view what) const { return {Errc::kMalformed, fmt::format("SEARCH at {}: {}", place_, what)}; }
  char peek() const { return place_ < text_.size() ? text_[place_] : '\0'; }
  void skip() {
    while (place_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[place_]))) ++place_;
  }
  bool takes_word(std::string_view word) {
    skip();
    if (text_.substr(place_, word.size()) != word) return false;
    const char after = place_ + word.size() < text_.size() ? text_[place_ + word.size()] : ' ';
    if (!std::isspace(static_cast<unsigned char>(after)) && after != '(' && after != '"' && after != ')') return false;
    place_ += word.size();
    return true;
  }
  std::size_t add(Term term) {
    made_.terms_.push_back(std::move(term));
    return made_.terms_.size() - 1;
  }

  Result<std::string> quoted(char quote) {
    const auto end = text_.find(quote, place_ + 1);
    if (end == std::string_view::npos) return at(fmt::format("no closing {}", quote));
    std::string inside(text_.substr(place_ + 1, end - place_ - 1));
    place_ = end + 1;
    return inside;
  }

  Result<Done> schema() {
    ++place_;
    std::vector<std::string> names;
    for (;;) {
      skip();
      std::string name;
      if (peek() == '"') {
        auto inside = quoted('"');
        if (!inside) return inside.error();
        name = std::move(*inside);
        skip();
      } else {
        while (place_ < text_.size() && peek() != ',' && peek() != '}') name.push_back(text_[place_++]);
        while (!name.empty() && std::isspace(static_cast<unsigned char>(name.back()))) name.pop_back();
      }
      if (name.empty()) return at("a namespace or the name of a dimension is missing");
      names.push_back(std::move(name));
      if (peek() == '}') break;
      if (peek() != ',') return at("expected , or } in the schema");
      ++place_;
    }
    ++place_;
    made_.name_space_ = names.front();
    names.erase(names.begin());
    std::sort(names.begin(), names.end());
    made_.dimensions_ = std::move(names);
    return Done{};
  }

  Result<std::size_t> alternatives() {
    if (++depth_ > kDepth) return at(fmt::format("nested deeper than {}", kDepth));
    Term either;
    either.kind = Term::Kind::kOr;
    do {
      auto both = conjunction();
      if (!both) return both;
      either.children.push_back(*both);
    } while (takes_word("OR"));
    --depth_;
    return either.children.size() == 1 ? either.children[0] : add(std::move(either));
  }

  // Terms that stand beside each other all have to be found.
  Result<std::size_t> conjunction() {
    Term all;
    all.kind = Term::Kind::kAnd;
    for (;;) {
      auto one = negation();
      if (!one) return one;
      all.children.push_back(*one);
      if (takes_word("AND")) continue;
      skip();
      if (place_ == text_.size() || peek() == ')') break;
      const auto before = place_;
      if (takes_word("OR")) {
        place_ = before;
        break;
      }
    }
    return all.children.size() == 1 ? all.children[0] : add(std::move(all));
  }

  Result<std::size_t> negation() {
    if (takes_word("NOT")) {
      if (++depth_ > kDepth) return at(fmt::format("nested deeper than {}", kDepth));
      auto inner = negation();
      if (!inner) return inner;
      --depth_;
      Term term;
      term.kind = Term::Kind::kNot;
      term.children = {*inner};
      return add(std::move(term));
    }
    skip();
    if (peek() != '(') return term("");
    ++place_;
    auto inner = alternatives();
    if (!inner) return inner;
    skip();
    if (peek() != ')') return at("expected )");
    ++place_;
    return inner;
  }

  Result<std::size_t> term(std::string designator) {
    skip();
    Term made;
    made.designator = std::move(designator);
    if (peek() == '"') {
      auto inside = quoted('"');
      if (!inside) return inside.error();
      skip();
      if (made.designator.empty() && peek() == '=') {
        ++place_;
        return term(std::move(*inside));
      }
      made.kind = Term::Kind::kExact;
      made.text = std::move(*inside);
      return add(std::move(made));
    }
    const auto from = place_;
    while (place_ < text_.size() && !std::isspace(static_cast<unsigned char>(peek())) && peek() != '(' &&
           peek() != ')' && peek() != '"' && peek() != '=') {
      ++place_;
    }
    const auto word = text_.substr(from, place_ - from);
    if (word.empty()) return at("expected a term");
    const auto after = place_;
    skip();
    if (made.designator.empty() && peek() == '=') {
      ++place_;
      return term(std::string(word));
    }
    place_ = after;
    made.tokens = search_tokens(word);
    if (made.tokens.empty()) return at(fmt::format("\"{}\" has neither a letter nor a digit", word));
    return add(std::move(made));
  }

  std::string_view text_;
  std::size_t place_ = 0;
  std::size_t depth_ = 0;
  Search made_;
};

Result<Search> Search::parse(std::string_view text) {
  if (text.size() > kSearchBytes) {
    return Error{Errc::kLimit, fmt::format("a SEARCH has at most {} bytes, this one {}", kSearchBytes, text.size())};
  }
  return Parser(text).parse();
}

bool Search::finds(const Term& term, const MetricId& metric) const {
  const auto looks_at = [&](std::string_view name, std::string_view text) {
    if (!term.designator.empty() && term.designator != name) return false;
    return term.kind == Term::Kind::kExact ? text == term.text : found_in(text, term.tokens);
  };
  const auto child = [&](std::size_t i) { return finds(terms_[i], metric); };
  switch (term.kind) {
    case Term::Kind::kAnd:
      return std::all_of(term.children.begin(), term.children.end(), child);
    case Term::Kind::kOr:
      return std::any_of(term.children.begin(), term.children.end(), child);
    case Term::Kind::kNot:
      return !child(term.children[0]);
    default:
      break;
  }
  if (looks_at("MetricName", metric.name) || looks_at("Namespace", metric.name_space)) return true;
  for (const auto& [name, value] : metric.dimensions) {
    if (looks_at(name, value)) return true;
    if (term.designator.empty() && looks_at("", name)) return true;
  }
  return false;
}

bool Search::finds(const MetricId& metric) const {
  if (name_space_ && metric.name_space != *name_space_) return false;
  if (dimensions_) {
    if (metric.dimensions.size() != dimensions_->size()) return false;
    for (std::size_t i = 0; i < dimensions_->size(); ++i) {
      if (metric.dimensions[i].first != (*dimensions_)[i]) return false;
    }
  }
  return terms_.empty() || finds(terms_.back(), metric);
}

MetricFilter Search::filter() const {
  MetricFilter filter;
  filter.name_space = name_space_;
  for (const auto& name : dimensions_.value_or(std::vector<std::string>{}))
    filter.dimensions.push_back({name, std::nullopt});
  return filter;
}

}  // namespace securebase::monitoring::math
