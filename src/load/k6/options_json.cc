#include "k6/options.h"

namespace securebase::k6 {

base::Json to_json(const Options& options, const std::vector<Scenario>& scenarios) {
  base::Json out = base::Json::object();
  const auto put = [&out](const char* name, const auto& value) {
    if (value) out.set(name, *value);
  };
  base::Json all = base::Json::object();
  for (const auto& s : scenarios) {
    base::Json one = base::Json::object({{"executor", to_string(s.executor)},
                                         {"startTime", duration_text(s.start_time)},
                                         {"gracefulStop", duration_text(s.graceful_stop)},
                                         {"exec", s.exec}});
    const auto texts = [&one](const char* name, const std::map<std::string, std::string>& values) {
      if (values.empty()) return;
      base::Json object = base::Json::object();
      for (const auto& [key, value] : values) object.set(key, value);
      one.set(name, std::move(object));
    };
    texts("env", s.env);
    texts("tags", s.tags);
    base::Json stages = base::Json::array();
    for (const auto& stage : s.stages) {
      stages.push_back(base::Json::object({{"duration", duration_text(stage.duration)}, {"target", stage.target}}));
    }
    switch (s.executor) {
      case Executor::kSharedIterations:
      case Executor::kPerVuIterations:
        one.set("vus", s.vus).set("iterations", s.iterations);
        one.set("maxDuration", duration_text(s.duration));
        break;
      case Executor::kConstantVus:
        one.set("vus", s.vus);
        one.set("duration", duration_text(s.duration));
        break;
      case Executor::kRampingVus:
        one.set("startVUs", s.start_vus);
        one.set("stages", std::move(stages));
        one.set("gracefulRampDown", duration_text(s.graceful_ramp_down));
        break;
      case Executor::kConstantArrivalRate:
      case Executor::kRampingArrivalRate:
        one.set(s.executor == Executor::kConstantArrivalRate ? "rate" : "startRate", s.rate);
        one.set("timeUnit", duration_text(s.time_unit));
        if (s.stages.empty()) {
          one.set("duration", duration_text(s.duration));
        } else {
          one.set("stages", std::move(stages));
        }
        one.set("preAllocatedVUs", s.pre_allocated_vus);
        one.set("maxVUs", s.max_vus);
        break;
    }
    all.set(s.name, std::move(one));
  }
  out.set("scenarios", std::move(all));
  if (options.thresholds) {
    base::Json thresholds = base::Json::object();
    for (const auto& of_metric : *options.thresholds) {
      base::Json list = base::Json::array();
      for (const auto& threshold : of_metric.thresholds) {
        if (!threshold.abort_on_fail) {
          list.push_back(threshold.source);
        } else {
          list.push_back(base::Json::object({{"threshold", threshold.source},
                                             {"abortOnFail", true},
                                             {"delayAbortEval", duration_text(threshold.delay_abort)}}));
        }
      }
      thresholds.set(of_metric.name, std::move(list));
    }
    out.set("thresholds", std::move(thresholds));
  }
  put("vus", options.vus);
  put("iterations", options.iterations);
  if (options.duration) out.set("duration", duration_text(*options.duration));
  if (!options.tags.empty()) {
    base::Json tags = base::Json::object();
    for (const auto& [name, value] : options.tags) tags.set(name, value);
    out.set("tags", std::move(tags));
  }
  out.set("setupTimeout", duration_text(options.setup_timeout.value_or(std::chrono::seconds{60})));
  out.set("teardownTimeout", duration_text(options.teardown_timeout.value_or(std::chrono::seconds{60})));
  out.set("maxRedirects", options.max_redirects.value_or(10));
  out.set("batch", options.batch.value_or(20));
  out.set("batchPerHost", options.batch_per_host.value_or(6));
  out.set("noConnectionReuse", options.no_connection_reuse.value_or(false));
  out.set("insecureSkipTLSVerify", options.insecure_skip_tls_verify.value_or(false));
  out.set("discardResponseBodies", options.discard_response_bodies.value_or(false));
  out.set("throw", options.throw_errors.value_or(false));
  put("userAgent", options.user_agent);
  base::Json stats = base::Json::array();
  if (options.summary_trend_stats) {
    for (const auto& name : *options.summary_trend_stats) stats.push_back(name);
  } else {
    for (const char* name : kDefaultTrendStats) stats.push_back(name);
  }
  out.set("summaryTrendStats", std::move(stats));
  return out;
}

}  // namespace securebase::k6
