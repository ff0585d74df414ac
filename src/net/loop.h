// The event loop of a worker: readiness of descriptors by epoll, timers, and work posted from other threads. Inside
// net/ only.
//
// A descriptor is registered once, edge-triggered; a read that came back short has emptied the socket, and the next one
// waits without asking the kernel. Asio would not be slower (docs/http.md has the measurement): this is here because it
// carries cancellation and hang-ups the way tasks need them, in a page of code that compiles quickly.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "base/clock.h"
#include "net/event.h"
#include "net/worker.h"

struct epoll_event;

namespace securebase::net {

struct Worker::Loop {
 public:
  // What hears of a descriptor's readiness. Every edge is told once: the source remembers it.
  class Source {
   public:
    virtual void on_ready(std::uint32_t epoll_events) = 0;

   protected:
    virtual ~Source() = default;
  };

  // Something to be done in the next round, on this thread, without allocation. Taken back by its destruction.
  class Deferred {
   public:
    Deferred() = default;
    Deferred(const Deferred&) = delete;
    Deferred& operator=(const Deferred&) = delete;
    bool is_deferred() const { return next_ != nullptr; }

   protected:
    virtual ~Deferred() { unlink(); }
    virtual void on_turn() {}
    void unlink();

   private:
    friend struct Worker::Loop;
    Deferred* next_ = nullptr;
    Deferred* previous_ = nullptr;
  };

  class TimerEntry {
   public:
    virtual void on_expired() = 0;
    bool is_armed() const { return place_ != kNowhere; }

   protected:
    virtual ~TimerEntry() = default;

   private:
    friend struct Worker::Loop;
    static constexpr std::size_t kNowhere = SIZE_MAX;
    base::SteadyPoint due_;
    std::size_t place_ = kNowhere;
  };

  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Any thread. From the loop's own, it costs no system call and runs in this round.
  void post(base::Function<void()> work);
  void stop();

  // On the worker's thread, all below.
  void run();
  void run_while(const bool& done);

  // Hears reading, writing and hang-up edges of `descriptor` until remove(). `source` outlives that.
  Result<Done> add(int descriptor, Source& source);
  void remove(int descriptor, Source& source);

  void defer(Deferred& deferred);

  void arm(TimerEntry& timer, base::SteadyPoint due);
  void disarm(TimerEntry& timer);

  // The time at which this round began, read once a round; and the rounds counted.
  base::SteadyPoint now() const { return now_; }
  std::uint64_t round() const { return round_; }

  // For what blocks in name resolution; made when first needed.
  Pool& resolver();

 private:
  static constexpr int kEvents = 128;

  void turn(bool may_block);
  void run_posted();
  void run_own();
  void run_deferred();
  void expire();
  void set_alarm();
  void place(std::size_t index, TimerEntry* timer);
  void sift_up(std::size_t index);
  void sift_down(std::size_t index);

  const int epoll_;
  const int wake_;   // eventfd: somebody posted
  const int alarm_;  // timerfd: the earliest timer is due. Cheaper than a timeout of epoll_wait, which the kernel arms
                     // and disarms each time.

  // Worker only.
  base::SteadyPoint now_;
  std::uint64_t round_ = 0;
  std::unique_ptr<epoll_event[]> events_;
  int event_next_ = 0;
  int event_count_ = 0;
  struct Ring final : Deferred {
  } turns_;
  std::vector<TimerEntry*> timers_;  // a binary heap, the earliest first
  base::SteadyPoint alarm_at_ = base::SteadyPoint::max();
  std::vector<base::Function<void()>> running_;
  std::vector<base::Function<void()>> own_;  // posted by this thread

  // Any thread.
  std::atomic<bool> stopped_ = false;
  std::atomic<bool> woken_ = false;  // wake_ is readable, or will be looked at before the loop blocks
  std::mutex mutex_;
  std::vector<base::Function<void()>> posted_;  // guarded by mutex_

  std::unique_ptr<Pool> resolver_;  // last: its threads end before the rest goes
};

}  // namespace securebase::net
