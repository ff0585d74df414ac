#include "load/distribute/coordinator.h"

#include <fmt/format.h>

#include <thread>

#include "load/distribute/plan.h"
#include "load/measure/measured_json.h"
#include "net/http/client.h"

namespace securebase::load {

namespace {

using base::Json;

constexpr std::size_t kResultBytes = std::size_t{64} << 20;  // base::Json reads no more
constexpr std::chrono::seconds kPoll{1};
constexpr int kPatience = 10;  // polls in a row that may fail

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

net::Task<void> keep_answer(net::Task<Result<Json>> asked, Result<Json>& answer) { answer = co_await std::move(asked); }

class Hand {
 public:
  Hand(net::Address address, std::string token) : address_(std::move(address)), token_(std::move(token)) {}

  Result<Done> begin(const RunSettings& settings) {
    auto answer = ask(http::Method::kPost, "/v1/runs", to_json(settings).dump());
    if (!answer) return answer.error();
    path_ = "/v1/runs/" + std::string((*answer)["id"].string_or(""));
    return Done{};
  }
  // "running" until there is a result; a failed poll may be a passing one.
  Result<Done> look() {
    auto answer = ask(http::Method::kGet, path_, "");
    if (!answer) {
      if (++failed_ < kPatience && answer.error().code != Errc::kDenied) return Done{};
      return answer.error();
    }
    failed_ = 0;
    const auto state = (*answer)["state"].string_or("");
    if (state == "failed") {
      return Error{Errc::kIo, fmt::format("worker {}: {}", address_.to_string(), (*answer)["message"].string_or(""))};
    }
    if (state == "running") {
      elapsed_ = std::chrono::milliseconds{(*answer)["elapsed_ms"].integer_or(0)};
      users_ = static_cast<std::uint64_t>(std::max<std::int64_t>(0, (*answer)["users"].integer_or(0)));
      return Done{};
    }
    auto result = result_from_json((*answer)["result"]);
    if (!result) return result.error().within("worker " + address_.to_string());
    result_ = std::move(*result);
    return Done{};
  }
  void end() {
    if (path_.empty() || result_) return;
    if (auto ended = ask(http::Method::kDelete, path_, ""); !ended) return;  // it forgets the run by itself
  }

  const std::optional<RunResult>& result() const { return result_; }
  std::uint64_t users() const { return users_; }
  std::chrono::milliseconds elapsed() const { return elapsed_; }

 private:
  Result<Json> ask(http::Method method, std::string path, std::string body) {
    Question question;
    question.method = method;
    question.address = address_;
    question.path = std::move(path);
    question.body = std::move(body);
    question.token = token_;
    net::Worker worker(0);
    Result<Json> answer = Json{};
    worker.run_until_done(keep_answer(ask_worker(std::move(question)), answer));
    if (!answer) return answer.error().within("worker " + address_.to_string());
    return answer;
  }

  const net::Address address_;
  const std::string token_;
  std::string path_;
  std::optional<RunResult> result_;
  std::uint64_t users_ = 0;
  std::chrono::milliseconds elapsed_{};
  int failed_ = 0;
};

// Asks the rest to end, and waits a little for what they have.
Error give_up(std::vector<Hand>& hands, Error why) {
  for (auto& hand : hands) hand.end();
  return why;
}

RunResult merged(const std::vector<Hand>& hands, const RunSettings& settings) {
  RunResult whole = *hands.front().result();
  for (std::size_t i = 1; i < hands.size(); ++i) {
    const auto& other = *hands[i].result();
    whole.measured.merge(other.measured);
    whole.generator.merge(other.generator);
    whole.interrupted = whole.interrupted || other.interrupted;
    whole.started = std::min(whole.started, other.started);
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
  for (std::size_t i = 0; i < hands.size(); ++i) {
    auto share = settings;
    share.share.index = i;
    share.share.of = hands.size();
    auto begun = hands[i].begin(share);
    if (!begun) return give_up(hands, begun.error());
  }
  bool stopped = false;
  for (bool all = false; !all;) {
    std::this_thread::sleep_for(kPoll);
    if (stop.load() && !std::exchange(stopped, true)) {
      for (auto& hand : hands) hand.end();
    }
    all = true;
    Live live;
    live.whole = schedule->duration();
    live.open = settings.open();
    for (auto& hand : hands) {
      if (hand.result()) continue;
      auto looked = hand.look();
      if (!looked) return give_up(hands, looked.error());
      all = all && hand.result();
      live.progress.users += hand.users();
      live.progress.elapsed = std::max(live.progress.elapsed, hand.elapsed());
    }
    if (told) told(live);
  }
  return merged(hands, settings);
}

}  // namespace securebase::load
