#include "notify/delivery_policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace securebase::notify {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::int64_t kMostRetries = 100;
constexpr std::int64_t kMostDelay = 3600;

Error bad_policy(std::string text) { return {Errc::kMalformed, "DeliveryPolicy: " + std::move(text)}; }

struct BackoffName {
  std::string_view name;
  RetryPolicy::Backoff backoff;
};
constexpr BackoffName kBackoffs[] = {{"linear", RetryPolicy::Backoff::kLinear},
                                     {"arithmetic", RetryPolicy::Backoff::kArithmetic},
                                     {"geometric", RetryPolicy::Backoff::kGeometric},
                                     {"exponential", RetryPolicy::Backoff::kExponential}};

Result<std::int64_t> number(const base::Json& policy, std::string_view name, std::int64_t fallback, std::int64_t least,
                            std::int64_t most) {
  const auto* value = policy.find(name);
  if (!value || value->is_null()) return fallback;
  const auto count = value->integer_or(least - 1);
  if (count < least || count > most) {
    return bad_policy(
        fmt::format("{}: expected a whole number from {} to {}, got {}", name, least, most, value->dump()));
  }
  return count;
}

Result<Done> only(const base::Json& json, std::string_view what, std::initializer_list<std::string_view> names) {
  const auto* object = json.as_object();
  if (!object) return bad_policy(fmt::format("{} is a JSON object", what));
  for (const auto& [name, value] : *object) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      return bad_policy(fmt::format("{} has no member \"{}\"; it has {}", what, name, fmt::join(names, ", ")));
    }
  }
  return Done{};
}

Result<RetryPolicy> parse_retry(const base::Json& json) {
  auto known = only(json, "healthyRetryPolicy",
                    {"minDelayTarget", "maxDelayTarget", "numRetries", "numNoDelayRetries", "numMinDelayRetries",
                     "numMaxDelayRetries", "backoffFunction"});
  if (!known) return known.error();
  RetryPolicy policy;
  auto least = number(json, "minDelayTarget", 20, 1, kMostDelay);
  if (!least) return least.error();
  auto most = number(json, "maxDelayTarget", std::max<std::int64_t>(20, *least), 1, kMostDelay);
  if (!most) return most.error();
  if (*most < *least) return bad_policy("maxDelayTarget is less than minDelayTarget");
  policy.min_delay = seconds(*least);
  policy.max_delay = seconds(*most);
  const auto count = [&](std::string_view name, std::int64_t fallback, std::uint32_t& into) -> Result<Done> {
    auto value = number(json, name, fallback, 0, kMostRetries);
    if (!value) return value.error();
    into = static_cast<std::uint32_t>(*value);
    return Done{};
  };
  if (auto read = count("numRetries", 3, policy.num_retries); !read) return read.error();
  if (auto read = count("numNoDelayRetries", 0, policy.num_no_delay); !read) return read.error();
  if (auto read = count("numMinDelayRetries", 0, policy.num_min_delay); !read) return read.error();
  if (auto read = count("numMaxDelayRetries", 0, policy.num_max_delay); !read) return read.error();
  if (policy.num_no_delay + policy.num_min_delay + policy.num_max_delay > policy.num_retries) {
    return bad_policy("numNoDelayRetries, numMinDelayRetries and numMaxDelayRetries together exceed numRetries");
  }
  const auto name = json["backoffFunction"].string_or("linear");
  for (const auto& one : kBackoffs) {
    if (one.name == name) {
      policy.backoff = one.backoff;
      return policy;
    }
  }
  return bad_policy(
      fmt::format("backoffFunction: expected linear, arithmetic, geometric or exponential, got \"{}\"", name));
}

Result<Done> parse_rest(const base::Json& throttle, const base::Json& request, DeliveryPolicy& policy) {
  if (!throttle.is_null()) {
    if (auto known = only(throttle, "throttlePolicy", {"maxReceivesPerSecond"}); !known) return known.error();
    if (const auto& rate = throttle["maxReceivesPerSecond"]; !rate.is_null()) {
      if (rate.number_or(0) < 1)
        return bad_policy("maxReceivesPerSecond: expected a number of at least 1, got " + rate.dump());
      policy.receives_per_second = rate.number_or(1);
    }
  }
  if (request.is_null()) return Done{};
  if (auto known = only(request, "requestPolicy", {"headerContentType"}); !known) return known.error();
  policy.content_type = request["headerContentType"].string_or("");
  const bool clean =
      std::all_of(policy.content_type.begin(), policy.content_type.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
  if (!clean || policy.content_type.size() > 200 ||
      (!policy.content_type.empty() && policy.content_type.find('/') == std::string::npos)) {
    return bad_policy("headerContentType is no media type");
  }
  return Done{};
}

double pause_of(RetryPolicy::Backoff backoff, double least, double most, std::uint32_t i, std::uint32_t count) {
  if (backoff == RetryPolicy::Backoff::kExponential) return std::min(most, std::ldexp(least, static_cast<int>(i)));
  const double x = count > 1 ? static_cast<double>(i) / (count - 1) : 0;
  switch (backoff) {
    case RetryPolicy::Backoff::kArithmetic:
      return least + (most - least) * x * x;
    case RetryPolicy::Backoff::kGeometric:
      return least * std::pow(most / least, x);
    default:
      return least + (most - least) * x;
  }
}

}  // namespace

