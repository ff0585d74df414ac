#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <thread>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "process/backoff.h"
#include "process/child_log.h"
#include "process/link.h"
#include "process/process.h"
#include "process/usage.h"

namespace securebase::process {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr milliseconds kFirstProbePause{5};
constexpr milliseconds kMostProbePause{100};
constexpr milliseconds kLogCheck{30'000};
constexpr milliseconds kMemoryCheck{100};
constexpr milliseconds kKillPatience{10'000};  // what SIGKILL may take before we say so
constexpr milliseconds kSilence{5'000};        // of a child that is not ready yet, before we say what it does

// One child's life, on its own thread. All members that change are under the link's lock, for one bell rings for all.
class Watched final : public Child {
 public:
  Watched(ChildSpec spec, std::shared_ptr<Link> link, bool stopping)
      : spec_(std::move(spec)),
        link_(std::move(link)),
        log_(spec_.log, spec_.log_bytes),
        backoff_(spec_.backoff, base::system_clock()),
        stopping_(stopping) {
    thread_ = std::thread([this] { live(); });
  }
  ~Watched() override { stop(); }

  Status status() const override {
    Status copy;
    link_->change([&] { copy = status_; });
    return copy;
  }

  Result<Done> wait_ready(milliseconds patience) override {
    link_->wait(steady_clock::now() + patience,
                [&] { return status_.state == State::kReady || status_.state == State::kFailed || over(); });
    const Status now = status();
    if (now.state == State::kReady) return Done{};
    if (now.state == State::kFailed) return Error{Errc::kUnavailable, fmt::format("{}: {}", spec_.name, now.reason)};
    if (stopping()) return Error{Errc::kCancelled, spec_.name + " is being stopped"};
    return Error{Errc::kTimeout, fmt::format("{} is not ready after {} ms: it is {}{}{}", spec_.name, patience.count(),
                                             to_string(now.state), now.reason.empty() ? "" : "; ", now.reason)};
  }

  Result<Done> signal(int number) override {
    std::uint64_t id = 0;
    link_->change([&] { id = running_; });
    if (id == 0) return Error{Errc::kUnavailable, spec_.name + " is not running"};
    link_->signal(id, number, Link::To::kChild);
    return Done{};
  }

  void stop() override {
    link_->change([&] { stopping_ = true; });
    const std::lock_guard lock(join_);
    if (thread_.joinable()) thread_.join();
  }

 private:
  bool over() const { return stopping_ || status_.state == State::kStopped; }

  void enter(State state, std::string reason) {
    link_->change([&] {
      status_.state = state;
      if (!reason.empty()) status_.reason = reason;
    });
  }

  void live() {
    bool was_ready = false;
    while (!stopping()) {
      backoff_.started();
      std::string reason = run_once(was_ready);
      if (stopping()) break;
      if (!was_ready) {
        enter(State::kFailed, std::move(reason));
        return;
      }
      const auto pause = backoff_.died();
      base::log(base::Level::kWarning, "process", "{} {}; it is started again in {} ms", spec_.name,
                reason.substr(0, reason.find('\n')), pause.count());
      enter(State::kBackingOff, std::move(reason));
      if (link_->wait(steady_clock::now() + pause, [&] { return stopping_; })) break;
      link_->change([&] { ++status_.restarts; });
    }
    enter(State::kStopped, "");
  }

  // From start to end. Gives the reason why it ended.
  std::string run_once(bool& was_ready) {
    enter(State::kStarting, "");
    if (spec_.prepare) {
      if (auto prepared = spec_.prepare(); !prepared) return prepared.error().message;
    }
    auto output = log_.open();
    if (!output) return output.error().message;
    auto id = link_->spawn(spec_.command, *output);
    close(*output);
    if (!id) return id.error().message;
    const pid_t pid = link_->pid(*id);
    link_->change([&] {
      running_ = *id;
      status_.pid = pid;
    });
    std::string reason = await_ready(*id);
    if (reason.empty()) {
      was_ready = true;
      enter(State::kReady, "");
      while (!link_->wait_end(*id, steady_clock::now() + kLogCheck, [&] { return stopping_; }) && !stopping()) {
        log_.cut();
      }
    }
    end(*id);
    const auto ended = link_->take_end(*id);
    link_->change([&] {
      running_ = 0;
      status_.pid = 0;
      if (status_.state == State::kReady) status_.state = State::kBackingOff;  // what has ended is not ready
    });
    if (reason.empty()) reason = ended.words;
    const auto lines = log_.last_lines();
    return lines.empty() ? reason : fmt::format("{}; its last words ({}):\n{}", reason, spec_.log.native(), lines);
  }

  // Empty when it is ready or should stop; else why it is not.
  std::string await_ready(std::uint64_t id) {
    const auto begin = steady_clock::now();
    auto deadline = begin + spec_.ready_within;
    bool told = false;
    std::string last;
    for (auto pause = kFirstProbePause;; pause = std::min(pause * 2, kMostProbePause)) {
      if (!spec_.ready) return "";
      auto ready = spec_.ready();
      if (ready) return "";
      last = ready.error().message;
      if (link_->wait_end(id, steady_clock::now() + pause, [&] { return stopping_; })) {
        return "ended before it was ready";
      }
      if (stopping()) return "";
      const auto now = steady_clock::now();
      if (!told && now >= begin + kSilence) {
        told = true;
        base::log(base::Level::kInfo, "process", "{} is not ready yet: {}", spec_.name, last);
      }
      if (now < deadline) continue;
      if (!spec_.at_work || !spec_.at_work()) {
        return fmt::format("was not ready after {} ms: {}", spec_.ready_within.count(), last);
      }
      deadline = now + spec_.ready_within;
      told = false;
    }
  }

  // Makes it end, if it has not: asks, waits, kills.
  void end(std::uint64_t id) {
    const auto never = [] { return false; };
    if (link_->wait_end(id, steady_clock::now(), never)) return;
    enter(State::kStopping, "");
    link_->signal(id, spec_.stop_signal, Link::To::kChild);
    if (link_->wait_end(id, steady_clock::now() + spec_.grace, never)) return;
    base::log(base::Level::kWarning, "process", "{} did not stop within {} ms and is killed", spec_.name,
              spec_.grace.count());
    while (true) {
      link_->signal(id, SIGKILL, Link::To::kGroup);
      if (link_->wait_end(id, steady_clock::now() + kKillPatience, never)) return;
      base::log(base::Level::kError, "process", "{} does not end although it was killed", spec_.name);
    }
  }

  bool stopping() const {
    bool value = false;
    link_->change([&] { value = stopping_; });
    return value;
  }

  const ChildSpec spec_;
  const std::shared_ptr<Link> link_;
  // Its thread only.
  ChildLog log_;
  Backoff backoff_;
  // Under the link's lock.
  Status status_;
  std::uint64_t running_ = 0;
  bool stopping_;
  std::mutex join_;
  std::thread thread_;
};

class SupervisorOnThreads final : public Supervisor {
 public:
  explicit SupervisorOnThreads(std::shared_ptr<Link> link) : link_(std::move(link)) {}
  ~SupervisorOnThreads() override { stop_all(); }

  std::shared_ptr<Child> add(ChildSpec spec) override {
    check(!spec.command.argv.empty(), "a child has a program");
    const std::lock_guard lock(mutex_);
    auto child = std::make_shared<Watched>(std::move(spec), link_, stopping());
    std::erase_if(children_, [](const auto& one) { return one.expired(); });
    children_.push_back(child);
    return child;
  }

  using Supervisor::run;
  Result<Finished> run(const Command& command, const RunLimits& limits) override {
    const int output = memfd_create("output", MFD_CLOEXEC);
    if (output < 0) return system_error(errno, "memfd_create", command.argv[0]);
    auto finished = run_into(command, limits, output);
    close(output);
    return finished;
  }

  void stop_all() override {
    std::vector<std::weak_ptr<Child>> children;
    {
      const std::lock_guard lock(mutex_);
      link_->change([this] { stopping_ = true; });
      children.swap(children_);
    }
    for (auto child = children.rbegin(); child != children.rend(); ++child) {
      if (auto alive = child->lock()) alive->stop();
    }
  }

  pid_t warden() const override { return link_->warden(); }

 private:
  bool stopping() const {
    bool value = false;
    link_->change([&] { value = stopping_; });
    return value;
  }

  // nullopt: it ended by itself, within its limits.
  std::optional<Error> await_end(std::uint64_t id, const Command& command, const RunLimits& limits) {
    const auto interrupted = [this] { return stopping_; };
    const auto deadline = steady_clock::now() + limits.time;
    const pid_t pid = link_->pid(id);
    for (;;) {
      const auto next = limits.memory_bytes > 0 ? steady_clock::now() + kMemoryCheck : deadline;
      if (link_->wait_end(id, std::min(next, deadline), interrupted)) return std::nullopt;
      if (stopping()) return Error{Errc::kCancelled, command.argv[0] + " was interrupted"};
      if (steady_clock::now() >= deadline) {
        return Error{Errc::kTimeout, fmt::format("{} took longer than {} ms", command.argv[0], limits.time.count())};
      }
      if (const auto used = memory_below(pid); used > limits.memory_bytes) {
        return Error{Errc::kLimit, fmt::format("{} and what it started took {} MiB of memory, more than the {} MiB "
                                               "that they may have",
                                               command.argv[0], used >> 20, limits.memory_bytes >> 20)};
      }
    }
  }

  Result<Finished> run_into(const Command& command, const RunLimits& limits, int output) {
    auto id = link_->spawn(command, output);
    if (!id) return id.error();
    if (auto exceeded = await_end(*id, command, limits)) {
      link_->signal(*id, SIGKILL, Link::To::kGroup);
      link_->wait_end(*id, steady_clock::now() + kKillPatience, [] { return false; });
      return std::move(*exceeded);
    }
    Finished finished;
    finished.exit_code = link_->take_end(*id).exit_code;
    constexpr off_t kMostBytes = 64 << 10;
    const off_t size = lseek(output, 0, SEEK_END);
    const off_t from = size > kMostBytes ? size - kMostBytes : 0;
    finished.output.resize(static_cast<std::size_t>(size - from));
    const ssize_t got = pread(output, finished.output.data(), finished.output.size(), from);
    finished.output.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return finished;
  }

  const std::shared_ptr<Link> link_;
  bool stopping_ = false;  // under the link's lock
  std::mutex mutex_;
  std::vector<std::weak_ptr<Child>> children_;  // in the order of their start
};

}  // namespace

std::string_view to_string(State state) {
  switch (state) {
    case State::kStarting:
      return "starting";
    case State::kReady:
      return "ready";
    case State::kBackingOff:
      return "backing off";
    case State::kStopping:
      return "stopping";
    case State::kStopped:
      return "stopped";
    case State::kFailed:
      return "failed";
  }
  return "";
}

Result<std::unique_ptr<Supervisor>> Supervisor::start(Settings settings) {
  auto link = std::make_shared<Link>(settings.program);
  if (auto opened = link->open(); !opened) return opened.error();
  return std::unique_ptr<Supervisor>(std::make_unique<SupervisorOnThreads>(std::move(link)));
}

}  // namespace securebase::process
