// Ids, order and types of a set of queries.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "monitoring/math/functions.h"
#include "monitoring/math/program.h"
#include "monitoring/math/search.h"

namespace securebase::monitoring::math {

namespace {

constexpr std::size_t kReferenceDepth = 32;  // of expressions that use expressions

bool is_id(std::string_view id) {
  if (id.empty() || id.size() > 255 || id[0] < 'a' || id[0] > 'z') return false;
  return std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

bool one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

}  // namespace

class Checker {
 public:
  Checker(Program& program, Use use) : program_(program), use_(use), state_(program.queries_.size()) {}

  Result<Done> check_all() {
    auto& queries = program_.queries_;
    program_.expressions_.resize(queries.size());
    program_.types_.assign(queries.size(), Type::kSeries);
    std::set<std::string_view> ids;
    for (std::size_t i = 0; i < queries.size(); ++i) {
      const auto& query = queries[i];
      if (!is_id(query.id)) {
        return Error{Errc::kMalformed, fmt::format("Invalid id \"{}\": an id starts with a lower-case letter and holds "
                                                   "letters, digits and _ only",
                                                   query.id)};
      }
      if (!ids.insert(query.id).second) {
        return Error{Errc::kMalformed, fmt::format("The id {} is used twice", query.id)};
      }
      if (query.metric_stat.has_value() == !query.expression.empty()) {
        return Error{Errc::kMalformed,
                     fmt::format("Query {} needs either MetricStat or Expression, and not both", query.id)};
      }
      if (query.metric_stat) continue;
      auto parsed = parse(query.expression);
      if (!parsed) return in(i, parsed.error());
      program_.expressions_[i] = std::move(*parsed);
    }
    for (std::size_t i = 0; i < queries.size(); ++i) {
      if (auto done = check_query(i, 0); !done) return done;
    }
    return Done{};
  }

 private:
  enum class State { kNew, kUnderWay, kDone };

  Error in(std::size_t query, const Error& error) const {
    if (error.message.starts_with("Error in expression")) return error;
    return {error.code, fmt::format("Error in expression '{}': {}", program_.queries_[query].id, error.message)};
  }
  static Error at(const Node& node, std::string_view what, Errc code = Errc::kMalformed) {
    return {code, fmt::format("position {}: {}", node.position, what)};
  }

  Result<Done> check_query(std::size_t i, std::size_t depth) {
    if (program_.queries_[i].metric_stat) state_[i] = State::kDone;
    if (state_[i] == State::kDone) return Done{};
    if (state_[i] == State::kUnderWay) {
      return in(i, {Errc::kMalformed, "it depends on itself"});
    }
    if (depth > kReferenceDepth) {
      return in(i, {Errc::kLimit, fmt::format("more than {} expressions rest on each other", kReferenceDepth)});
    }
    state_[i] = State::kUnderWay;
    depth_ = depth;
    const auto& expression = program_.expressions_[i];
    auto type = check(expression, expression.root());
    if (!type) return in(i, type.error());
    program_.types_[i] = *type;
    state_[i] = State::kDone;
    return Done{};
  }

  Result<Type> check(const Expression& expression, const Node& node) {
    switch (node.kind) {
      case Node::Kind::kNumber:
        return Type::kScalar;
      case Node::Kind::kText:
        return at(node, "a text stands only in SEARCH and METRICS");
      case Node::Kind::kName:
        return name(node);
      case Node::Kind::kNegate:
        return check(expression, expression.child(node, 0));
      case Node::Kind::kBinary:
        return binary(expression, node);
      case Node::Kind::kCall:
        return call(expression, node);
      case Node::Kind::kList:
        break;
    }
    if (node.children.empty()) return at(node, "an array has at least one series");
    for (const auto i : node.children) {
      const auto& child = expression.nodes[i];
      auto type = check(expression, child);
      if (!type) return type;
      if (*type == Type::kScalar) return at(child, "an array holds time series, and this is a number");
    }
    return Type::kArray;
  }

  Result<Type> name(const Node& node) {
    const auto place = program_.place(node.text);
    if (place == program_.queries_.size()) {
      if (!is_id(node.text))
        return at(node, fmt::format("\"{}\" is neither an id nor a function that is called", node.text));
      return at(node, fmt::format("there is no query with the id \"{}\"", node.text));
    }
    const auto depth = depth_;
    if (auto done = check_query(place, depth + 1); !done) return done.error();
    depth_ = depth;
    return program_.types_[place];
  }

