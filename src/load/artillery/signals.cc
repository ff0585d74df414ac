#include "load/artillery/signals.h"

#include <atomic>

namespace securebase::load::artillery {
namespace {

// What a signal handler may touch.
std::atomic<Engine*> running_engine = nullptr;
std::atomic<int> signal_came = 0;

void on_signal(int number) {
  signal_came.store(number);
  SignalWatch::stop_engine();
}

}  // namespace

SignalWatch::SignalWatch() {
  signal_came.store(0);
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  ::sigaction(SIGINT, &action, &before_[0]);
  ::sigaction(SIGTERM, &action, &before_[1]);
}

SignalWatch::~SignalWatch() {
  ::sigaction(SIGINT, &before_[0], nullptr);
  ::sigaction(SIGTERM, &before_[1], nullptr);
}

int SignalWatch::came() { return signal_came.load(); }

void SignalWatch::watch(Engine* engine) {
  running_engine.store(engine);
  if (engine != nullptr && came() != 0) engine->stop();
}

void SignalWatch::stop_engine() {
  if (auto* engine = running_engine.load()) engine->stop();
}

}  // namespace securebase::load::artillery
