// A run as a page shows it, whichever tool's script it was: names are labels for people, times are milliseconds. Front
// ends make one of what they measured (view_of_artillery_report in load/artillery/, others beside their results).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "telemetry/sketch.h"

namespace securebase::load {

// What is known of many durations: with the histogram, or only some percentiles of a report that somebody else wrote.
struct Distribution {
  std::uint64_t count = 0;
  double minimum = 0;
  double mean = 0;
  double maximum = 0;
  std::vector<std::pair<double, double>> percentiles;  // percent, ms; rising
  std::optional<telemetry::Sketch> sketch;

  static Distribution of(const telemetry::Sketch& sketch);
  double at(double percent) const;  // by the nearest percentile from above that is known
};

struct ReportView {
  enum class Verdict { kNone, kPass, kFail, kUnknown };

  std::string title;    // the script's or scenario's name
  std::string tool;     // "Artillery script"
  std::string target;   // URL
  std::string started;  // as text; empty: not known
  double seconds = 0;
  Verdict verdict = Verdict::kNone;
  std::string verdict_text;

  struct Fact {
    std::string label;
    std::string value;
    std::string note;
  };
  std::vector<Fact> facts;

  struct Curve {
    std::string label;  // which clock it is: "first byte", "from schedule"
    Distribution distribution;
  };
  std::vector<Curve> curves;  // the first one is the headline

  // Stretches of the run, in order. `latency` is of the headline's clock.
  struct Moment {
    double begin_s = 0;
    double end_s = 0;
    double requests = 0;
    double errors = 0;
    double users = 0;  // that began
    Distribution latency;
  };
  std::vector<Moment> timeline;

  struct Count {
    std::string label;
    double count = 0;
    bool bad = false;
  };
  std::vector<Count> codes;
  std::vector<Count> errors;

  struct Endpoint {
    std::string name;
    double requests = 0;
    double failed = 0;  // 4xx, 5xx and those without an answer
    Distribution latency;
  };
  std::vector<Endpoint> endpoints;

  struct Check {
    std::string text;
    std::string seen;
    Verdict verdict = Verdict::kUnknown;
  };
  std::vector<Check> checks;

  // Where the time went within the target, slowest route first; in the middle of a route's requests and around its p95.
  struct Route {
    std::string name;
    double requests = 0;
    double p50_s = 0;
    double p95_s = 0;
    std::vector<std::pair<std::string, double>> hops_s;  // around the p95, in the order of the way
  };
  std::vector<Route> routes;

  // Against another run, when one was named; `comparison_note` says which, or why the two do not compare.
  struct Comparison {
    std::string name;
    std::string before;
    std::string after;
    std::string change;    // "+4.1 %"
    std::string interval;  // in which the true change lies, 99 %; "": not known
    std::string verdict;
    enum class Kind { kSame, kBetter, kWorse, kUnclear } kind = Kind::kUnclear;
  };
  std::vector<Comparison> comparisons;
  std::string comparison_note;

  // Reasons why the numbers are not to be believed.
  std::vector<std::string> doubts;
};

}  // namespace securebase::load
