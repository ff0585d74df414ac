// Our metrics under names, labels and bounds of Prometheus' data model, the same whether they are scraped or pushed.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "telemetry/metrics.h"

namespace securebase::monitoring {

// "AWS/ApiGateway", "IntegrationLatency", "Milliseconds": aws_apigateway_integration_latency_milliseconds.
std::string prometheus_name(std::string_view name_space, std::string_view name, std::string_view unit);
// "ApiName": api_name. Never a name that Prometheus keeps for itself (two underscores in front).
std::string prometheus_label(std::string_view dimension);

// Sorted by name, each name once: of dimensions that become the same label the values are joined by ";". Without those
// whose value is empty, which mean nothing to Prometheus. Values are UTF-8, whatever came.
using PrometheusLabels = std::vector<std::pair<std::string, std::string>>;
PrometheusLabels prometheus_labels(const telemetry::Dimensions& dimensions);

// Upper bounds of a classic histogram: values[i] * scale, rising; the one of infinity is not among them.
struct HistogramBounds {
  std::span<const double> values;
  double scale = 1;
};
HistogramBounds histogram_bounds(telemetry::Unit unit);

// As OpenMetrics wants numbers: with a point or an exponent. "100.0", "+Inf".
std::string prometheus_number(double value);

}  // namespace securebase::monitoring
