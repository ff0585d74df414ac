// The embedded metric format (CloudWatch user guide, "Specification: Embedded metric format"): a JSON message whose
// "_aws" says which of its members are metrics.
#pragma once

#include <string_view>
#include <vector>

#include "logs/taps/measurement.h"

namespace securebase::logs {

struct EmbeddedLimits {
  std::size_t directives = 100;
  std::size_t metrics = 100;  // of a directive; the format's own
  std::size_t values = 100;   // of a metric; the format's own
  std::size_t dimension_sets = 30;
  std::size_t dimensions = 30;  // of a set; the format's own
  std::size_t message_bytes = 1 << 20;
};

// Could it be one? Cheap, for every message.
bool may_be_embedded(std::string_view message);
// What it says; nothing where it does not follow the format. A metric whose member is missing or no number, and a set
// of dimensions one of which is missing, are left out, the rest is not.
std::vector<Measurement> embedded_metrics(std::string_view message, const EmbeddedLimits& limits = {});

}  // namespace securebase::logs
