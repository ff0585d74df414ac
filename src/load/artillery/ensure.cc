#include "load/artillery/ensure.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace securebase::load::artillery {
namespace {

std::map<std::string, double, std::less<>> values_of(const Period& period, std::optional<double> apdex) {
  std::map<std::string, double, std::less<>> values;
  for (const auto& [name, value] : period.counters) values[name] = value;
  for (const auto& [name, value] : period.rates) values[name] = value;
  for (const auto& [name, summary] : period.summaries) {
    values[name + ".min"] = summary.minimum;
    values[name + ".max"] = summary.maximum;
    values[name + ".count"] = static_cast<double>(summary.count);
    values[name + ".mean"] = summary.mean;
    values[name + ".p50"] = summary.p50;
    values[name + ".median"] = summary.p50;
    values[name + ".p75"] = summary.p75;
    values[name + ".p90"] = summary.p90;
    values[name + ".p95"] = summary.p95;
    values[name + ".p99"] = summary.p99;
    values[name + ".p999"] = summary.p999;
  }
  if (apdex) values["apdex"] = *apdex;
  return values;
}

}  // namespace

std::vector<Checked> check_ensure(const std::vector<EnsureCheck>& checks, const Period& aggregate,
                                  std::optional<double> apdex) {
  const auto values = values_of(aggregate, apdex);
  std::vector<std::string> names;
  for (const auto& [name, value] : values) names.push_back(name);
  std::vector<Checked> results;
  for (const auto& check : checks) {
    Checked result;
    result.original = check.original;
    result.strict = check.strict;
    const auto expression = Expression::parse(check.expression, names);
    if (!expression) {
      result.note = expression.error().message;
      results.push_back(std::move(result));
      continue;
    }
    base::Json looked_up;
    std::string missing;
    std::string found;
    const auto value = expression->evaluate([&](std::string_view name) -> const base::Json* {
      const auto at = values.find(name);
      if (at == values.end()) {
        if (missing.find(name) == std::string::npos) missing += fmt::format("{}{}", missing.empty() ? "" : ", ", name);
        return nullptr;
      }
      looked_up = at->second;
      return &looked_up;
    });
    for (const auto& name : expression->names()) {
      const auto at = values.find(name);
      if (at != values.end())
        found += fmt::format("{}{} is {}", found.empty() ? "" : ", ", name, fmt::format("{}", at->second));
    }
    result.ok = value.is_number() && value.number_or(0) == 1;
    if (!result.ok) result.note = missing.empty() ? found : fmt::format("{} was not recorded", missing);
    results.push_back(std::move(result));
  }
  // Artillery shows what passed first.
  std::stable_partition(results.begin(), results.end(), [](const Checked& one) { return one.ok; });
  return results;
}

std::optional<Apdex> apdex_of(const Period& aggregate) {
  const auto counter = [&](const char* name) {
    const auto at = aggregate.counters.find(name);
    return at == aggregate.counters.end() ? 0.0 : at->second;
  };
  const double satisfied = counter("apdex.satisfied");
  const double tolerated = counter("apdex.tolerated");
  const double all = satisfied + tolerated + counter("apdex.frustrated");
  if (all == 0) return std::nullopt;
  Apdex apdex;
  apdex.score = (satisfied + tolerated / 2) / all;
  apdex.ranking = apdex.score >= 0.94   ? "excellent"
                  : apdex.score >= 0.85 ? "good"
                  : apdex.score >= 0.7  ? "fair"
                  : apdex.score >= 0.49 ? "poor"
                                        : "unacceptable";
  return apdex;
}

double tightest_limit_ms(const std::vector<EnsureCheck>& checks) {
  double tightest = 0;
  for (const auto& check : checks) {
    const auto at = check.expression.find("response_time");
    const auto sign = at == std::string::npos ? at : check.expression.find('<', at);
    if (sign == std::string::npos) continue;
    std::string_view rest = std::string_view(check.expression).substr(sign + 1);
    while (!rest.empty() && (rest.front() == ' ' || rest.front() == '=')) rest.remove_prefix(1);
    double limit = 0;
    const auto got = std::from_chars(rest.data(), rest.data() + rest.size(), limit);
    if (got.ec == std::errc{} && limit > 0 && (tightest == 0 || limit < tightest)) tightest = limit;
  }
  return tightest;
}

}  // namespace securebase::load::artillery
