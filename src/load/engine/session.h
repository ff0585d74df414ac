// One virtual user, on one worker: its connections, its cookies, its waiting.
//
// A front end plugs in like this. It implements Flow, whose walk() is a coroutine that is started for each arrival; the
// engine makes one Flow per worker (so it needs no locks), a Session per user, and calls
//
//   net::Task<void> MyFlow::walk(Session& session) {
//     auto request = make_request("GET", url, headers);        // or one made before
//     Answer answer = co_await session.send(*request, Keep::kAll);
//     if (!answer.ok()) { count(node_name(answer.failure)); co_return; }
//     count(answer.status); record(answer.times.first_byte - answer.times.sent);
//     auto slept = co_await session.think(2s);
//     if (!slept) co_return;                                   // the run is over
//   }
//
// What a flow measures it records itself, into session.recorder() (measure/recorder.h), under its tool's names. The
// times of an answer are raw; the first request of a walk has an intended start, session.intended(), which latency from
// schedule is counted from. The engine records what is the generator's own: see Generator in engine/engine.h.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "load/engine/connections.h"
#include "load/engine/cookies.h"
#include "load/engine/exchange.h"
#include "load/engine/schedule.h"
#include "load/measure/recorder.h"
#include "net/task.h"

namespace securebase::load {

class Session {
 public:
  // All outlive it. `shared`: the worker's pool, when users share connections; null: it has its own, closed with it.
  Session(WorkerContext& worker, Arrival arrival, base::SteadyPoint intended, Connections* shared);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  const Arrival& arrival() const { return arrival_; }
  base::SteadyPoint intended() const { return intended_; }
  Recorder& recorder() { return worker_.recorder; }
  // Whether what begins now counts: not before the end of the warm-up.
  bool measured() const { return std::chrono::steady_clock::now() >= worker_.measured_from; }
  bool intended_is_measured() const { return intended_ >= worker_.measured_from; }
  // Whether the run wants its users to end: after the last phase and its grace, or when it was interrupted. Waiting
  // ends then, and requests under way are given up with kCancelled.
  bool stopping() const { return worker_.stop.requested(); }

  // Whether the phases are over: who asks again and again begins nothing new then; what is under way gets the grace.
  bool phases_are_over() const { return std::chrono::steady_clock::now() >= worker_.phases_end; }
  std::chrono::nanoseconds until_phases_end() const { return worker_.phases_end - std::chrono::steady_clock::now(); }

  // Sends over a kept connection to the origin, or a new one. Never fails: a failure is in the answer. Several may be
  // under way at once, each on a connection of its own. `request` and `limits` outlive the await.
  net::Task<Answer> send(const Request& request, Keep keep, const Limits& limits);
  net::Task<Answer> send(const Request& request, Keep keep) { return send(request, keep, default_limits()); }
  const Limits& default_limits() const { return worker_.limits; }

  // kCancelled: the run ends.
  net::Task<Result<Done>> think(std::chrono::nanoseconds duration);

  // For flows that want them: remembers Set-Cookie fields of an answer whose head was kept, and gives the Cookie field
  // for a URL ("" for none).
  void take_cookies(const Url& url, const Answer& answer) { cookies_.take(url, answer); }
  std::string cookies_for(const Url& url) const { return cookies_.field_for(url); }
  CookieJar& cookies() { return cookies_; }

 private:
  WorkerContext& worker_;
  const Arrival arrival_;
  const base::SteadyPoint intended_;
  Connections own_;
  Connections& connections_;
  CookieJar cookies_;
};

// What a front end does for one virtual user. One Flow per worker.
class Flow {
 public:
  virtual ~Flow() = default;
  // One user's walk. The session lives as long as the walk.
  virtual net::Task<void> walk(Session& session) = 0;
  // An arrival that was skipped because phase.max_users were at work.
  virtual void skipped(const Arrival& arrival) = 0;
};

}  // namespace securebase::load
