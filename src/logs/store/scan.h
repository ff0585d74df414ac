// What Insights queries read of the store.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "logs/insights/source.h"
#include "logs/store/event.h"
#include "logs/store/store.h"

namespace securebase::logs {

// Beside discovered fields there are "@log" ("{account}:{group}") and "@ptr", which EventPointer reads. A group name of
// a Scan that no group has stands for all groups whose names begin with it.
class StoreSource final : public insights::Source {
 public:
  // `store` outlives it.
  StoreSource(Store& store, std::string account) : store_(store), account_(std::move(account)) {}
  Result<std::vector<std::unique_ptr<insights::Part>>> scan(const insights::Scan& scan) const override;
  std::vector<std::string> fields_of(std::span<const std::string> groups) const override;

 private:
  Store& store_;
  const std::string account_;
};

// An event's @ptr: the same text as long as the event is stored.
struct EventPointer {
  std::string group;
  Position at;
};
std::string to_text(const EventPointer& pointer);
std::optional<EventPointer> pointer_from(std::string_view text);

}  // namespace securebase::logs
