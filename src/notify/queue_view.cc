// What is seen of the queue: by lane, in all, what is due next and what could not be delivered.
#include <algorithm>

#include "notify/queue.h"

namespace securebase::notify {

std::map<std::string, Queue::Lane> Queue::lanes() const {
  const std::lock_guard lock(mutex_);
  std::map<std::string, Lane> all;
  for (const auto& [subscription, lane] : lanes_) {
    all[subscription] = {lane.waiting.size() + lane.in_flight, lane.dead, lane.trouble};
  }
  return all;
}

Queue::Totals Queue::totals() const {
  const std::lock_guard lock(mutex_);
  return {waiting_, dead_.size(), bytes_, dropped_};
}

std::vector<Waiting> Queue::waiting(std::size_t most) const {
  const std::lock_guard lock(mutex_);
  std::vector<std::pair<Turn, const Entry*>> turns;
  turns.reserve(waiting_);
  for (const auto& [id, entry] : entries_) {
    if (entry.committed && !entry.dead) turns.push_back({{entry.due, id}, &entry});
  }
  most = std::min(most, turns.size());
  const auto end = turns.begin() + static_cast<std::ptrdiff_t>(most);
  std::partial_sort(turns.begin(), end, turns.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<Waiting> next;
  for (auto turn = turns.begin(); turn != end; ++turn) {
    const auto& entry = *turn->second;
    const auto& message = *entry.held->message;
    next.push_back({entry.subscription, message.topic_arn, message.id, message.subject, entry.attempts,
                    message.published, entry.due, entry.in_flight});
  }
  return next;
}

std::vector<DeadLetter> Queue::dead_letters() const {
  const std::lock_guard lock(mutex_);
  std::vector<DeadLetter> letters;
  letters.reserve(dead_.size());
  for (const auto id : dead_) {
    const auto& entry = entries_.at(id);
    const auto& message = *entry.held->message;
    letters.push_back({id, entry.subscription, message.topic_arn, message.id, message.subject, entry.reason, "",
                       entry.attempts, message.published, entry.died});
  }
  return letters;
}

}  // namespace securebase::notify
