#include "monitoring/alarms/rule.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>

#include "monitoring/alarms/definition.h"

namespace securebase::monitoring {

namespace {

constexpr std::size_t kBytes = 10'240;
constexpr std::size_t kChildren = 100;
constexpr std::size_t kElements = 500;
constexpr std::size_t kDepth = 32;

bool is_space(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }

}  // namespace

class Rule::Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<Rule> parse() {
    if (text_.size() > kBytes) return Error{Errc::kLimit, fmt::format("AlarmRule has more than {} bytes", kBytes)};
    if (auto root = either(); !root) return root.error();
    skip();
    if (place_ < text_.size()) return at("expected AND, OR or the end");
    auto& names = made_.names_;
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    if (names.size() > kChildren) {
      return Error{Errc::kLimit, fmt::format("AlarmRule names {} alarms; at most {}", names.size(), kChildren)};
    }
    return std::move(made_);
  }

 private:
  Error at(std::string_view what) const {
    return {Errc::kMalformed, fmt::format("AlarmRule, position {}: {}", place_, what)};
  }
  void skip() {
    while (place_ < text_.size() && is_space(text_[place_])) ++place_;
  }
  bool takes(char c) {
    skip();
    if (place_ == text_.size() || text_[place_] != c) return false;
    ++place_;
    return true;
  }
  std::string_view peek_word() {
    skip();
    std::size_t end = place_;
    while (end < text_.size() && (std::isalpha(static_cast<unsigned char>(text_[end])) || text_[end] == '_')) ++end;
    return text_.substr(place_, end - place_);
  }
  bool takes_word(std::string_view word) {
    if (peek_word() != word) return false;
    place_ += word.size();
    return true;
  }
  Result<std::size_t> add(Node node) {
    if (made_.nodes_.size() + 1 > kElements) return at(fmt::format("more than {} elements", kElements));
    made_.nodes_.push_back(std::move(node));
    return made_.nodes_.size() - 1;
  }

  Result<std::size_t> either() {
    if (++depth_ > kDepth) return at(fmt::format("nested deeper than {}", kDepth));
    Node node;
    node.kind = Node::Kind::kOr;
    do {
      auto one = both();
      if (!one) return one;
      node.children.push_back(*one);
    } while (takes_word("OR"));
    --depth_;
    return node.children.size() == 1 ? Result<std::size_t>(node.children[0]) : add(std::move(node));
  }

  Result<std::size_t> both() {
    Node node;
    node.kind = Node::Kind::kAnd;
    do {
      auto one = primary();
      if (!one) return one;
      node.children.push_back(*one);
    } while (takes_word("AND"));
    return node.children.size() == 1 ? Result<std::size_t>(node.children[0]) : add(std::move(node));
  }

  Result<std::size_t> primary() {
    if (takes_word("NOT")) {
      if (++depth_ > kDepth) return at(fmt::format("nested deeper than {}", kDepth));
      auto inner = primary();
      if (!inner) return inner;
      --depth_;
      Node node;
      node.kind = Node::Kind::kNot;
      node.children = {*inner};
      return add(std::move(node));
    }
    if (takes('(')) {
      auto inner = either();
      if (!inner) return inner;
      if (!takes(')')) return at("expected )");
      return inner;
    }
    const std::string word(peek_word());
    Node node;
    if (word == "TRUE" || word == "FALSE") {
      place_ += word.size();
      node.kind = word == "TRUE" ? Node::Kind::kTrue : Node::Kind::kFalse;
      return add(std::move(node));
    }
    if (word == "AT_LEAST") {
      place_ += word.size();
      return at_least();
    }
    const auto state = alarm_state_from(word);
    if (!state) {
      return at("expected ALARM(name), OK(name), INSUFFICIENT_DATA(name), AT_LEAST(...), TRUE, FALSE, NOT or (");
    }
    place_ += word.size();
    if (!takes('(')) return at(fmt::format("expected ( after {}", word));
    auto child = name();
    if (!child) return child.error();
    if (!takes(')')) return at("expected ) after the name of an alarm");
    node.kind = Node::Kind::kState;
    node.state = *state;
    node.names = {std::move(*child)};
    return add(std::move(node));
  }

