#include "net/loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>

namespace securebase::net {

namespace {

std::uint64_t drain_counter(int descriptor) {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto got = ::read(descriptor, &count, sizeof count);
  return count;
}

// Marks our own two descriptors among the sources.
void* const kWake = nullptr;

}  // namespace

void Worker::Loop::Deferred::unlink() {
  if (!next_) return;
  previous_->next_ = next_;
  next_->previous_ = previous_;
  next_ = previous_ = nullptr;
}

Worker::Loop::Loop()
    : epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      wake_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      alarm_(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)),
      now_(std::chrono::steady_clock::now()),
      events_(std::make_unique<epoll_event[]>(kEvents)) {
  check(epoll_ >= 0 && wake_ >= 0 && alarm_ >= 0, "a worker gets its three descriptors (see ulimit -n)");
  turns_.next_ = turns_.previous_ = &turns_;
  for (const int descriptor : {wake_, alarm_}) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = descriptor == wake_ ? kWake : static_cast<void*>(this);
    check(::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event) == 0, "epoll takes an eventfd and a timerfd");
  }
}

Worker::Loop::~Loop() {
  resolver_.reset();
  while (turns_.next_ != &turns_) turns_.next_->unlink();
  turns_.next_ = turns_.previous_ = nullptr;
  ::close(alarm_);
  ::close(wake_);
  ::close(epoll_);
}

void Worker::Loop::post(base::Function<void()> work) {
  if (Worker* here = Worker::current_or_null(); here && &here->loop() == this) {
    own_.push_back(std::move(work));
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    posted_.push_back(std::move(work));
  }
  if (woken_.exchange(true)) return;
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(wake_, &one, sizeof one);
}

void Worker::Loop::stop() {
  stopped_ = true;
  post([] {});
}

void Worker::Loop::run() {
  stopped_ = false;
  now_ = std::chrono::steady_clock::now();
  while (!stopped_) turn(true);
}

void Worker::Loop::run_while(const bool& done) {
  now_ = std::chrono::steady_clock::now();
  while (!done) turn(true);
}

void Worker::Loop::turn(bool may_block) {
  ++round_;
  const bool waiting = turns_.next_ != &turns_;
  const int timeout = may_block && !waiting && own_.empty() ? -1 : 0;
  event_next_ = 0;
  event_count_ = ::epoll_wait(epoll_, events_.get(), kEvents, timeout);
  now_ = std::chrono::steady_clock::now();
  if (waiting) run_deferred();
  bool posted = false;
  bool due = false;
  while (event_next_ < event_count_) {
    const auto event = events_[static_cast<std::size_t>(event_next_++)];
    if (event.data.ptr == kWake) {
      if (event.events) posted = true;  // else the source was removed in this round
    } else if (event.data.ptr == this) {
      due = true;
    } else {
      static_cast<Source*>(event.data.ptr)->on_ready(event.events);
    }
  }
  if (due) expire();
  if (posted) run_posted();
  run_own();
}

// What it posts in turn is run too, as a chain of tasks that wake each other is; but sockets get their turn in between.
void Worker::Loop::run_own() {
  constexpr int kRounds = 16;
  for (int i = 0; i < kRounds && !own_.empty(); ++i) {
    auto batch = std::move(own_);
    own_.clear();
    for (auto& work : batch) {
      auto once = std::move(work);
      once();
    }
  }
}

void Worker::Loop::run_posted() {
  drain_counter(wake_);
  woken_ = false;  // before the queue is taken: what is posted after that wakes again
  {
    const std::lock_guard lock(mutex_);
    running_.swap(posted_);
  }
  // Work may itself turn the loop (run_until_done inside posted work), so the vector is ours alone.
  auto batch = std::move(running_);
  running_.clear();
  for (auto& work : batch) {
    auto once = std::move(work);
    once();
  }
  batch.clear();
  running_ = std::move(batch);
}

void Worker::Loop::run_deferred() {
  // Those that are there now; what they defer comes in the next round.
  Ring now;
  now.next_ = turns_.next_;
  now.previous_ = turns_.previous_;
  now.next_->previous_ = &now;
  now.previous_->next_ = &now;
  turns_.next_ = turns_.previous_ = &turns_;
  while (now.next_ != &now) {
    Deferred* turn = now.next_;
    turn->unlink();
    turn->on_turn();
  }
  now.next_ = now.previous_ = nullptr;
}

