#include "traces/store/keeper.h"

#include "base/log.h"

namespace securebase::traces {

namespace {

constexpr std::chrono::seconds kKeepAfter{60};
// A minute's merges. There is seldom more than one; after an update from a version that did not merge there are many.
constexpr int kMostMerges = 4;

}  // namespace

Keeper::~Keeper() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  bell_.notify_all();
  thread_.join();
}

void Keeper::run(Store& store) {
  std::unique_lock lock(mutex_);
  while (!bell_.wait_for(lock, kKeepAfter, [this] { return stopping_; })) {
    lock.unlock();
    store.expire();
    for (int i = 0; i < kMostMerges; ++i) {
      const auto merged = store.merge();
      if (!merged) base::log(base::Level::kWarning, "traces", "{}", merged.error().message);
      if (!merged || !*merged) break;
    }
    lock.lock();
  }
}

}  // namespace securebase::traces