  // AT_LEAST(2, ALARM, (a, b, c)), AT_LEAST(50%, NOT OK, (a, b))
  Result<std::size_t> at_least() {
    Node node;
    node.kind = Node::Kind::kAtLeast;
    if (!takes('(')) return at("expected ( after AT_LEAST");
    skip();
    int number = 0;
    const auto [end, failure] = std::from_chars(text_.data() + place_, text_.data() + text_.size(), number);
    if (failure != std::errc{} || number < 1) return at("expected how many, such as 2 or 50%");
    place_ = static_cast<std::size_t>(end - text_.data());
    node.least = number;
    node.percent = takes('%');
    if (node.percent && number > 100) return at("more than 100% cannot be");
    if (!takes(',')) return at("expected , after how many");
    node.negated = takes_word("NOT");
    const auto state = alarm_state_from(peek_word());
    if (!state) return at("expected ALARM, OK or INSUFFICIENT_DATA");
    place_ += peek_word().size();
    node.state = *state;
    if (!takes(',') || !takes('(')) return at("expected , ( and the names of alarms");
    do {
      auto child = name();
      if (!child) return child.error();
      node.names.push_back(std::move(*child));
    } while (takes(','));
    if (!takes(')') || !takes(')')) return at("expected )) after the names");
    if (!node.percent && node.least > static_cast<double>(node.names.size())) {
      return at(fmt::format("at least {} of {} alarms cannot be", number, node.names.size()));
    }
    return add(std::move(node));
  }

  // A name or an ARN, in quotes where it holds white space, a comma or parentheses.
  Result<std::string> name() {
    skip();
    std::string made;
    if (place_ < text_.size() && (text_[place_] == '"' || text_[place_] == '\'')) {
      const char quote = text_[place_++];
      while (place_ < text_.size() && text_[place_] != quote) {
        if (text_[place_] == '\\' && place_ + 1 < text_.size()) ++place_;
        made.push_back(text_[place_++]);
      }
      if (place_ == text_.size()) return at("a quoted name has no end");
      ++place_;
    } else {
      while (place_ < text_.size() && !is_space(text_[place_]) &&
             std::string_view("(),\"'").find(text_[place_]) == std::string_view::npos) {
        made.push_back(text_[place_++]);
      }
    }
    made = name_in_arn(made);
    if (made.empty()) return at("expected the name of an alarm");
    made_.names_.push_back(made);
    if (made_.names_.size() > kElements) return at(fmt::format("more than {} elements", kElements));
    return made;
  }

  std::string_view text_;
  std::size_t place_ = 0;
  std::size_t depth_ = 0;
  Rule made_;
};

Result<Rule> Rule::parse(std::string_view text) { return Parser(text).parse(); }

bool Rule::holds(std::size_t place, const StateOf& state_of) const {
  const Node& node = nodes_[place];
  const auto child = [&](std::size_t i) { return holds(i, state_of); };
  switch (node.kind) {
    case Node::Kind::kTrue:
      return true;
    case Node::Kind::kFalse:
      return false;
    case Node::Kind::kState:
      return state_of(node.names[0]) == node.state;
    case Node::Kind::kNot:
      return !child(node.children[0]);
    case Node::Kind::kAnd:
      return std::all_of(node.children.begin(), node.children.end(), child);
    case Node::Kind::kOr:
      return std::any_of(node.children.begin(), node.children.end(), child);
    case Node::Kind::kAtLeast:
      break;
  }
  const auto count = std::count_if(node.names.begin(), node.names.end(), [&](const std::string& name) {
    const auto state = state_of(name);
    return state && (*state == node.state) != node.negated;
  });
  const double least = node.percent ? node.least / 100 * static_cast<double>(node.names.size()) : node.least;
  return static_cast<double>(count) >= least;
}

}  // namespace securebase::monitoring
