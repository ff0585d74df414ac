// Virtual users that walk through an Artillery script: one flow per worker.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>

#include "load/artillery/outgoing.h"
#include "load/artillery/processor_link.h"
#include "load/artillery/received.h"
#include "load/artillery/tally.h"
#include "load/engine/session.h"

namespace securebase::load::artillery {

// What the flows of a run share. Any thread.
struct RunShared {
  const Script& script;
  Collector& collector;
  std::shared_ptr<const SharedVariables> variables;  // with what `before` has set
  const Processor* processor = nullptr;              // null: the script has none
  std::function<void(std::string_view)> print;       // of log steps and expectations; takes turns by itself
  std::function<void()> crashed;                     // the processor is gone: the run shall end
  bool colour = false;
  std::vector<std::atomic<std::uint64_t>> next_rows;  // by payload: of those in sequence
  std::atomic<bool> expectation_failed = false;
};

class ScriptFlow final : public Flow {
 public:
  // `shared` outlives it. `scenarios`: what users choose from by weight; `before` and `after` are a list of one.
  ScriptFlow(RunShared& shared, WorkerContext& worker, const std::vector<Scenario>& scenarios);
  ~ScriptFlow() override;

  net::Task<void> walk(Session& session) override;
  void skipped(const Arrival&) override { tally_.user_skipped(); }

  // Told how each walk ended, with its variables; for `before` and `after`.
  std::function<void(const Result<Done>&, const Variables&)> on_end;

 private:
  struct User;
  struct StepState;
  using Outcome = Result<Done>;  // the error's message is what errors.* counts; kCancelled: the run ends

  std::size_t choose() const;
  void give_variables(User& user);
  net::Task<Outcome> run_scenario(User& user);
  net::Task<Outcome> run_functions(User& user, const std::vector<std::string>& names);
  net::Task<Outcome> run_steps(User& user, std::span<const Step> steps);
  net::Task<Outcome> run_think(User& user, const ThinkStep& step);
  net::Task<Outcome> run_loop(User& user, const LoopStep& step);
  net::Task<Outcome> run_parallel(User& user, const ParallelStep& step);
  static net::Task<void> run_lane(ScriptFlow& flow, User& user, const ParallelStep& step, std::size_t& next,
                                  Outcome& outcome);
  net::Task<Outcome> run_function(User& user, const std::string& name);

  net::Task<Outcome> run_request(User& user, const RequestStep& step);
  net::Task<Result<bool>> wanted(User& user, const RequestStep& step);
  // The endpoint that is counted for is this one, or with dynamic URLs that of the URL as it was filled: each exchange
  // holds its own over its awaits, for other users are at the same step meanwhile.
  net::Task<Outcome> exchange(User& user, const RequestStep& step, StepState& state, Tally::Endpoint& endpoint);
  net::Task<Outcome> take_answer(User& user, const RequestStep& step, Tally::Endpoint& endpoint,
                                 const Outgoing& request, const Answer& answer);
  net::Task<Outcome> fail_request(User& user, Tally::Endpoint& endpoint, const RequestStep& step, Failure failure);
  Outcome check_expectations(User& user, const RequestStep& step, const Outgoing& request, const Received& received);
  StepState& state_of(const RequestStep& step);

  // Calls a function of the processor; the answer's variables are the user's then, and its metrics are counted.
  net::Task<Result<base::Json>> call(User& user, const char* kind, const std::string& name, base::Json message);

  RunShared& shared_;
  const Config& config_;
  const std::vector<Scenario>& scenarios_;
  Tally tally_;
  std::vector<double> weights_;  // rising sums
  std::unordered_map<const RequestStep*, std::unique_ptr<StepState>> states_;
  std::unordered_map<std::string, std::unique_ptr<Tally::Endpoint>> dynamic_endpoints_;  // none is ever taken out
  FormFiles files_;
  std::unique_ptr<ProcessorLink> link_;
  std::uint64_t users_ = 0;
  std::string warned_;  // of functions that do not exist
};

}  // namespace securebase::load::artillery
