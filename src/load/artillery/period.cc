#include "load/artillery/period.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace securebase::load::artillery {
namespace {

double one_decimal(double value) { return std::round(value * 10) / 10; }

Summary summarise(const telemetry::Sketch& sketch) {
  const auto at = [&](double percent) { return one_decimal(sketch.percentile(percent).value_or(0)); };
  Summary summary;
  summary.minimum = one_decimal(sketch.minimum().value_or(0));
  summary.maximum = one_decimal(sketch.maximum().value_or(0));
  summary.count = sketch.count();
  summary.mean = one_decimal(sketch.average().value_or(0));
  summary.p50 = at(50);
  summary.p75 = at(75);
  summary.p90 = at(90);
  summary.p95 = at(95);
  summary.p99 = at(99);
  summary.p999 = at(99.9);
  return summary;
}

base::Json number_json(double value) {
  if (value == std::floor(value) && std::abs(value) < 9e15) return static_cast<std::int64_t>(value);
  return value;
}

base::Json to_json(const Summary& summary) {
  return base::Json::object({{"min", number_json(summary.minimum)},
                             {"max", number_json(summary.maximum)},
                             {"count", summary.count},
                             {"mean", number_json(summary.mean)},
                             {"p50", number_json(summary.p50)},
                             {"median", number_json(summary.p50)},
                             {"p75", number_json(summary.p75)},
                             {"p90", number_json(summary.p90)},
                             {"p95", number_json(summary.p95)},
                             {"p99", number_json(summary.p99)},
                             {"p999", number_json(summary.p999)}});
}

base::Json to_json(const std::map<std::string, double>& numbers) {
  base::Json::Object object;
  for (const auto& [name, value] : numbers) object.emplace_back(name, number_json(value));
  return object;
}

Summary read_summary(const base::Json& json) {
  const auto number = [&](const char* name) { return json[name].number_or(0); };
  Summary summary;
  summary.minimum = number("min");
  summary.maximum = number("max");
  summary.count = static_cast<std::uint64_t>(std::clamp(number("count"), 0.0, 1e15));
  summary.mean = number("mean");
  summary.p50 = json.find("p50") != nullptr ? number("p50") : number("median");
  summary.p75 = number("p75");
  summary.p90 = number("p90");
  summary.p95 = number("p95");
  summary.p99 = number("p99");
  summary.p999 = number("p999");
  return summary;
}

void read_numbers(const base::Json& json, std::map<std::string, double>& into) {
  if (const auto* members = json.as_object()) {
    for (const auto& [name, value] : *members) {
      if (value.is_number()) into[name] = value.number_or(0);
    }
  }
}

Period read_period(const base::Json& json) {
  Period period;
  read_numbers(json["counters"], period.counters);
  read_numbers(json["rates"], period.rates);
  const base::Json& summaries = json.find("summaries") != nullptr ? json["summaries"] : json["histograms"];
  if (const auto* members = summaries.as_object()) {
    for (const auto& [name, value] : *members) period.summaries[name] = read_summary(value);
  }
  const base::Json& at = json["period"];
  period.begin_ms = at.integer_or(0);
  if (const auto* text = at.as_string()) std::from_chars(text->data(), text->data() + text->size(), period.begin_ms);
  period.first_ms = json["firstMetricAt"].integer_or(json["firstCounterAt"].integer_or(period.begin_ms));
  period.last_ms = json["lastMetricAt"].integer_or(json["lastCounterAt"].integer_or(period.first_ms));
  return period;
}

// "name: ...... value", as wide as Artillery makes it.
std::string dotted(std::string_view name, std::string_view value, std::size_t width) {
  const std::string shown = name.size() > width ? fmt::format("{}...", name.substr(0, width - 3)) : std::string(name);
  return fmt::format("{} {} {}\n", shown, std::string(width - shown.size(), '.'), value);
}

}  // namespace

