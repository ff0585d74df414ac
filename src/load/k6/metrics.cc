#include "k6/metrics.h"

#include <fmt/format.h>

#include <algorithm>

#include "k6/sample_file.h"

namespace securebase::k6 {

namespace {

struct BuiltinMetric {
  std::string_view name;
  load::Kind kind;
  Contains contains;
};
constexpr BuiltinMetric kBuiltinMetrics[] = {
    {"vus", load::Kind::kGauge, Contains::kDefault},
    {"vus_max", load::Kind::kGauge, Contains::kDefault},
    {"iterations", load::Kind::kCounter, Contains::kDefault},
    {"iteration_duration", load::Kind::kTrend, Contains::kTime},
    {"dropped_iterations", load::Kind::kCounter, Contains::kDefault},
    {"checks", load::Kind::kRate, Contains::kDefault},
    {"group_duration", load::Kind::kTrend, Contains::kTime},
    {"http_reqs", load::Kind::kCounter, Contains::kDefault},
    {"http_req_failed", load::Kind::kRate, Contains::kDefault},
    {"http_req_duration", load::Kind::kTrend, Contains::kTime},
    {"http_req_blocked", load::Kind::kTrend, Contains::kTime},
    {"http_req_connecting", load::Kind::kTrend, Contains::kTime},
    {"http_req_tls_handshaking", load::Kind::kTrend, Contains::kTime},
    {"http_req_sending", load::Kind::kTrend, Contains::kTime},
    {"http_req_waiting", load::Kind::kTrend, Contains::kTime},
    {"http_req_receiving", load::Kind::kTrend, Contains::kTime},
    {"data_sent", load::Kind::kCounter, Contains::kData},
    {"data_received", load::Kind::kCounter, Contains::kData},
    {"latency_from_schedule", load::Kind::kTrend, Contains::kTime},
    {"generator_lateness", load::Kind::kTrend, Contains::kTime},
};
static_assert(std::size(kBuiltinMetrics) == Metrics::kBuiltins);

constexpr std::size_t kMostMetrics = 10'000;

bool good_name(std::string_view name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !name.empty() && name.size() <= 128 && letter(name.front()) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

}  // namespace

const std::string* SampleTags::find(std::string_view name) const {
  for (const auto* list : lists) {
    if (!list) continue;
    for (const auto& [key, value] : *list) {
      if (key == name) return &value;
    }
  }
  return nullptr;
}

Metrics::Metrics(load::Collector& collector) : collector_(collector) {
  metrics_.reserve(kMostMetrics);
  for (const auto& builtin : kBuiltinMetrics) {
    ids_[std::string(builtin.name)] = metrics_.size();
    metrics_.push_back({std::string(builtin.name),
                        builtin.kind,
                        builtin.contains,
                        collector_.series(builtin.kind, builtin.name),
                        {},
                        {}});
  }
  // Shown by k6 always: the durations of what went as expected.
  metrics_[kHttpReqDuration].parts.push_back(
      {"http_req_duration{expected_response:true}",
       {{"expected_response", "true"}},
       collector_.series(load::Kind::kTrend, "http_req_duration", {{"expected_response", "true"}}),
       {}});
}

Metrics::~Metrics() = default;

std::size_t Metrics::count() const {
  const std::lock_guard lock(mutex_);
  return metrics_.size();
}

Result<std::size_t> Metrics::declare(std::string_view name, load::Kind kind, bool is_time) {
  if (!good_name(name)) {
    return Error{Errc::kMalformed, fmt::format("'{}' is not a metric's name: it has at most 128 letters, digits and "
                                               "underscores, and begins with no digit",
                                               name.substr(0, 140))};
  }
  const std::lock_guard lock(mutex_);
  if (const auto known = ids_.find(name); known != ids_.end()) {
    const Metric& metric = metrics_[known->second];
    if (metric.kind != kind) {
      return Error{Errc::kConflict, fmt::format("the metric '{}' is already a {} and cannot become a {}", name,
                                                to_string(metric.kind), to_string(kind))};
    }
    return known->second;
  }
  if (metrics_.size() >= kMostMetrics) return Error{Errc::kLimit, "the script declares more than 10000 metrics"};
  const std::size_t id = metrics_.size();
  metrics_.push_back(
      {std::string(name), kind, is_time ? Contains::kTime : Contains::kDefault, collector_.series(kind, name), {}, {}});
  ids_[std::string(name)] = id;
  return id;
}

Result<Done> Metrics::add_thresholds(const std::vector<MetricThresholds>& thresholds) {
  const std::lock_guard lock(mutex_);
  for (const auto& one : thresholds) {
    const auto known = ids_.find(one.selector.metric);
    if (known == ids_.end()) {
      return Error{
          Errc::kMalformed,
          fmt::format("options.thresholds['{}']: there is no metric '{}': expected one of k6's own (http_req_duration, "
                      "http_req_failed, checks, ...) or one that the script declares",
                      one.name, one.selector.metric)};
    }
    Metric& metric = metrics_[known->second];
    for (const auto& threshold : one.thresholds) {
      if (auto good = fits(threshold, metric.kind); !good) {
        return Error{Errc::kMalformed, fmt::format("options.thresholds['{}']: {}", one.name, good.error().message)};
      }
    }
    if (one.selector.tags.empty()) {
      metric.thresholds.insert(metric.thresholds.end(), one.thresholds.begin(), one.thresholds.end());
      continue;
    }
    const auto same = std::find_if(metric.parts.begin(), metric.parts.end(),
                                   [&](const Part& part) { return part.tags == one.selector.tags; });
    if (same != metric.parts.end()) {
      same->thresholds.insert(same->thresholds.end(), one.thresholds.begin(), one.thresholds.end());
      continue;
    }
    metric.parts.push_back(
        {one.name, one.selector.tags, collector_.series(metric.kind, metric.name, one.selector.tags), one.thresholds});
    wants_tags_ = true;
  }
  return Done{};
}

Result<Done> Metrics::finish_files() {
  Result<Done> all = Done{};
  for (const auto& file : files_) {
    if (auto finished = file->finish(); !finished) all = finished;
  }
  return all;
}

Result<Done> Metrics::write_to(std::string_view output, const SystemTags& tags) {
  auto opened = SampleFile::open(output, tags);
  if (!opened) return opened.error();
  files_.push_back(std::move(*opened));
  wants_tags_ = true;
  return Done{};
}

void Metrics::add(load::Recorder::Batch& batch, std::size_t id, double value, const SampleTags& tags,
                  std::uint64_t times) {
  const Metric& metric = metrics_[id];
  batch.add(metric.series, value, times);
  for (const auto& part : metric.parts) {
    const bool has_all = std::all_of(part.tags.begin(), part.tags.end(), [&](const auto& wanted) {
      const auto* found = tags.find(wanted.first);
      return found ? *found == wanted.second : wanted.second.empty();
    });
    if (has_all) batch.add(part.series, value, times);
  }
  for (const auto& file : files_) {
    for (std::uint64_t i = 0; i < times; ++i) file->write(metric, value, tags);
  }
}

}  // namespace securebase::k6
