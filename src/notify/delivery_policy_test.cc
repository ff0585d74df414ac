#include "notify/delivery_policy.h"

#include <gtest/gtest.h>

namespace securebase::notify {
namespace {

std::vector<std::int64_t> pauses(const RetryPolicy& policy) {
  std::vector<std::int64_t> all;
  for (std::uint32_t n = 1; policy.pause_before(n); ++n) all.push_back(policy.pause_before(n)->count() / 1000);
  return all;
}

TEST(DeliveryPolicy, GoesThroughItsFourPhasesInOrder) {
  auto policy = parse_delivery_policy(
      R"({"healthyRetryPolicy":{"minDelayTarget":10,"maxDelayTarget":40,"numRetries":8,"numNoDelayRetries":1,
          "numMinDelayRetries":2,"numMaxDelayRetries":1,"backoffFunction":"linear"}})");
  ASSERT_TRUE(policy) << policy.error().message;
  EXPECT_EQ(pauses(*policy->retry), (std::vector<std::int64_t>{0, 10, 10, 10, 20, 30, 40, 40}));
}

TEST(DeliveryPolicy, BacksOffByItsFunction) {
  RetryPolicy policy;
  policy.min_delay = std::chrono::seconds(10);
  policy.max_delay = std::chrono::seconds(160);
  policy.num_retries = 5;
  policy.backoff = RetryPolicy::Backoff::kGeometric;
  EXPECT_EQ(pauses(policy), (std::vector<std::int64_t>{10, 20, 40, 80, 160}));
  policy.backoff = RetryPolicy::Backoff::kArithmetic;
  EXPECT_EQ(pauses(policy), (std::vector<std::int64_t>{10, 19, 47, 94, 160}));
  policy.backoff = RetryPolicy::Backoff::kExponential;
  policy.max_delay = std::chrono::seconds(50);
  EXPECT_EQ(pauses(policy), (std::vector<std::int64_t>{10, 20, 40, 50, 50}));
}

TEST(DeliveryPolicy, HasSnssOwnSchedulesByDefault) {
  const auto managed = pauses(for_customer_managed());
  ASSERT_EQ(managed.size(), 50U);
  EXPECT_EQ(std::vector(managed.begin(), managed.begin() + 10),
            (std::vector<std::int64_t>{10, 10, 10, 20, 40, 80, 160, 320, 600, 600}));
  EXPECT_EQ(managed.back(), 600);
  const auto& functions = for_functions();
  EXPECT_EQ(functions.pause_before(3)->count(), 0);
  EXPECT_EQ(functions.pause_before(4)->count(), 1000);
  EXPECT_EQ(functions.pause_before(100'015)->count(), 20'000);
  EXPECT_FALSE(functions.pause_before(100'016));
}

TEST(DeliveryPolicy, RefusesWhatIsOutOfRangeOrUnknown) {
  for (const std::string_view text :
       {"", "[]", R"({"healthyRetryPolicy":{"numRetries":101}})", R"({"healthyRetryPolicy":{"minDelayTarget":0}})",
        R"({"healthyRetryPolicy":{"minDelayTarget":30,"maxDelayTarget":20}})",
        R"({"healthyRetryPolicy":{"numRetries":1,"numNoDelayRetries":2}})",
        R"({"healthyRetryPolicy":{"backoffFunction":"quadratic"}})", R"({"healthyRetryPolicy":{"retries":1}})",
        R"({"throttlePolicy":{"maxReceivesPerSecond":0}})",
        R"({"requestPolicy":{"headerContentType":"a\r\nb: c/d"}})"}) {
    EXPECT_FALSE(parse_delivery_policy(text)) << text;
  }
}

TEST(DeliveryPolicy, OfATopicGivesWayToTheSubscriptionsUnlessItSaysNo) {
  auto topic = parse_topic_delivery_policy(
      R"({"http":{"defaultHealthyRetryPolicy":{"numRetries":1},"defaultThrottlePolicy":{"maxReceivesPerSecond":5}}})");
  auto own = parse_delivery_policy(
      R"({"healthyRetryPolicy":{"numRetries":7},"requestPolicy":{"headerContentType":"application/json"}})");
  ASSERT_TRUE(topic && own);
  auto both = effective(*topic, *own);
  EXPECT_EQ(both.retry->num_retries, 7U);
  EXPECT_EQ(both.receives_per_second, 5);
  EXPECT_EQ(both.content_type, "application/json");
  topic->overrides_disabled = true;
  EXPECT_EQ(effective(*topic, *own).retry->num_retries, 1U);
}

}  // namespace
}  // namespace securebase::notify