void Worker::Loop::defer(Deferred& deferred) {
  if (deferred.is_deferred()) return;
  deferred.next_ = &turns_;
  deferred.previous_ = turns_.previous_;
  turns_.previous_->next_ = &deferred;
  turns_.previous_ = &deferred;
}

Result<Done> Worker::Loop::add(int descriptor, Source& source) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.ptr = &source;
  if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event) != 0) return system_error(errno, "epoll_ctl", "add");
  return Done{};
}

void Worker::Loop::remove(int descriptor, Source& source) {
  ::epoll_ctl(epoll_, EPOLL_CTL_DEL, descriptor, nullptr);
  // Edges of this round that were not told yet are not told any more.
  for (int i = event_next_; i < event_count_; ++i) {
    auto& event = events_[static_cast<std::size_t>(i)];
    if (event.data.ptr != &source) continue;
    event.data.ptr = kWake;
    event.events = 0;
  }
}

void Worker::Loop::place(std::size_t index, TimerEntry* timer) {
  timers_[index] = timer;
  timer->place_ = index;
}

void Worker::Loop::sift_up(std::size_t index) {
  TimerEntry* timer = timers_[index];
  while (index > 0) {
    const std::size_t parent = (index - 1) / 2;
    if (timers_[parent]->due_ <= timer->due_) break;
    place(index, timers_[parent]);
    index = parent;
  }
  place(index, timer);
}

void Worker::Loop::sift_down(std::size_t index) {
  TimerEntry* timer = timers_[index];
  for (;;) {
    std::size_t child = 2 * index + 1;
    if (child >= timers_.size()) break;
    if (child + 1 < timers_.size() && timers_[child + 1]->due_ < timers_[child]->due_) ++child;
    if (timer->due_ <= timers_[child]->due_) break;
    place(index, timers_[child]);
    index = child;
  }
  place(index, timer);
}

void Worker::Loop::arm(TimerEntry& timer, base::SteadyPoint due) {
  disarm(timer);
  timer.due_ = due;
  timers_.push_back(&timer);
  sift_up(timers_.size() - 1);
  if (due < alarm_at_) set_alarm();
}

void Worker::Loop::disarm(TimerEntry& timer) {
  if (!timer.is_armed()) return;
  const std::size_t hole = std::exchange(timer.place_, TimerEntry::kNowhere);
  TimerEntry* last = timers_.back();
  timers_.pop_back();
  if (last == &timer) return;
  place(hole, last);
  sift_up(hole);
  sift_down(last->place_);
}

// The alarm may ring for a timer that was disarmed meanwhile: one round too many costs less than resetting it each
// time.
void Worker::Loop::set_alarm() {
  alarm_at_ = timers_.empty() ? base::SteadyPoint::max() : timers_.front()->due_;
  if (timers_.empty()) return;
  const auto since_boot = std::max<std::int64_t>(
      1, std::chrono::duration_cast<std::chrono::nanoseconds>(alarm_at_.time_since_epoch()).count());
  itimerspec when{};
  when.it_value.tv_sec = since_boot / 1'000'000'000;
  when.it_value.tv_nsec = since_boot % 1'000'000'000;
  ::timerfd_settime(alarm_, TFD_TIMER_ABSTIME, &when, nullptr);
}

void Worker::Loop::expire() {
  drain_counter(alarm_);
  alarm_at_ = base::SteadyPoint::max();
  const auto now = std::chrono::steady_clock::now();
  while (!timers_.empty() && timers_.front()->due_ <= now) {
    TimerEntry* timer = timers_.front();
    disarm(*timer);
    timer->on_expired();
  }
  set_alarm();
}

Pool& Worker::Loop::resolver() {
  constexpr std::size_t kQueue = 256;  // lookups that wait; beyond, connecting fails with kLimit
  if (!resolver_) resolver_ = std::make_unique<Pool>(1, kQueue);
  return *resolver_;
}

}  // namespace securebase::net
