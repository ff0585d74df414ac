#include "stack/type.h"

#include <fmt/format.h>

#include <algorithm>

#include "stack/evaluate/evaluator.h"

namespace securebase::stack {

namespace {

std::optional<Type> fail(Diagnostics& diagnostics, std::string detail, const SourceRange& range) {
  diagnostics.error("Invalid type specification", std::move(detail), range);
  return std::nullopt;
}

std::optional<Type> parse_object(const Call& call, const SourceRange& range, Diagnostics& diagnostics) {
  const auto* literal = call.arguments.size() == 1 ? call.arguments[0]->as<ObjectLiteral>() : nullptr;
  if (!literal)
    return fail(diagnostics, "object() takes the types of its attributes: object({ name = string }).", range);
  Type type;
  type.kind = Type::Kind::kObject;
  for (const auto& item : literal->items) {
    const auto* name = item.key->as<Literal>();
    if (!name) return fail(diagnostics, "Attribute names of object() are plain names.", item.key->range);
    Type::Attribute attribute;
    ExpressionPtr inner = item.value;
    const auto* wrapper = inner->as<Call>();
    if (wrapper && wrapper->name == "optional") {
      attribute.optional = true;
      if (wrapper->arguments.empty() || wrapper->arguments.size() > 2) {
        return fail(diagnostics, "optional() takes a type and, if wanted, a default value.", inner->range);
      }
      if (wrapper->arguments.size() == 2) {
        const auto fallback = evaluate_constant(*wrapper->arguments[1], diagnostics);
        if (!fallback) return std::nullopt;
        attribute.fallback = *fallback;
      }
      inner = wrapper->arguments[0];
    }
    auto parsed = Type::parse(*inner, diagnostics);
    if (!parsed) return std::nullopt;
    attribute.type = std::move(*parsed);
    if (!attribute.fallback.is_null()) {
      auto converted = attribute.type.convert(attribute.fallback);
      if (!converted) {
        return fail(diagnostics, fmt::format("The default of optional(): {}.", converted.error()), item.value->range);
      }
      attribute.fallback = std::move(*converted);
    }
    type.attributes.emplace(name->value.to_text().value_or(""), std::move(attribute));
  }
  return type;
}

Result<Value, std::string> required(std::string_view what) { return std::string(what) + " required"; }

Result<Value, std::string> convert_sequence(const Type& type, const Value& value) {
  const bool to_set = type.kind == Type::Kind::kSet;
  if (!value.is_sequence()) return required(to_set ? "set" : "list");
  Value::List converted;
  for (std::size_t i = 0; i < value.size(); ++i) {
    auto one = type.element->convert(value.elements()[i]);
    if (!one) return fmt::format("element {}: {}", i, one.error());
    converted.push_back(std::move(*one));
  }
  if (type.element->kind == Type::Kind::kAny) unify(converted);
  Value made = to_set ? Value::set(std::move(converted)) : Value(std::move(converted));
  return made.marked(value.sensitive() || made.sensitive());
}

Result<Value, std::string> convert_map(const Type& type, const Value& value) {
  if (!value.is_map()) return required("map");
  Value::List converted;
  for (const auto& [name, element] : value.members()) {
    auto one = type.element->convert(element);
    if (!one) return fmt::format("element {}: {}", in_quotes(name), one.error());
    converted.push_back(std::move(*one));
  }
  if (type.element->kind == Type::Kind::kAny) unify(converted);
  Value::Map made;
  auto next = converted.begin();
  for (const auto& member : value.members()) made.emplace(member.first, std::move(*next++));
  return Value(std::move(made)).marked(value.sensitive());
}

Result<Value, std::string> convert_object(const Type& type, const Value& value) {
  if (!value.is_map()) return required("object");
  Value::Map made;
  for (const auto& [name, attribute] : type.attributes) {
    const Value* given = value.find(name);
    if (!given && !attribute.optional) return fmt::format("attribute \"{}\" is required", name);
    if (!given || (given->is_null() && attribute.optional)) {
      made.emplace(name, attribute.fallback);
      continue;
    }
    auto one = attribute.type.convert(*given);
    if (!one) return fmt::format("attribute \"{}\": {}", name, one.error());
    made.emplace(name, std::move(*one));
  }
  return Value(std::move(made)).marked(value.sensitive());
}

Result<Value, std::string> convert_tuple(const Type& type, const Value& value) {
  if (!value.is_sequence() || value.size() != type.elements.size()) {
    return fmt::format("tuple of {} elements required", type.elements.size());
  }
  Value::List made;
  for (std::size_t i = 0; i < value.size(); ++i) {
    auto one = type.elements[i].convert(value.elements()[i]);
    if (!one) return fmt::format("element {}: {}", i, one.error());
    made.push_back(std::move(*one));
  }
  return Value(std::move(made)).marked(value.sensitive());
}

bool mixed_primitives(const Value::List& elements) {
  std::optional<Value::Kind> kind;
  bool mixed = false;
  for (const auto& element : elements) {
    if (element.is_null()) continue;
    if (!element.is_primitive()) return false;
    if (kind && *kind != element.kind()) mixed = true;
    kind = element.kind();
  }
  return mixed;
}

Value as_text(const Value& value) {
  const auto text = value.is_primitive() ? value.to_text() : std::nullopt;
  return text ? Value(*text).marked(value.sensitive()) : value;
}

Value::List values_of(const Value& value) {
  if (value.is_sequence()) return value.elements();
  Value::List list;
  for (const auto& [name, element] : value.members()) list.push_back(element);
  return list;
}

bool same_names(const Value& a, const Value& b) {
  return std::equal(a.members().begin(), a.members().end(), b.members().begin(), b.members().end(),
                    [](const auto& x, const auto& y) { return x.first == y.first; });
}

}  // namespace

std::optional<Type> Type::parse(const Expression& expression, Diagnostics& diagnostics) {
  static constexpr std::pair<std::string_view, Kind> kSimple[] = {
      {"any", Kind::kAny},   {"bool", Kind::kBool}, {"number", Kind::kNumber}, {"string", Kind::kString},
      {"list", Kind::kList}, {"map", Kind::kMap},   {"set", Kind::kSet}};
  Type type;
  const auto* variable = expression.as<Variable>();
  const auto* literal = expression.as<Literal>();  // "string", as Terraform 0.11 wrote it
  const std::string word = variable ? variable->name : literal ? literal->value.to_text().value_or("") : "";
  const auto* call = expression.as<Call>();
  const auto* simple = std::find_if(std::begin(kSimple), std::end(kSimple),
                                    [&](const auto& s) { return s.first == (call ? call->name : word); });
  const bool known = simple != std::end(kSimple);
  const bool is_collection = known && simple->second >= Kind::kList;
  if (known && !call) {
    type.kind = simple->second;
    if (is_collection) type.element = std::make_shared<const Type>();
    return type;
  }
  if (call && call->name == "object") return parse_object(*call, expression.range, diagnostics);
  if (call && call->name == "tuple") {
    const auto* list = call->arguments.size() == 1 ? call->arguments[0]->as<Tuple>() : nullptr;
    if (!list) return fail(diagnostics, "tuple() takes a list of types: tuple([string, number]).", expression.range);
    type.kind = Kind::kTuple;
    for (const auto& element : list->elements) {
      auto parsed = parse(*element, diagnostics);
      if (!parsed) return std::nullopt;
      type.elements.push_back(std::move(*parsed));
    }
    return type;
  }
  if (call && is_collection && call->arguments.size() == 1) {
    auto element = parse(*call->arguments[0], diagnostics);
    if (!element) return std::nullopt;
    type.kind = simple->second;
    type.element = std::make_shared<const Type>(std::move(*element));
    return type;
  }
  return fail(diagnostics,
              "A type is string, number, bool, any, list(T), set(T), map(T), tuple([T, ...]) or object({ name = T }).",
              expression.range);
}

std::string Type::text() const {
  switch (kind) {
    case Kind::kAny:
      return "any";
    case Kind::kBool:
      return "bool";
    case Kind::kNumber:
      return "number";
    case Kind::kString:
      return "string";
    case Kind::kList:
      return fmt::format("list({})", element->text());
    case Kind::kSet:
      return fmt::format("set({})", element->text());
    case Kind::kMap:
      return fmt::format("map({})", element->text());
    case Kind::kTuple:
      return "tuple";
    case Kind::kObject:
      return "object";
  }
  return "any";
}

Result<Value, std::string> Type::convert(const Value& value) const {
  if (value.is_null() || kind == Kind::kAny) return value;
  switch (kind) {
    case Kind::kBool:
      if (const auto truth = value.to_bool()) return Value(*truth).marked(value.sensitive());
      return required("bool");
    case Kind::kNumber:
      if (const auto number = value.to_number()) return Value(*number).marked(value.sensitive());
      return required("number");
    case Kind::kString:
      if (const auto text = value.to_text()) return Value(*text).marked(value.sensitive());
      return required("string");
    case Kind::kList:
    case Kind::kSet:
      return convert_sequence(*this, value);
    case Kind::kMap:
      return convert_map(*this, value);
    case Kind::kTuple:
      return convert_tuple(*this, value);
    case Kind::kObject:
      return convert_object(*this, value);
    case Kind::kAny:
      break;
  }
  return value;
}

void unify(Value::List& elements) {
  if (!mixed_primitives(elements)) return;
  for (auto& element : elements) element = as_text(element);
}

Value unified_with(const Value& chosen, const Value& other) {
  if (chosen.is_primitive() && other.is_primitive()) {
    return chosen.kind() != other.kind() && (chosen.is_string() || other.is_string()) ? as_text(chosen) : chosen;
  }
  if (chosen.is_sequence() && other.is_sequence()) {
    Value::List all = chosen.elements();
    all.insert(all.end(), other.elements().begin(), other.elements().end());
    if (other.is_set() && chosen.size() == 0) return Value::set({}).marked(chosen.sensitive());
    if (!mixed_primitives(all)) return chosen;
    Value::List made;
    for (const auto& element : chosen.elements()) made.push_back(as_text(element));
    return (chosen.is_set() ? Value::set(std::move(made)) : Value(std::move(made))).marked(chosen.sensitive());
  }
  if (chosen.is_map() && other.is_map()) {
    Value::List all = values_of(chosen);
    const Value::List others = values_of(other);
    all.insert(all.end(), others.begin(), others.end());
    const bool same = same_names(chosen, other);
    if (!same && !mixed_primitives(all)) return chosen;
    Value::Map made;
    for (const auto& [name, value] : chosen.members()) {
      made.emplace(name, same ? unified_with(value, other[name]) : as_text(value));
    }
    return Value(std::move(made)).marked(chosen.sensitive());
  }
  return chosen;
}

}  // namespace securebase::stack
