// Users, scenarios and steps; requests are in flow_request.cc.
#include "load/artillery/flow.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/random.h"
#include "load/artillery/flow_state.h"
#include "load/artillery/reading.h"
#include "net/task_group.h"

namespace securebase::load::artillery {
namespace {

using std::chrono::nanoseconds;

// A loop without a request or a pause lets other users have a turn this often.
constexpr std::int64_t kLoopTurn = 64;

struct LoopRange {
  std::int64_t from = 0;
  std::int64_t to = 0;
};

// As Artillery reads a count: "5", "2-8" (from 2 on, up to but without 8), -1 without end; anything else is 0.
LoopRange loop_range(std::string_view text) {
  LoopRange range;
  const auto whole = [](std::string_view part, std::int64_t& into) {
    const auto got = std::from_chars(part.data(), part.data() + part.size(), into);
    return got.ec == std::errc{} && got.ptr == part.data() + part.size();
  };
  if (whole(text, range.to)) return range;
  const auto dash = text.find('-', 1);
  if (dash == std::string_view::npos || !whole(text.substr(0, dash), range.from) ||
      !whole(text.substr(dash + 1), range.to))
    return {};
  return range;
}

}  // namespace

ScriptFlow::ScriptFlow(RunShared& shared, WorkerContext& worker, const std::vector<Scenario>& scenarios)
    : shared_(shared),
      config_(shared.script.config),
      scenarios_(scenarios),
      tally_(shared.collector, worker.recorder, shared.script.config, scenarios) {
  double sum = 0;
  for (const auto& scenario : scenarios) weights_.push_back(sum += scenario.weight);
  if (shared.processor != nullptr) {
    link_ = std::make_unique<ProcessorLink>(*shared.processor, [&shared] { shared.crashed(); });
  }
}

ScriptFlow::~ScriptFlow() = default;

std::size_t ScriptFlow::choose() const {
  if (&scenarios_ == &shared_.script.scenarios && shared_.script.only_scenario) return *shared_.script.only_scenario;
  const double drawn = Random::of_thread().fraction() * weights_.back();
  const auto found = std::upper_bound(weights_.begin(), weights_.end(), drawn);
  return std::min(static_cast<std::size_t>(found - weights_.begin()), weights_.size() - 1);
}

void ScriptFlow::give_variables(User& user) {
  Random& random = Random::of_thread();
  const auto pick = [&](std::size_t size) {
    return static_cast<std::size_t>(random.between(0, static_cast<std::int64_t>(size) - 1));
  };
  for (std::size_t p = 0; p < config_.payloads.size(); ++p) {
    const Payload& payload = config_.payloads[p];
    if (payload.load_all || payload.rows.empty()) continue;
    const std::size_t row = payload.order == Payload::Order::kSequence
                                ? shared_.next_rows[p].fetch_add(1, std::memory_order_relaxed) % payload.rows.size()
                                : pick(payload.rows.size());
    const auto& values = payload.rows[row];
    for (std::size_t i = 0; i < payload.fields.size() && i < values.size(); ++i)
      user.variables.set(payload.fields[i], values[i]);
  }
  for (const auto& [name, choices] : config_.picked_variables) {
    if (!choices.empty()) user.variables.set(name, choices[pick(choices.size())]);
  }
  user.variables.set("$uuid", base::random_uuid());
}

net::Task<void> ScriptFlow::walk(Session& session) {
  const std::size_t chosen = choose();
  User user(session, ++users_, scenarios_[chosen], shared_.variables);
  give_variables(user);
  user.jar_in_use = !config_.default_cookies.empty();
  tally_.user_began(chosen);
  const auto begun = std::chrono::steady_clock::now();
  auto outcome = co_await run_scenario(user);
  if (user.known_to_processor) link_->forget(user.id);
  if (on_end) on_end(outcome, user.variables);
  if (!outcome && outcome.error().code == Errc::kCancelled) co_return;  // neither completed nor failed
  if (!outcome) tally_.error(outcome.error().message);
  tally_.user_ended(outcome.has_value(), std::chrono::steady_clock::now() - begun);
}

net::Task<ScriptFlow::Outcome> ScriptFlow::run_scenario(User& user) {
  auto before = co_await run_functions(user, user.scenario.before_scenario);
  if (!before) co_return before.error();
  auto walked = co_await run_steps(user, user.scenario.flow);
  if (!walked) co_return walked.error();
  auto after = co_await run_functions(user, user.scenario.after_scenario);
  co_return after;
}

net::Task<ScriptFlow::Outcome> ScriptFlow::run_functions(User& user, const std::vector<std::string>& names) {
  for (const auto& name : names) {
    auto done = co_await run_function(user, name);
    if (!done) co_return done.error();
  }
  co_return Done{};
}

net::Task<ScriptFlow::Outcome> ScriptFlow::run_steps(User& user, std::span<const Step> steps) {
  for (const auto& step : steps) {
    if (user.session.stopping()) co_return Error{Errc::kCancelled, "the run ends"};
    Outcome outcome = Done{};
    if (const auto* request = std::get_if<RequestStep>(&step.what)) {
      outcome = co_await run_request(user, *request);
    } else if (const auto* think = std::get_if<ThinkStep>(&step.what)) {
      outcome = co_await run_think(user, *think);
    } else if (const auto* loop = std::get_if<LoopStep>(&step.what)) {
      outcome = co_await run_loop(user, *loop);
    } else if (const auto* parallel = std::get_if<ParallelStep>(&step.what)) {
      outcome = co_await run_parallel(user, *parallel);
    } else if (const auto* function = std::get_if<FunctionStep>(&step.what)) {
      outcome = co_await run_function(user, function->function);
    } else if (const auto* log = std::get_if<LogStep>(&step.what)) {
      const auto value = log->text.value(user.variables);
      std::string text;
      append_as_text(&value, text);
      shared_.print(text + "\n");
    }
    if (!outcome) co_return outcome;
  }
  co_return Done{};
}

net::Task<ScriptFlow::Outcome> ScriptFlow::run_think(User& user, const ThinkStep& step) {
  nanoseconds duration{};
  if (const auto* known = std::get_if<nanoseconds>(&step.duration)) {
    duration = *known;
  } else {
    const std::string text = std::get<Template>(step.duration).text(user.variables);
    const auto read = parse_duration(text);
    if (!read) co_return Error{Errc::kMalformed, fmt::format("Invalid think time: {}", text)};
    duration = *read;
  }
  if (step.jitter) {
    const double milliseconds = std::chrono::duration<double, std::milli>(duration).count();
    const double spread = step.jitter->percent ? milliseconds * step.jitter->amount / 100 : step.jitter->amount;
    const double jittered = std::max(0.0, milliseconds - spread + Random::of_thread().fraction() * 2 * spread);
    duration = std::chrono::duration_cast<nanoseconds>(std::chrono::duration<double, std::milli>(jittered));
  }
  auto thought = co_await user.session.think(duration);
  co_return thought;
}

net::Task<ScriptFlow::Outcome> ScriptFlow::run_loop(User& user, const LoopStep& step) {
  const base::Json::Array* elements = step.elements ? &*step.elements : nullptr;
  base::Json::Array of_variable;
  if (!step.over.empty()) {
    const auto* found = user.variables.find(parse_path(step.over));
    if (found == nullptr || !found->is_array()) co_return Done{};
    of_variable = *found->as_array();
    elements = &of_variable;
  }
  LoopRange range{0, -1};
  if (step.count) range = loop_range(step.count->text(user.variables));
  for (std::int64_t i = range.from;; ++i) {
    const bool more = !step.while_true.empty() || (elements != nullptr ? i < static_cast<std::int64_t>(elements->size())
                                                                       : i < range.to || range.to == -1);
    if (!more) break;
    user.variables.set(step.value_name, i);
    if (elements == nullptr) {
      if (i == range.from) user.variables.set(step.element_name, i);
    } else if (i < static_cast<std::int64_t>(elements->size())) {
      const auto filled = TemplateValue::compile((*elements)[static_cast<std::size_t>(i)]);
      user.variables.set(step.element_name,
                         filled ? filled->value(user.variables) : (*elements)[static_cast<std::size_t>(i)]);
    }
    auto outcome = co_await run_steps(user, step.steps);
    if (!outcome) co_return outcome;
    if (!step.while_true.empty()) {
      auto answer = co_await call(user, "while", step.while_true, base::Json::object());
      if (!answer) co_return answer.error();
      if (!(*answer)["b"].bool_or(false)) break;
    }
    if ((i - range.from) % kLoopTurn == kLoopTurn - 1) {
      auto turn = co_await user.session.think(nanoseconds{0});
      if (!turn) co_return turn.error();
    }
  }
  co_return Done{};
}

net::Task<void> ScriptFlow::run_lane(ScriptFlow& flow, User& user, const ParallelStep& step, std::size_t& next,
                                     Outcome& outcome) {
  while (next < step.steps.size() && outcome) {
    const std::size_t mine = next++;
    auto done = co_await flow.run_steps(user, std::span(step.steps).subspan(mine, 1));
    if (!done && outcome) outcome = done.error();
  }
}

net::Task<ScriptFlow::Outcome> ScriptFlow::run_parallel(User& user, const ParallelStep& step) {
  net::TaskGroup lanes;
  net::Cancellation* const mine = co_await net::this_cancellation();
  Outcome outcome = Done{};
  std::size_t next = 0;
  const std::size_t count = std::min(step.limit, step.steps.size());
  for (std::size_t i = 0; i < count; ++i) {
    // The lanes end with the user, whose cancellation is not the group's.
    auto lane = run_lane(*this, user, step, next, outcome);
    if (mine != nullptr) {
      lanes.spawn(std::move(lane).under(*mine));
    } else {
      lanes.spawn(std::move(lane));
    }
  }
  co_await lanes.drain();
  co_return outcome;
}

net::Task<ScriptFlow::Outcome> ScriptFlow::run_function(User& user, const std::string& name) {
  if (!link_ || !link_->processor().has(name)) {
    // Artillery counts it, and goes on.
    tally_.error(fmt::format("Undefined function \"{}\"", name));
    co_return Done{};
  }
  auto answer = co_await call(user, "function", name, base::Json::object());
  if (!answer) co_return answer.error();
  co_return Done{};
}

net::Task<Result<base::Json>> ScriptFlow::call(User& user, const char* kind, const std::string& name,
                                               base::Json message) {
  if (!link_) co_return Error{Errc::kUnavailable, fmt::format("Undefined function \"{}\"", name)};
  message.set("k", kind);
  message.set("f", name);
  message.set("u", user.id);
  message.set("s", user.scenario.name);
  if (!user.known_to_processor) user.variables.watch();
  user.known_to_processor = true;
  auto changes = user.variables.take_changes();
  if (!changes.set.empty()) message.set("v", std::move(changes.set));
  if (!changes.erased.empty()) {
    base::Json::Array erased(changes.erased.begin(), changes.erased.end());
    message.set("d", std::move(erased));
  }
  auto answer = co_await link_->call(std::move(message));
  if (!answer) {
    if (answer.error().code == Errc::kClosed) co_return Error{Errc::kCancelled, "the processor is gone"};
    co_return answer.error();
  }
  if (const auto* changed = (*answer)["v"].as_object()) {
    for (const auto& [variable, value] : *changed) user.variables.set(variable, value);
  }
  if (const auto* erased = (*answer)["d"].as_array()) {
    for (const auto& variable : *erased) user.variables.erase(variable.string_or(""));
  }
  user.variables.take_changes();  // node knows them
  if (const auto* metrics = (*answer)["m"].as_array()) {
    for (const auto& metric : *metrics) {
      const auto* parts = metric.as_array();
      if (parts == nullptr || parts->size() != 3 || !(*parts)[2].is_number()) continue;
      const auto what = (*parts)[0].string_or("");
      const auto metric_name = (*parts)[1].string_or("");
      if (what == "counter") {
        tally_.count(metric_name, (*parts)[2].number_or(0));
      } else if (what == "rate") {
        tally_.rate(metric_name);
      } else {
        tally_.measure(metric_name, (*parts)[2].number_or(0));
      }
    }
  }
  if (const auto* error = answer->find("x"))
    co_return Error{Errc::kIo, std::string((*error)["code"].string_or("error"))};
  co_return std::move(*answer);
}

}  // namespace securebase::load::artillery
