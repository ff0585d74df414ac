#include "net/worker.h"

#include <fmt/format.h>
#include <pthread.h>

#include <latch>
#include <thread>

#include "net/loop.h"

namespace securebase::net {

namespace {

thread_local Worker* current_worker = nullptr;

// Marks the calling thread as the worker's for as long as it lives.
class Here {
 public:
  explicit Here(Worker& worker) : before_(std::exchange(current_worker, &worker)) {}
  ~Here() { current_worker = before_; }
  Here(const Here&) = delete;
  Here& operator=(const Here&) = delete;

 private:
  Worker* before_;
};

Task<void> run_then(Task<void> task, bool& done) {
  co_await std::move(task);
  done = true;
}

}  // namespace

Worker::Worker(std::size_t index) : index_(index), loop_(std::make_unique<Loop>()) {}

Worker::~Worker() = default;

Worker& Worker::current() {
  check(current_worker != nullptr, "this is a worker's thread");
  return *current_worker;
}

Worker* Worker::current_or_null() { return current_worker; }

void Worker::post(base::Function<void()> work) { loop_->post(std::move(work)); }

void Worker::run() {
  const Here here(*this);
  loop_->run();
}

void Worker::stop() { loop_->stop(); }

void Worker::run_until_done(Task<void> task) {
  const Here here(*this);
  bool done = false;
  tasks_.spawn(run_then(std::move(task), done));
  loop_->run_while(done);
}

struct Workers::Impl {
  std::vector<std::unique_ptr<Worker>> workers;
  std::vector<std::thread> threads;
};

namespace {

Task<void> close_and_stop(Worker& worker) {
  co_await worker.tasks().close();
  worker.stop();
}

// The closing task cannot be one of the tasks that it closes.
struct Detached {
  struct promise_type : PromiseBase {
    Detached get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() noexcept {}
  };
};
Detached detach(Task<void> task) { co_await std::move(task); }

}  // namespace

Workers::Workers(std::size_t count) : impl_(std::make_unique<Impl>()) {
  check(count > 0, "there is at least one worker");
  for (std::size_t i = 0; i < count; ++i) impl_->workers.push_back(std::make_unique<Worker>(i));
  for (auto& worker : impl_->workers) {
    impl_->threads.emplace_back([&worker = *worker] {
      pthread_setname_np(pthread_self(), fmt::format("worker-{}", worker.index()).c_str());
      worker.run();
    });
  }
}

Workers::~Workers() { stop(); }

std::size_t Workers::size() const { return impl_->workers.size(); }

Worker& Workers::operator[](std::size_t index) { return *impl_->workers.at(index); }

void Workers::on_each(const std::function<void(Worker&)>& work) {
  check(current_worker == nullptr, "on_each is not called on a worker");
  std::latch done(static_cast<std::ptrdiff_t>(size()));
  for (auto& worker : impl_->workers) {
    worker->post([&work, &done, &worker = *worker] {
      work(worker);
      done.count_down();
    });
  }
  done.wait();
}

void Workers::stop() {
  if (impl_->threads.empty()) return;
  for (auto& worker : impl_->workers) {
    worker->post([&worker = *worker] { detach(close_and_stop(worker)); });
  }
  for (auto& thread : impl_->threads) thread.join();
  impl_->threads.clear();
}

struct Timer::Impl final : Worker::Loop::TimerEntry {
  explicit Impl(Worker& worker) : loop(worker.loop()) {}
  void on_expired() override {
    auto callback = std::move(expired);
    callback();  // may be the end of us
  }
  Worker::Loop& loop;
  base::Function<void()> expired;
};

Timer::Timer(Worker& worker) : impl_(std::make_unique<Impl>(worker)) {}

Timer::~Timer() { cancel(); }

void Timer::start(std::chrono::steady_clock::duration after, base::Function<void()> expired) {
  impl_->expired = std::move(expired);
  const auto now = std::chrono::steady_clock::now();
  const auto longest = base::SteadyPoint::max() - now;
  impl_->loop.arm(*impl_, after < longest ? now + after : base::SteadyPoint::max());
}

void Timer::cancel() {
  impl_->loop.disarm(*impl_);
  impl_->expired = {};
}

namespace {

class Sleep final : Cancellation::Hook {
 public:
  explicit Sleep(std::chrono::steady_clock::duration duration) : duration_(duration), timer_(Worker::current()) {}

  bool await_ready() const noexcept { return false; }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> awaiter) {
    Cancellation* cancellation = awaiter.promise().cancellation;
    if (cancellation && cancellation->requested()) {
      cancelled_ = true;
      return false;
    }
    awaiter_ = awaiter;
    if (cancellation) cancellation->add(*this);
    timer_.start(duration_, [this] { awaiter_.resume(); });
    return true;
  }
  Result<Done> await_resume() {
    unhook();
    if (cancelled_) return Error{Errc::kCancelled, "the sleep was cancelled"};
    return Done{};
  }

 private:
  // The awaiter resumes from the loop, not from inside whoever cancels.
  void on_cancel() override {
    cancelled_ = true;
    timer_.start({}, [this] { awaiter_.resume(); });
  }

  const std::chrono::steady_clock::duration duration_;
  Timer timer_;
  std::coroutine_handle<> awaiter_;
  bool cancelled_ = false;
};

}  // namespace

Task<Result<Done>> sleep_for(std::chrono::steady_clock::duration duration) {
  Sleep sleep(duration);
  co_return co_await sleep;
}

Error timeout_error(std::chrono::steady_clock::duration limit) {
  return Error{Errc::kTimeout, fmt::format("not done within {} ms",
                                           std::chrono::duration_cast<std::chrono::milliseconds>(limit).count())};
}

}  // namespace securebase::net
