// scenario_from() and stages_from(): scenarios out of the options.
#include <fmt/format.h>

#include <charconv>

#include "k6/scenario.h"

namespace securebase::k6 {

namespace {

constexpr std::int64_t kMostCount = 1'000'000'000'000;  // of users, iterations: sums and products stay in 64 bits

Error bad_member(std::string_view where, std::string_view what) {
  return Error{Errc::kMalformed, fmt::format("{}: {}", where, what)};
}

// Takes members of one scenario; the first that is wrong is kept.
class Members {
 public:
  Members(const base::Json& value, std::string where) : value_(value), where_(std::move(where)) {}

  bool has(std::string_view name) const {
    const auto* found = value_.find(name);
    return found && !found->is_null();
  }
  void duration(std::string_view name, Nanoseconds& into) {
    if (!has(name)) return;
    auto parsed = duration_from(value_[name]);
    if (parsed) {
      into = *parsed;
    } else {
      fail(name, parsed.error().message);
    }
  }
  void integer(std::string_view name, std::int64_t& into) {
    if (!has(name)) return;
    const auto number = value_[name].integer_or(-1);
    if (number < 0 || number > kMostCount) {
      return fail(name, fmt::format("expected a whole number from 0 to {}, found {}", kMostCount, value_[name].dump()));
    }
    into = number;
  }
  void number(std::string_view name, double& into) {
    if (!has(name)) return;
    const double number = value_[name].number_or(-1);
    if (!(number >= 0)) return fail(name, fmt::format("expected a number from 0 on, found {}", value_[name].dump()));
    into = number;
  }
  void text(std::string_view name, std::string& into) {
    if (!has(name)) return;
    const auto* string = value_[name].as_string();
    if (!string || string->empty()) return fail(name, fmt::format("expected a text, found {}", value_[name].dump()));
    into = *string;
  }
  void texts(std::string_view name, std::map<std::string, std::string>& into) {
    if (!has(name)) return;
    const auto* object = value_[name].as_object();
    if (!object) return fail(name, "expected an object of texts");
    for (const auto& [key, value] : *object) into[key] = value.as_string() ? *value.as_string() : value.dump();
  }
  void stages(std::string_view name, std::vector<Stage>& into) {
    if (!has(name)) return;
    auto parsed = stages_from(value_[name], fmt::format("{}.{}", where_, name));
    if (parsed) {
      into = std::move(*parsed);
    } else if (!error_) {
      error_ = parsed.error();
    }
  }
  void fail(std::string_view name, std::string_view what) {
    if (!error_) error_ = bad_member(fmt::format("{}.{}", where_, name), what);
  }
  const std::optional<Error>& error() const { return error_; }

 private:
  const base::Json& value_;
  const std::string where_;
  std::optional<Error> error_;
};

}  // namespace

Result<std::vector<Stage>> parse_stages(std::string_view text) {
  std::vector<Stage> stages;
  while (!text.empty()) {
    const auto comma = text.find(',');
    const auto one = text.substr(0, comma);
    text = comma == std::string_view::npos ? std::string_view{} : text.substr(comma + 1);
    const auto colon = one.find(':');
    const auto wrong = [&one](std::string_view why) {
      return Error{Errc::kMalformed, fmt::format("'{}' is not a stage: {} (expected something like 30s:10)", one, why)};
    };
    if (colon == std::string_view::npos) return wrong("it has no ':' between duration and target");
    auto duration = parse_duration(one.substr(0, colon));
    if (!duration) return wrong(duration.error().message);
    double target = -1;
    const auto number = one.substr(colon + 1);
    const auto [end, failure] = std::from_chars(number.data(), number.data() + number.size(), target);
    if (failure != std::errc{} || end != number.data() + number.size() || !(target >= 0 && target < 1e9)) {
      return wrong("its target is not a number");
    }
    stages.push_back({*duration, target});
  }
  return stages;
}

Result<std::vector<Stage>> stages_from(const base::Json& value, std::string_view where) {
  const auto* list = value.as_array();
  if (!list) return bad_member(where, "expected a list of {duration, target}");
  std::vector<Stage> stages;
  for (std::size_t i = 0; i < list->size(); ++i) {
    const auto at = fmt::format("{}[{}]", where, i);
    const auto& one = (*list)[i];
    if (!one.is_object() || !one.find("duration")) return bad_member(at, "expected an object with duration and target");
    auto duration = duration_from(one["duration"]);
    if (!duration) return bad_member(at + ".duration", duration.error().message);
    const double target = one["target"].number_or(-1);
    if (!(target >= 0 && target < 1e9)) {
      return bad_member(at + ".target", fmt::format("expected a number from 0 on, found {}", one["target"].dump()));
    }
    stages.push_back({*duration, target});
  }
  if (stages.empty()) return bad_member(where, "has no stage");
  return stages;
}

Result<Scenario> scenario_from(std::string_view name, const base::Json& value) {
  const std::string where = fmt::format("scenarios.{}", name);
  if (!value.is_object()) return bad_member(where, "expected an object with an executor");
  Scenario scenario;
  scenario.name = std::string(name);
  const auto executor = executor_from(value["executor"].string_or(""));
  if (!executor) {
    return bad_member(where + ".executor",
                      fmt::format("expected one of {}; found {}", names_of_executors(), value["executor"].dump()));
  }
  scenario.executor = *executor;
  Members members(value, where);
  members.duration("startTime", scenario.start_time);
  members.duration("gracefulStop", scenario.graceful_stop);
  members.text("exec", scenario.exec);
  members.texts("env", scenario.env);
  members.texts("tags", scenario.tags);
  switch (scenario.executor) {
    case Executor::kSharedIterations:
    case Executor::kPerVuIterations:
      scenario.duration = std::chrono::minutes{10};
      members.integer("vus", scenario.vus);
      members.integer("iterations", scenario.iterations);
      members.duration("maxDuration", scenario.duration);
      break;
    case Executor::kConstantVus:
      members.integer("vus", scenario.vus);
      members.duration("duration", scenario.duration);
      if (!members.has("duration")) members.fail("duration", "is missing");
      break;
    case Executor::kRampingVus:
      members.integer("startVUs", scenario.start_vus);
      members.stages("stages", scenario.stages);
      members.duration("gracefulRampDown", scenario.graceful_ramp_down);
      if (!members.has("stages")) members.fail("stages", "is missing");
      break;
    case Executor::kConstantArrivalRate:
    case Executor::kRampingArrivalRate: {
      const bool constant = scenario.executor == Executor::kConstantArrivalRate;
      members.number(constant ? "rate" : "startRate", scenario.rate);
      members.duration("timeUnit", scenario.time_unit);
      members.integer("preAllocatedVUs", scenario.pre_allocated_vus);
      scenario.max_vus = scenario.pre_allocated_vus;
      members.integer("maxVUs", scenario.max_vus);
      if (constant) {
        members.duration("duration", scenario.duration);
        if (!members.has("rate")) members.fail("rate", "is missing");
        if (!members.has("duration")) members.fail("duration", "is missing");
      } else {
        members.stages("stages", scenario.stages);
        if (!members.has("stages")) members.fail("stages", "is missing");
      }
      if (!members.has("preAllocatedVUs")) members.fail("preAllocatedVUs", "is missing");
      break;
    }
  }
  if (members.error()) return *members.error();
  if (auto valid = validate(scenario); !valid) return valid.error();
  return scenario;
}

}  // namespace securebase::k6
