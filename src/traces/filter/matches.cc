#include <algorithm>
#include <string_view>
#include <unordered_set>

#include "traces/filter/syntax.h"
#include "traces/segment/graph.h"

namespace securebase::traces {

namespace {

using Expression = Filter::Expression;

template <class T>
bool compare(const T& a, Comparison comparison, const T& b) {
  switch (comparison) {
    case Comparison::kEqual:
      return a == b;
    case Comparison::kUnequal:
      return a != b;
    case Comparison::kLess:
      return a < b;
    case Comparison::kLessEqual:
      return a <= b;
    case Comparison::kMore:
      return a > b;
    case Comparison::kMoreEqual:
      return a >= b;
    default:
      break;
  }
  if constexpr (std::is_same_v<T, std::string>) {
    if (comparison == Comparison::kContains) return a.find(b) != std::string::npos;
    if (comparison == Comparison::kBeginsWith) return a.starts_with(b);
    if (comparison == Comparison::kEndsWith) return a.ends_with(b);
  }
  return false;
}

// Values of different types are unequal.
template <class Left, class Right>
bool compare_any(const Left& left, Comparison comparison, const Right& right) {
  return std::visit(
      [&](const auto& a) {
        return std::visit(
            [&](const auto& b) {
              if constexpr (std::is_same_v<std::decay_t<decltype(a)>, std::decay_t<decltype(b)>>) {
                return compare(a, comparison, b);
              } else {
                return comparison == Comparison::kUnequal;
              }
            },
            right);
      },
      left);
}

// A trace's segments, flat, each with the service that it is part of.
struct Seen {
  const Segment* segment;
  Node service;
  bool top;
  std::string caller;     // of a service's own segment: the id it names as its parent
  bool inferred = false;  // a call of something that has no segment of its own here
};

class Judge {
 public:
  explicit Judge(const Trace& trace) {
    for (const auto& top : trace.segments) {
      begin_ = std::min(begin_, top.begin);
      end_ = std::max(end_, top.end);
      add(top, node_of(top), true);
    }
    std::unordered_set<std::string_view> ids;
    std::unordered_set<std::string_view> callers;
    for (const auto& seen : seen_) {
      ids.insert(seen.segment->id);
      if (!seen.caller.empty()) callers.insert(seen.caller);
    }
    for (auto& seen : seen_) {
      seen.inferred =
          seen.segment->subsegment && !seen.segment->name_space.empty() && !callers.contains(seen.segment->id);
      const bool entry = seen.top && !seen.segment->subsegment && !ids.contains(seen.segment->parent_id);
      if (entry && !root_) root_ = &seen;
    }
    // Of a trace of which only subsegments are here, the first stands for all.
    if (!root_ && !seen_.empty()) root_ = &seen_.front();
  }

  // Of the trace; `scope`: of these segments, one of which has to satisfy it.
  bool judge(const Expression& expression, const std::vector<const Seen*>* scope) const {
    using Kind = Expression::Kind;
    switch (expression.kind) {
      case Kind::kAnd:
        return judge(*expression.parts[0], scope) && judge(*expression.parts[1], scope);
      case Kind::kOr:
        return judge(*expression.parts[0], scope) || judge(*expression.parts[1], scope);
      case Kind::kNot:
        return !judge(*expression.parts[0], scope);
      case Kind::kCompare:
        return scope ? judge_scope(expression, *scope) : judge_trace(expression);
      case Kind::kService:
        return judge_service(expression);
      case Kind::kEdge:
        return judge_edge(expression);
    }
    return false;
  }

 private:
  void add(const Segment& segment, const Node& service, bool top) {
    seen_.push_back({&segment, service, top, segment.subsegment ? std::string() : segment.parent_id});
    for (const auto& inner : segment.subsegments) add(inner, service, false);
  }

  static bool chosen(const ServiceChoice& choice, const Node& node) {
    return (choice.name.empty() || choice.name == node.name) && (choice.type.empty() || choice.type == node.type);
  }

  bool judge_service(const Expression& expression) const {
    std::vector<const Seen*> scope;
    for (const auto& seen : seen_) {
      // A call of something outside stands for that as well.
      const bool outside = !seen.segment->name_space.empty() && expression.services[0].name == seen.segment->name;
      if (chosen(expression.services[0], seen.service) || outside) scope.push_back(&seen);
    }
    if (scope.empty()) return false;
    return expression.parts.empty() || judge_each(*expression.parts[0], scope);
  }

  bool judge_edge(const Expression& expression) const {
    std::vector<const Seen*> scope;
    for (const auto& callee : seen_) {
      const bool own = !callee.segment->subsegment && chosen(expression.services[1], callee.service);
      const bool outside = callee.segment->subsegment && !callee.segment->name_space.empty() &&
                           (expression.services[1].name.empty() || expression.services[1].name == callee.segment->name);
      if (outside && chosen(expression.services[0], callee.service)) scope.push_back(&callee);
      if (!own) continue;
      for (const auto& caller : seen_) {
        if (caller.segment->id == callee.caller && chosen(expression.services[0], caller.service)) {
          scope.push_back(&callee);
        }
      }
    }
    if (scope.empty()) return false;
    return expression.parts.empty() || judge_each(*expression.parts[0], scope);
  }

  // What stands in braces holds for one segment as a whole: { fault AND responsetime > 5 } of the same one.
  bool judge_each(const Expression& expression, const std::vector<const Seen*>& scope) const {
    return std::ranges::any_of(scope, [&](const Seen* one) {
      const std::vector<const Seen*> alone{one};
      return judge(expression, &alone);
    });
  }

