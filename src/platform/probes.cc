#include "platform/probes.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"

namespace securebase::platform {

namespace {

constexpr std::chrono::hours kOldestSample{24 * 14 - 1};
constexpr std::chrono::hours kNewestSample{1};

}  // namespace

std::vector<prober::Target> targets_of(const stack::Stack& stack, const std::string& base_url) {
  std::vector<prober::Target> targets;
  for (const auto& resource : stack.resources) {
    if (resource.type != "aws_cloudfront_distribution" || resource.mode != stack::Declaration::Mode::kResource) {
      continue;
    }
    const std::string host = resource.attributes["domain_name"].to_text().value_or("");
    std::string tag = resource.attributes["tags"]["securebase:probe"].to_text().value_or("");
    if (tag.empty()) tag = fmt::format("{}=/", resource.attributes["id"].to_text().value_or(resource.name));
    for (std::size_t begin = 0; begin < tag.size();) {
      const auto end = std::min(tag.find(' ', begin), tag.size());
      const std::string word = tag.substr(begin, end - begin);
      begin = end + 1;
      const auto equals = word.find('=');
      const bool visible = std::all_of(word.begin(), word.end(), [](char c) { return c > ' ' && c < 0x7f; });
      if (!visible || equals == std::string::npos || equals == 0 || equals + 1 >= word.size() ||
          word[equals + 1] != '/') {
        if (!word.empty()) {
          base::log(base::Level::kWarning, "uptime",
                    "{}: the tag securebase:probe has canary=/path words, not \"{}\"; left out", resource.address,
                    word);
        }
        continue;
      }
      targets.push_back({word.substr(0, equals), base_url + word.substr(equals + 1), host});
    }
  }
  return targets;
}

std::vector<monitoring::MetricSamples> recordable(std::span<const UptimeSample> samples, base::TimePoint now) {
  std::vector<monitoring::MetricSamples> all;
  all.reserve(samples.size());
  for (const auto& sample : samples) {
    if (sample.time < now - kOldestSample || sample.time > now + kNewestSample) continue;
    monitoring::MetricSamples one;
    one.metric = {std::string(sample.name_space), std::string(sample.metric), {{"CanaryName", sample.canary}}};
    one.unit = sample.unit;
    one.time = sample.time;
    one.high_resolution = true;
    one.values = {{sample.value, sample.count}};
    all.push_back(std::move(one));
  }
  return all;
}

std::vector<monitoring::MetricSamples> recordable(std::span<const synthetics::Sample> samples, base::TimePoint now) {
  std::vector<monitoring::MetricSamples> all;
  all.reserve(samples.size());
  for (const auto& sample : samples) {
    if (sample.time < now - kOldestSample || sample.time > now + kNewestSample) continue;
    monitoring::MetricSamples one;
    one.metric = {"CloudWatchSynthetics", std::string(sample.metric), {{"CanaryName", sample.canary}}};
    if (!sample.step.empty()) one.metric.dimensions.emplace_back("StepName", sample.step);
    one.unit = sample.unit;
    one.time = sample.time;
    one.values = {{sample.value, 1}};
    all.push_back(std::move(one));
  }
  return all;
}

}  // namespace securebase::platform
