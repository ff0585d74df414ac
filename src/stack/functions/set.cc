#include <algorithm>

#include "stack/functions/function.h"
#include "stack/type.h"

namespace securebase::stack {

namespace {

constexpr std::size_t kMostElements = std::size_t{1} << 20;

bool has(const Value::List& list, const Value& wanted) {
  return std::find(list.begin(), list.end(), wanted) != list.end();
}

Value setunion(Arguments& a) {
  Value::List made;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto& list = a.list(i);
    made.insert(made.end(), list.begin(), list.end());
  }
  unify(made);
  return Value::set(std::move(made));
}

Value setintersection(Arguments& a) {
  Value::List made = a.list(0);
  for (std::size_t i = 1; i < a.size(); ++i) {
    const auto& list = a.list(i);
    std::erase_if(made, [&](const Value& element) { return !has(list, element); });
  }
  return Value::set(std::move(made));
}

Value setsubtract(Arguments& a) {
  Value::List made = a.list(0);
  const auto& without = a.list(1);
  std::erase_if(made, [&](const Value& element) { return has(without, element); });
  return Value::set(std::move(made));
}

Value setproduct(Arguments& a) {
  if (a.size() < 2) return a.fail("at least two arguments are required");
  Value::List rows{Value::list()};
  bool all_sets = true;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto& list = a.list(i);
    all_sets = all_sets && a[i].is_set();
    if (rows.size() * list.size() > kMostElements) return a.fail("the product has more than a million elements");
    Value::List longer;
    for (const auto& row : rows) {
      for (const auto& element : list) {
        Value::List next = row.elements();
        next.push_back(element);
        longer.emplace_back(std::move(next));
      }
    }
    rows = std::move(longer);
  }
  return all_sets ? Value::set(std::move(rows)) : Value(std::move(rows));
}

constexpr Function kSetFunctions[] = {
    {"setintersection", 1, kAnyNumber, setintersection},
    {"setproduct", 2, kAnyNumber, setproduct},
    {"setsubtract", 2, 2, setsubtract},
    {"setunion", 1, kAnyNumber, setunion},
};

}  // namespace

std::span<const Function> set_functions() { return kSetFunctions; }

}  // namespace securebase::stack