std::optional<milliseconds> RetryPolicy::pause_before(std::uint32_t n) const {
  if (n == 0 || n > num_retries) return std::nullopt;
  std::uint32_t i = n - 1;
  if (i < num_no_delay) return milliseconds(0);
  i -= num_no_delay;
  if (i < num_min_delay) return milliseconds(min_delay);
  i -= num_min_delay;
  const auto in_backoff = num_retries - num_no_delay - num_min_delay - num_max_delay;
  if (i >= in_backoff) return milliseconds(max_delay);
  const double pause =
      pause_of(backoff, static_cast<double>(min_delay.count()), static_cast<double>(max_delay.count()), i, in_backoff);
  return milliseconds(std::llround(pause * 1000));
}

base::Json RetryPolicy::to_json() const {
  std::string_view name = "linear";
  for (const auto& one : kBackoffs) {
    if (one.backoff == backoff) name = one.name;
  }
  return base::Json::object({{"minDelayTarget", std::int64_t{min_delay.count()}},
                             {"maxDelayTarget", std::int64_t{max_delay.count()}},
                             {"numRetries", num_retries},
                             {"numMaxDelayRetries", num_max_delay},
                             {"numNoDelayRetries", num_no_delay},
                             {"numMinDelayRetries", num_min_delay},
                             {"backoffFunction", name}});
}

const RetryPolicy& for_customer_managed() {
  static const RetryPolicy policy{seconds(10), seconds(600), 50, 0, 2, 38, RetryPolicy::Backoff::kExponential};
  return policy;
}

const RetryPolicy& for_functions() {
  static const RetryPolicy policy{seconds(1), seconds(20), 100'015, 3, 2, 100'000, RetryPolicy::Backoff::kExponential};
  return policy;
}

Result<DeliveryPolicy> parse_delivery_policy(std::string_view text) {
  const auto json = base::Json::parse(text);
  if (!json) return bad_policy("it is no JSON: " + json.error().message);
  if (auto known = only(*json, "a subscription's policy",
                        {"healthyRetryPolicy", "sicklyRetryPolicy", "throttlePolicy", "requestPolicy", "guaranteed"});
      !known) {
    return known.error();
  }
  DeliveryPolicy policy;
  if (const auto& retry = (*json)["healthyRetryPolicy"]; !retry.is_null()) {
    auto parsed = parse_retry(retry);
    if (!parsed) return parsed.error();
    policy.retry = *parsed;
  }
  if (auto read = parse_rest((*json)["throttlePolicy"], (*json)["requestPolicy"], policy); !read) return read.error();
  return policy;
}

Result<TopicDeliveryPolicy> parse_topic_delivery_policy(std::string_view text) {
  const auto json = base::Json::parse(text);
  if (!json) return bad_policy("it is no JSON: " + json.error().message);
  if (auto known = only(*json, "a topic's policy", {"http"}); !known) return known.error();
  const auto& http = (*json)["http"];
  TopicDeliveryPolicy policy;
  if (http.is_null()) return policy;
  if (auto known = only(http, "http",
                        {"defaultHealthyRetryPolicy", "defaultSicklyRetryPolicy", "defaultThrottlePolicy",
                         "defaultRequestPolicy", "disableSubscriptionOverrides"});
      !known) {
    return known.error();
  }
  if (const auto& retry = http["defaultHealthyRetryPolicy"]; !retry.is_null()) {
    auto parsed = parse_retry(retry);
    if (!parsed) return parsed.error();
    policy.defaults.retry = *parsed;
  }
  auto read = parse_rest(http["defaultThrottlePolicy"], http["defaultRequestPolicy"], policy.defaults);
  if (!read) return read.error();
  policy.overrides_disabled = http["disableSubscriptionOverrides"].bool_or(false);
  return policy;
}

DeliveryPolicy effective(const TopicDeliveryPolicy& topic, const DeliveryPolicy& subscription) {
  DeliveryPolicy policy = topic.defaults;
  if (!topic.overrides_disabled) {
    if (subscription.retry) policy.retry = subscription.retry;
    if (subscription.receives_per_second) policy.receives_per_second = subscription.receives_per_second;
  }
  if (!subscription.content_type.empty()) policy.content_type = subscription.content_type;
  return policy;
}

}  // namespace securebase::notify
