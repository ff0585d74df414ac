// A value that is replaced whole while others read it: configuration, routes, behaviours.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>

namespace securebase::base {

// Readers on the hot path hold a Snapshot<T>::View of their own: it refreshes itself only when the value was replaced,
// so a read costs one relaxed load and no shared reference count. Any thread may set() and get(); a View belongs to
// one thread.
template <class T>
class Snapshot {
 public:
  explicit Snapshot(std::shared_ptr<const T> value) : value_(std::move(value)) {}
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

  std::shared_ptr<const T> get() const {
    const std::lock_guard lock(mutex_);
    return value_;
  }

  void set(std::shared_ptr<const T> value) {
    const std::lock_guard lock(mutex_);
    value_.swap(value);
    version_.fetch_add(1, std::memory_order_release);
  }

  class View {
   public:
    // `source` outlives the view.
    explicit View(const Snapshot& source) : source_(&source) {}

    // Valid until the next call of this thread's current(); keep shared() to hold it across an await.
    const T& current() { return *shared(); }

    const std::shared_ptr<const T>& shared() {
      const auto version = source_->version_.load(std::memory_order_acquire);
      if (!value_ || version != version_seen_) {
        value_ = source_->get();
        version_seen_ = version;
      }
      return value_;
    }

   private:
    const Snapshot* source_;
    std::shared_ptr<const T> value_;
    std::uint64_t version_seen_ = 0;
  };

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const T> value_;
  std::atomic<std::uint64_t> version_{1};
};

}  // namespace securebase::base
