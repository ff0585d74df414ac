// Bodies that wait for a receiver, in the order of their times; in memory (spool.h has them on disk). When it is full
// the oldest ones go: what is newer says more, and cumulative series need no predecessors.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "monitoring/exports/snapshot.h"
#include "net/event.h"

namespace securebase::monitoring::exports {

// Any thread.
class Queue {
 public:
  explicit Queue(std::size_t limit_bytes) : limit_bytes_(limit_bytes) {}

  struct Waiting {
    std::uint64_t number = 0;  // from 1, one after the other
    std::shared_ptr<const std::string> body;
    std::size_t samples = 0;
  };

  // How many samples were dropped to make room. A body that is larger than the queue is dropped itself.
  std::size_t push(std::vector<Payload> payloads);
  // The oldest; its body is null when there is none.
  Waiting front() const;
  // It was sent, or refused. Nothing if it was dropped meanwhile.
  void remove(std::uint64_t number);

  // All of them, the oldest first.
  std::vector<Waiting> all() const;
  std::size_t bytes() const;
  // Tells of push().
  net::Event& news() { return news_; }

 private:
  const std::size_t limit_bytes_;
  mutable std::mutex mutex_;
  std::deque<Waiting> waiting_;
  std::size_t bytes_ = 0;
  std::uint64_t next_number_ = 1;
  net::Event news_;
};

}  // namespace securebase::monitoring::exports
