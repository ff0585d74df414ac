#include "net/worker.h"

#include <fmt/format.h>
#include <pthread.h>

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
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

void Worker::post(base::Function<void()> work) { boost::asio::post(loop_->io, std::move(work)); }

void Worker::run() {
  const Here here(*this);
  loop_->io.restart();
  loop_->io.run();
}

void Worker::stop() { loop_->io.stop(); }

void Worker::run_until_done(Task<void> task) {
  const Here here(*this);
  loop_->io.restart();
  bool done = false;
  tasks_.spawn(run_then(std::move(task), done));
  while (!done) loop_->io.run_one();
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

struct Timer::Impl {
  explicit Impl(Worker& worker) : timer(worker.loop().io) {}
  boost::asio::steady_timer timer;
  base::Function<void()> expired;
  std::uint64_t round = 0;  // tells a start from the one before it, whose handler may be on its way
};

Timer::Timer(Worker& worker) : impl_(std::make_shared<Impl>(worker)) {}

Timer::~Timer() { cancel(); }

void Timer::start(std::chrono::steady_clock::duration after, base::Function<void()> expired) {
  impl_->expired = std::move(expired);
  impl_->timer.expires_after(after);
  impl_->timer.async_wait([impl = impl_, round = ++impl_->round](const boost::system::error_code& failure) {
    if (failure || round != impl->round) return;
    auto callback = std::move(impl->expired);
    callback();
  });
}

void Timer::cancel() {
  ++impl_->round;
  impl_->timer.cancel();
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

Error io_error(const boost::system::error_code& failure, std::string_view what) {
  if (failure == boost::asio::error::eof) return Error{Errc::kClosed, fmt::format("{}: the peer closed", what)};
  if (failure == boost::asio::error::operation_aborted)
    return Error{Errc::kCancelled, fmt::format("{}: cancelled", what)};
  return system_error(failure.value(), what, "");
}

}  // namespace securebase::net
