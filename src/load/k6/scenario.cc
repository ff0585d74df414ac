#include "k6/scenario.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace securebase::k6 {

namespace {

struct ExecutorName {
  Executor executor;
  std::string_view name;
};
constexpr std::array<ExecutorName, 6> kExecutors = {{{Executor::kSharedIterations, "shared-iterations"},
                                                     {Executor::kPerVuIterations, "per-vu-iterations"},
                                                     {Executor::kConstantVus, "constant-vus"},
                                                     {Executor::kRampingVus, "ramping-vus"},
                                                     {Executor::kConstantArrivalRate, "constant-arrival-rate"},
                                                     {Executor::kRampingArrivalRate, "ramping-arrival-rate"}}};

constexpr std::int64_t kMostCount = 1'000'000'000'000;  // of users, iterations: sums and products stay in 64 bits
constexpr double kMostSecondsOfStages = 10.0 * 366 * 86'400;

Nanoseconds from_seconds(double seconds) { return Nanoseconds{std::llround(seconds * 1e9)}; }

Nanoseconds total_of(const std::vector<Stage>& stages) {
  Nanoseconds total{};
  for (const auto& stage : stages) total += stage.duration;
  return total;
}

Error bad(std::string_view where, std::string_view what) {
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
    if (!error_) error_ = bad(fmt::format("{}.{}", where_, name), what);
  }
  const std::optional<Error>& error() const { return error_; }

 private:
  const base::Json& value_;
  const std::string where_;
  std::optional<Error> error_;
};

}  // namespace

std::string_view to_string(Executor executor) {
  for (const auto& entry : kExecutors) {
    if (entry.executor == executor) return entry.name;
  }
  return "";
}

std::optional<Executor> executor_from(std::string_view name) {
  for (const auto& entry : kExecutors) {
    if (entry.name == name) return entry.executor;
  }
  return std::nullopt;
}

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
  if (!list) return bad(where, "expected a list of {duration, target}");
  std::vector<Stage> stages;
  for (std::size_t i = 0; i < list->size(); ++i) {
    const auto at = fmt::format("{}[{}]", where, i);
    const auto& one = (*list)[i];
    if (!one.is_object() || !one.find("duration")) return bad(at, "expected an object with duration and target");
    auto duration = duration_from(one["duration"]);
    if (!duration) return bad(at + ".duration", duration.error().message);
    const double target = one["target"].number_or(-1);
    if (!(target >= 0 && target < 1e9)) {
      return bad(at + ".target", fmt::format("expected a number from 0 on, found {}", one["target"].dump()));
    }
    stages.push_back({*duration, target});
  }
  if (stages.empty()) return bad(where, "has no stage");
  return stages;
}

