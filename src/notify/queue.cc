#include "notify/queue.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"

namespace securebase::notify {

namespace {

std::int64_t microseconds(base::TimePoint time) { return time.time_since_epoch().count(); }
base::TimePoint time_of(const base::Json& json) {
  return base::TimePoint{std::chrono::microseconds{json.integer_or(0)}};
}

std::string note(std::string_view what, std::uint64_t id) {
  return base::Json::object({{"r", what}, {"id", id}}).dump();
}

}  // namespace

Queue::Queue(const Limits& limits, Rules rules, const base::Clock& clock)
    : limits_(limits), rules_(std::move(rules)), clock_(clock) {}

Queue::~Queue() = default;

Result<std::unique_ptr<Queue>> Queue::open(std::filesystem::path directory, const Limits& limits, Rules rules,
                                           const base::Clock& clock) {
  std::unique_ptr<Queue> queue(new Queue(limits, std::move(rules), clock));
  auto journal =
      Journal::open(std::move(directory), {[raw = queue.get()](std::string_view record) { raw->replay(record); },
                                           [raw = queue.get()] {
                                             const std::lock_guard lock(raw->mutex_);
                                             return raw->snapshot();
                                           }});
  if (!journal) return journal.error();
  queue->journal_ = std::move(*journal);
  const std::lock_guard lock(queue->mutex_);
  for (auto& [id, entry] : queue->entries_) {
    if (!entry.dead) queue->line_up(id, entry);
  }
  return queue;
}

// --- on disk ----------------------------------------------------------------------------------------------------

// {"r":"message","first":7,"to":[[0,"arn:...",attempts,due,reason,died],...], and the message's own members}
std::string Queue::record_of(const Held& held) const {
  base::Json json = to_json(*held.message);
  json.set("r", "message").set("first", held.first).set("total", std::uint64_t{held.total});
  base::Json::Array to;
  for (std::size_t i = 0; i < held.total; ++i) {
    const auto found = entries_.find(held.first + i);
    if (found == entries_.end()) continue;
    const auto& entry = found->second;
    base::Json one = base::Json::array({std::uint64_t{i}, entry.subscription});
    if (entry.attempts > 0 || entry.dead) one.push_back(entry.attempts).push_back(microseconds(entry.due));
    if (entry.dead) one.push_back(entry.reason).push_back(microseconds(entry.died));
    to.push_back(std::move(one));
  }
  json.set("to", std::move(to));
  return json.dump();
}

std::vector<std::string> Queue::snapshot() const {
  std::vector<std::string> records;
  records.reserve(messages_.size() + 1);
  // Ids are not given twice, even if all that had them is gone.
  records.push_back(note("next", next_id_));
  for (const auto& [first, held] : messages_) records.push_back(record_of(*held));
  return records;
}

void Queue::replay(std::string_view record) {
  const auto parsed = base::Json::parse(record);
  if (!parsed) {
    base::log(base::Level::kError, "notify", "a record of the queue is no JSON: {}", parsed.error().message);
    return;
  }
  const auto& json = *parsed;
  const auto what = json["r"].string_or("");
  if (what == "message") return replay_message(json);
  const auto id = static_cast<std::uint64_t>(json["id"].integer_or(0));
  if (what == "next") next_id_ = std::max(next_id_, id);
  const auto found = entries_.find(id);
  if (found == entries_.end()) return;
  auto& entry = found->second;
  if (what == "done") {
    erase(id);
  } else if (what == "retry") {
    entry.attempts = static_cast<std::uint32_t>(json["attempts"].integer_or(0));
    entry.due = time_of(json["due"]);
  } else if (what == "dead") {
    if (entry.dead) return;
    bury(id, entry, json["reason"].string_or(""));
    entry.attempts = static_cast<std::uint32_t>(json["attempts"].integer_or(0));
    entry.died = time_of(json["died"]);
  } else if (what == "redrive" && entry.dead) {
    entry.dead = false;
    entry.attempts = 0;
    entry.due = time_of(json["due"]);
    dead_.erase(id);
    --lanes_[entry.subscription].dead;
    ++waiting_;
  }
}

void Queue::replay_message(const base::Json& json) {
  auto message = message_from(json);
  const auto* to = json["to"].as_array();
  if (!message || !to) {
    base::log(base::Level::kError, "notify", "a message of the queue cannot be read: {}",
              message ? "it has no receivers" : message.error().message);
    return;
  }
  auto held = std::make_shared<Held>();
  held->first = static_cast<std::uint64_t>(json["first"].integer_or(0));
  held->total = static_cast<std::size_t>(json["total"].integer_or(0));
  // Said again by a snapshot that was written between a record's appending and its writing.
  if (messages_.contains(held->first)) return;
  held->message = std::make_shared<const Message>(std::move(*message));
  std::vector<Entry> entries(held->total);
  for (const auto& one : *to) {
    const auto* parts = one.as_array();
    if (!parts || parts->size() < 2) continue;
    const auto index = static_cast<std::size_t>((*parts)[0].integer_or(0));
    if (index >= entries.size()) continue;
    auto& entry = entries[index];
    entry.subscription = (*parts)[1].string_or("");
    entry.due = held->message->published;
    entry.committed = true;
    if (parts->size() >= 4) {
      entry.attempts = static_cast<std::uint32_t>((*parts)[2].integer_or(0));
      entry.due = time_of((*parts)[3]);
    }
    if (parts->size() >= 6) {
      entry.dead = true;
      entry.reason = (*parts)[4].string_or("");
      entry.died = time_of((*parts)[5]);
    }
  }
  next_id_ = std::max(next_id_, held->first + held->total);
  hold(held, std::move(entries));
}

// --- in memory --------------------------------------------------------------------------------------------------

// Entries without a subscription are those that were done before.
void Queue::hold(const std::shared_ptr<Held>& held, std::vector<Entry> entries) {
  std::uint64_t id = held->first;
  for (auto& entry : entries) {
    if (!entry.subscription.empty()) {
      entry.held = held;
      ++held->alive;
      if (entry.dead) {
        dead_.insert(id);
        ++lanes_[entry.subscription].dead;
      } else {
        ++waiting_;
      }
      entries_.emplace(id, std::move(entry));
    }
    ++id;
  }
  if (held->alive == 0) return;
  bytes_ += held->message->bytes();
  messages_.emplace(held->first, held);
}

void Queue::line_up(std::uint64_t id, Entry& entry) {
  const auto rule = rules_(entry.subscription);
  const auto turn = rule && rule->ordered ? base::TimePoint{} : entry.due;
  lanes_[entry.subscription].waiting.insert({turn, id});
  reschedule(entry.subscription);
}

void Queue::reschedule(const std::string& subscription) {
  auto& lane = lanes_[subscription];
  if (lane.scheduled) schedule_.erase({*lane.scheduled, subscription});
  lane.scheduled.reset();
  const auto rule = rules_(subscription);
  if (!rule || rule->held || lane.waiting.empty()) return;
  if (lane.in_flight >= (rule->ordered ? 1 : rule->concurrency)) return;
  const auto& head = entries_.at(lane.waiting.begin()->second);
  lane.scheduled = std::max(head.due, lane.not_before);
  schedule_.insert({*lane.scheduled, subscription});
}

void Queue::leave_flight(Entry& entry) {
  entry.in_flight = false;
  --lanes_[entry.subscription].in_flight;
}

void Queue::erase(std::uint64_t id) {
  const auto found = entries_.find(id);
  if (found == entries_.end()) return;
  auto& entry = found->second;
  auto& lane = lanes_[entry.subscription];
  if (entry.dead) {
    dead_.erase(id);
    --lane.dead;
  } else {
    --waiting_;
    if (entry.in_flight) --lane.in_flight;
    lane.waiting.erase({entry.due, id});
    lane.waiting.erase({base::TimePoint{}, id});
  }
  const auto held = entry.held;
  entries_.erase(found);
  if (--held->alive > 0) return;
  bytes_ -= held->message->bytes();
  messages_.erase(held->first);
}

void Queue::forget_idle_lane(const std::string& subscription) {
  const auto lane = lanes_.find(subscription);
  if (lane == lanes_.end()) return;
  const auto& state = lane->second;
  if (state.waiting.empty() && state.in_flight == 0 && state.dead == 0) lanes_.erase(lane);
}

void Queue::bury(std::uint64_t id, Entry& entry, std::string_view reason) {
  entry.dead = true;
  entry.reason = reason;
  entry.died = clock_.now();
  dead_.insert(id);
  ++lanes_[entry.subscription].dead;
  --waiting_;
}

// Ids rise with time, so the lowest is the oldest.
void Queue::make_room_for_dead() {
  const auto too_old = clock_.now() - limits_.dead_letter_time;
  while (!dead_.empty()) {
    const auto id = *dead_.begin();
    const bool full = dead_.size() > limits_.dead_letters || bytes_ > limits_.queue_bytes;
    if (!full && entries_.at(id).died >= too_old) return;
    if (full) ++dropped_;
    const auto& entry = entries_.at(id);
    base::log(base::Level::kWarning, "notify", "dead letter {} of message {} to {} is dropped: {}", id,
              entry.held->message->id, entry.subscription, full ? "there are too many" : "it is too old");
    erase(id);
    journal_->append(note("done", id));
  }
}

// --- deliveries -------------------------------------------------------------------------------------------------

Result<Done> Queue::add(MessagePointer message, const std::vector<std::string>& subscriptions) {
  if (subscriptions.empty()) return Done{};
  auto held = std::make_shared<Held>();
  std::uint64_t position = 0;
  bool died = false;
  {
    const std::lock_guard lock(mutex_);
    if (waiting_ + subscriptions.size() > limits_.queue_length) {
      return Error{Errc::kLimit, fmt::format("{} deliveries wait already, of {}", waiting_, limits_.queue_length)};
    }
    const auto size = message->bytes();
    bytes_ += size;
    make_room_for_dead();
    bytes_ -= size;
    if (bytes_ + size > limits_.queue_bytes) {
      return Error{Errc::kLimit, fmt::format("{} bytes of messages wait already, of {}", bytes_, limits_.queue_bytes)};
    }
    held->message = std::move(message);
    held->first = next_id_;
    held->total = subscriptions.size();
    next_id_ += held->total;
    std::vector<Entry> entries(held->total);
    for (std::size_t i = 0; i < subscriptions.size(); ++i) {
      entries[i].subscription = subscriptions[i];
      entries[i].due = held->message->published;
      const auto lane = lanes_.find(subscriptions[i]);
      if (lane == lanes_.end() || lane->second.waiting.size() + lane->second.in_flight < limits_.lane_length) continue;
      died = entries[i].dead = true;
      entries[i].reason = fmt::format("{} deliveries of this subscription wait already", limits_.lane_length);
      entries[i].died = clock_.now();
    }
    hold(held, std::move(entries));
    position = journal_->append(record_of(*held), Journal::Urgency::kWaitedFor);
  }
  const auto written = journal_->wait(position);
  {
    const std::lock_guard lock(mutex_);
    for (std::uint64_t id = held->first; id < held->first + held->total; ++id) {
      const auto found = entries_.find(id);
      if (found == entries_.end()) continue;
      const std::string subscription = found->second.subscription;
      const bool gone = !rules_(subscription);  // since its receivers were chosen
      if (!written || gone) {
        erase(id);
        journal_->append(note("done", id));
        if (gone) forget_idle_lane(subscription);
      } else if (!found->second.dead) {
        found->second.committed = true;
        line_up(id, found->second);
      }
    }
    if (died) make_room_for_dead();
  }
  if (!written) return written.error();
  if (news_) news_();
  return Done{};
}

std::vector<Queue::Delivery> Queue::take(std::size_t most) {
  std::vector<Delivery> taken;
  const std::lock_guard lock(mutex_);
  const auto now = clock_.now();
  while (taken.size() < most && !schedule_.empty() && schedule_.begin()->first <= now) {
    const std::string subscription = schedule_.begin()->second;
    auto& lane = lanes_[subscription];
    const auto id = lane.waiting.begin()->second;
    auto& entry = entries_.at(id);
    lane.waiting.erase(lane.waiting.begin());
    entry.in_flight = true;
    ++lane.in_flight;
    if (const auto rule = rules_(subscription)) lane.not_before = now + rule->interval;
    reschedule(subscription);
    taken.push_back({id, entry.held->message, subscription, entry.attempts});
  }
  return taken;
}

std::optional<base::TimePoint> Queue::next_due() const {
  const std::lock_guard lock(mutex_);
  if (schedule_.empty()) return std::nullopt;
  return schedule_.begin()->first;
}

void Queue::delivered(std::uint64_t id) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(id);
    if (found == entries_.end()) return;  // forgotten meanwhile
    const auto subscription = found->second.subscription;
    lanes_[subscription].trouble.clear();
    erase(id);
    journal_->append(note("done", id));
    reschedule(subscription);
  }
  if (news_) news_();
}

