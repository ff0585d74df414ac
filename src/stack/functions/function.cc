#include "stack/functions/function.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace securebase::stack {

namespace {

using Table = std::map<std::string_view, const Function*>;

const Table& table() {
  static const Table kTable = [] {
    Table all;
    for (const auto chapter : {numeric_functions(), string_functions(), format_functions(), collection_functions(),
                               set_functions(), encoding_functions(), file_functions(), time_functions(),
                               crypto_functions(), network_functions(), type_functions(), provider_functions()}) {
      for (const auto& function : chapter) all.emplace(function.name, &function);
    }
    return all;
  }();
  return kTable;
}

// Terraform 1.8 gave every built-in function a second name.
std::string_view without_namespace(std::string_view name) {
  constexpr std::string_view kCore = "core::";
  return name.starts_with(kCore) ? name.substr(kCore.size()) : name;
}

std::string not_it(const Value& value) {
  return value.is_null() ? std::string("argument must not be null")
                         : fmt::format("required, and this is a {}", to_string(value.kind()));
}

std::string need(std::string_view kind, const Value& value) {
  return value.is_null() ? not_it(value) : fmt::format("{} {}", kind, not_it(value));
}

bool any_of(std::span<const Value> values, bool (Value::*test)() const) {
  return std::any_of(values.begin(), values.end(), [&](const Value& value) { return (value.*test)(); });
}

}  // namespace

std::string Arguments::text(std::size_t i) {
  if (auto text = values_[i].to_text()) return std::move(*text);
  fail(i, need("string", values_[i]));
  return {};
}

Value::Number Arguments::number(std::size_t i) {
  if (const auto number = values_[i].to_number()) return *number;
  fail(i, need("number", values_[i]));
  return 0;
}

std::int64_t Arguments::integer(std::size_t i) {
  if (const auto number = values_[i].to_integer()) return *number;
  fail(i, values_[i].is_number() ? "a whole number is required" : need("whole number", values_[i]));
  return 0;
}

bool Arguments::boolean(std::size_t i) {
  if (const auto truth = values_[i].to_bool()) return *truth;
  fail(i, need("bool", values_[i]));
  return false;
}

const Value::List& Arguments::list(std::size_t i) {
  static const Value::List kEmpty;
  if (values_[i].is_sequence()) return values_[i].elements();
  fail(i, need("list", values_[i]));
  return kEmpty;
}

const Value::Map& Arguments::map(std::size_t i) {
  static const Value::Map kEmpty;
  if (values_[i].is_map()) return values_[i].members();
  fail(i, need("map", values_[i]));
  return kEmpty;
}

std::vector<std::string> Arguments::texts(std::size_t i) {
  std::vector<std::string> made;
  for (const auto& element : list(i)) {
    auto text = element.to_text();
    if (!text) {
      fail(i, fmt::format("element {}: string required", made.size()));
      break;
    }
    made.push_back(std::move(*text));
  }
  return made;
}

Value Arguments::fail(std::size_t i, std::string text) {
  if (!failed()) fault_ = {i, std::move(text)};
  return {};
}

const Function* find_function(std::string_view name) {
  const auto found = table().find(without_namespace(name));
  return found == table().end() ? nullptr : found->second;
}

const std::vector<std::string>& function_names() {
  static const std::vector<std::string> kNames = [] {
    std::vector<std::string> names{"try", "can", "convert"};
    for (const auto& [name, function] : table()) names.emplace_back(name);
    return names;
  }();
  return kNames;
}

Result<Value, Fault> call_function(const Function& function, std::span<const Value> arguments,
                                   const FunctionContext& context) {
  if (arguments.size() < function.least || arguments.size() > function.most) {
    const std::string takes = function.least == function.most ? fmt::format("{}", function.least)
                              : function.most == kAnyNumber   ? fmt::format("at least {}", function.least)
                                                              : fmt::format("{} to {}", function.least, function.most);
    return Fault{kWholeCall, fmt::format("it takes {} argument{}, and {} came", takes,
                                         function.least == 1 && function.most <= 1 ? "" : "s", arguments.size())};
  }
  Arguments given(arguments, context);
  Value made = function.call(given);
  if (given.failed()) return given.fault();
  if (function.marks == Function::Marks::kOwn) return made;
  const bool by_content = function.marks == Function::Marks::kByContent && made.is_primitive();
  const bool sensitive = any_of(arguments, by_content ? &Value::contains_sensitive : &Value::sensitive);
  return sensitive ? made.marked() : made;
}

}  // namespace securebase::stack
