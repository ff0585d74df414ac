// What a filter expression is once it is read.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "traces/filter/filter.h"

namespace securebase::traces {

// What a keyword looks at.
enum class Subject {
  kOk,
  kError,
  kThrottle,
  kFault,
  kPartial,
  kInferred,
  kRemote,
  kRoot,
  kResponseTime,
  kDuration,
  kHttpStatus,
  kHttpUrl,
  kHttpMethod,
  kHttpUserAgent,
  kHttpClientIp,
  kUser,
  kName,
  kType,
  kMessage,
  kAvailabilityZone,
  kInstanceId,
  kResourceArn,
  kAnnotation,
};
// kIsSet: a keyword that stands alone; of a boolean it is the value.
enum class Comparison {
  kIsSet,
  kEqual,
  kUnequal,
  kLess,
  kLessEqual,
  kMore,
  kMoreEqual,
  kContains,
  kBeginsWith,
  kEndsWith
};

// service("x") and id(name: "x", type: "y"): an empty part is any.
struct ServiceChoice {
  std::string name;
  std::string type;
};

struct Filter::Expression {
  enum class Kind { kAnd, kOr, kNot, kCompare, kService, kEdge };
  Kind kind = Kind::kCompare;
  // kAnd, kOr: two; kNot: one; kService, kEdge: one or none.
  std::vector<std::unique_ptr<Expression>> parts;
  // kCompare.
  Subject subject = Subject::kOk;
  Comparison comparison = Comparison::kEqual;
  std::string key;  // of an annotation
  std::variant<bool, double, std::string> value = true;
  // kService: one; kEdge: from, to.
  std::vector<ServiceChoice> services;
};

}  // namespace securebase::traces
