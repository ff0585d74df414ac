// Subscription filters at work: events that match go to a function, as CloudWatch Logs sends them: JSON, gzipped, in
// base64, in {"awslogs":{"data":...}}.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "logs/patterns/pattern.h"
#include "logs/store/event.h"
#include "logs/store/settings.h"

namespace securebase::logs {

// 56 digits, as CloudWatch's are: by time, then by sequence.
std::string event_id(const Position& at);

// The event that a function gets.
std::string subscription_event(std::string_view account, std::string_view group, std::string_view stream,
                               const std::vector<std::string>& filters, base::Json::Array events);

class SubscriptionFilters {
 public:
  explicit SubscriptionFilters(const GroupSettings& settings);
  bool empty() const { return filters_.empty(); }
  struct Matched {
    const SubscriptionFilter* filter;
    base::Json::Array events;
  };
  std::vector<Matched> match(std::span<const Event> events, std::uint64_t first_sequence) const;

 private:
  struct Compiled {
    SubscriptionFilter filter;
    Pattern pattern;
  };
  std::vector<Compiled> filters_;
};

}  // namespace securebase::logs
