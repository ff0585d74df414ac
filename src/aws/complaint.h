// Why an input is not accepted, before anybody knows how its service words it (dialect.h does).
#pragma once

#include <string>

#include "base/result.h"

namespace securebase::aws {

struct Complaint {
  enum class Kind {
    kUnparsable,  // no JSON, XML or CBOR, or a value of another type than the model's
    kMissing,     // a required member is not there
    kInvalid,     // a value outside of what the model allows
  };
  Kind kind = Kind::kUnparsable;
  std::string path;     // of the member: "metricData.1.member.metricName"; empty: the whole input
  std::string message;  // kUnparsable: what was expected and what came. Else the constraint: "Member must not be null"
  std::string value;    // kInvalid: what came, as text, shortened
};

}  // namespace securebase::aws
