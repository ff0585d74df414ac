#include "load/distribute/coordinator.h"

#include <fmt/format.h>

#include <thread>

#include "load/distribute/plan.h"
#include "load/measure/measured_json.h"
#include "net/http/client.h"
#include "net/task_group.h"
#include "net/worker.h"

namespace securebase::load {

namespace {

using base::Json;

constexpr std::size_t kResultBytes = std::size_t{64} << 20;  // base::Json reads no more
constexpr int kPatience = 10;                                // polls in a row that may fail
constexpr std::chrono::seconds kAnswerTime{20};              // of one question; a long run's result has some megabytes

struct Question {
  http::Method method = http::Method::kGet;
  net::Address address;
  std::string path;
  std::string body;
  std::string token;
};

net::Task<Result<Json>> ask_worker(Question question) {
  http::Client client;
  http::ClientRequest request;
  request.origin = question.address;
  request.method = question.method;
  request.target = question.path;
  if (!question.token.empty()) request.headers.add("Authorization", "Bearer " + question.token);
  if (!question.body.empty()) {
    request.headers.add("Content-Type", "application/json");
    request.body = std::move(question.body);
  }
  auto response = co_await client.send(std::move(request));
  if (!response) co_return response.error();
  std::string text = "{}";
  if (response->body) {
    auto read = co_await http::read_all(*response->body, kResultBytes);
    if (!read) co_return read.error();
    if (!read->empty()) text = std::move(*read);
  }
  auto json = Json::parse(text);
  if (!json) co_return json.error().within("the worker's answer");
  if (response->status >= 300) {
    co_return Error{Errc::kDenied, fmt::format("status {}: {}", response->status, (*json)["message"].string_or(""))};
  }
  co_return std::move(*json);
}

struct Asked {
  Question question;
  Result<Json> answer = Json{};
};

net::Task<void> keep_answer(Asked& asked) {
  asked.answer = co_await net::with_timeout(kAnswerTime, ask_worker(std::move(asked.question)));
}

net::Task<void> ask_together(std::vector<Asked>& all) {
  net::TaskGroup asking;
  for (auto& asked : all) asking.spawn(keep_answer(asked));
  co_await asking.drain();
}

// One of the machines, as far as it is known here.
class Hand {
 public:
  Hand(net::Address address, std::string token) : address_(std::move(address)), token_(std::move(token)) {}

  Asked begin(const RunSettings& share) const { return ask(http::Method::kPost, "/v1/runs", to_json(share).dump()); }
  Result<Done> begun(Result<Json> answer) {
    if (!answer) return within(answer.error());
    path_ = "/v1/runs/" + std::string((*answer)["id"].string_or(""));
    return Done{};
  }
  // Whether there is more to be asked for.
  bool at_work() const { return !path_.empty() && !result_; }
  Asked look() const { return ask(http::Method::kGet, path_, ""); }
  Asked end() const { return ask(http::Method::kDelete, path_, ""); }

  // "running" until there is a result; a failed look may be a passing one.
  Result<Done> looked(Result<Json> answer) {
    if (!answer) {
      if (++failed_ < kPatience && answer.error().code != Errc::kDenied) return Done{};
      return within(answer.error());
    }
    failed_ = 0;
    const auto state = (*answer)["state"].string_or("");
    if (state == "failed") return within(Error{Errc::kIo, std::string((*answer)["message"].string_or(""))});
    if (state == "running") {
      elapsed_ = std::chrono::milliseconds{(*answer)["elapsed_ms"].integer_or(0)};
      users_ = static_cast<std::uint64_t>(std::max<std::int64_t>(0, (*answer)["users"].integer_or(0)));
      warming_up_ = (*answer)["warming_up"].bool_or(false);
      return Done{};
    }
    auto result = result_from_json((*answer)["result"]);
    if (!result) return within(result.error());
    result_ = std::move(*result);
    users_ = 0;
    return Done{};
  }

  Error still_at_work() const {
    return within({Errc::kTimeout, "it says that it still runs, long after the schedule's end; restart it"});
  }
  const std::optional<RunResult>& result() const { return result_; }
  std::uint64_t users() const { return users_; }
  std::chrono::milliseconds elapsed() const { return elapsed_; }
  bool warming_up() const { return warming_up_; }

 private:
  Asked ask(http::Method method, std::string path, std::string body) const {
    Asked asked;
    asked.question.method = method;
    asked.question.address = address_;
    asked.question.path = std::move(path);
    asked.question.body = std::move(body);
    asked.question.token = token_;
    return asked;
  }
  Error within(const Error& error) const { return error.within("worker " + address_.to_string()); }