  Result<Type> binary(const Expression& expression, const Node& node) {
    auto left = check(expression, expression.child(node, 0));
    if (!left) return left;
    auto right = check(expression, expression.child(node, 1));
    if (!right) return right;
    if (*left == Type::kArray && *right == Type::kArray) {
      return at(node, "an operator does not take two arrays of time series; use an aggregate such as SUM on one");
    }
    return std::max(*left, *right);
  }

  Result<Type> call(const Expression& expression, const Node& node) {
    const std::string& name = node.text;
    const auto counted = [&](std::size_t least, std::size_t most) -> Result<Done> {
      if (node.children.size() >= least && node.children.size() <= most) return Done{};
      return at(node, fmt::format("{} takes {} argument{}, got {}", name,
                                  least == most ? fmt::format("{}", least) : fmt::format("{} to {}", least, most),
                                  most == 1 ? "" : "s", node.children.size()));
    };
    const auto typed = [&](std::size_t i, std::initializer_list<Type> allowed) -> Result<Type> {
      const auto& child = expression.child(node, i);
      auto type = check(expression, child);
      if (!type) return type;
      if (std::find(allowed.begin(), allowed.end(), *type) != allowed.end()) return type;
      std::string expected;
      for (const auto one : allowed) expected += (expected.empty() ? "" : " or ") + std::string(to_string(one));
      return at(child, fmt::format("argument {} of {} is {}; expected {}", i + 1, name, to_string(*type), expected));
    };
    const auto word = [&](std::size_t i, std::initializer_list<std::string_view> words) -> Result<Done> {
      const auto& child = expression.child(node, i);
      if (child.kind == Node::Kind::kName && one_of(child.text, words)) return Done{};
      std::string expected;
      for (const auto one : words) expected += (expected.empty() ? "" : ", ") + std::string(one);
      return at(child, fmt::format("argument {} of {} is one of {}", i + 1, name, expected));
    };
    constexpr auto S = Type::kScalar, TS = Type::kSeries, Many = Type::kArray;
    const auto fixed = [&](std::initializer_list<Type> allowed, Type result) -> Result<Type> {
      if (auto done = counted(1, 1); !done) return done.error();
      auto type = typed(0, allowed);
      return type ? Result<Type>(result) : type;
    };

    if (is_map(name)) {
      if (auto done = counted(1, 1); !done) return done.error();
      if (one_of(name, {"DIFF", "DIFF_TIME", "RATE", "RUNNING_SUM"})) {
        program_.looks_around_ = name;
        return typed(0, {TS, Many});
      }
      return typed(0, {S, TS, Many});
    }
    if (is_aggregate(name)) {
      if (auto done = counted(1, 1); !done) return done.error();
      auto type = typed(0, {TS, Many});
      if (!type) return type;
      if (*type == TS) program_.looks_around_ = name;
      return *type == TS ? S : TS;
    }
    if (is_time(name)) return fixed({TS}, TS);
    if (name == "PERIOD") return fixed({TS}, S);
    if (name == "METRIC_COUNT") return fixed({Many}, S);
    if (name == "FIRST" || name == "LAST") return fixed({Many}, TS);
    if (name == "REMOVE_EMPTY") {
      program_.looks_around_ = name;
      return fixed({Many}, Many);
    }
    if (name == "TIME_SERIES") return fixed({S}, TS);
    if (name == "IF") {
      if (auto done = counted(2, 3); !done) return done.error();
      auto condition = typed(0, {S, TS});
      if (!condition) return condition;
      auto then = typed(1, {S, TS});
      if (!then) return then;
      Type result = std::max(*condition, *then);
      if (node.children.size() == 3) {
        auto otherwise = typed(2, {S, TS});
        if (!otherwise) return otherwise;
        // A number as condition picks one of both whole: they have to be alike.
        if (*condition == S && *then != *otherwise) {
          return at(node, "with a number as condition, both results of IF are numbers or both are time series");
        }
        result = std::max(result, *otherwise);
      }
      return result;
    }
    if (name == "FILL") {
      if (auto done = counted(2, 2); !done) return done.error();
      auto type = typed(0, {TS, Many});
      if (!type) return type;
      const auto& filler = expression.child(node, 1);
      if (filler.kind == Node::Kind::kName && one_of(filler.text, {"REPEAT", "LINEAR"})) {
        program_.looks_around_ = "FILL(REPEAT)";
        return type;
      }
      auto with = typed(1, {S, TS});
      return with ? type : with;
    }
    if (name == "SLICE") {
      if (auto done = counted(2, 3); !done) return done.error();
      if (auto type = typed(0, {Many}); !type) return type;
      for (std::size_t i = 1; i < node.children.size(); ++i) {
        if (auto type = typed(i, {S}); !type) return type;
      }
      return node.children.size() == 2 ? TS : Many;
    }
    if (name == "SORT") {
      if (auto done = counted(3, 4); !done) return done.error();
      if (auto type = typed(0, {Many}); !type) return type;
      if (auto done = word(1, {"AVG", "MIN", "MAX", "SUM"}); !done) return done.error();
      if (auto done = word(2, {"ASC", "DESC"}); !done) return done.error();
      if (node.children.size() == 4) {
        if (auto type = typed(3, {S}); !type) return type;
      }
      return Many;
    }
    if (name == "ANOMALY_DETECTION_BAND") {
      if (auto done = counted(1, 2); !done) return done.error();
      if (auto type = typed(0, {TS}); !type) return type;
      if (node.children.size() == 2) {
        const auto& width = expression.child(node, 1);
        if (width.kind != Node::Kind::kNumber || width.number <= 0) {
          return at(width, "the width of a band is a number above 0, in standard deviations");
        }
      }
      return Many;
    }
    if (name == "METRICS") {
      if (auto done = counted(0, 1); !done) return done.error();
      if (!node.children.empty() && expression.child(node, 0).kind != Node::Kind::kText) {
        return at(expression.child(node, 0), "METRICS takes a text that the ids hold");
      }
      return Many;
    }
    if (name == "SEARCH") return search(expression, node, counted);
    if (one_of(name, {"INSIGHT_RULE_METRIC", "SERVICE_QUOTA"})) {
      return at(node,
                fmt::format("{} is not supported here: this platform has no {}", name,
                            name == "SERVICE_QUOTA" ? "service quotas" : "Contributor Insights rules"),
                Errc::kUnsupported);
    }
    return at(node, fmt::format("there is no function \"{}\"", name));
  }

