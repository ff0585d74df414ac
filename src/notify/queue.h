// Deliveries that wait: what was acknowledged, for whom, when it is due, and what could not be delivered. All of it is
// in memory and in a journal on disk. A lane is one subscription's deliveries: lanes do not wait for each other.
//
// Threads: any. add() waits for the disk; nothing else does.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "notify/journal.h"
#include "notify/message.h"
#include "notify/notify.h"

namespace securebase::notify {

class Queue {
 public:
  // How a subscription's deliveries are taken.
  struct LaneRule {
    bool ordered = false;  // one at a time, in the order in which they came: a retry holds back those behind it
    bool held = false;     // none now (no relay is set)
    std::size_t concurrency = 8;
    std::chrono::milliseconds interval{0};  // at least this between two attempts
  };
  // nullopt: there is no such subscription. Called under the queue's lock.
  using Rules = std::function<std::optional<LaneRule>(const std::string& subscription)>;

  // `clock` outlives it.
  static Result<std::unique_ptr<Queue>> open(std::filesystem::path directory, const Limits& limits, Rules rules,
                                             const base::Clock& clock);
  ~Queue();

  // Returns when it is on disk. kLimit: the queue is full. kIo: the disk would not take it; nothing was added.
  Result<Done> add(MessagePointer message, const std::vector<std::string>& subscriptions);

  struct Delivery {
    std::uint64_t id = 0;
    MessagePointer message;
    std::string subscription;
    std::uint32_t attempts = 0;  // made before
  };
  // What is due now, at most so many; each comes back by one of the four below.
  std::vector<Delivery> take(std::size_t most);
  std::optional<base::TimePoint> next_due() const;

  void delivered(std::uint64_t id);
  void retry(std::uint64_t id, base::TimePoint due, std::string_view trouble);
  void dead(std::uint64_t id, std::string_view reason);
  // The attempt was not made.
  void put_back(std::uint64_t id);

  // Drops all of a subscription that is gone.
  void forget(const std::string& subscription);
  // Drops all of those that `known` does not know.
  void retain(const std::function<bool(const std::string&)>& known);

  // Called, from any thread and without lock, when something may have become due. Set before the first add().
  void on_news(std::function<void()> news) { news_ = std::move(news); }

  struct Lane {
    std::size_t waiting = 0;  // those under way included
    std::size_t dead = 0;
    std::string trouble;  // the last failure since the last success
  };
  std::map<std::string, Lane> lanes() const;
  struct Totals {
    std::size_t waiting = 0;
    std::size_t dead = 0;
    std::size_t bytes = 0;
    std::uint64_t dropped = 0;  // dead letters that had to make room
  };
  Totals totals() const;
  // Those due next, at most so many.
  std::vector<Waiting> waiting(std::size_t most) const;
  // Without redrive_target.
  std::vector<DeadLetter> dead_letters() const;
  // One, or those of a subscription, or all. How many.
  std::size_t redrive(std::optional<std::uint64_t> id, std::string_view subscription);
  std::size_t purge(std::optional<std::uint64_t> id, std::string_view subscription);

 private:
  struct Held {  // one message
    MessagePointer message;
    std::uint64_t first = 0;  // id of its first delivery; the others follow
    std::size_t total = 0;
    std::size_t alive = 0;
  };
  struct Entry {  // one delivery
    std::shared_ptr<Held> held;
    std::string subscription;
    std::uint32_t attempts = 0;
    base::TimePoint due{};
    bool committed = false;
    bool in_flight = false;
    bool dead = false;
    std::string reason;
    base::TimePoint died{};
  };
  using Turn = std::pair<base::TimePoint, std::uint64_t>;
  struct LaneState {
    std::set<Turn> waiting;  // ordered lanes: by id alone
    std::size_t in_flight = 0;
    std::size_t dead = 0;
    base::TimePoint not_before{};
    std::optional<base::TimePoint> scheduled;
    std::string trouble;
  };

  Queue(const Limits& limits, Rules rules, const base::Clock& clock);
  void replay(std::string_view record);
  void replay_message(const base::Json& json);
  std::vector<std::string> snapshot() const;
  std::string record_of(const Held& held) const;

  // Under mutex_, all below.
  void hold(const std::shared_ptr<Held>& held, std::vector<Entry> entries);
  void line_up(std::uint64_t id, Entry& entry);
  void reschedule(const std::string& subscription);
  void leave_flight(Entry& entry);
  void erase(std::uint64_t id);
  void forget_idle_lane(const std::string& subscription);
  void bury(std::uint64_t id, Entry& entry, std::string_view reason);
  void make_room_for_dead();
  std::vector<std::uint64_t> chosen_dead(std::optional<std::uint64_t> id, std::string_view subscription) const;

  const Limits limits_;
  const Rules rules_;
  const base::Clock& clock_;
  std::function<void()> news_;

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::uint64_t next_id_ = 1;
  std::map<std::uint64_t, std::shared_ptr<Held>> messages_;  // by first id
  std::unordered_map<std::uint64_t, Entry> entries_;
  std::map<std::string, LaneState> lanes_;
  std::set<std::pair<base::TimePoint, std::string>> schedule_;  // lanes by when their next is due
  std::set<std::uint64_t> dead_;
  std::size_t waiting_ = 0;
  std::size_t bytes_ = 0;
  std::uint64_t dropped_ = 0;

  std::unique_ptr<Journal> journal_;  // last: its thread asks for snapshots
};

}  // namespace securebase::notify