  const net::Address address_;
  const std::string token_;
  std::string path_;
  std::optional<RunResult> result_;
  std::uint64_t users_ = 0;
  std::chrono::milliseconds elapsed_{};
  bool warming_up_ = true;  // until it says otherwise
  int failed_ = 0;
};

// Puts a question to all of them at once, so that a slow one delays no other.
std::vector<Result<Json>> answers_of(std::vector<Asked> questions) {
  net::Worker worker(0);
  worker.run_until_done(ask_together(questions));
  std::vector<Result<Json>> answers;
  for (auto& asked : questions) answers.push_back(std::move(asked.answer));
  return answers;
}

std::vector<Hand*> at_work(std::vector<Hand>& hands) {
  std::vector<Hand*> some;
  for (auto& hand : hands) {
    if (hand.at_work()) some.push_back(&hand);
  }
  return some;
}

// From the first arrival to the last answer that may be waited for.
std::chrono::nanoseconds longest(const RunSettings& settings, std::chrono::nanoseconds schedule) {
  return schedule + settings.limits.connect + settings.limits.whole;
}

// Who does not hear it forgets the run by itself.
void end_all(std::vector<Hand>& hands) {
  std::vector<Asked> questions;
  for (const auto* hand : at_work(hands)) questions.push_back(hand->end());
  answers_of(std::move(questions));
}

Result<Done> begin_all(std::vector<Hand>& hands, const RunSettings& settings) {
  std::vector<Asked> questions;
  for (std::size_t i = 0; i < hands.size(); ++i) {
    auto share = settings;
    share.share.index = i;
    share.share.of = hands.size();
    questions.push_back(hands[i].begin(share));
  }
  auto answers = answers_of(std::move(questions));
  Result<Done> outcome = Done{};
  for (std::size_t i = 0; i < hands.size(); ++i) {
    auto begun = hands[i].begun(std::move(answers[i]));
    if (!begun && outcome) outcome = begun;
  }
  return outcome;
}

Result<Done> look_at_all(std::vector<Hand>& hands) {
  const auto looked_at = at_work(hands);
  std::vector<Asked> questions;
  for (const auto* hand : looked_at) questions.push_back(hand->look());
  auto answers = answers_of(std::move(questions));
  for (std::size_t i = 0; i < looked_at.size(); ++i) {
    auto looked = looked_at[i]->looked(std::move(answers[i]));
    if (!looked) return looked;
  }
  return Done{};
}

RunResult merged(const std::vector<Hand>& hands, const RunSettings& settings, base::TimePoint started) {
  RunResult whole = *hands.front().result();
  whole.tool = RunResult{}.tool;
  whole.scenario = settings.scenario;
  whole.target = settings.target;
  whole.open = settings.open();
  whole.started = started;  // their clocks are theirs
  whole.checks.clear();
  whole.findings = whole.hops = {};
  for (std::size_t i = 1; i < hands.size(); ++i) {
    const auto& other = *hands[i].result();
    whole.measured.merge(other.measured);
    whole.generator.merge(other.generator);
    whole.interrupted = whole.interrupted || other.interrupted;
  }
  whole.settings.set("workers", std::uint64_t{hands.size()});
  whole.invalid_because = why_invalid(whole.generator, tightest_ms(settings.thresholds));
  whole.thresholds.clear();
  for (const auto& threshold : settings.thresholds) {
    whole.thresholds.push_back(judge(threshold, whole.measured, whole.open));
  }
  return whole;
}

}  // namespace

Result<RunResult> run_on(const Fleet& fleet, const RunSettings& settings, const StopFlag& stop,
                         const std::function<void(const Live&)>& told) {
  check(!fleet.workers.empty(), "a fleet has a worker");
  auto schedule = Schedule::make(settings.phases);
  if (!schedule) return schedule.error();
  std::vector<Hand> hands;
  for (const auto& address : fleet.workers) hands.emplace_back(address, fleet.token);
  // A part of the load is another test: when one of them fails, the rest ends.
  if (auto begun = begin_all(hands, settings); !begun) {
    end_all(hands);
    return begun.error();
  }
  const auto started = base::system_clock().now();
  const auto last_moment = std::chrono::steady_clock::now() + longest(settings, schedule->duration()) + fleet.patience;
  bool stopped = false;
  while (!at_work(hands).empty()) {
    std::this_thread::sleep_for(fleet.each);
    if (stop.load() && !std::exchange(stopped, true)) end_all(hands);
    if (std::chrono::steady_clock::now() > last_moment) {
      const auto error = at_work(hands).front()->still_at_work();
      end_all(hands);
      return error;
    }
    if (auto looked = look_at_all(hands); !looked) {
      end_all(hands);
      return looked.error();
    }
    Live live;
    live.whole = schedule->duration();
    live.open = settings.open();
    for (const auto& hand : hands) {
      live.progress.users += hand.users();
      live.progress.elapsed = std::max(live.progress.elapsed, hand.elapsed());
      live.progress.warming_up = live.progress.warming_up || hand.warming_up();
    }
    if (told) told(live);
  }
  return merged(hands, settings, started);
}

}  // namespace securebase::load