void Queue::retry(std::uint64_t id, base::TimePoint due, std::string_view trouble) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(id);
    if (found == entries_.end()) return;
    auto& entry = found->second;
    leave_flight(entry);
    ++entry.attempts;
    entry.due = due;
    lanes_[entry.subscription].trouble = trouble;
    journal_->append(
        base::Json::object({{"r", "retry"}, {"id", id}, {"attempts", entry.attempts}, {"due", microseconds(due)}})
            .dump());
    line_up(id, entry);
  }
  if (news_) news_();
}

void Queue::dead(std::uint64_t id, std::string_view reason) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(id);
    if (found == entries_.end()) return;
    auto& entry = found->second;
    leave_flight(entry);
    ++entry.attempts;
    lanes_[entry.subscription].trouble = reason;
    bury(id, entry, reason);
    journal_->append(base::Json::object({{"r", "dead"},
                                         {"id", id},
                                         {"attempts", entry.attempts},
                                         {"reason", reason},
                                         {"died", microseconds(entry.died)}})
                         .dump());
    reschedule(entry.subscription);
    make_room_for_dead();
  }
  if (news_) news_();
}

void Queue::put_back(std::uint64_t id) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(id);
  if (found == entries_.end()) return;
  leave_flight(found->second);
  line_up(id, found->second);
}

