// What log events say in numbers goes to the metrics; what is subscribed to is called.
#include "platform/await.h"
#include "platform/rooms.h"

namespace securebase::platform {

namespace {

// What the store takes, an hour inside of its own bounds. One sample beyond them would have it refuse the others too.
constexpr std::chrono::hours kOldestMeasured{24 * 14 - 1};
constexpr std::chrono::hours kNewestMeasured{1};
constexpr std::chrono::seconds kSubscriberWait{30};  // for a function that gets log events; then it runs on by itself

Result<Done> put_measured(monitoring::Metrics& metrics, std::span<const logs::Measurement> measured) {
  const auto now = base::system_clock().now();
  std::vector<monitoring::MetricSamples> all;
  all.reserve(measured.size());
  for (const auto& one : measured) {
    if (one.time < now - kOldestMeasured || one.time > now + kNewestMeasured) continue;
    monitoring::MetricSamples samples;
    samples.metric = {one.name_space, one.name, one.dimensions};
    samples.unit = one.unit;
    samples.time = one.time;
    samples.high_resolution = one.high_resolution;
    samples.values = one.values;
    all.push_back(std::move(samples));
  }
  return metrics.put(all);
}

}  // namespace

void Rooms::connect_logs() {
  logs::Connections connections;
  connections.put_metrics = [this](std::span<const logs::Measurement> measured) {
    return put_measured(*metrics_, measured);
  };
  connections.invoke = [this](const std::string& function_arn, const std::string& event) -> Result<Done> {
    functions::InvokeOptions options;
    options.deadline = base::system_clock().steady() + kSubscriberWait;
    const auto outcome = await_on((*workers_)[0], functions_->invoke(function_arn, event, std::move(options)));
    using Kind = functions::InvokeOutcome::Kind;
    // An error of the function is the function's own; it was called.
    if (outcome.kind == Kind::kOk || outcome.kind == Kind::kFunctionError || outcome.kind == Kind::kDeadline) {
      return Done{};
    }
    return Error{outcome.kind == Kind::kNotFound ? Errc::kNotFound : Errc::kUnavailable, outcome.payload};
  };
  connections.knows_function = [this](const std::string& arn) { return functions_->knows(arn); };
  logs_->connect(std::move(connections));
}

}  // namespace securebase::platform