Period make_period(const Values& values, base::TimePoint run_start, std::chrono::milliseconds begin,
                   std::chrono::milliseconds end) {
  Period period;
  const std::int64_t start_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(run_start.time_since_epoch()).count();
  period.first_ms = start_ms + begin.count();
  period.last_ms = start_ms + end.count();
  period.begin_ms = period.first_ms / 10'000 * 10'000;
  const double seconds = std::max(1.0, static_cast<double>((end - begin).count()) / 1000);
  std::map<std::string, telemetry::Sketch> sketches;
  for (const auto& [key, value] : values) {
    switch (value.kind) {
      case Kind::kCounter:
        period.counters[key.metric] += value.sum;
        break;
      case Kind::kRate:
        period.rates[key.metric] += static_cast<double>(value.count);
        break;
      case Kind::kTrend:
        if (value.count > 0) sketches[key.metric].merge(value.sketch);
        break;
      case Kind::kGauge:
        break;  // Artillery has none
    }
  }
  for (auto& [name, count] : period.rates) count = std::round(count / seconds);
  if (const auto requests = period.counters.find("http.requests"); requests != period.counters.end()) {
    period.rates["http.request_rate"] = std::round(requests->second / seconds);
  }
  for (const auto& [name, sketch] : sketches) period.summaries[name] = summarise(sketch);
  return period;
}

base::Json to_json(const Period& period, PeriodPlace place) {
  base::Json::Object summaries;
  for (const auto& [name, summary] : period.summaries) summaries.emplace_back(name, to_json(summary));
  base::Json json = base::Json::object({{"counters", to_json(period.counters)}, {"rates", to_json(period.rates)}});
  if (!period.counters.empty()) json.set("firstCounterAt", period.first_ms);
  if (!summaries.empty()) json.set("firstHistogramAt", period.first_ms);
  if (!period.counters.empty()) json.set("lastCounterAt", period.last_ms);
  if (!summaries.empty()) json.set("lastHistogramAt", period.last_ms);
  json.set("firstMetricAt", period.first_ms);
  json.set("lastMetricAt", period.last_ms);
  if (place == PeriodPlace::kAggregate) {
    json.set("period", period.begin_ms);
  } else {
    json.set("period", std::to_string(period.begin_ms));
  }
  json.set("summaries", summaries);
  json.set("histograms", std::move(summaries));
  return json;
}

base::Json report_json(const Period& aggregate, const std::vector<base::Json>& intermediate) {
  base::Json::Array periods(intermediate.begin(), intermediate.end());
  return base::Json::object(
      {{"aggregate", to_json(aggregate, PeriodPlace::kAggregate)}, {"intermediate", std::move(periods)}});
}

Result<Report> read_report(const base::Json& json) {
  if (!json["aggregate"].is_object()) {
    return Error{Errc::kMalformed, "expected a report of Artillery: an object with \"aggregate\" and \"intermediate\""};
  }
  if (json["aggregate"].find("counters") == nullptr) {
    return Error{Errc::kMalformed, "this report has no counters: it is one of Artillery 1, which cannot be read"};
  }
  Report report;
  report.aggregate = read_period(json["aggregate"]);
  if (const auto* periods = json["intermediate"].as_array()) {
    for (const auto& one : *periods) report.intermediate.push_back(read_period(one));
  }
  return report;
}

Result<Report> parse_report(std::string_view text) {
  auto json = base::Json::parse(text);
  if (!json) return json.error();
  return read_report(*json);
}

std::string metrics_text(const Period& period, std::size_t width, std::string_view suppressed) {
  if (period.empty()) return "No measurements recorded during this period\n";
  std::map<std::string, std::string> lines;
  const auto shown = [&](const std::string& name) {
    return suppressed.empty() || name.find(suppressed) == std::string::npos;
  };
  for (const auto& [name, value] : period.counters) {
    if (shown(name)) lines[name] += dotted(name + ":", number_json(value).dump(), width);
  }
  for (const auto& [name, summary] : period.summaries) {
    if (!shown(name)) continue;
    std::string& text = lines[name];
    text += name + ":\n";
    const auto row = [&](std::string_view label, double value) {
      text += dotted(fmt::format("  {}:", label), number_json(value).dump(), width);
    };
    row("min", summary.minimum);
    row("max", summary.maximum);
    row("mean", summary.mean);
    row("median", summary.p50);
    row("p95", summary.p95);
    row("p99", summary.p99);
  }
  for (const auto& [name, value] : period.rates) {
    if (shown(name)) lines[name] += dotted(name + ":", number_json(value).dump() + "/sec", width);
  }
  std::string out;
  for (const auto& [name, text] : lines) out += text;
  return out;
}

}  // namespace securebase::load::artillery
