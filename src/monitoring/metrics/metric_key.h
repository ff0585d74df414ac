// Metrics and units as the store writes them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "monitoring/series.h"

namespace securebase::monitoring {

// CloudWatch's StandardUnit by number; the numbers are in files. 0 is "None".
using UnitNumber = std::uint8_t;
std::optional<UnitNumber> unit_number(std::string_view unit);
std::string_view unit_name(UnitNumber unit);

// Namespace, name and dimensions as bytes: two metrics are the same if and only if these are.
std::string metric_key(const MetricId& metric);
void append_metric_key(std::string& out, const MetricId& metric);
// A key is namespace, name, and name and value of each dimension, each by this.
void append_key_text(std::string& out, std::string_view text);
// nullopt: no key.
std::optional<MetricId> metric_of(std::string_view key);

}  // namespace securebase::monitoring
