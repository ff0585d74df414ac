// What a run measured, made up.
#pragma once

#include "base/clock.h"
#include "load/measure/collector.h"
#include "load/scenarios/http_measures.h"

namespace securebase::load {

// A closed run of so many answers of that many milliseconds, and errors.
inline Measured measured(std::uint64_t answers, double milliseconds, std::uint64_t with_500 = 0) {
  base::ManualClock clock;
  Collector collector(clock);
  auto& recorder = collector.make_recorder();
  collector.start();
  {
    Recorder::Batch batch(recorder);
    batch.add(collector.series(Kind::kCounter, kRequests), static_cast<double>(answers));
    batch.add(collector.series(Kind::kCounter, kResponses), static_cast<double>(answers));
    batch.add(collector.series(Kind::kCounter, kCodes, {{"status", "200"}}), static_cast<double>(answers - with_500));
    if (with_500)
      batch.add(collector.series(Kind::kCounter, kCodes, {{"status", "500"}}), static_cast<double>(with_500));
    batch.add(collector.series(Kind::kTrend, kServiceTime), milliseconds, answers);
  }
  clock.advance(std::chrono::seconds{10});
  collector.finish();
  return collector.measured();
}

}  // namespace securebase::load