  bool judge_scope(const Expression& expression, const std::vector<const Seen*>& scope) const {
    return std::ranges::any_of(scope, [&](const Seen* one) { return judge_segment(expression, *one); });
  }

  // By itself a keyword finds "issues only at the trace level": it asks how the root was answered, and not what failed
  // below it. What users, exceptions and resources there are is asked of all segments.
  bool judge_trace(const Expression& expression) const {
    const auto any = [&](auto test) { return std::ranges::any_of(seen_, test); };
    const auto flag = [&](bool value) {
      return compare(value, expression.comparison, std::get<bool>(expression.value));
    };
    const auto number = [&](double value) {
      return compare(value, expression.comparison, std::get<double>(expression.value));
    };
    switch (expression.subject) {
      case Subject::kOk:
      case Subject::kError:
      case Subject::kThrottle:
      case Subject::kFault:
      case Subject::kResponseTime:
      case Subject::kHttpStatus:
      case Subject::kHttpUrl:
      case Subject::kHttpMethod:
      case Subject::kHttpUserAgent:
      case Subject::kHttpClientIp:
        return root_ && judge_segment(expression, *root_);
      case Subject::kPartial:
        return flag(any([](const Seen& one) { return one.segment->in_progress; }));
      case Subject::kInferred:
        return flag(any([](const Seen& one) { return one.inferred; }));
      case Subject::kDuration:
        return !seen_.empty() && number(end_ - begin_);
      default:
        // "not equal" of a text is said of the whole: no segment has it.
        if (expression.comparison == Comparison::kUnequal && std::holds_alternative<std::string>(expression.value) &&
            expression.subject != Subject::kAnnotation) {
          return std::ranges::all_of(seen_, [&](const Seen& one) { return judge_segment(expression, one); });
        }
        return any([&](const Seen& one) { return judge_segment(expression, one); });
    }
  }

  bool judge_segment(const Expression& expression, const Seen& seen) const {
    const Segment& segment = *seen.segment;
    const auto flag = [&](bool value) {
      return compare(value, expression.comparison, std::get<bool>(expression.value));
    };
    const auto number = [&](double value) {
      return compare(value, expression.comparison, std::get<double>(expression.value));
    };
    // What is not set is only unequal: user CONTAINS "" asks whether there is one.
    const auto text = [&](const std::string& value) {
      if (expression.comparison == Comparison::kIsSet) return !value.empty();
      if (value.empty() && expression.comparison != Comparison::kUnequal) return false;
      return compare(value, expression.comparison, std::get<std::string>(expression.value));
    };
    // One of the exceptions' texts; "not equal": none of them is it.
    const auto of_exceptions = [&](std::string Exception::*member) {
      const auto holds = [&](const Exception& one) { return text(one.*member); };
      return expression.comparison == Comparison::kUnequal ? std::ranges::all_of(segment.exceptions, holds)
                                                           : std::ranges::any_of(segment.exceptions, holds);
    };
    switch (expression.subject) {
      case Subject::kOk:
        return flag(!segment.fault && !segment.error);
      case Subject::kError:
        return flag(segment.error);
      case Subject::kThrottle:
        return flag(segment.throttle);
      case Subject::kFault:
        return flag(segment.fault);
      case Subject::kPartial:
        return flag(segment.in_progress);
      case Subject::kInferred:
        return flag(seen.inferred);
      case Subject::kRemote:
        return flag(!segment.name_space.empty() || std::ranges::any_of(segment.exceptions, &Exception::remote));
      case Subject::kRoot:
        return flag(&seen == root_);
      case Subject::kResponseTime:
      case Subject::kDuration:
        return number(segment.duration());
      case Subject::kHttpStatus:
        return segment.http.status != 0 && number(static_cast<double>(segment.http.status));
      case Subject::kHttpUrl:
        return text(segment.http.url);
      case Subject::kHttpMethod:
        return text(segment.http.method);
      case Subject::kHttpUserAgent:
        return text(segment.http.user_agent);
      case Subject::kHttpClientIp:
        return text(segment.http.client_ip);
      case Subject::kUser:
        return text(segment.user);
      case Subject::kName:  // of a service or an exception
        return expression.comparison == Comparison::kUnequal ? text(segment.name) && of_exceptions(&Exception::type)
                                                             : text(segment.name) || of_exceptions(&Exception::type);
      case Subject::kType:
        return text(segment.origin);
      case Subject::kMessage:
        return of_exceptions(&Exception::message);
      case Subject::kAvailabilityZone:
        return text(segment.availability_zone);
      case Subject::kInstanceId:
        return text(segment.instance_id);
      case Subject::kResourceArn:
        return text(segment.resource_arn);
      case Subject::kAnnotation:
        return std::ranges::any_of(segment.annotations, [&](const auto& annotation) {
          if (annotation.first != expression.key) return false;
          if (expression.comparison == Comparison::kIsSet) {
            const auto* yes = std::get_if<bool>(&annotation.second);
            return !yes || *yes;
          }
          return compare_any(annotation.second, expression.comparison, expression.value);
        });
    }
    return false;
  }

  std::vector<Seen> seen_;
  const Seen* root_ = nullptr;
  double begin_ = 1e300;
  double end_ = 0;
};

}  // namespace

bool Filter::matches(const Trace& trace) const { return !expression_ || Judge(trace).judge(*expression_, nullptr); }

}  // namespace securebase::traces
