#include "gateway/mapping_template.h"

#include <fmt/format.h>

namespace securebase::gateway {

// Recursive over #if only, to a bounded depth.
class MappingTemplate::Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<std::vector<Node>> parse() {
    auto nodes = block(0);
    if (!nodes) return nodes.error();
    if (at_ < text_.size()) return wrong("#else or #end without #if");
    return std::move(*nodes);
  }

 private:
  Error wrong(std::string_view why) const {
    return {Errc::kUnsupported,
            fmt::format("mapping template, at byte {}: {}. Understood are text, ## comments, #if/#else/#end with == or "
                        "!=, $context.NAME, $stageVariables.NAME and $input.params('NAME')",
                        at_, why)};
  }
  bool looking_at(std::string_view word) const { return text_.substr(at_).starts_with(word); }
  static bool is_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  }
  void skip_spaces() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
  }

  // Up to the end, or to the #else or #end that closes it.
  Result<std::vector<Node>> block(int depth) {
    if (depth > kNesting) return wrong("#if is nested too deeply");
    std::vector<Node> nodes;
    std::string text;
    const auto flush = [&] {
      if (text.empty()) return;
      Node node;
      node.text = std::move(text);
      nodes.push_back(std::move(node));
      text.clear();
    };
    while (at_ < text_.size()) {
      if (looking_at("##")) {
        const auto end = text_.find('\n', at_);
        at_ = end == std::string_view::npos ? text_.size() : end + 1;
      } else if (looking_at("#end") || looking_at("#else")) {
        break;
      } else if (looking_at("#if")) {
        flush();
        auto node = condition(depth);
        if (!node) return node.error();
        nodes.push_back(std::move(*node));
      } else if (text_[at_] == '#' && at_ + 1 < text_.size() && is_name(text_[at_ + 1])) {
        return wrong("an unknown directive");
      } else if (text_[at_] == '$' && at_ + 1 < text_.size() &&
                 (is_name(text_[at_ + 1]) || text_[at_ + 1] == '{' || text_[at_ + 1] == '!')) {
        flush();
        Node node;
        node.kind = Node::Kind::kReference;
        auto read = reference();
        if (!read) return read.error();
        node.reference = std::move(*read);
        nodes.push_back(std::move(node));
      } else {
        text += text_[at_++];
      }
    }
    flush();
    return nodes;
  }

  Result<Node> condition(int depth) {
    at_ += 3;
    skip_spaces();
    if (!looking_at("(")) return wrong("#if without (");
    ++at_;
    Node node;
    node.kind = Node::Kind::kIf;
    auto left = operand();
    if (!left) return left.error();
    node.left = std::move(*left);
    if (looking_at("==") || looking_at("!=")) {
      node.compared = true;
      node.equal = looking_at("==");
      at_ += 2;
      auto right = operand();
      if (!right) return right.error();
      node.right = std::move(*right);
    }
    if (!looking_at(")")) return wrong("a condition that is no comparison");
    ++at_;
    auto then = block(depth + 1);
    if (!then) return then.error();
    node.then = std::move(*then);
    if (looking_at("#else")) {
      at_ += 5;
      if (looking_at("if")) return wrong("#elseif");
      auto otherwise = block(depth + 1);
      if (!otherwise) return otherwise.error();
      node.otherwise = std::move(*otherwise);
    }
    if (!looking_at("#end")) return wrong("#if without #end");
    at_ += 4;
    return node;
  }

  // A reference, or a literal in quotes; spaces around it.
  Result<Reference> operand() {
    skip_spaces();
    if (at_ >= text_.size()) return wrong("an unfinished condition");
    Reference made;
    if (text_[at_] == '$') {
      auto read = reference();
      if (!read) return read.error();
      made = std::move(*read);
    } else {
      auto literal = quoted();
      if (!literal) return literal.error();
      made.name = std::move(*literal);
    }
    skip_spaces();
    return made;
  }

  Result<std::string> quoted() {
    const char quote = at_ < text_.size() ? text_[at_] : '\0';
    if (quote != '\'' && quote != '"') return wrong("text in quotes expected");
    const auto end = text_.find(quote, at_ + 1);
    if (end == std::string_view::npos) return wrong("text without its second quote");
    std::string out(text_.substr(at_ + 1, end - at_ - 1));
    at_ = end + 1;
    return out;
  }

  Result<Reference> reference() {
    ++at_;
    if (looking_at("!")) ++at_;
    const bool braces = looking_at("{");
    if (braces) ++at_;
    Reference made;
    if (looking_at("context.")) {
      at_ += 8;
      made.from = Reference::From::kContext;
      made.name = dotted();
    } else if (looking_at("stageVariables.")) {
      at_ += 15;
      made.from = Reference::From::kStageVariable;
      made.name = dotted();
    } else if (looking_at("input.params(")) {
      at_ += 13;
      made.from = Reference::From::kParam;
      auto name = quoted();
      if (!name) return name.error();
      made.name = std::move(*name);
      if (!looking_at(")")) return wrong("$input.params() takes one name");
      ++at_;
    } else {
      return wrong("an unknown reference");
    }
    if (made.name.empty()) return wrong("a reference without a name");
    if (braces) {
      if (!looking_at("}")) return wrong("a reference without its }");
      ++at_;
    }
    return made;
  }

  std::string dotted() {
    const auto from = at_;
    while (at_ < text_.size() &&
           (is_name(text_[at_]) || (text_[at_] == '.' && at_ + 1 < text_.size() && is_name(text_[at_ + 1])))) {
      ++at_;
    }
    return std::string(text_.substr(from, at_ - from));
  }

  const std::string_view text_;
  std::size_t at_ = 0;
};

Result<MappingTemplate> MappingTemplate::parse(std::string_view text) {
  if (text.size() > kBytes) return Error{Errc::kLimit, "a mapping template has at most 300 KiB"};
  auto nodes = Parser(text).parse();
  if (!nodes) return nodes.error();
  MappingTemplate made;
  made.nodes_ = std::move(*nodes);
  return made;
}

std::string MappingTemplate::Reference::value(const Call& call) const {
  switch (from) {
    case From::kLiteral:
      return name;
    case From::kContext:
      return context_value(call, name).value_or("");
    case From::kStageVariable: {
      const auto found = call.stage->variables.find(name);
      return found == call.stage->variables.end() ? "" : found->second;
    }
    case From::kParam: {  // path, then query, then header
      if (const auto value = call.path_value(name); !value.empty()) return std::string(value);
      if (const auto* value = call.query_value(name)) return *value;
      return std::string(call.request->headers.get(name).value_or(""));
    }
  }
  return {};
}

void MappingTemplate::render_into(std::string& out, const std::vector<Node>& nodes, const Call& call) {
  for (const auto& node : nodes) {
    switch (node.kind) {
      case Node::Kind::kText:
        out += node.text;
        break;
      case Node::Kind::kReference:
        out += node.reference.value(call);
        break;
      case Node::Kind::kIf: {
        const auto left = node.left.value(call);
        const bool holds = node.compared ? (left == node.right.value(call)) == node.equal : !left.empty();
        render_into(out, holds ? node.then : node.otherwise, call);
        break;
      }
    }
  }
}

std::string MappingTemplate::render(const Call& call) const {
  std::string out;
  render_into(out, nodes_, call);
  return out;
}

}  // namespace securebase::gateway
