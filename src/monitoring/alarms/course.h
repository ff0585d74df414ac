// The course of one alarm through its states: hold, flapping, reminders, maintenance windows, and what has been told to
// people. Pure: time comes in, decisions go out; the engine and the backtest walk the same course.
#pragma once

#include <deque>
#include <optional>

#include "base/json.h"
#include "monitoring/alarms.h"
#include "monitoring/alarms/extensions.h"

namespace securebase::monitoring {

enum class Telling { kChange, kReminder, kFlapping, kCalm };

class Course {
 public:
  AlarmState state() const { return state_; }
  bool flapping() const { return flapping_; }
  base::TimePoint since() const { return since_; }
  AlarmState told() const { return told_; }

  // The verdict of an evaluation at `now`. True: the state has changed.
  bool propose(AlarmState verdict, const Extensions& extensions, base::TimePoint now);
  // SetAlarmState: no hold. True: the state has changed.
  bool set(AlarmState state, const Extensions& extensions, base::TimePoint now);
  // What people have to be told now; nullopt: nothing. `withheld`: a suppressor or a maintenance window holds messages
  // back; what is still so when it ends is told then, and what came and went meanwhile is not.
  std::optional<Telling> tell(const Extensions& extensions, bool withheld, base::TimePoint now);
  // Nobody has to be told of the present state (actions are disabled, or there are none).
  void told_nobody(base::TimePoint now);

  // Whether the clock alone may bring something about: a hold that ends, or something for tell() to say.
  bool waits(const Extensions& extensions) const;

  base::Json to_json() const;
  static Course from_json(const base::Json& json);

 private:
  void change(AlarmState state, const Extensions& extensions, base::TimePoint now);
  void forget(const Extensions& extensions, base::TimePoint now);

  AlarmState state_ = AlarmState::kInsufficientData;
  base::TimePoint since_;
  AlarmState told_ = AlarmState::kInsufficientData;  // the state that people know of
  base::TimePoint told_at_;
  std::optional<base::TimePoint> clear_since_;  // in ALARM, without a breach
  std::deque<base::TimePoint> changes_;         // within the time that flapping is about
  bool flapping_ = false;
  bool flapping_told_ = false;
  bool calm_untold_ = false;
};

}  // namespace securebase::monitoring