  template <class Counted>
  Result<Type> search(const Expression& expression, const Node& node, Counted counted) {
    if (auto done = counted(2, 3); !done) return done.error();
    if (use_ == Use::kAlarm)
      return at(node, "SEARCH is not allowed in an alarm: which metrics it is about would change");
    for (std::size_t i = 0; i < 2; ++i) {
      const auto& child = expression.child(node, i);
      if (child.kind != Node::Kind::kText) return at(child, fmt::format("argument {} of SEARCH is a text", i + 1));
    }
    if (node.children.size() == 3) {
      const auto& period = expression.child(node, 2);
      if (period.kind != Node::Kind::kNumber || period.number < 1 || period.number > 86'400) {
        return at(period, "the period of SEARCH is a number of seconds from 1 to 86400");
      }
    }
    if (auto parsed = Search::parse(expression.child(node, 0).text); !parsed) {
      return at(expression.child(node, 0), parsed.error().message);
    }
    return Type::kArray;
  }

  Program& program_;
  const Use use_;
  std::vector<State> state_;
  std::size_t depth_ = 0;
};

Result<Program> Program::compile(std::vector<DataQuery> queries, Use use) {
  Program made;
  made.queries_ = std::move(queries);
  if (auto done = Checker(made, use).check_all(); !done) return done.error();
  return made;
}

std::size_t Program::place(std::string_view id) const {
  const auto at =
      std::find_if(queries_.begin(), queries_.end(), [&](const DataQuery& query) { return query.id == id; });
  return static_cast<std::size_t>(at - queries_.begin());
}

std::vector<MetricId> Program::metrics() const {
  std::vector<MetricId> all;
  for (const auto& query : queries_) {
    if (query.metric_stat) all.push_back(query.metric_stat->metric);
  }
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

}  // namespace securebase::monitoring::math
