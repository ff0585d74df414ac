#include "stack/evaluate/expand.h"

#include <fmt/format.h>

namespace securebase::stack {

namespace {

constexpr std::int64_t kMostInstances = 10'000;  // of one block

std::optional<Expansion> by_count(const Expression& expression, Evaluator& evaluator, Diagnostics& diagnostics) {
  const auto value = evaluator.evaluate(expression);
  if (!value) return std::nullopt;
  const auto count = value->to_integer();
  if (!count || *count < 0 || *count > kMostInstances) {
    diagnostics.error("Invalid count argument",
                      value->is_null() ? "The given \"count\" argument value is null. An integer is required."
                                       : fmt::format("The given \"count\" argument value is unsuitable: a whole number "
                                                     "from 0 to {} is required, and this is {}.",
                                                     kMostInstances, value->display()),
                      expression.range);
    return std::nullopt;
  }
  Expansion made{Expansion::Mode::kCount, {}};
  for (std::int64_t i = 0; i < *count; ++i) made.instances.push_back({Value(i), {}});
  return made;
}

std::optional<Expansion> by_for_each(const Expression& expression, Evaluator& evaluator, Diagnostics& diagnostics) {
  const auto value = evaluator.evaluate(expression);
  if (!value) return std::nullopt;
  const auto unsuitable = [&](std::string why) -> std::optional<Expansion> {
    diagnostics.error("Invalid for_each argument",
                      fmt::format("The given \"for_each\" argument value is unsuitable: {}.", why), expression.range);
    return std::nullopt;
  };
  if (value->is_null()) return unsuitable("it is null; a map, or set of strings is required");
  if (value->sensitive()) {
    return unsuitable("it is sensitive, and instances show their keys; nonsensitive() says that they may be seen");
  }
  // The empty list of a condition takes the type of the other arm, which may have no value to tell it by.
  if (value->is_list() && value->size() == 0 && expression.as<Conditional>()) {
    return Expansion{Expansion::Mode::kForEach, {}};
  }
  if (value->is_list()) {
    return unsuitable("it must be a map, or set of strings, and you have provided a list; toset() makes a set of it");
  }
  if (!value->is_map() && !value->is_set()) {
    return unsuitable(
        fmt::format("it must be a map, or set of strings, and you have provided a {}", to_string(value->kind())));
  }
  if (value->size() > static_cast<std::size_t>(kMostInstances)) return unsuitable("it has more than 10000 elements");
  Expansion made{Expansion::Mode::kForEach, {}};
  if (value->is_map()) {
    for (const auto& [name, element] : value->members()) made.instances.push_back({Value(name), element});
    return made;
  }
  for (const auto& element : value->elements()) {
    if (!element.is_string()) return unsuitable("a set must hold strings, and no null");
    made.instances.push_back({element, element});
  }
  return made;
}

class BodyEvaluator {
 public:
  BodyEvaluator(Evaluator& evaluator, Diagnostics& diagnostics) : evaluator_(evaluator), diagnostics_(diagnostics) {}

  bool body(const BodySyntax& syntax, const Bindings* bindings, Body& into, const std::set<std::string_view>& skipped) {
    into.from_json = syntax.from_json;
    bool right = true;
    for (const auto& attribute : syntax.attributes) {
      if (skipped.contains(attribute.name)) continue;
      auto value = evaluator_.evaluate(*attribute.value, bindings);
      right = right && value.has_value();
      if (value) {
        into.attributes.insert_or_assign(
            attribute.name, Body::Attribute{std::move(*value), attribute.name_range, attribute.value->range});
      }
    }
    for (const auto& block : syntax.blocks) {
      if (skipped.contains(block.type)) continue;
      if (block.type == "dynamic" && block.labels.size() == 1) {
        if (skipped.contains(block.labels[0])) continue;  // dynamic "timeouts"
        right = dynamic(block, bindings, into) && right;
      } else {
        right = nested(block.type, block.labels, block, bindings, into) && right;
      }
    }
    return right;
  }

