#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "stack/functions/function.h"
#include "stack/functions/text.h"
#include "stack/type.h"

namespace securebase::stack {

namespace {

using Marks = Function::Marks;

Value boolean_fold(Arguments& a, bool all) {
  for (const auto& element : a.list(0)) {
    const auto truth = element.to_bool();
    if (!truth && !element.is_null()) return a.fail(0, "the elements must be bools");
    if (truth.value_or(false) != all) return !all;
  }
  return all;
}
Value alltrue(Arguments& a) { return boolean_fold(a, true); }
Value anytrue(Arguments& a) { return boolean_fold(a, false); }

Value chunklist(Arguments& a) {
  const auto& list = a.list(0);
  const auto size = a.integer(1);
  if (size < 0) return a.fail(1, "the size argument must be positive");
  Value::List chunks;
  const std::size_t step = size == 0 ? std::max<std::size_t>(1, list.size()) : static_cast<std::size_t>(size);
  for (std::size_t at = 0; at < list.size(); at += step) {
    const auto end = list.begin() + static_cast<std::ptrdiff_t>(std::min(list.size(), at + step));
    chunks.emplace_back(Value::List(list.begin() + static_cast<std::ptrdiff_t>(at), end));
  }
  return chunks;
}

Value coalesce(Arguments& a) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!a[i].is_null() && !(a[i].is_string() && a[i].string().empty())) {
      Value::List all;
      for (std::size_t k = 0; k < a.size(); ++k) all.push_back(a[k]);
      unify(all);
      return all[i];
    }
  }
  return a.fail("no non-null, non-empty-string arguments");
}

Value coalescelist(Arguments& a) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i].is_null()) continue;
    if (!a.list(i).empty()) return a[i];
  }
  return a.fail("no non-null arguments");
}

Value compact(Arguments& a) {
  Value::List made;
  for (const auto& element : a.list(0)) {
    if (!element.is_null() && !(element.is_string() && element.string().empty())) made.push_back(element);
  }
  return made;
}

Value concat(Arguments& a) {
  Value::List made;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto& list = a.list(i);
    made.insert(made.end(), list.begin(), list.end());
  }
  return made;
}

Value contains(Arguments& a) {
  const auto& list = a.list(0);
  return std::find(list.begin(), list.end(), a[1]) != list.end();
}

Value distinct(Arguments& a) {
  Value::List made;
  Value::List all = a.list(0);
  unify(all);
  for (const auto& element : all) {
    if (std::find(made.begin(), made.end(), element) == made.end()) made.push_back(element);
  }
  return made;
}

Value element(Arguments& a) {
  const auto& list = a.list(0);
  const auto index = a.integer(1);
  if (list.empty()) return a.fail(0, "cannot use element function with an empty list");
  const auto size = static_cast<std::int64_t>(list.size());
  return list[static_cast<std::size_t>(((index % size) + size) % size)];
}

void flatten_into(const Value& value, Value::List& made) {
  for (const auto& element : value.elements()) {
    if (element.is_sequence()) {
      flatten_into(element, made);
    } else {
      made.push_back(element);
    }
  }
}
Value flatten(Arguments& a) {
  Value::List made;
  a.list(0);
  if (!a.failed()) flatten_into(a[0], made);
  return made;
}

Value index(Arguments& a) {
  const auto& list = a.list(0);
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (list[i] == a[1]) return i;
  }
  return a.fail("item not found");
}

Value keys(Arguments& a) {
  Value::List made;
  for (const auto& [name, value] : a.map(0)) made.emplace_back(name);
  return made;
}
Value values(Arguments& a) {
  Value::List made;
  for (const auto& [name, value] : a.map(0)) made.push_back(value);
  return made;
}

Value length(Arguments& a) {
  if (a[0].is_string()) return characters(a[0].string()).size();
  if (!a[0].is_sequence() && !a[0].is_map()) {
    return a.fail(0, a[0].is_null() ? "argument must not be null"
                                    : "argument must be a string, a collection type, or a structural type");
  }
  return a[0].size();
}

Value lookup(Arguments& a) {
  const auto& map = a.map(0);
  const std::string name = a.text(1);
  if (const auto found = map.find(name); found != map.end()) return found->second;
  if (a.size() == 3) return a[2];
  return a.fail(fmt::format("the given object has no attribute {}, and no default was given", in_quotes(name)));
}

Value matchkeys(Arguments& a) {
  const auto& values = a.list(0);
  const auto& keys = a.list(1);
  const auto& wanted = a.list(2);
  if (values.size() != keys.size()) return a.fail("length of keys and values should be equal");
  Value::List made;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (std::find(wanted.begin(), wanted.end(), keys[i]) != wanted.end()) made.push_back(values[i]);
  }
  return made;
}

Value merge(Arguments& a) {
  Value::Map made;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i].is_null()) continue;
    for (const auto& [name, value] : a.map(i)) made.insert_or_assign(name, value);
  }
  return made;
}

