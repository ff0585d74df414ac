// The rule of a composite alarm (CloudWatch API, PutCompositeAlarm, AlarmRule):
//
//   (ALARM(api-latency) OR ALARM("api errors")) AND NOT ALARM(deploying) AND AT_LEAST(2, ALARM, (a, b, c))
//
// Foreign text, so bounded: 10,240 bytes, 100 alarms, 500 elements, 32 levels.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "monitoring/alarms.h"

namespace securebase::monitoring {

class Rule {
 public:
  // kMalformed: "position 7: expected ( after ALARM, got )".
  static Result<Rule> parse(std::string_view text);

  // nullopt: there is no such alarm; it is in no state.
  using StateOf = std::function<std::optional<AlarmState>(const std::string& name)>;
  bool holds(const StateOf& state_of) const { return holds(nodes_.size() - 1, state_of); }

  // The names of its children, sorted, each once.
  const std::vector<std::string>& names() const { return names_; }

 private:
  class Parser;
  struct Node {
    enum class Kind { kTrue, kFalse, kState, kNot, kAnd, kOr, kAtLeast };
    Kind kind = Kind::kTrue;
    AlarmState state = AlarmState::kAlarm;
    bool negated = false;  // of kAtLeast: NOT ALARM
    double least = 0;
    bool percent = false;
    std::vector<std::string> names;
    std::vector<std::size_t> children;
  };
  bool holds(std::size_t node, const StateOf& state_of) const;

  std::vector<Node> nodes_;  // the last is the root
  std::vector<std::string> names_;
};

}  // namespace securebase::monitoring