Result<Scenario> scenario_from(std::string_view name, const base::Json& value) {
  const std::string where = fmt::format("scenarios.{}", name);
  if (!value.is_object()) return bad(where, "expected an object with an executor");
  Scenario scenario;
  scenario.name = std::string(name);
  const auto executor = executor_from(value["executor"].string_or(""));
  if (!executor) {
    std::string known;
    for (const auto& entry : kExecutors) known += fmt::format("{}{}", known.empty() ? "" : ", ", entry.name);
    return bad(where + ".executor", fmt::format("expected one of {}; found {}", known, value["executor"].dump()));
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

Result<Done> validate(const Scenario& scenario) {
  const std::string where = fmt::format("scenarios.{}", scenario.name);
  const bool plain = !scenario.name.empty() && std::all_of(scenario.name.begin(), scenario.name.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
  });
  if (!plain) return bad(where, "a scenario's name has only letters, digits, underscores and dashes");
  const auto users = scenario.users_at_most();
  if (users > Scenario::kMostVus) {
    return bad(where, fmt::format("asks for {} users: one generator has at most {}", users, Scenario::kMostVus));
  }
  double staged_seconds = 0;
  for (const auto& stage : scenario.stages) staged_seconds += seconds_of(stage.duration);
  if (staged_seconds > kMostSecondsOfStages) return bad(where + ".stages", "last more than 10 years");
  switch (scenario.executor) {
    case Executor::kSharedIterations:
    case Executor::kPerVuIterations:
      if (scenario.vus < 1) return bad(where + ".vus", "must be at least 1");
      if (scenario.iterations < 1) return bad(where + ".iterations", "must be at least 1");
      if (scenario.executor == Executor::kSharedIterations && scenario.iterations < scenario.vus) {
        return bad(where + ".iterations",
                   fmt::format("{} iterations cannot be shared by {} users: expected at least as many",
                               scenario.iterations, scenario.vus));
      }
      if (scenario.duration < std::chrono::seconds{1}) return bad(where + ".maxDuration", "must be at least 1s");
      break;
    case Executor::kConstantVus:
      if (scenario.vus < 1) return bad(where + ".vus", "must be at least 1");
      if (scenario.duration < std::chrono::seconds{1}) return bad(where + ".duration", "must be at least 1s");
      break;
    case Executor::kRampingVus:
      if (users < 1) return bad(where, "never has a user: startVUs or a stage's target must be more than 0");
      break;
    case Executor::kConstantArrivalRate:
    case Executor::kRampingArrivalRate:
      if (scenario.time_unit.count() <= 0) return bad(where + ".timeUnit", "must be more than 0");
      if (scenario.executor == Executor::kConstantArrivalRate) {
        if (!(scenario.rate > 0)) return bad(where + ".rate", "must be more than 0");
        if (scenario.duration < std::chrono::seconds{1}) return bad(where + ".duration", "must be at least 1s");
      }
      if (scenario.max_vus < 1) return bad(where + ".maxVUs", "must be at least 1");
      if (scenario.max_vus < scenario.pre_allocated_vus) {
        return bad(where + ".maxVUs", "must not be less than preAllocatedVUs");
      }
      break;
  }
  return Done{};
}

std::int64_t Scenario::users_at_most() const {
  switch (executor) {
    case Executor::kSharedIterations:
    case Executor::kPerVuIterations:
    case Executor::kConstantVus:
      return vus;
    case Executor::kRampingVus: {
      double most = static_cast<double>(start_vus);
      for (const auto& stage : stages) most = std::max(most, stage.target);
      return static_cast<std::int64_t>(most);
    }
    case Executor::kConstantArrivalRate:
    case Executor::kRampingArrivalRate:
      return max_vus;
  }
  return 0;
}

std::int64_t Scenario::users_at_start() const { return open_model() ? pre_allocated_vus : users_at_most(); }

Nanoseconds Scenario::regular_duration() const {
  const bool staged = executor == Executor::kRampingVus || executor == Executor::kRampingArrivalRate;
  return staged ? total_of(stages) : duration;
}

Nanoseconds Scenario::end() const { return start_time + regular_duration() + graceful_stop; }

double Scenario::planned_iterations() const {
  const double unit = seconds_of(time_unit);
  switch (executor) {
    case Executor::kSharedIterations:
      return static_cast<double>(iterations);
    case Executor::kPerVuIterations:
      return static_cast<double>(iterations) * static_cast<double>(vus);
    case Executor::kConstantArrivalRate:
      return rate * seconds_of(duration) / unit;
    case Executor::kRampingArrivalRate: {
      double total = 0;
      double from = rate;
      for (const auto& stage : stages) {
        total += (from + stage.target) / 2 * seconds_of(stage.duration) / unit;
        from = stage.target;
      }
      return total;
    }
    default:
      return 0;
  }
}

Arrivals::Arrivals(const Scenario& scenario) : ramping_(scenario.executor == Executor::kRampingArrivalRate) {
  const double unit = seconds_of(scenario.time_unit);
  if (!ramping_) {
    const double rate = scenario.rate / unit;
    pieces_.push_back({0, seconds_of(scenario.duration), rate, rate, 0});
    return;
  }
  double from = scenario.rate / unit;
  double begin = 0;
  double before = 0;
  for (const auto& stage : scenario.stages) {
    const double to = stage.target / unit;
    const double duration = seconds_of(stage.duration);
    pieces_.push_back({begin, duration, from, to, before});
    begin += duration;
    before += duration * (from + to) / 2;
    from = to;
  }
}

std::optional<Nanoseconds> Arrivals::next() {
  const double wanted = ramping_ ? count_ + 1 : count_;
  while (piece_ < pieces_.size()) {
    const Piece& piece = pieces_[piece_];
    const double area = piece.duration * (piece.from + piece.to) / 2;
    const double left = wanted - piece.before;
    // A constant rate's arrivals lie in [0, duration), a ramp's in (0, end].
    if (ramping_ ? left > area * (1 + 1e-12) : left >= area * (1 - 1e-12)) {
      ++piece_;
      continue;
    }
    count_ += 1;
    double at = 0;
    if (piece.from == piece.to) {
      at = left / piece.from;
    } else {
      // left = from t + slope t^2 / 2, in the form that does not divide by a vanishing slope.
      const double slope = (piece.to - piece.from) / piece.duration;
      const double root = std::sqrt(std::max(0.0, piece.from * piece.from + 2 * slope * left));
      at = piece.from + root > 0 ? 2 * left / (piece.from + root) : 0;
    }
    return from_seconds(piece.begin + std::min(at, piece.duration));
  }
  return std::nullopt;
}

double Arrivals::rate_at(Nanoseconds since_start) const {
  const double at = seconds_of(since_start);
  for (const auto& piece : pieces_) {
    if (at >= piece.begin && at < piece.begin + piece.duration) {
      return piece.from + (piece.to - piece.from) * (at - piece.begin) / piece.duration;
    }
  }
  return 0;
}

std::vector<Stretch> stretches_of(const Scenario& scenario, std::int64_t place) {
  std::vector<Stretch> stretches;
  const double mine = static_cast<double>(place) + 1;  // wanted while there are at least so many
  double from = static_cast<double>(scenario.start_vus);
  double begin = 0;
  bool on = from >= mine;
  double since = 0;
  for (const auto& stage : scenario.stages) {
    const double duration = seconds_of(stage.duration);
    const double to = std::floor(stage.target);
    if (!on && to >= mine) {
      on = true;
      since = begin + (to > from ? duration * (mine - from) / (to - from) : duration);
    } else if (on && to < mine) {
      // With a count of n users the nth leaves when the line has come down to n - 1.
      const double until = begin + (from > to ? duration * (from - (mine - 1)) / (from - to) : duration);
      on = false;
      stretches.push_back({from_seconds(since), from_seconds(until)});
    }
    from = to;
    begin += duration;
  }
  if (on) stretches.push_back({from_seconds(since), from_seconds(begin)});
  return stretches;
}

std::int64_t users_wanted(const Scenario& scenario, Nanoseconds since_start) {
  double from = static_cast<double>(scenario.start_vus);
  double begin = 0;
  const double at = seconds_of(since_start);
  for (const auto& stage : scenario.stages) {
    const double duration = seconds_of(stage.duration);
    const double to = std::floor(stage.target);
    if (at < begin + duration) {
      const double line = from + (to - from) * (at - begin) / duration;
      return static_cast<std::int64_t>(to > from ? std::floor(line) : std::ceil(line));
    }
    from = to;
    begin += duration;
  }
  return 0;
}

std::int64_t users_needed(const std::vector<Scenario>& scenarios, bool at_most) {
  std::int64_t needed = 0;
  // The need changes only where a scenario begins.
  for (const auto& moment : scenarios) {
    std::int64_t users = 0;
    for (const auto& scenario : scenarios) {
      if (scenario.start_time <= moment.start_time && moment.start_time < scenario.end()) {
        users += at_most ? scenario.users_at_most() : scenario.users_at_start();
      }
    }
    needed = std::max(needed, users);
  }
  return needed;
}

}  // namespace securebase::k6