void Queue::forget(const std::string& subscription) {
  retain([&](const std::string& known) { return known != subscription; });
}

void Queue::retain(const std::function<bool(const std::string&)>& known) {
  const std::lock_guard lock(mutex_);
  std::vector<std::uint64_t> gone;
  for (const auto& [id, entry] : entries_) {
    if (!known(entry.subscription)) gone.push_back(id);
  }
  for (const auto id : gone) {
    erase(id);
    journal_->append(note("done", id));
  }
  for (auto lane = lanes_.begin(); lane != lanes_.end();) {
    if (known(lane->first)) {
      ++lane;
      continue;
    }
    if (lane->second.scheduled) schedule_.erase({*lane->second.scheduled, lane->first});
    lane = lanes_.erase(lane);
  }
}

// --- dead letters ------------------------------------------------------------------------------------------------

std::vector<std::uint64_t> Queue::chosen_dead(std::optional<std::uint64_t> id, std::string_view subscription) const {
  std::vector<std::uint64_t> chosen;
  for (const auto one : dead_) {
    if (id && one != *id) continue;
    if (!subscription.empty() && entries_.at(one).subscription != subscription) continue;
    chosen.push_back(one);
  }
  return chosen;
}

std::size_t Queue::redrive(std::optional<std::uint64_t> id, std::string_view subscription) {
  std::size_t count = 0;
  {
    const std::lock_guard lock(mutex_);
    const auto now = clock_.now();
    for (const auto one : chosen_dead(id, subscription)) {
      auto& entry = entries_.at(one);
      entry.dead = false;
      entry.attempts = 0;
      entry.due = now;
      dead_.erase(one);
      --lanes_[entry.subscription].dead;
      ++waiting_;
      journal_->append(base::Json::object({{"r", "redrive"}, {"id", one}, {"due", microseconds(now)}}).dump());
      line_up(one, entry);
      ++count;
    }
  }
  if (news_) news_();
  return count;
}

std::size_t Queue::purge(std::optional<std::uint64_t> id, std::string_view subscription) {
  const std::lock_guard lock(mutex_);
  const auto chosen = chosen_dead(id, subscription);
  for (const auto one : chosen) {
    erase(one);
    journal_->append(note("done", one));
  }
  return chosen.size();
}

}  // namespace securebase::notify
