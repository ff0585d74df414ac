#include "load/scenarios/spike.h"

#include <fmt/format.h>

#include <cmath>

#include "load/report/terminal.h"
#include "load/scenarios/summary.h"

namespace securebase::load {

namespace {

using base::Json;
using Seconds = std::chrono::duration<double>;

struct Part {
  double p95_ms = 0;
  double throughput = 0;
  double error_percent = 0;
  std::uint64_t answers_429 = 0;
};

Part part_of(const Timeline& timeline, double from, double until) {
  Values values;
  double seconds = 0;
  for (const auto& slice : timeline.slices()) {
    const double middle = Seconds(slice.begin + slice.end).count() / 2;
    if (slice.begin == slice.end || middle < from || middle >= until) continue;
    merge(values, slice.values);
    seconds += Seconds(slice.end - slice.begin).count();
  }
  const auto summary = summarise(values, std::chrono::milliseconds{std::llround(seconds * 1000)});
  Part part;
  part.throughput = summary.answers_a_second();
  part.error_percent = summary.error_percent();
  if (const auto found = summary.codes.find("429"); found != summary.codes.end()) part.answers_429 = found->second;
  if (const auto latency = latency_of(values, false)) part.p95_ms = latency->sketch.percentile(95).value_or(0);
  return part;
}

Json to_json(const Part& part) {
  return Json::object({{"p95_ms", part.p95_ms},
                       {"throughput", part.throughput},
                       {"error_percent", part.error_percent},
                       {"answers_429", part.answers_429}});
}

// Seconds from the begin of the rise until p95 is below `limit_ms`, without errors to speak of, and stays so to the
// end; nullopt: it never is. 0: it never left.
std::optional<double> recovery(const Timeline& timeline, double rise, double limit_ms) {
  constexpr double kErrors = 1;  // percent
  double last_bad = -1;
  double end = 0;
  for (const auto& slice : timeline.slices()) {
    if (slice.begin == slice.end || Seconds(slice.end).count() <= rise) continue;
    const auto latency = latency_of(slice.values, false);
    const auto summary = summarise(slice.values, slice.end - slice.begin);
    const bool silent = !latency || latency->sketch.count() == 0;
    // The run's last moment, after the users were ended.
    if (silent && slice.end - slice.begin < timeline.width() / 2) continue;
    end = Seconds(slice.end).count();
    if (silent || latency->sketch.percentile(95).value_or(0) >= limit_ms || summary.error_percent() > kErrors) {
      last_bad = end;
    }
  }
  if (last_bad < 0) return 0;
  if (last_bad >= end) return std::nullopt;
  return last_bad - rise;
}

}  // namespace

Result<RunResult> spike(const SpikeSettings& settings, TargetWatch& watch, const StopFlag& stop,
                        const std::function<void(const Live&)>& told) {
  if (settings.to_users < settings.from_users) return Error{Errc::kMalformed, "a spike goes up"};
  RunSettings one = settings.run;
  one.scenario = "spike";
  one.work.loop = true;
  one.phases = users_for(settings.from_users, one.warm_up + settings.before);
  Phase rise;
  rise.kind = Phase::Kind::kCount;
  rise.name = "rise";
  rise.count = settings.to_users - settings.from_users;
  rise.duration = settings.rise;
  Phase hold;
  hold.kind = Phase::Kind::kPause;
  hold.name = "hold";
  hold.duration = settings.hold;
  one.phases.push_back(rise);
  one.phases.push_back(hold);

  auto samples = Json::array();
  std::optional<TargetSample> first;
  const auto begun = std::chrono::steady_clock::now();
  const auto look = [&](const Live& live) {
    const auto sample = watch.sample();
    if (!first) first = sample;
    samples.push_back(Json::object({{"second", Seconds(sample.at - begun).count()},
                                    {"users", live.progress.users},
                                    {"functions_busy", sample.functions_busy},
                                    {"functions_idle", sample.functions_idle},
                                    {"throttles", sample.throttles - first->throttles},
                                    {"cpu_seconds", sample.cpu_seconds - first->cpu_seconds}}));
    if (told) told(live);
  };
  auto result = settings.carry_out(one, stop, look);
  if (!result) return result.error();

  const double rise_at = Seconds(settings.before).count();
  const double rise_end = rise_at + Seconds(settings.rise).count();
  const double end = rise_end + Seconds(settings.hold).count();
  const auto& timeline = result->measured.timeline;
  const auto recovered = recovery(timeline, rise_at, settings.limit_ms);
  auto findings = Json::object({{"kind", "spike"},
                                {"from_users", settings.from_users},
                                {"to_users", settings.to_users},
                                {"limit_ms", settings.limit_ms},
                                {"before", to_json(part_of(timeline, 0, rise_at))},
                                {"rise", to_json(part_of(timeline, rise_at, rise_end))},
                                {"hold", to_json(part_of(timeline, rise_end, end + 5))}});
  findings.set("recovered_after_seconds", recovered ? Json(*recovered) : Json(nullptr));
  findings.set("samples", std::move(samples));
  result->findings = std::move(findings);
  const double allowed = Seconds(settings.respond_within).count();
  RunResult::Check check;
  check.name = fmt::format("scaling responds within {:.0f} s", allowed);
  if (recovered) {
    check.verdict = *recovered <= allowed ? Verdict::kPass : Verdict::kFail;
    check.seen = *recovered == 0 ? fmt::format("p95 stayed below {:.0f} ms", settings.limit_ms)
                                 : fmt::format("p95 was below {:.0f} ms again {:.0f} s after the rise began",
                                               settings.limit_ms, *recovered);
  } else {
    // It had no more time than the run gave it.
    const bool had_time = Seconds(settings.rise + settings.hold).count() >= allowed;
    check.verdict = had_time ? Verdict::kFail : Verdict::kInsufficient;
    check.seen = fmt::format("p95 was not below {:.0f} ms again within the {:.0f} s after the rise began",
                             settings.limit_ms, Seconds(settings.rise + settings.hold).count());
  }
  if (result->interrupted) return result;
  result->checks.push_back(std::move(check));
  if (auto doubt = doubt_of_unanswered(*result)) result->checks.push_back(std::move(*doubt));
  (void)watch.sample();
  if (watch.lost()) result->checks.push_back(process_ended());
  return result;
}

std::string spike_text(const Json& findings) {
  std::string text;
  for (const char* name : {"before", "rise", "hold"}) {
    const auto& one = findings[name];
    text += fmt::format("  {:<22}{:>10.1f}/s  p95 {:>9}  errors {:.2f} %  429: {}\n", name,
                        one["throughput"].number_or(0), duration_text(one["p95_ms"].number_or(0)),
                        one["error_percent"].number_or(0), one["answers_429"].integer_or(0));
  }
  if (const auto* samples = findings["samples"].as_array(); samples && !samples->empty()) {
    double most = 0;
    for (const auto& sample : *samples)
      most = std::max(most, sample["functions_busy"].number_or(0) + sample["functions_idle"].number_or(0));
    if (most > 0) {
      text +=
          fmt::format("  instances of functions  {:.0f} at first, at most {:.0f}; {:.0f} invocations refused\n",
                      samples->front()["functions_busy"].number_or(0) + samples->front()["functions_idle"].number_or(0),
                      most, samples->back()["throttles"].number_or(0));
    }
  }
  return text;
}

}  // namespace securebase::load
