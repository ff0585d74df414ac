// When a delivery that failed is tried again (SNS developer guide, "Amazon SNS message delivery retries"): four phases,
//
//   immediate      num_no_delay retries at once
//   pre-backoff    num_min_delay retries, min_delay apart
//   backoff        what is left of num_retries, with pauses that grow from min_delay to max_delay
//   post-backoff   num_max_delay retries, max_delay apart
//
// and what else a policy says of a webhook: how often it is called, with which content type. Values.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace securebase::notify {

struct RetryPolicy {
  // Between min and max over the n retries of the phase, x from 0 to 1. SNS names the functions and does not define
  // them; these are ours.
  enum class Backoff {
    kLinear,       // min + (max - min) x
    kArithmetic,   // min + (max - min) x^2: the steps grow evenly
    kGeometric,    // min (max / min)^x: every pause is the same multiple of the one before
    kExponential,  // doubled from min, until max
  };
  std::chrono::seconds min_delay{20};
  std::chrono::seconds max_delay{20};
  std::uint32_t num_retries = 3;
  std::uint32_t num_no_delay = 0;
  std::uint32_t num_min_delay = 0;
  std::uint32_t num_max_delay = 0;
  Backoff backoff = Backoff::kLinear;
  bool operator==(const RetryPolicy&) const = default;

  // The pause before retry `n`, counted from 1; nullopt when there is none any more.
  std::optional<std::chrono::milliseconds> pause_before(std::uint32_t n) const;
  base::Json to_json() const;
};

// SNS's schedule for receivers that are not AWS's own: 50 retries over six hours. Ours for mail and for webhooks that
// no policy speaks of.
const RetryPolicy& for_customer_managed();
// SNS's schedule for Lambda: 100,015 retries over 23 days.
const RetryPolicy& for_functions();

// What a subscription's DeliveryPolicy says; what it does not, the topic's decides.
struct DeliveryPolicy {
  std::optional<RetryPolicy> retry;
  std::optional<double> receives_per_second;
  std::string content_type;  // empty: "text/plain; charset=UTF-8"
  bool operator==(const DeliveryPolicy&) const = default;
};

// A topic's DeliveryPolicy: {"http": {"defaultHealthyRetryPolicy": ..., "disableSubscriptionOverrides": ...}}.
struct TopicDeliveryPolicy {
  DeliveryPolicy defaults;
  bool overrides_disabled = false;
};

Result<DeliveryPolicy> parse_delivery_policy(std::string_view text);
Result<TopicDeliveryPolicy> parse_topic_delivery_policy(std::string_view text);
// What holds for a webhook of both.
DeliveryPolicy effective(const TopicDeliveryPolicy& topic, const DeliveryPolicy& subscription);

}  // namespace securebase::notify
