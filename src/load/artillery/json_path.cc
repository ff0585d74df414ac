#include "load/artillery/json_path.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>

#include "load/artillery/expression.h"
#include "load/artillery/json_path_step.h"
#include "load/artillery/variables.h"

namespace securebase::load::artillery {
namespace {

using PathStep = JsonPath::Step;
using PathFilter = JsonPath::Filter;

class PathSearch {
 public:
  PathSearch(const std::vector<PathStep>& steps, const JsonPath::Limits& limits) : steps_(steps), limits_(limits) {}

  // False: a limit was reached.
  bool walk(const base::Json& value, std::size_t step) {
    if (++visits_ > limits_.visits) return false;
    if (step == steps_.size()) {
      found_.push_back(&value);
      return found_.size() <= limits_.most_found;
    }
    if (!take(value, steps_[step], step + 1)) return false;
    if (!steps_[step].anywhere) return true;
    // The same step again, of everything below.
    if (const auto* array = value.as_array()) {
      return std::all_of(array->begin(), array->end(), [&](const base::Json& one) { return walk(one, step); });
    }
    if (const auto* object = value.as_object()) {
      return std::all_of(object->begin(), object->end(), [&](const auto& member) { return walk(member.second, step); });
    }
    return true;
  }

  std::vector<base::Json> results() const {
    std::vector<base::Json> values;
    values.reserve(found_.size());
    for (const auto* value : found_) values.push_back(*value);
    return values;
  }

 private:
  bool take(const base::Json& value, const PathStep& step, std::size_t next) {
    switch (step.kind) {
      case PathStep::Kind::kNames:
        return take_names(value, step, next);
      case PathStep::Kind::kIndices:
        return take_indices(value, step, next);
      case PathStep::Kind::kSlice:
        return take_slice(value, step, next);
      case PathStep::Kind::kFromLast: {
        const auto* array = value.as_array();
        const auto size = array != nullptr ? static_cast<std::int64_t>(array->size()) : 0;
        if (step.from_last < 1 || step.from_last > size) return true;
        return walk((*array)[static_cast<std::size_t>(size - step.from_last)], next);
      }
      case PathStep::Kind::kAll:
        return each_child(value, [&](const base::Json& child) { return walk(child, next); });
      case PathStep::Kind::kFilter:
        return each_child(value, [&](const base::Json& child) {
          if (++visits_ > limits_.visits) return false;
          return !holds(*step.filter, child) || walk(child, next);
        });
    }
    return true;
  }

  template <class Visit>
  static bool each_child(const base::Json& value, const Visit& visit) {
    if (const auto* array = value.as_array()) return std::all_of(array->begin(), array->end(), visit);
    if (const auto* object = value.as_object()) {
      return std::all_of(object->begin(), object->end(), [&](const auto& member) { return visit(member.second); });
    }
    return true;
  }

  bool take_names(const base::Json& value, const PathStep& step, std::size_t next) {
    for (const auto& name : step.names) {
      if (const auto* member = value.find(name)) {
        if (!walk(*member, next)) return false;
      } else if (name == "length" && (value.is_array() || value.is_string())) {
        made_.push_back(length(value));
        if (!walk(made_.back(), next)) return false;
      } else if (value.is_array()) {
        const auto* element = descend(&value, {name});  // $.list.0
        if (element != nullptr && !walk(*element, next)) return false;
      }
    }
    return true;
  }

  bool take_indices(const base::Json& value, const PathStep& step, std::size_t next) {
    for (const auto index : step.indices) {
      if (const auto* array = value.as_array()) {
        const auto size = static_cast<std::int64_t>(array->size());
        if (index >= 0 && index < size && !walk((*array)[static_cast<std::size_t>(index)], next)) return false;
      } else if (const auto* member = value.find(std::to_string(index))) {
        if (!walk(*member, next)) return false;
      }
    }
    return true;
  }

  bool take_slice(const base::Json& value, const PathStep& step, std::size_t next) {
    const auto* array = value.as_array();
    if (array == nullptr) return true;
    const auto size = static_cast<std::int64_t>(array->size());
    const auto bound = [&](std::int64_t at) { return std::clamp<std::int64_t>(at < 0 ? at + size : at, 0, size); };
    const auto end = bound(step.end.value_or(size));
    for (auto i = bound(step.begin.value_or(0)); i < end; i += std::min(step.stride, size)) {
      if (!walk((*array)[static_cast<std::size_t>(i)], next)) return false;
    }
    return true;
  }

  static base::Json length(const base::Json& value) {
    return static_cast<std::int64_t>(value.is_array() ? value.as_array()->size() : value.as_string()->size());
  }