 private:
  bool nested(const std::string& type, std::vector<std::string> labels, const BlockSyntax& content,
              const Bindings* bindings, Body& into) {
    Body made;
    made.range = content.range;
    if (!body(content.body, bindings, made, {})) return false;
    into.blocks.push_back({type, std::move(labels), std::move(made)});
    return true;
  }

  bool dynamic(const BlockSyntax& block, const Bindings* bindings, Body& into) {
    const ExpressionPtr for_each = block.body.value("for_each");
    const BlockSyntax* content = block.body.block("content");
    if (!for_each || !content) {
      diagnostics_.error("Invalid dynamic block", "A dynamic block has the argument for_each and the block content.",
                         block.range);
      return false;
    }
    std::string iterator = block.labels[0];
    if (const auto named = block.body.value("iterator")) {
      const auto* variable = named->as<Variable>();
      if (!variable) {
        diagnostics_.error("Invalid expression", "The iterator of a dynamic block is a plain name.", named->range);
        return false;
      }
      iterator = variable->name;
    }
    const auto collection = evaluator_.evaluate(*for_each, bindings);
    if (!collection) return false;
    if (!collection->is_map() && !collection->is_sequence()) {
      diagnostics_.error("Invalid dynamic for_each value",
                         collection->is_null()
                             ? "Cannot use a null value in for_each."
                             : fmt::format("Cannot use a {} value in for_each. An iterable collection is required.",
                                           to_string(collection->kind())),
                         for_each->range);
      return false;
    }
    const auto one = [&](const Value& key, const Value& value) {
      const Value bound =
          Value::map({{"key", key}, {"value", value.marked(value.sensitive() || collection->sensitive())}});
      const Bindings inner{iterator, &bound, bindings};
      std::vector<std::string> labels;
      if (const auto expression = block.body.value("labels")) {
        const auto names = evaluator_.evaluate(*expression, &inner);
        if (!names || !names->is_sequence()) return false;
        for (const auto& name : names->elements()) labels.push_back(name.to_text().value_or(""));
      }
      return nested(block.labels[0], std::move(labels), *content, &inner, into);
    };
    bool right = true;
    if (collection->is_map()) {
      for (const auto& [name, value] : collection->members()) right = one(Value(name), value) && right;
    } else {
      std::size_t i = 0;
      for (const auto& value : collection->elements()) {
        right = one(collection->is_set() ? value : Value(i), value) && right;
        ++i;
      }
    }
    return right;
  }

  Evaluator& evaluator_;
  Diagnostics& diagnostics_;
};

}  // namespace

std::string Instance::address_part() const {
  if (key.is_null()) return "";
  return key.is_number() ? fmt::format("[{}]", number_text(key.number()))
                         : fmt::format("[{}]", in_quotes(key.string()));
}

std::optional<Expansion> expand(const BodySyntax& body, Evaluator& evaluator, Diagnostics& diagnostics) {
  const auto count = body.value("count");
  const auto for_each = body.value("for_each");
  if (count && for_each) {
    diagnostics.error("Invalid combination of \"count\" and \"for_each\"",
                      "The \"count\" and \"for_each\" meta-arguments are mutually-exclusive, only one should be used.",
                      body.attribute("for_each")->name_range);
    return std::nullopt;
  }
  if (count) return by_count(*count, evaluator, diagnostics);
  if (for_each) return by_for_each(*for_each, evaluator, diagnostics);
  return Expansion{Expansion::Mode::kSingle, {Instance{}}};
}

std::optional<Body> evaluate_body(const BodySyntax& syntax, const SourceRange& header, Evaluator& evaluator,
                                  Diagnostics& diagnostics, const std::set<std::string_view>& skipped) {
  Body body;
  body.range = header;
  if (!BodyEvaluator(evaluator, diagnostics).body(syntax, nullptr, body, skipped)) return std::nullopt;
  return body;
}

}  // namespace securebase::stack
