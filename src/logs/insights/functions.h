// The functions of the language by name: what they take and whether they aggregate.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace securebase::logs::insights {

enum class Function : std::uint8_t {
  // Of one row.
  kAbs,
  kCeil,
  kFloor,
  kGreatest,
  kLeast,
  kLog,
  kSqrt,
  kIsPresent,
  kCoalesce,
  kUnmask,
  kIsEmpty,
  kIsBlank,
  kConcat,
  kLtrim,
  kRtrim,
  kTrim,
  kStrlen,
  kToUpper,
  kToLower,
  kSubstr,
  kReplace,
  kStrContains,
  kBin,
  kDateFloor,
  kDateCeil,
  kFromMillis,
  kToMillis,
  kNow,
  kJsonParse,
  kJsonStringify,
  kIsValidIp,
  kIsValidIpV4,
  kIsValidIpV6,
  kIsIpInSubnet,
  kIsIpv4InSubnet,
  kIsIpv6InSubnet,
  // Of many rows: aggregates.
  kCount,
  kSum,
  kAvg,
  kMin,
  kMax,
  kStddev,
  kPct,
  kCountDistinct,
  kEarliest,
  kLatest,
  kSortsFirst,
  kSortsLast,
};

struct Signature {
  std::string_view name;  // lower case
  Function function;
  std::uint8_t least;  // arguments
  std::uint8_t most;
  std::string_view usage;
};

bool is_aggregate(Function function);
// By its name in lower case; null: there is none.
const Signature* find_function(std::string_view name);
std::vector<std::string_view> function_names();

// The one of `names` that somebody who wrote `word` may have meant; empty: none is near.
std::string_view nearest(std::string_view word, std::span<const std::string_view> names);

}  // namespace securebase::logs::insights