  // As JavaScript has them; nullopt: undefined.
  using JsValue = std::optional<base::Json>;

  static bool holds(const PathFilter& filter, const base::Json& at) {
    const auto value = filtered(filter, at);
    return value && truthy(*value);
  }

  static JsValue filtered(const PathFilter& filter, const base::Json& at) {
    const auto part = [&](std::size_t i) { return filtered(*filter.parts[i], at); };
    switch (filter.kind) {
      case PathFilter::Kind::kConstant:
        return filter.constant;
      case PathFilter::Kind::kUndefined:
        return std::nullopt;
      case PathFilter::Kind::kPath: {
        if (const auto* found = descend(&at, filter.steps)) return *found;
        if (filter.steps.empty() || filter.steps.back() != "length") return std::nullopt;
        const auto* of = descend(&at, {filter.steps.begin(), filter.steps.end() - 1});
        return of != nullptr && (of->is_array() || of->is_string()) ? JsValue(length(*of)) : std::nullopt;
      }
      case PathFilter::Kind::kNot:
        return !holds(*filter.parts[0], at);
      case PathFilter::Kind::kOr:
        return holds(*filter.parts[0], at) || holds(*filter.parts[1], at);
      case PathFilter::Kind::kAnd:
        return holds(*filter.parts[0], at) && holds(*filter.parts[1], at);
      case PathFilter::Kind::kMatch: {
        const auto value = part(0);
        const auto* text = value ? value->as_string() : nullptr;
        return text != nullptr && re2::RE2::PartialMatch(*text, *filter.pattern);
      }
      case PathFilter::Kind::kIncludes: {
        const auto value = part(0);
        if (!value) return false;
        if (const auto* text = value->as_string()) return text->find(filter.constant.string_or("")) != text->npos;
        const auto* list = value->as_array();
        return list != nullptr && std::find(list->begin(), list->end(), filter.constant) != list->end();
      }
      case PathFilter::Kind::kCompare:
        return compared(filter.comparison, part(0), part(1));
    }
    return std::nullopt;
  }

  static bool compared(std::string_view word, const JsValue& a, const JsValue& b) {
    if (word == "===") return strictly_equal(a, b);
    if (word == "!==") return !strictly_equal(a, b);
    if (word == "==") return loosely_equal(a, b);
    if (word == "!=") return !loosely_equal(a, b);
    double order = 0;
    if (a && b && a->is_string() && b->is_string()) {
      order = a->as_string()->compare(*b->as_string());
    } else {
      order = order_number(a) - order_number(b);  // NaN: neither is the larger one
    }
    if (word == "<") return order < 0;
    if (word == "<=") return order <= 0;
    return word == ">" ? order > 0 : order >= 0;
  }

  static bool strictly_equal(const JsValue& a, const JsValue& b) {
    if (!a || !b) return !a && !b;
    return a->is_number() && b->is_number() ? a->number_or(0) == b->number_or(0) : *a == *b;
  }

  static bool loosely_equal(const JsValue& a, const JsValue& b) {
    const auto nothing = [](const JsValue& value) { return !value || value->is_null(); };
    if (nothing(a) || nothing(b)) return nothing(a) && nothing(b);
    const auto scalar = [](const base::Json& value) {
      return value.is_number() || value.is_string() || value.is_bool();
    };
    if (scalar(*a) && scalar(*b) && !(a->is_string() && b->is_string())) return as_number(*a) == as_number(*b);
    return *a == *b;
  }

  static double order_number(const JsValue& value) {
    return value && value->is_null() ? 0 : as_number(value.value_or(base::Json()));
  }

  const std::vector<PathStep>& steps_;
  const JsonPath::Limits& limits_;
  std::size_t visits_ = 0;
  std::vector<const base::Json*> found_;
  std::deque<base::Json> made_;  // values that stand nowhere in the document: lengths
};

}  // namespace

Result<JsonPath> JsonPath::parse(std::string_view text, Limits limits) {
  auto steps = parse_json_path(text, limits);
  if (!steps) return steps.error();
  JsonPath path;
  path.source_ = std::string(text);
  path.limits_ = limits;
  path.steps_ = std::make_shared<const std::vector<PathStep>>(std::move(*steps));
  return path;
}

Result<std::vector<base::Json>> JsonPath::search(const base::Json& document) const {
  PathSearch search(*steps_, limits_);
  if (!search.walk(document, 0)) {
    return Error{Errc::kLimit, fmt::format("{} visits or finds too much of this document", source_)};
  }
  return search.results();
}

}  // namespace securebase::load::artillery
