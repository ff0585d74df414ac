#include "logs/insights/functions.h"

#include <algorithm>

namespace securebase::logs::insights {

namespace {

constexpr std::uint8_t kMany = 100;

constexpr Signature kSignatures[] = {
    {"abs", Function::kAbs, 1, 1, "abs(number)"},
    {"ceil", Function::kCeil, 1, 1, "ceil(number)"},
    {"floor", Function::kFloor, 1, 1, "floor(number)"},
    {"greatest", Function::kGreatest, 1, kMany, "greatest(number, ...)"},
    {"least", Function::kLeast, 1, kMany, "least(number, ...)"},
    {"log", Function::kLog, 1, 1, "log(number)"},
    {"sqrt", Function::kSqrt, 1, 1, "sqrt(number)"},
    {"ispresent", Function::kIsPresent, 1, 1, "isPresent(field)"},
    {"coalesce", Function::kCoalesce, 1, kMany, "coalesce(value, ...)"},
    {"unmask", Function::kUnmask, 1, 1, "unmask(field)"},
    {"isempty", Function::kIsEmpty, 1, 1, "isempty(text)"},
    {"isblank", Function::kIsBlank, 1, 1, "isblank(text)"},
    {"concat", Function::kConcat, 1, kMany, "concat(text, ...)"},
    {"ltrim", Function::kLtrim, 1, 2, "ltrim(text[, characters])"},
    {"rtrim", Function::kRtrim, 1, 2, "rtrim(text[, characters])"},
    {"trim", Function::kTrim, 1, 2, "trim(text[, characters])"},
    {"strlen", Function::kStrlen, 1, 1, "strlen(text)"},
    {"toupper", Function::kToUpper, 1, 1, "toupper(text)"},
    {"tolower", Function::kToLower, 1, 1, "tolower(text)"},
    {"substr", Function::kSubstr, 2, 3, "substr(text, start[, length])"},
    {"replace", Function::kReplace, 3, 3, "replace(text, find, with)"},
    {"strcontains", Function::kStrContains, 2, 2, "strcontains(text, find)"},
    {"bin", Function::kBin, 1, 1, "bin(period)"},
    {"datefloor", Function::kDateFloor, 2, 2, "datefloor(time, period)"},
    {"dateceil", Function::kDateCeil, 2, 2, "dateceil(time, period)"},
    {"frommillis", Function::kFromMillis, 1, 1, "fromMillis(number)"},
    {"tomillis", Function::kToMillis, 1, 1, "toMillis(time)"},
    {"now", Function::kNow, 0, 0, "now()"},
    {"jsonparse", Function::kJsonParse, 1, 1, "jsonParse(text)"},
    {"jsonstringify", Function::kJsonStringify, 1, 1, "jsonStringify(value)"},
    {"isvalidip", Function::kIsValidIp, 1, 1, "isValidIp(text)"},
    {"isvalidipv4", Function::kIsValidIpV4, 1, 1, "isValidIpV4(text)"},
    {"isvalidipv6", Function::kIsValidIpV6, 1, 1, "isValidIpV6(text)"},
    {"isipinsubnet", Function::kIsIpInSubnet, 2, 2, "isIpInSubnet(text, \"cidr\")"},
    {"isipv4insubnet", Function::kIsIpv4InSubnet, 2, 2, "isIpv4InSubnet(text, \"cidr\")"},
    {"isipv6insubnet", Function::kIsIpv6InSubnet, 2, 2, "isIpv6InSubnet(text, \"cidr\")"},
    {"count", Function::kCount, 0, 1, "count(*) or count(field)"},
    {"sum", Function::kSum, 1, 1, "sum(number)"},
    {"avg", Function::kAvg, 1, 1, "avg(number)"},
    {"min", Function::kMin, 1, 1, "min(number)"},
    {"max", Function::kMax, 1, 1, "max(number)"},
    {"stddev", Function::kStddev, 1, 1, "stddev(number)"},
    {"pct", Function::kPct, 2, 2, "pct(number, percent)"},
    {"count_distinct", Function::kCountDistinct, 1, 1, "count_distinct(field)"},
    {"earliest", Function::kEarliest, 1, 1, "earliest(field)"},
    {"latest", Function::kLatest, 1, 1, "latest(field)"},
    {"sortsfirst", Function::kSortsFirst, 1, 1, "sortsFirst(field)"},
    {"sortslast", Function::kSortsLast, 1, 1, "sortsLast(field)"},
};

// Levenshtein's distance; letters that changed places count twice.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

}  // namespace

bool is_aggregate(Function function) { return function >= Function::kCount; }

const Signature* find_function(std::string_view name) {
  for (const auto& signature : kSignatures) {
    if (signature.name == name) return &signature;
  }
  return nullptr;
}

std::vector<std::string_view> function_names() {
  std::vector<std::string_view> names;
  for (const auto& signature : kSignatures) names.push_back(signature.name);
  return names;
}

std::string_view nearest(std::string_view word, std::span<const std::string_view> names) {
  if (word.size() > 40) return {};
  std::string_view best;
  std::size_t least = word.size() / 3 + 2;
  for (const auto name : names) {
    const auto away = distance(word, name);
    if (away < least) {
      least = away;
      best = name;
    }
  }
  return best;
}

}  // namespace securebase::logs::insights