Value one(Arguments& a) {
  const auto& list = a.list(0);
  if (list.size() > 1) return a.fail(0, "must be a list, set, or tuple value with either zero or one elements");
  return list.empty() ? Value() : list[0];
}

Value range(Arguments& a) {
  const auto start = a.size() == 1 ? 0 : a.number(0);
  const auto limit = a.number(a.size() == 1 ? 0 : 1);
  const auto step = a.size() == 3 ? a.number(2) : limit < start ? -1 : 1;
  if (step == 0) return a.fail(2, "step must not be zero");
  if (limit > start && step < 0) return a.fail("since limit is greater than start, step must be positive");
  if (limit < start && step > 0) return a.fail("since limit is less than start, step must be negative");
  Value::List made;
  // NOLINTNEXTLINE(cert-flp30-c): Terraform's numbers, and its way of adding them up
  for (auto next = start; step > 0 ? next < limit : next > limit; next += step) {
    made.emplace_back(next);
    if (made.size() > 1024)
      return a.fail("more than 1024 values were generated; either decrease the difference or use a smaller step");
  }
  return made;
}

Value reverse(Arguments& a) {
  Value::List made = a.list(0);
  std::reverse(made.begin(), made.end());
  return made;
}

Value slice(Arguments& a) {
  const auto& list = a.list(0);
  const auto from = a.integer(1);
  const auto to = a.integer(2);
  const auto size = static_cast<std::int64_t>(list.size());
  if (from < 0 || from > size) return a.fail(1, fmt::format("start index must be between 0 and {}", size));
  if (to < from || to > size) return a.fail(2, fmt::format("end index must be between the start and {}", size));
  return Value::List(list.begin() + from, list.begin() + to);
}

Value transpose(Arguments& a) {
  std::map<std::string, std::vector<std::string>> turned;
  for (const auto& [name, list] : a.map(0)) {
    if (!list.is_sequence()) return a.fail(0, "a map of lists of strings is required");
    for (const auto& element : list.elements()) {
      const auto text = element.to_text();
      if (!text) return a.fail(0, fmt::format("{} holds an element that is no string", in_quotes(name)));
      turned[*text].push_back(name);
    }
  }
  Value::Map made;
  for (const auto& [name, list] : turned) made.emplace(name, Value(Value::List(list.begin(), list.end())));
  return made;
}

Value zipmap(Arguments& a) {
  const auto keys = a.texts(0);
  const auto& values = a.list(1);
  if (keys.size() != values.size()) {
    return a.fail(fmt::format("number of keys ({}) does not match number of values ({})", keys.size(), values.size()));
  }
  Value::Map made;
  for (std::size_t i = 0; i < keys.size(); ++i) made.insert_or_assign(keys[i], values[i]);
  return made;
}

Value list_of(Arguments& a) {
  Value::List made;
  for (std::size_t i = 0; i < a.size(); ++i) made.push_back(a[i]);
  unify(made);
  return made;
}

Value map_of(Arguments& a) {
  if (a.size() % 2 != 0) return a.fail("an even number of arguments is required: key, value, ...");
  Value::Map made;
  for (std::size_t i = 0; i + 1 < a.size(); i += 2) made.insert_or_assign(a.text(i), a[i + 1]);
  return made;
}

constexpr Function kCollectionFunctions[] = {
    {"alltrue", 1, 1, alltrue},
    {"anytrue", 1, 1, anytrue},
    {"chunklist", 2, 2, chunklist},
    {"coalesce", 1, kAnyNumber, coalesce, Marks::kByElement},
    {"coalescelist", 1, kAnyNumber, coalescelist, Marks::kByElement},
    {"compact", 1, 1, compact},
    {"concat", 1, kAnyNumber, concat},
    {"contains", 2, 2, contains},
    {"distinct", 1, 1, distinct},
    {"element", 2, 2, element, Marks::kByElement},
    {"flatten", 1, 1, flatten},
    {"index", 2, 2, index},
    {"keys", 1, 1, keys},
    {"length", 1, 1, length, Marks::kByElement},
    {"list", 0, kAnyNumber, list_of},
    {"lookup", 2, 3, lookup, Marks::kByElement},
    {"map", 0, kAnyNumber, map_of},
    {"matchkeys", 3, 3, matchkeys},
    {"merge", 0, kAnyNumber, merge},
    {"one", 1, 1, one, Marks::kByElement},
    {"range", 1, 3, range},
    {"reverse", 1, 1, reverse},
    {"slice", 3, 3, slice},
    {"transpose", 1, 1, transpose},
    {"values", 1, 1, values},
    {"zipmap", 2, 2, zipmap},
};

}  // namespace

std::span<const Function> collection_functions() { return kCollectionFunctions; }

}  // namespace securebase::stack
