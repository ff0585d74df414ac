#include "cache/sweeper.h"

#include <algorithm>

namespace securebase::cache {

namespace {

constexpr std::size_t kWaiting = 1024;  // invalidations; beyond, whoever asks is told so

}  // namespace

Sweeper::Sweeper(Sweep sweep, const base::Clock& clock)
    : sweep_(std::move(sweep)), clock_(clock), thread_([this] { serve(); }) {}

Sweeper::~Sweeper() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  news_.notify_all();
  thread_.join();
}

void Sweeper::add(std::vector<std::string> tags, std::function<void(Result<Receipt>)> done) {
  for (auto& tag : tags) {
    if (tag.starts_with('#')) tag.erase(0, 1);
  }
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() < kWaiting && !ending_) {
      waiting_.push_back({std::move(tags), std::move(done)});
      news_.notify_one();
      return;
    }
  }
  done(Error{Errc::kLimit, "too many invalidations wait for Redis"});
}

void Sweeper::serve() {
  std::unique_lock lock(mutex_);
  for (;;) {
    news_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    std::deque<Waiting> batch;
    batch.swap(waiting_);
    lock.unlock();
    run(batch);
    lock.lock();
  }
}

void Sweeper::run(std::deque<Waiting>& batch) {
  std::vector<std::string> tags;
  for (const auto& one : batch) tags.insert(tags.end(), one.tags.begin(), one.tags.end());
  std::sort(tags.begin(), tags.end());
  tags.erase(std::unique(tags.begin(), tags.end()), tags.end());
  const auto begin = clock_.steady();
  auto swept = sweep_(tags);
  for (auto& one : batch) {
    if (!swept) {
      one.done(swept.error());
      continue;
    }
    Receipt receipt;
    for (const auto& tag : swept->tags) {
      if (std::find(one.tags.begin(), one.tags.end(), tag.name) != one.tags.end()) receipt.tags.push_back(tag);
    }
    receipt.keys_seen = swept->keys_seen;
    receipt.took = std::chrono::duration_cast<std::chrono::microseconds>(clock_.steady() - begin);
    one.done(std::move(receipt));
  }
}

}  // namespace securebase::cache
