// What an invocation asks of others, so that a trace shows where its time went. The sums go to the platform with every
// result, in a header field; of a trace that is sampled, each call goes to the X-Ray daemon as a subsegment besides.
// A process serves one invocation at a time, so there is one list; not for two threads.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace securebase::lambda {

enum class Peer { kSql, kCache };

// Measures one call; it is counted when the timer goes.
class CallTimer {
 public:
  // `what`: the statement's name or the command; outlives the invocation.
  CallTimer(Peer peer, const char* what) : peer_(peer), what_(what), begin_(std::chrono::steady_clock::now()) {}
  ~CallTimer();
  CallTimer(const CallTimer&) = delete;
  CallTimer& operator=(const CallTimer&) = delete;
  void fail() { failed_ = true; }

 private:
  const Peer peer_;
  const char* const what_;
  const base::SteadyPoint begin_;
  bool failed_ = false;
};

// Forgets the calls before. `trace`: the invocation's X-Amzn-Trace-Id.
void begin_calls(std::string_view trace);
// "Securebase-Runtime-Calls: sql=2;1234567, cache=1;45678\r\n": how many, and nanoseconds. "" without any.
std::string calls_header();
// Tells the daemon, if the trace is sampled and there is one. Never waits; what does not fit is lost.
void send_calls();

}  // namespace securebase::lambda
