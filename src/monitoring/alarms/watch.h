// A metric alarm, compiled: what it reads, and how what it read becomes a verdict.
// Constant once made: any thread.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <vector>

#include "base/result.h"
#include "monitoring/alarms.h"
#include "monitoring/alarms/extensions.h"
#include "monitoring/alarms/judge.h"
#include "monitoring/math/program.h"

namespace securebase::monitoring {

struct Verdict {
  std::optional<AlarmState> state;  // nullopt: it stays as it is
  Reason reason;                    // only where the state changes, or was asked for
  std::optional<double> value;      // of the newest point
};

class Watch {
 public:
  // kMalformed, kUnsupported: as CloudWatch would refuse its Metrics.
  static Result<std::shared_ptr<const Watch>> make(const AlarmDefinition& definition);

  const Extensions& extensions() const { return extensions_; }
  std::chrono::seconds period() const { return period_; }
  // How often it is looked at: each 10 s for periods below a minute, each hour where it looks back more than a day,
  // else each minute.
  std::chrono::seconds step() const { return step_; }
  // Every metric it reads, sorted.
  const std::vector<MetricId>& metrics() const { return metrics_; }
  // "an expression reduces a whole series": what it gives depends on how far is read; "" otherwise.
  const std::string& looks_around() const { return program_.looks_around(); }

  // Up to where it reads at `now`: a whole step, `settling` ago.
  base::TimePoint end_at(base::TimePoint now, std::chrono::seconds settling) const;

  // What the periods up to `end` say to an alarm in the state `current`. The reason is written where the state changes,
  // or with `explain`.
  Result<Verdict> evaluate(const Series& series, math::Bands& bands, base::TimePoint end, AlarmState current,
                           base::TimePoint now, bool explain) const;

 private:
  Result<std::vector<JudgedPeriod>> read(const Series& series, math::Bands& bands, base::TimePoint end,
                                         double threshold) const;
  Result<Verdict> burn_rate(const Series& series, math::Bands& bands, base::TimePoint end, AlarmState current,
                            bool explain) const;
  int n() const { return rule_.evaluation_periods; }
  int m() const { return rule_.datapoints_to_alarm > 0 ? rule_.datapoints_to_alarm : n(); }

  MetricRule rule_;
  Extensions extensions_;
  math::Program program_;    // of rule_.metrics
  std::size_t watched_ = 0;  // the query that is compared
  std::size_t band_ = 0;     // the query that it is compared with
  std::vector<MetricId> metrics_;
  std::chrono::seconds period_{60};
  std::chrono::seconds step_{60};
  MissingData missing_ = MissingData::kMissing;
};

}  // namespace securebase::monitoring
