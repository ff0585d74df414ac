// service/infra's own topics and subscriptions, and what is wrong with others.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/encoding.h"
#include "base/hash.h"
#include "base/random.h"
#include "notify/config.h"
#include "stack/stack.h"

namespace securebase::notify {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class ResourcesTest : public testing::Test {
 protected:
  void SetUp() override {
    directory_ = fs::temp_directory_path() / ("notify-stack-" + base::random_hex(12));
    fs::create_directories(directory_);
  }
  void TearDown() override { fs::remove_all(directory_); }

  Result<std::shared_ptr<const Config>, stack::Diagnostics> configured(
      std::vector<std::pair<std::string, std::string>> variables = {}) {
    stack::Inputs inputs;
    inputs.directory = directory_;
    inputs.variables = std::move(variables);
    inputs.derive_secret = [](std::string_view address, std::size_t length, std::string_view) {
      return base::hex(base::sha256(address)).substr(0, length);
    };
    stack::Catalogue catalogue;
    declare(catalogue);
    auto loaded = stack::load(inputs, catalogue);
    if (!loaded) return loaded.error();
    return configure(*loaded);
  }
  std::string trouble(std::string_view text) {
    std::ofstream(directory_ / "main.tf") << text;
    const auto config = configured();
    EXPECT_FALSE(config);
    return config ? std::string() : stack::render(config.error());
  }

  fs::path directory_;
};

constexpr std::string_view kTopicBlock = "resource \"aws_sns_topic\" \"t\" {\n  name = \"t\"\n}\n";

// The two files that say it, with what they take from the others.
TEST_F(ResourcesTest, ReadTheServicesTopics) {
  const fs::path infra = "../../service/infra";
  fs::copy(infra / "notifications.tf", directory_);
  fs::copy(infra / "variables.tf", directory_);
  std::ofstream(directory_ / "main.tf") << "locals {\n  name = \"securebase-${var.environment}\"\n}\n";
  auto config = configured();
  ASSERT_TRUE(config) << stack::render(config.error());
  ASSERT_EQ((*config)->topics.size(), 2U);
  EXPECT_EQ((*config)->topics[0].arn, "arn:aws:sns:us-east-1:123456789012:securebase-prod-alerts");
  EXPECT_TRUE((*config)->subscriptions.empty());

  config = configured({{"alert_email", "ops@example.com"},
                       {"slack_webhook_url", "https://hooks.slack.com/services/T/B/x"},
                       {"pagerduty_integration_url", "https://events.pagerduty.com/integration/key/enqueue"}});
  ASSERT_TRUE(config) << stack::render(config.error());
  ASSERT_EQ((*config)->subscriptions.size(), 3U);
  for (const auto& one : (*config)->subscriptions) {
    const auto& topic = (*config)->topics[one.topic_arn.ends_with("critical") ? 1 : 0];
    EXPECT_EQ(one.needs_confirmation(topic), one.protocol == Protocol::kEmail) << one.endpoint;
    EXPECT_TRUE(one.arn.starts_with(one.topic_arn + ":"));
  }
}

TEST_F(ResourcesTest, FillWhatTheAttributesSay) {
  std::ofstream(directory_ / "main.tf") << R"(
resource "aws_sns_topic" "t" {
  name              = "t"
  display_name      = "T"
  signature_version = 2
  delivery_policy   = jsonencode({ http = { defaultHealthyRetryPolicy = { numRetries = 5 } } })
  tags              = { "securebase:format" = "slack" }
}
resource "aws_sns_topic_policy" "t" {
  arn    = aws_sns_topic.t.arn
  policy = "{}"
}
resource "aws_sns_topic_subscription" "web" {
  topic_arn            = aws_sns_topic.t.arn
  protocol             = "https"
  endpoint             = "https://chat.example/hook"
  filter_policy        = jsonencode({ a = { b = ["x"] } })
  filter_policy_scope  = "MessageBody"
  raw_message_delivery = true
  redrive_policy       = jsonencode({ deadLetterTargetArn = "arn:aws:sqs:us-east-1:123456789012:dead" })
}
)";
  const auto config = configured();
  ASSERT_TRUE(config) << stack::render(config.error());
  const auto& topic = (*config)->topics[0];
  EXPECT_EQ(topic.signature_version, 2);
  EXPECT_EQ(topic.delivery.defaults.retry->num_retries, 5U);
  const auto& one = (*config)->subscriptions[0];
  EXPECT_EQ(one.form(topic), Format::kSlack);
  EXPECT_TRUE(one.raw);
  EXPECT_EQ(one.scope, FilterScope::kMessageBody);
  EXPECT_EQ(one.redrive_target, "arn:aws:sqs:us-east-1:123456789012:dead");
}

TEST_F(ResourcesTest, SayWhatIsWrong) {
  const auto subscription = [](std::string_view protocol, std::string_view endpoint, std::string_view more = "") {
    return std::string(kTopicBlock) +
           "resource \"aws_sns_topic_subscription\" \"s\" {\n  topic_arn = aws_sns_topic.t.arn\n" + "  protocol = \"" +
           std::string(protocol) + "\"\n  endpoint = \"" + std::string(endpoint) + "\"\n" + std::string(more) + "}\n";
  };
  EXPECT_THAT(trouble("resource \"aws_sns_topic\" \"t\" {\n  name = \"t.fifo\"\n  fifo_topic = true\n}\n"),
              HasSubstr("FIFO"));
  EXPECT_THAT(trouble(subscription("sqs", "arn:aws:sqs:us-east-1:1:q")),
              HasSubstr("\"sqs\" is not done by SecureBase"));
  EXPECT_THAT(trouble(subscription("email", "nobody")), HasSubstr("is no mail address"));
  EXPECT_THAT(trouble(subscription("https", "https://x/", "  filter_policy = \"{\\\"a\\\": \\\"b\\\"}\"\n")),
              HasSubstr("must be an array"));
  EXPECT_THAT(trouble(subscription("https", "https://x/", "  delivery_policy = \"{\\\"x\\\": 1}\"\n")),
              HasSubstr("has no member"));
  EXPECT_THAT(
      trouble("resource \"aws_sns_topic_subscription\" \"s\" {\n  topic_arn = \"arn:aws:sns:us-east-1:1:none\"\n"
              "  protocol = \"email\"\n  endpoint = \"a@b.c\"\n}\n"),
      HasSubstr("names no aws_sns_topic"));
}

}  // namespace
}  // namespace securebase::notify
