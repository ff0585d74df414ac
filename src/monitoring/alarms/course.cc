#include "monitoring/alarms/course.h"

#include <utility>

namespace securebase::monitoring {

namespace {

base::Json microseconds_of(base::TimePoint time) {
  return base::Json(static_cast<std::int64_t>(time.time_since_epoch().count()));
}
base::TimePoint from_microseconds(const base::Json& json) {
  return base::TimePoint(std::chrono::microseconds(json.integer_or(0)));
}
AlarmState state_from(const base::Json& json) {
  return alarm_state_from(json.string_or("")).value_or(AlarmState::kInsufficientData);
}

}  // namespace

bool Course::propose(AlarmState verdict, const Extensions& extensions, base::TimePoint now) {
  if (verdict == state_) {
    clear_since_.reset();
    return false;
  }
  if (state_ == AlarmState::kAlarm && extensions.hold.count() > 0) {
    if (!clear_since_) clear_since_ = now;
    if (now - *clear_since_ < extensions.hold) return false;
  }
  change(verdict, extensions, now);
  return true;
}

bool Course::set(AlarmState state, const Extensions& extensions, base::TimePoint now) {
  if (state == state_) return false;
  change(state, extensions, now);
  return true;
}

void Course::change(AlarmState state, const Extensions& extensions, base::TimePoint now) {
  state_ = state;
  since_ = now;
  clear_since_.reset();
  if (extensions.flapping_changes == 0) return;
  changes_.push_back(now);
  forget(extensions, now);
  if (static_cast<int>(changes_.size()) > extensions.flapping_changes && !flapping_) {
    flapping_ = true;
    flapping_told_ = false;
  }
}

void Course::forget(const Extensions& extensions, base::TimePoint now) {
  while (!changes_.empty() && changes_.front() <= now - extensions.flapping_within) changes_.pop_front();
}

std::optional<Telling> Course::tell(const Extensions& extensions, bool withheld, base::TimePoint now) {
  if (extensions.flapping_changes > 0) {
    forget(extensions, now);
  } else {
    changes_.clear();  // the setting may have been taken away
  }
  // Calm again at half of what made it flap, so that it does not flap between flapping and not.
  if (flapping_ && static_cast<int>(changes_.size()) * 2 <= extensions.flapping_changes) {
    flapping_ = false;
    calm_untold_ = std::exchange(flapping_told_, false);
  }
  if (withheld) return std::nullopt;
  if (flapping_) {
    if (flapping_told_) return std::nullopt;
    flapping_told_ = true;
    told_ = state_;
    told_at_ = now;
    return Telling::kFlapping;
  }
  if (std::exchange(calm_untold_, false)) {
    told_ = state_;
    told_at_ = now;
    return Telling::kCalm;
  }
  if (told_ != state_) {
    told_ = state_;
    told_at_ = now;
    return Telling::kChange;
  }
  if (state_ == AlarmState::kAlarm && extensions.reminder.count() > 0 && now - told_at_ >= extensions.reminder) {
    told_at_ = now;
    return Telling::kReminder;
  }
  return std::nullopt;
}

void Course::told_nobody(base::TimePoint now) {
  told_ = state_;
  told_at_ = now;
  calm_untold_ = false;
  if (flapping_) flapping_told_ = true;
}

bool Course::waits(const Extensions& extensions) const {
  return told_ != state_ || flapping_ || calm_untold_ || clear_since_ ||
         (state_ == AlarmState::kAlarm && extensions.reminder.count() > 0);
}

base::Json Course::to_json() const {
  base::Json made = base::Json::object({{"state", to_string(state_)},
                                        {"since", microseconds_of(since_)},
                                        {"told", to_string(told_)},
                                        {"told_at", microseconds_of(told_at_)}});
  if (clear_since_) made.set("clear_since", microseconds_of(*clear_since_));
  if (!changes_.empty()) {
    base::Json changes = base::Json::array();
    for (const auto time : changes_) changes.push_back(microseconds_of(time));
    made.set("changes", std::move(changes));
  }
  if (flapping_) made.set("flapping", true);
  if (flapping_told_) made.set("flapping_told", true);
  if (calm_untold_) made.set("calm_untold", true);
  return made;
}

Course Course::from_json(const base::Json& json) {
  Course made;
  made.state_ = state_from(json["state"]);
  made.since_ = from_microseconds(json["since"]);
  made.told_ = state_from(json["told"]);
  made.told_at_ = from_microseconds(json["told_at"]);
  if (json.find("clear_since")) made.clear_since_ = from_microseconds(json["clear_since"]);
  if (const auto* changes = json["changes"].as_array()) {
    for (const auto& time : *changes) made.changes_.push_back(from_microseconds(time));
  }
  made.flapping_ = json["flapping"].bool_or(false);
  made.flapping_told_ = json["flapping_told"].bool_or(false);
  made.calm_untold_ = json["calm_untold"].bool_or(false);
  return made;
}

}  // namespace securebase::monitoring
