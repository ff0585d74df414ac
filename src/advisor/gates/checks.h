// The checks of the three gates, and what they share.
#pragma once

#include <fmt/format.h>

#include "advisor/gates.h"

namespace securebase::advisor {

// What is written down of a check beside its decision.
struct DeclaredCheck {
  std::string_view id;
  std::string_view title;
  std::string_view how;
  std::string_view fix;     // what mends a failure; this and the next where decide() sets none that fits better
  std::string_view gather;  // what brings the evidence that is missing
  void (*decide)(const Facts& facts, Check& check);
};

const std::vector<DeclaredCheck>& pre_deploy_checks();
const std::vector<DeclaredCheck>& post_deploy_checks();
const std::vector<DeclaredCheck>& monthly_checks();
const std::vector<DeclaredCheck>& checks_of(Gate gate);

inline void decide(Check& check, Decision decision, std::string reason) {
  check.decision = decision;
  check.reason = std::move(reason);
}

// "12 min", "3.5 h", "2.1 days"
std::string in_words(std::chrono::duration<double> time);

// One statistic of a metric over [from, to), of each series whose only dimension is `dimension`. of_each() takes whole
// minutes, outwards: older samples are kept by the minute.
struct Of {
  std::string name;  // the dimension's value
  monitoring::Point point;
};
std::vector<Of> whole_of_each(const monitoring::Series& series, std::string_view name_space, std::string_view metric,
                              std::string_view dimension, std::string_view statistic, base::TimePoint from,
                              base::TimePoint to);
std::vector<Of> of_each(const monitoring::Series& series, std::string_view name_space, std::string_view metric,
                        std::string_view dimension, std::string_view statistic, base::TimePoint from,
                        base::TimePoint to);
double total(const std::vector<Of>& all);

// The newest run that `fits`; null: none.
template <class Fits>
const LoadRun* newest(const std::vector<LoadRun>& runs, const Fits& fits) {
  for (auto run = runs.rbegin(); run != runs.rend(); ++run) {
    if (fits(*run)) return &*run;
  }
  return nullptr;
}
// Why a load run says nothing about this platform: it made no requests, or they did not come here. "": it does.
std::string not_ours(const Facts& facts, const LoadRun& run);
// Whether it asked this platform, by what was typed. false: another name of it may have been asked.
bool aimed_here(const Facts& facts, const LoadRun& run);
// "passed", "without thresholds": for a line about a run.
std::string_view words_of(RunVerdict verdict);
// Why a run tells neither pass nor fail by itself; "": it does.
std::string why_undecided(const LoadRun& run);
std::string in_a_line(const LoadRun& run, base::TimePoint now);

}  // namespace securebase::advisor
