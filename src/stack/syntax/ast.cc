#include "stack/syntax/ast.h"

#include <fmt/format.h>

#include <algorithm>

namespace securebase::stack {

namespace {

class Collector {
 public:
  explicit Collector(std::vector<Reference>& references) : references_(references) {}

  void visit(const ExpressionPtr& expression) {
    if (expression) visit(*expression);
  }

  void visit(const Expression& expression) {
    if (take_reference(expression)) return;
    std::visit([this](const auto& node) { descend(node); }, expression.node);
  }

  void visit(const BodySyntax& body) {
    for (const auto& attribute : body.attributes) visit(attribute.value);
    for (const auto& block : body.blocks) {
      if (block.type != "dynamic" || block.labels.size() != 1) {
        visit(block.body);
        continue;
      }
      // Inside `content` the iterator's name is the block's own.
      const BlockSyntax& dynamic = block;
      visit(dynamic.body.value("for_each"));
      std::string iterator = dynamic.labels[0];
      if (const auto named = dynamic.body.value("iterator")) {
        if (const auto* variable = named->as<Variable>()) iterator = variable->name;
      }
      within({iterator}, [&] {
        visit(dynamic.body.value("labels"));
        for (const auto& content : dynamic.body.blocks) visit(content.body);
      });
    }
  }

 private:
  bool take_reference(const Expression& expression) {
    Reference reference = as_reference(expression);
    if (reference.root.empty()) return false;
    if (std::find(scope_.begin(), scope_.end(), reference.root) == scope_.end()) {
      references_.push_back(std::move(reference));
    }
    return true;
  }

  template <class Visit>
  void within(std::initializer_list<std::string> names, Visit visit_inside) {
    const std::size_t before = scope_.size();
    for (const auto& name : names) {
      if (!name.empty()) scope_.push_back(name);
    }
    visit_inside();
    scope_.resize(before);
  }

  void descend(const Literal&) {}
  void descend(const SplatElement&) {}
  void descend(const Variable&) {}
  void descend(const Template& node) {
    for (const auto& part : node.parts) {
      if (const auto* expression = std::get_if<ExpressionPtr>(&part)) visit(*expression);
      if (const auto* branch = std::get_if<std::shared_ptr<const Template::If>>(&part)) {
        visit((*branch)->condition);
        descend((*branch)->then);
        descend((*branch)->otherwise);
      }
      if (const auto* loop = std::get_if<std::shared_ptr<const Template::For>>(&part)) {
        visit((*loop)->collection);
        within({(*loop)->key, (*loop)->value}, [&] { descend((*loop)->body); });
      }
    }
  }
  void descend(const Tuple& node) {
    for (const auto& element : node.elements) visit(element);
  }
  void descend(const ObjectLiteral& node) {
    for (const auto& item : node.items) {
      visit(item.key);
      visit(item.value);
    }
  }
  void descend(const GetAttribute& node) { visit(node.object); }
  void descend(const Index& node) {
    visit(node.object);
    visit(node.key);
  }
  void descend(const Splat& node) {
    visit(node.source);
    visit(node.each);
  }
  void descend(const Call& node) {
    for (const auto& argument : node.arguments) {
      // convert(value, type): the words of a type refer to nothing.
      if (node.name == "convert" && argument != node.arguments.front()) break;
      visit(argument);
    }
  }
  void descend(const Conditional& node) {
    visit(node.condition);
    visit(node.then);
    visit(node.otherwise);
  }
  void descend(const Unary& node) { visit(node.operand); }
  void descend(const Binary& node) {
    visit(node.left);
    visit(node.right);
  }
  void descend(const ForExpression& node) {
    visit(node.collection);
    within({node.key, node.value}, [&] {
      visit(node.result_key);
      visit(node.result);
      visit(node.condition);
    });
  }

  std::vector<Reference>& references_;
  std::vector<std::string> scope_;
};

bool append_steps(const Expression& expression, Reference& reference) {
  if (const auto* variable = expression.as<Variable>()) {
    reference.root = variable->name;
    return true;
  }
  if (const auto* attribute = expression.as<GetAttribute>()) {
    if (!append_steps(*attribute->object, reference)) return false;
    reference.steps.push_back({attribute->name, attribute->name_range, true});
    return true;
  }
  if (const auto* index = expression.as<Index>()) {
    const auto* key = index->key->as<Literal>();
    if (!key || !append_steps(*index->object, reference)) return false;
    reference.steps.push_back({key->value, index->key->range, false});
    return true;
  }
  return false;
}

}  // namespace

const BodySyntax::Attribute* BodySyntax::attribute(std::string_view name) const {
  const auto found =
      std::find_if(attributes.begin(), attributes.end(), [&](const Attribute& a) { return a.name == name; });
  return found == attributes.end() ? nullptr : &*found;
}

ExpressionPtr BodySyntax::value(std::string_view name) const {
  const Attribute* found = attribute(name);
  return found ? found->value : nullptr;
}

const BlockSyntax* BodySyntax::block(std::string_view type) const {
  const auto found = std::find_if(blocks.begin(), blocks.end(), [&](const BlockSyntax& b) { return b.type == type; });
  return found == blocks.end() ? nullptr : &*found;
}

std::string Reference::text() const {
  std::string out = root;
  for (const auto& step : steps) {
    if (step.is_attribute) {
      out += "." + step.key.to_text().value_or("");
    } else {
      out += "[" + step.key.display() + "]";
    }
  }
  return out;
}

Reference as_reference(const Expression& expression) {
  Reference reference;
  reference.range = expression.range;
  if (!append_steps(expression, reference)) reference.root.clear();
  return reference;
}

void collect_references(const Expression& expression, std::vector<Reference>& references) {
  Collector(references).visit(expression);
}

void collect_references(const BodySyntax& body, std::vector<Reference>& references) {
  Collector(references).visit(body);
}

}  // namespace securebase::stack
