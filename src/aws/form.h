// application/x-www-form-urlencoded text, of a body or a query string.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aws/complaint.h"
#include "base/result.h"

namespace securebase::aws {

struct Parameter {
  std::string name;
  std::string value;
  bool operator==(const Parameter&) const = default;
  auto operator<=>(const Parameter&) const = default;
};

constexpr std::size_t kMaxParameters =
    200'000;  // 1000 datums of PutMetricData with 150 values in one of them, and room

// In the order in which they came. "a&b=" is {a, ""}, {b, ""}. A '%' without two digits is a complaint.
Result<std::vector<Parameter>, Complaint> parse_form(std::string_view text);

// The first of that name; null when there is none.
const std::string* find_parameter(const std::vector<Parameter>& parameters, std::string_view name);

}  // namespace securebase::aws
