#include "stack/evaluate/evaluator.h"

#include <fmt/format.h>

#include <algorithm>

#include "stack/provider/asked.h"
#include "stack/type.h"

namespace securebase::stack {

namespace {

constexpr std::size_t kMostTemplateBytes = std::size_t{64} << 20;  // of one template's result

std::string an(const Value& value) {
  return value.is_null() ? std::string("null") : fmt::format("a {}", to_string(value.kind()));
}

std::vector<std::string> names_of(const Value& map) {
  std::vector<std::string> names;
  for (const auto& [name, value] : map.members()) names.push_back(name);
  return names;
}

// Whether the expression is a tuple by the way it is written. A tuple beside a set becomes a set where both are the
// arms of a condition; a list, of which not every element may be kept in a set, stays one.
bool is_tuple(const Expression& expression) { return expression.as<Tuple>() || expression.as<ForExpression>(); }

// Whether the expression is a set by the way it is written: told where it has no value to look at.
bool makes_set(const Expression& expression) {
  static constexpr std::string_view kSetFunctions[] = {"toset", "setunion", "setintersection", "setsubtract"};
  if (const auto* call = expression.as<Call>()) {
    return std::find(std::begin(kSetFunctions), std::end(kSetFunctions), call->name) != std::end(kSetFunctions);
  }
  const auto* choice = expression.as<Conditional>();
  return choice && (makes_set(*choice->then) || makes_set(*choice->otherwise));
}

}  // namespace

const Value* Bindings::find(const Bindings* innermost, std::string_view name) {
  for (; innermost; innermost = innermost->outer) {
    if (innermost->name == name) return innermost->value;
  }
  return nullptr;
}

std::optional<Value> Evaluator::fail(std::string summary, std::string detail, const SourceRange& range) {
  diagnostics_.error(std::move(summary), std::move(detail), range);
  return std::nullopt;
}

std::optional<Value> Evaluator::evaluate(const Expression& expression, const Bindings* bindings) {
  return std::visit([&](const auto& kind) { return node(kind, expression, bindings); }, expression.node);
}

std::optional<Value> Evaluator::node(const Literal& node, const Expression&, const Bindings*) { return node.value; }

std::optional<Value> Evaluator::node(const SplatElement&, const Expression& whole, const Bindings* bindings) {
  const Value* element = Bindings::find(bindings, "*");
  return element ? std::optional(*element) : fail("Invalid splat", "There is no splat around this.", whole.range);
}

std::optional<Value> Evaluator::node(const Tuple& node, const Expression&, const Bindings* bindings) {
  Value::List made;
  bool right = true;
  for (const auto& element : node.elements) {
    auto value = evaluate(*element, bindings);
    if (value) {
      made.push_back(std::move(*value));
    } else {
      right = false;
    }
  }
  return right ? std::optional<Value>(std::move(made)) : std::nullopt;
}

std::optional<Value> Evaluator::node(const ObjectLiteral& node, const Expression&, const Bindings* bindings) {
  Value::Map made;
  bool right = true;
  for (const auto& item : node.items) {
    const auto key = evaluate(*item.key, bindings);
    auto value = evaluate(*item.value, bindings);
    if (!key || !value) {
      right = false;
      continue;
    }
    const auto name = key->to_text();
    if (!name) {
      right = false;
      fail("Incorrect key type", fmt::format("A key of an object is a string, and this one is {}.", an(*key)),
           item.key->range);
      continue;
    }
    made.insert_or_assign(*name, std::move(*value));
  }
  return right ? std::optional<Value>(std::move(made)) : std::nullopt;
}

std::optional<Value> Evaluator::node(const Variable&, const Expression& whole, const Bindings* bindings) {
  return reference(whole, bindings);
}

std::optional<Value> Evaluator::node(const GetAttribute& node, const Expression& whole, const Bindings* bindings) {
  if (!as_reference(whole).root.empty()) return reference(whole, bindings);
  const auto object = evaluate(*node.object, bindings);
  return object ? attribute_of(*object, node.name, node.name_range) : std::nullopt;
}

std::optional<Value> Evaluator::node(const Index& node, const Expression& whole, const Bindings* bindings) {
  if (!as_reference(whole).root.empty()) return reference(whole, bindings);
  const auto object = evaluate(*node.object, bindings);
  const auto key = evaluate(*node.key, bindings);
  return object && key ? element_of(*object, *key, node.key->range) : std::nullopt;
}

std::optional<Value> Evaluator::reference(const Expression& whole, const Bindings* bindings) {
  const Reference reference = as_reference(whole);
  std::optional<Value> value;
  std::size_t step = 0;
  if (const Value* bound = Bindings::find(bindings, reference.root)) {
    value = *bound;
  } else {
    value = scope_.resolve(reference, step, diagnostics_);
  }
  for (; value && step < reference.steps.size(); ++step) {
    const auto& next = reference.steps[step];
    value = next.is_attribute ? attribute_of(*value, next.key.string(), next.range)
                              : element_of(*value, next.key, next.range);
  }
  return value;
}

// What an open value does not have: a text that says where it came from, for what its provider would compute. nullopt:
// the value is not open, or the name is a misspelling of one that it has.
std::optional<Value> Evaluator::beyond(const Value& object, const std::string& name, std::string_view written,
                                       const SourceRange& range) {
  const Value::Open* open = object.open();
  if (!open || !(object.is_map() || object.is_string())) return std::nullopt;
  if (open->listed) {
    if (!closest(name, names_of(object)).empty()) return std::nullopt;
    scope_.read_unlisted(*open, name, range);
  }
  const std::string address = open->address + std::string(written);
  return Value(address).opened({address, false}).marked(object.sensitive());
}

// Whether it is something that is asked outside of the files, for which nothing may be made up: reported.
bool Evaluator::is_kept_outside(const Value& object, const std::string& name, const SourceRange& range) {
  const Value::Open* open = object.open();
  if (!open || !open->listed || open->type.empty() || !object.is_map()) return false;
  const Value* own_name = object.find("name");
  const auto mode = open->read ? Declaration::Mode::kData : Declaration::Mode::kResource;
  if (!is_asked_outside(mode, open->type, name, own_name ? own_name->to_text().value_or("") : "")) return false;
  diagnostics_.error("Value that is not known here", asked_outside(open->type, name), range);
  return true;
}

std::optional<Value> Evaluator::attribute_of(const Value& object, const std::string& name, const SourceRange& range) {
  if (const Value* found = object.find(name)) return found->marked(found->sensitive() || object.sensitive());
  if (is_kept_outside(object, name, range)) return std::nullopt;
  if (auto made = beyond(object, name, "." + name, range)) return made;
  if (object.is_null()) {
    return fail("Attempt to get attribute from null value",
                fmt::format("This value is null, so it does not have any attributes: not \"{}\" either.", name), range);
  }
  if (object.is_map()) {
    diagnostics_
        .error("Unsupported attribute", fmt::format("This object does not have an attribute named \"{}\".", name),
               range)
        .suggestion = closest(name, names_of(object));
    return std::nullopt;
  }
  const std::string hint = object.is_sequence() && object.size() > 0 && object.elements()[0].is_map()
                               ? fmt::format(
                                     " Did you mean the attribute \"{0}\" of one element ([0].{0}) or of all "
                                     "([*].{0})?",
                                     name)
                               : "";
  return fail("Unsupported attribute",
              fmt::format("This value is {}, and does not have attributes.{}", an(object), hint), range);
}

std::optional<Value> Evaluator::element_of(const Value& object, const Value& key, const SourceRange& range) {
  const bool sensitive = object.sensitive() || key.sensitive();
  const auto marked = [&](const Value& found) { return found.marked(found.sensitive() || sensitive); };
  if (object.is_string() && key.is_primitive()) {
    if (auto made = beyond(object, "", "[" + key.unmarked().display() + "]", range)) return marked(*made);
  }
  if (object.is_map()) {
    const auto name = key.to_text();
    if (!name) return fail("Invalid index", fmt::format("A key of a map is a string, not {}.", an(key)), range);
    if (const Value* found = object.find(*name)) return marked(*found);
    if (is_kept_outside(object, *name, range)) return std::nullopt;
    if (auto made = beyond(object, *name, "[" + in_quotes(*name) + "]", range)) return marked(*made);
    auto& error =
        diagnostics_.error("Invalid index",
                           fmt::format("The given key {} does not identify an element in this collection value.",
                                       sensitive ? "(sensitive)" : in_quotes(*name)),
                           range);
    if (!sensitive) error.suggestion = closest(*name, names_of(object));
    return std::nullopt;
  }
  if (object.is_list()) {
    const auto index = key.to_integer();
    if (!index)
      return fail("Invalid index", fmt::format("An index of a list is a whole number, not {}.", key.display()), range);
    if (*index < 0 || static_cast<std::size_t>(*index) >= object.size()) {
      return fail("Invalid index",
                  object.size() == 0
                      ? "The given key does not identify an element in this collection value: the collection has no "
                        "elements."
                      : fmt::format("The given key does not identify an element in this collection value: the "
                                    "collection has {} elements, counted from 0.",
                                    object.size()),
                  range);
    }
    return marked(object.elements()[static_cast<std::size_t>(*index)]);
  }
  if (object.is_set()) {
    return fail("Invalid index",
                "Elements of a set are identified only by their value and don't have any separate index or key to "
                "select with, so it's only possible to perform operations across all elements of the set. tolist() "
                "makes a list of it.",
                range);
  }
  if (object.is_null()) {
    return fail("Attempt to index null value", "This value is null, so it does not have any indices.", range);
  }
  return fail("Invalid index", fmt::format("This value is {}, and does not have any indices.", an(object)), range);
}

std::optional<Value> Evaluator::node(const Splat& node, const Expression&, const Bindings* bindings) {
  const auto source = evaluate(*node.source, bindings);
  if (!source) return std::nullopt;
  Value::List made;
  const auto take = [&](const Value& element) {
    const Value marked = element.marked(element.sensitive() || source->sensitive());
    const Bindings inner{"*", &marked, bindings};
    auto value = evaluate(*node.each, &inner);
    if (value) made.push_back(std::move(*value));
    return value.has_value();
  };
  if (source->is_sequence()) {
    for (const auto& element : source->elements()) {
      if (!take(element)) return std::nullopt;
    }
  } else if (!source->is_null() && !take(*source)) {  // anything else is a list of itself, null an empty one
    return std::nullopt;
  }
  return Value(std::move(made));
}

std::optional<Value> Evaluator::node(const Conditional& node, const Expression&, const Bindings* bindings) {
  bool sensitive = false;
  const auto condition = truth(*node.condition, bindings, sensitive);
  if (!condition) return std::nullopt;
  const Expression& taken = *condition ? *node.then : *node.otherwise;
  const Expression& left = *condition ? *node.otherwise : *node.then;
  auto chosen = evaluate(taken, bindings);
  if (!chosen) return std::nullopt;
  if (!chosen->is_null() && !chosen->is_string()) {
    // The arms have one type; what is wrong with the one not taken does not matter.
    Diagnostics ignored;
    const auto other = Evaluator(scope_, ignored).evaluate(left, bindings);
    if (other) chosen = unified_with(*chosen, *other);
    const bool beside_set = other ? other->is_set() : makes_set(left);
    if (beside_set && chosen->is_list() && (chosen->size() == 0 || is_tuple(taken))) {
      chosen = Value::set(chosen->elements()).marked(chosen->sensitive());
    }
  }
  return chosen->marked(chosen->sensitive() || sensitive);
}

std::optional<bool> Evaluator::truth(const Expression& expression, const Bindings* bindings, bool& sensitive) {
  const auto value = evaluate(expression, bindings);
  if (!value) return std::nullopt;
  sensitive = sensitive || value->sensitive();
  const auto result = value->to_bool();
  if (!result) {
    fail("Incorrect condition type", fmt::format("A condition is a bool, and this is {}.", an(*value)),
         expression.range);
  }
  return result;
}

std::optional<Value> Evaluator::node(const Unary& node, const Expression& whole, const Bindings* bindings) {
  const auto operand = evaluate(*node.operand, bindings);
  if (!operand) return std::nullopt;
  if (node.operation == Operator::kNot) {
    const auto value = operand->to_bool();
    if (!value)
      return fail("Invalid operand", fmt::format("\"!\" takes a bool, and this is {}.", an(*operand)), whole.range);
    return Value(!*value).marked(operand->sensitive());
  }
  const auto number = operand->to_number();
  if (!number)
    return fail("Invalid operand", fmt::format("\"-\" takes a number, and this is {}.", an(*operand)), whole.range);
  return Value(-*number).marked(operand->sensitive());
}

std::optional<Value> Evaluator::node(const Binary& node, const Expression& whole, const Bindings* bindings) {
  const auto left = evaluate(*node.left, bindings);
  if (!left) return std::nullopt;
  // As Terraform since 1.12: the right side does not matter when the left decides.
  const bool decides_by = node.operation == Operator::kOr;
  if ((node.operation == Operator::kAnd || node.operation == Operator::kOr) && left->to_bool() == decides_by) {
    return Value(decides_by).marked(left->sensitive());
  }
  const auto right = evaluate(*node.right, bindings);
  if (!right) return std::nullopt;
  std::string error;
  auto made = apply_binary(node.operation, *left, *right, error);
  return made ? made : fail("Invalid operand", error, whole.range);
}

template <class Visit>
bool Evaluator::each_element(const Value& collection, const SourceRange& range, Visit visit) {
  if (collection.is_map()) {
    for (const auto& [name, value] : collection.members()) {
      if (!visit(Value(name), value)) return false;
    }
    return true;
  }
  if (collection.is_sequence()) {
    std::size_t i = 0;
    for (const auto& value : collection.elements()) {
      if (!visit(collection.is_set() ? value : Value(i), value)) return false;
      ++i;
    }
    return true;
  }
  // A placeholder stands for one element as well.
  if (const auto element = collection.is_string() ? beyond(collection, "", "[0]", range) : std::nullopt) {
    return visit(Value(0), *element);
  }
  fail(collection.is_null() ? "Iteration over null value" : "Iteration over non-iterable value",
       fmt::format("{} cannot be used as the collection in a 'for' expression.",
                   collection.is_null() ? "A null value" : fmt::format("A {}", to_string(collection.kind()))),
       range);
  return false;
}

std::optional<Value> Evaluator::node(const ForExpression& node, const Expression& whole, const Bindings* bindings) {
  const auto collection = evaluate(*node.collection, bindings);
  if (!collection) return std::nullopt;
  bool sensitive = collection->sensitive();
  Value::List list;
  Value::Map map;
  std::map<std::string, Value::List> groups;
  const bool whole_way = each_element(*collection, node.collection->range, [&](const Value& key, const Value& value) {
    const Bindings for_key{node.key, &key, bindings};
    const Bindings inner{node.value, &value, node.key.empty() ? bindings : &for_key};
    if (node.condition) {
      const auto wanted = truth(*node.condition, &inner, sensitive);
      if (!wanted) return false;
      if (!*wanted) return true;
    }
    auto result = evaluate(*node.result, &inner);
    if (!result) return false;
    if (!node.result_key) {
      list.push_back(std::move(*result));
      return true;
    }
    const auto result_key = evaluate(*node.result_key, &inner);
    if (!result_key) return false;
    sensitive = sensitive || result_key->sensitive();
    const auto name = result_key->to_text();
    if (!name) {
      fail("Invalid object key", fmt::format("A key of an object is a string, and this is {}.", an(*result_key)),
           node.result_key->range);
      return false;
    }
    if (node.groups) {
      groups[*name].push_back(std::move(*result));
      return true;
    }
    if (!map.emplace(*name, std::move(*result)).second) {
      fail("Duplicate object key",
           fmt::format("Two different items produced the key {} in this 'for' expression. If duplicates are expected, "
                       "use the ellipsis (...) after the value expression to enable grouping by key.",
                       in_quotes(*name)),
           node.result_key->range);
      return false;
    }
    return true;
  });
  if (!whole_way) return std::nullopt;
  for (auto& [name, group] : groups) map.emplace(name, Value(std::move(group)));
  (void)whole;
  return (node.result_key ? Value(std::move(map)) : Value(std::move(list))).marked(sensitive);
}

std::optional<Value> Evaluator::node(const Template& node, const Expression& whole, const Bindings* bindings) {
  if (node.parts.size() == 1) {
    if (const auto* only = std::get_if<ExpressionPtr>(&node.parts[0])) return evaluate(**only, bindings);
  }
  std::string text;
  bool sensitive = false;
  if (!append_template(node, whole.range, bindings, text, sensitive)) return std::nullopt;
  return Value(std::move(text)).marked(sensitive);
}

bool Evaluator::append_template(const Template& parts, const SourceRange& range, const Bindings* bindings,
                                std::string& out, bool& sensitive) {
  for (const auto& part : parts.parts) {
    if (out.size() > kMostTemplateBytes) {
      fail("Template too large", fmt::format("The result of a template may have {} bytes.", kMostTemplateBytes), range);
      return false;
    }
    if (const auto* text = std::get_if<std::string>(&part)) {
      out += *text;
    } else if (const auto* expression = std::get_if<ExpressionPtr>(&part)) {
      const auto value = evaluate(**expression, bindings);
      if (!value || !append_part(*value, (*expression)->range, out, sensitive)) return false;
    } else if (const auto* branch = std::get_if<std::shared_ptr<const Template::If>>(&part)) {
      const auto taken = truth(*(*branch)->condition, bindings, sensitive);
      if (!taken) return false;
      if (!append_template(*taken ? (*branch)->then : (*branch)->otherwise, range, bindings, out, sensitive))
        return false;
    } else {
      const auto& loop = *std::get<std::shared_ptr<const Template::For>>(part);
      const auto collection = evaluate(*loop.collection, bindings);
      if (!collection) return false;
      sensitive = sensitive || collection->sensitive();
      const bool whole = each_element(*collection, loop.collection->range, [&](const Value& key, const Value& value) {
        const Bindings for_key{loop.key, &key, bindings};
        const Bindings inner{loop.value, &value, loop.key.empty() ? bindings : &for_key};
        return append_template(loop.body, range, &inner, out, sensitive);
      });
      if (!whole) return false;
    }
  }
  return true;
}

bool Evaluator::append_part(const Value& value, const SourceRange& range, std::string& out, bool& sensitive) {
  const auto text = value.to_text();
  if (!text) {
    fail("Invalid template interpolation value",
         value.is_null() ? "The expression result is null. Cannot include a null value in a string template."
                         : fmt::format("Cannot include the given value in a string template: string required, and this "
                                       "is {}. jsonencode() or join() make a string of it.",
                                       an(value)),
         range);
    return false;
  }
  out += *text;
  sensitive = sensitive || value.sensitive();
  return true;
}

std::optional<Value> Evaluator::unknown_function(const Call& call) {
  constexpr std::string_view kOfProvider = "provider::";
  std::string detail = fmt::format("There is no function named \"{}\".", call.name);
  if (call.name.starts_with(kOfProvider)) {
    const std::string_view rest = std::string_view(call.name).substr(kOfProvider.size());
    const std::string_view provider = rest.substr(0, rest.find("::"));
    const auto& names = function_names();
    const bool known = std::any_of(names.begin(), names.end(), [&](const std::string& name) {
      return name.starts_with(fmt::format("{}{}::", kOfProvider, provider));
    });
    detail = known ? fmt::format(
                         "There is no function named \"{}\" among those of the provider \"{}\" that are known "
                         "here.",
                         call.name, provider)
                   : fmt::format(
                         "\"{}\" is a function of the provider \"{}\", and no function of that is known here: "
                         "providers are not downloaded. Known are functions of aws and of terraform.",
                         call.name, provider);
  }
  diagnostics_.error("Call to unknown function", std::move(detail), call.name_range).suggestion =
      closest(call.name, function_names());
  return std::nullopt;
}

std::optional<Value> Evaluator::node(const Call& node, const Expression& whole, const Bindings* bindings) {
  if (!scope_.has_functions()) {
    return fail("Function calls not allowed", "Functions may not be called here.", node.name_range);
  }
  if (node.name == "try" || node.name == "can") return first_that_succeeds(node, whole, bindings);
  if (node.name == "convert") return converted(node, whole, bindings);
  const Function* function = find_function(node.name);
  if (!function) return unknown_function(node);
  Value::List arguments;
  std::vector<SourceRange> ranges;
  for (std::size_t i = 0; i < node.arguments.size(); ++i) {
    const auto value = evaluate(*node.arguments[i], bindings);
    if (!value) return std::nullopt;
    if (!node.expands_last || i + 1 < node.arguments.size()) {
      arguments.push_back(*value);
      ranges.push_back(node.arguments[i]->range);
      continue;
    }
    if (!value->is_sequence()) {
      return fail("Invalid expanding argument value", "The expanding argument (with ...) must be a list, set or tuple.",
                  node.arguments[i]->range);
    }
    for (const auto& element : value->elements()) {
      arguments.push_back(element.marked(element.sensitive() || value->sensitive()));
      ranges.push_back(node.arguments[i]->range);
    }
  }
  auto made = call_function(*function, arguments, scope_.functions());
  if (made) return std::move(*made);
  const Fault& fault = made.error();
  return fail(fault.argument < ranges.size() ? "Invalid function argument" : "Error in function call",
              fmt::format("Call to function \"{}\" failed: {}.", node.name, fault.text),
              fault.argument < ranges.size() ? ranges[fault.argument] : whole.range);
}

// try() and can() take expressions, not values: what goes wrong in them is the point.
std::optional<Value> Evaluator::first_that_succeeds(const Call& call, const Expression& whole,
                                                    const Bindings* bindings) {
  if (call.arguments.empty() || (call.name == "can" && call.arguments.size() != 1)) {
    return fail("Error in function call",
                fmt::format("Function \"{}\" takes {}.", call.name,
                            call.name == "can" ? "one argument" : "at least one argument"),
                whole.range);
  }
  std::string reasons;
  std::optional<Value> placeholder;
  for (const auto& argument : call.arguments) {
    Diagnostics tried;
    auto value = Evaluator(scope_, tried).evaluate(*argument, bindings);
    if (call.name == "can") return Value(value.has_value());
    // Of what nobody here knows, the next expression may tell that it is a list or a map.
    const bool is_placeholder = value && value->is_string() && value->open();
    if (placeholder && value && !value->is_sequence() && !value->is_map()) return placeholder;
    if (value && !is_placeholder) return value;
    if (is_placeholder) placeholder = std::move(value);
    for (const auto& diagnostic : tried)
      reasons += fmt::format("\n- {}: {}", diagnostic.range.text(), diagnostic.detail);
  }
  if (placeholder) return placeholder;
  return fail("Error in function call", "Call to function \"try\" failed: no expression succeeded:" + reasons,
              whole.range);
}

// convert(value, type): its second argument is a type constraint, as a variable has it.
std::optional<Value> Evaluator::converted(const Call& call, const Expression& whole, const Bindings* bindings) {
  if (call.arguments.size() != 2 || call.expands_last) {
    return fail("Error in function call", "Function \"convert\" takes a value and a type, as convert(x, list(string)).",
                whole.range);
  }
  const auto value = evaluate(*call.arguments[0], bindings);
  const auto type = Type::parse(*call.arguments[1], diagnostics_);
  if (!value || !type) return std::nullopt;
  auto made = type->convert(*value);
  if (!made) {
    return fail(
        "Invalid function argument",
        fmt::format("Call to function \"convert\" failed: cannot convert to {}: {}.", type->text(), made.error()),
        call.arguments[0]->range);
  }
  return made->marked(made->sensitive() || value->sensitive());
}

}  // namespace securebase::stack
