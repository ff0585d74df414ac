// One condition of a filter policy: a value, or an object with one operator.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "notify/filter_policy.h"

namespace securebase::notify {

struct FilterPolicy::Condition {
  enum class Kind {
    kEquals,      // `values`: any of them
    kIgnoreCase,  // `text`
    kPrefix,
    kSuffix,
    kWildcard,  // '*' stands for any characters
    kNumeric,   // within low and high
    kCidr,      // an IPv4 or IPv6 network
    kExists,
    kAbsent,
  };
  struct Bound {
    double value = 0;
    bool inclusive = false;
  };
  Kind kind = Kind::kEquals;
  bool negated = false;  // anything-but
  std::vector<base::Json> values;
  std::string text;
  std::vector<std::string> texts;  // anything-but with a list of prefixes, suffixes, wildcards
  std::optional<Bound> low, high;
  std::string network;  // 16 bytes
  unsigned network_bits = 0;

  static Result<Condition> parse(const base::Json& json);
  // Of a value that is there: text, number, bool or null. kExists and kAbsent are not asked here.
  bool holds_for(const base::Json& value) const;
};

}  // namespace securebase::notify
