// The operations of SNS by hand-made calls, with a queue on disk and without deliveries: nothing is started, so no port
// is opened, and what was queued is seen in the queue.
#include "notify/api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/encoding.h"
#include "base/random.h"
#include "notify/engine.h"

namespace securebase::notify {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using aws::Value;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

constexpr std::string_view kTopic = "arn:aws:sns:us-east-1:123456789012:alerts";

class ApiTest : public testing::Test {
 protected:
  void SetUp() override {
    directory_ = fs::temp_directory_path() / ("notify-api-" + base::random_hex(12));
    authority_ = *net::make_authority("A local authority");
    open();
  }
  void TearDown() override {
    notify_.reset();
    fs::remove_all(directory_);
  }

  void open(Limits limits = {}, std::optional<Relay> relay = std::nullopt) {
    notify_.reset();
    Settings settings;
    settings.directory = directory_ / "notify";
    settings.logs = directory_ / "logs";
    settings.authority = authority_;
    settings.limits = limits;
    settings.relay = std::move(relay);
    auto made = Notify::make(std::move(settings), {worker_, pool_, nullptr, &metrics_, clock_});
    ASSERT_TRUE(made) << made.error().message;
    notify_ = std::move(*made);
    handlers_.clear();
    for (auto& [name, handler] : operations_of(*notify_)) handlers_.emplace(name, std::move(handler));
  }

  aws::Outcome call(std::string_view operation, Value input) {
    const http::Request request;
    aws::Call call{"sns", operation,    identity_,        "us-east-1", "123456789012",
                   "id",  clock_.now(), std::move(input), request};
    return handlers_.at(std::string(operation))(call);
  }
  Value ok(std::string_view operation, Value input) {
    auto outcome = call(operation, std::move(input));
    EXPECT_TRUE(outcome) << operation << ": " << (outcome ? "" : outcome.error().code + ": " + outcome.error().message);
    return outcome ? outcome->output : Value();
  }
  std::string fault(std::string_view operation, Value input) {
    auto outcome = call(operation, std::move(input));
    EXPECT_FALSE(outcome) << operation;
    return outcome ? std::string() : outcome.error().code + ": " + outcome.error().message;
  }
  Value topic() { return ok("CreateTopic", Value::structure({{"Name", "alerts"}})); }
  Value subscribe(std::string_view protocol, std::string_view endpoint, Value attributes = {}) {
    return ok("Subscribe", Value::structure({{"TopicArn", kTopic},
                                             {"Protocol", protocol},
                                             {"Endpoint", endpoint},
                                             {"Attributes", std::move(attributes)},
                                             {"ReturnSubscriptionArn", true}}));
  }
  Value publish(std::string_view text) {
    return ok("Publish", Value::structure({{"TopicArn", kTopic}, {"Message", text}}));
  }
  std::string attribute(std::string_view arn, std::string_view name) {
    const auto output = ok("GetSubscriptionAttributes", Value::structure({{"SubscriptionArn", arn}}));
    return std::string(output["Attributes"][name].string_or(""));
  }
  std::uint64_t count(const Metric& metric) { return metrics_.counter(metric, {{"TopicName", "alerts"}}).total(); }

  fs::path directory_;
  net::Authority authority_;
  base::ManualClock clock_;
  telemetry::Registry metrics_;
  net::Worker worker_{0};
  net::Pool pool_{1, 16};
  aws::Identity identity_{"AKIA", "123456789012", "arn:aws:iam::123456789012:root", "123456789012"};
  std::unique_ptr<Notify> notify_;
  std::map<std::string, aws::Handler> handlers_;
};

TEST_F(ApiTest, MakesATopicOnceAndTellsItsAttributes) {
  EXPECT_EQ(topic()["TopicArn"].string_or(""), kTopic);
  EXPECT_EQ(topic()["TopicArn"].string_or(""), kTopic);
  ok("SetTopicAttributes",
     Value::structure({{"TopicArn", kTopic}, {"AttributeName", "DisplayName"}, {"AttributeValue", "Alerts"}}));
  open();  // what the API makes survives a restart
  const auto attributes = ok("GetTopicAttributes", Value::structure({{"TopicArn", kTopic}}))["Attributes"];
  EXPECT_EQ(attributes["DisplayName"].string_or(""), "Alerts");
  EXPECT_THAT(std::string(attributes["EffectiveDeliveryPolicy"].string_or("")), HasSubstr("\"numRetries\":50"));
  EXPECT_THAT(fault("CreateTopic",
                    Value::structure({{"Name", "alerts"}, {"Attributes", Value::structure({{"DisplayName", "x"}})}})),
              HasSubstr("Topic already exists with different attributes"));
  EXPECT_THAT(fault("CreateTopic", Value::structure({{"Name", "a.fifo"}})), HasSubstr("FIFO"));
  EXPECT_THAT(fault("CreateTopic", Value::structure({{"Name", "a b"}})), StartsWith("InvalidParameter"));
  ok("DeleteTopic", Value::structure({{"TopicArn", kTopic}}));
  ok("DeleteTopic", Value::structure({{"TopicArn", kTopic}}));
  EXPECT_THAT(fault("GetTopicAttributes", Value::structure({{"TopicArn", kTopic}})), StartsWith("NotFound"));
}

TEST_F(ApiTest, HoldsTags) {
  topic();
  ok("TagResource", Value::structure({{"ResourceArn", kTopic},
                                      {"Tags", Value::list({Value::structure({{"Key", "a"}, {"Value", "1"}}),
                                                            Value::structure({{"Key", "b"}, {"Value", "2"}})})}}));
  ok("UntagResource", Value::structure({{"ResourceArn", kTopic}, {"TagKeys", Value::list({"a"})}}));
  const auto tags = ok("ListTagsForResource", Value::structure({{"ResourceArn", kTopic}}))["Tags"];
  ASSERT_EQ(tags.elements().size(), 1U);
  EXPECT_EQ(tags.elements()[0]["Key"].string_or(""), "b");
  EXPECT_THAT(
      fault("TagResource",
            Value::structure(
                {{"ResourceArn", kTopic},
                 {"Tags", Value::list({Value::structure({{"Key", "securebase:format"}, {"Value", "teams"}})})}})),
      HasSubstr("slack or pagerduty"));
  EXPECT_THAT(fault("ListTagsForResource", Value::structure({{"ResourceArn", "arn:aws:sns:us-east-1:1:x"}})),
              StartsWith("ResourceNotFound"));
}

TEST_F(ApiTest, AsksWebhooksAndMailToConfirmAndSlackAndPagerDutyNot) {
  topic();
  EXPECT_EQ(attribute(subscribe("https", "https://hooks.slack.com/services/T/B/x")["SubscriptionArn"].string_or(""),
                      "PendingConfirmation"),
            "false");
  EXPECT_EQ(
      attribute(
          subscribe("https", "https://events.pagerduty.com/integration/key/enqueue")["SubscriptionArn"].string_or(""),
          "PendingConfirmation"),
      "false");
  EXPECT_EQ(attribute(subscribe("https", "https://chat.example/hook",
                                Value::structure({{"securebase:format", "slack"}}))["SubscriptionArn"]
                          .string_or(""),
                      "PendingConfirmation"),
            "false");
  EXPECT_EQ(notify_->engine().queue->totals().waiting, 0U);
  const auto web = std::string(subscribe("https", "https://example.com/hook")["SubscriptionArn"].string_or(""));
  EXPECT_EQ(attribute(web, "PendingConfirmation"), "true");
  EXPECT_EQ(notify_->engine().queue->totals().waiting, 1U);
  EXPECT_EQ(ok("Subscribe",
               Value::structure(
                   {{"TopicArn", kTopic}, {"Protocol", "email"}, {"Endpoint", "ops@example.com"}}))["SubscriptionArn"]
                .string_or(""),
            "pending confirmation");
  EXPECT_THAT(
      fault("Subscribe",
            Value::structure({{"TopicArn", kTopic}, {"Protocol", "sqs"}, {"Endpoint", "arn:aws:sqs:us-east-1:1:q"}})),
      HasSubstr("\"sqs\" is not done by SecureBase"));
  EXPECT_THAT(
      fault("Subscribe", Value::structure({{"TopicArn", kTopic}, {"Protocol", "https"}, {"Endpoint", "http://x/"}})),
      StartsWith("InvalidParameter"));
  EXPECT_THAT(fault("Subscribe",
                    Value::structure(
                        {{"TopicArn", kTopic}, {"Protocol", "https"}, {"Endpoint", "https://events.pagerduty.com/x"}})),
              HasSubstr("integration key"));
  EXPECT_THAT(fault("Subscribe", Value::structure({{"TopicArn", "arn:aws:sns:us-east-1:123456789012:none"},
                                                   {"Protocol", "https"},
                                                   {"Endpoint", "https://x/"}})),
              StartsWith("NotFound"));
}

TEST_F(ApiTest, ConfirmsByTokenUntilItExpires) {
  topic();
  const auto arn = std::string(subscribe("https", "https://example.com/hook")["SubscriptionArn"].string_or(""));
  const auto token = notify_->engine().registry->get()->subscription(arn)->token;
  EXPECT_THAT(fault("ConfirmSubscription", Value::structure({{"TopicArn", kTopic}, {"Token", "wrong"}})),
              HasSubstr("Token"));
  publish("before");
  EXPECT_EQ(notify_->engine().queue->totals().waiting, 1U) << "the confirmation alone";
  EXPECT_EQ(ok("ConfirmSubscription", Value::structure({{"TopicArn", kTopic}, {"Token", token}}))["SubscriptionArn"]
                .string_or(""),
            arn);
  ok("ConfirmSubscription", Value::structure({{"TopicArn", kTopic}, {"Token", token}}));
  publish("after");
  EXPECT_EQ(notify_->engine().queue->totals().waiting, 2U);
  const auto late = std::string(subscribe("https", "https://example.com/late")["SubscriptionArn"].string_or(""));
  const auto late_token = notify_->engine().registry->get()->subscription(late)->token;
  clock_.advance(73h);
  EXPECT_THAT(fault("ConfirmSubscription", Value::structure({{"TopicArn", kTopic}, {"Token", late_token}})),
              HasSubstr("expired"));
  subscribe("https", "https://example.com/other");
  EXPECT_THAT(fault("GetSubscriptionAttributes", Value::structure({{"SubscriptionArn", late}})),
              StartsWith("NotFound"));
}

TEST_F(ApiTest, UnsubscribesAndLetsComeBackByTheConfirmationsLink) {
  topic();
  const auto arn = std::string(subscribe("https", "https://example.com/hook")["SubscriptionArn"].string_or(""));
  ASSERT_TRUE(notify_->confirm(arn));
  ok("Unsubscribe", Value::structure({{"SubscriptionArn", arn}}));
  EXPECT_THAT(fault("Unsubscribe", Value::structure({{"SubscriptionArn", arn}})), StartsWith("NotFound"));
  EXPECT_TRUE(
      ok("ListSubscriptionsByTopic", Value::structure({{"TopicArn", kTopic}}))["Subscriptions"].elements().empty());
  const auto waiting = notify_->engine().queue->take(10);
  ASSERT_EQ(waiting.size(), 1U);
  EXPECT_EQ(waiting[0].message->kind, Message::Kind::kUnsubscribeConfirmation);
  ok("ConfirmSubscription", Value::structure({{"TopicArn", kTopic}, {"Token", waiting[0].message->token}}));
  EXPECT_EQ(attribute(arn, "PendingConfirmation"), "false");
}

TEST_F(ApiTest, LetsOnlyOwnersUnsubscribeWhereThatWasAskedFor) {
  topic();
  const auto arn = std::string(subscribe("https", "https://example.com/hook")["SubscriptionArn"].string_or(""));
  const auto token = notify_->engine().registry->get()->subscription(arn)->token;
  ok("ConfirmSubscription",
     Value::structure({{"TopicArn", kTopic}, {"Token", token}, {"AuthenticateOnUnsubscribe", "true"}}));
  const auto key = std::exchange(identity_.access_key_id, "");
  EXPECT_THAT(fault("Unsubscribe", Value::structure({{"SubscriptionArn", arn}})), StartsWith("AuthorizationError"));
  identity_.access_key_id = key;
  ok("Unsubscribe", Value::structure({{"SubscriptionArn", arn}}));
}

TEST_F(ApiTest, PublishesToWhomTheFilterLetsThrough) {
  topic();
  subscribe("https", "https://hooks.slack.com/services/T/B/x",
            Value::structure({{"FilterPolicy", R"({"severity":["high"]})"}}));
  publish("no attributes");
  EXPECT_EQ(notify_->engine().queue->totals().waiting, 0U);
  EXPECT_EQ(count(kFilteredNoAttributes), 1U);
  const auto with = [&](std::string_view value) {
    return Value::structure(
        {{"TargetArn", kTopic},
         {"Message", "x"},
         {"Subject", "s"},
         {"MessageAttributes",
          Value::structure({{"severity", Value::structure({{"DataType", "String"}, {"StringValue", value}})}})}});
  };
  ok("Publish", with("low"));
  EXPECT_EQ(count(kFilteredByAttributes), 1U);
  EXPECT_EQ(ok("Publish", with("high"))["MessageId"].string_or("").size(), 36U);
  EXPECT_EQ(notify_->engine().queue->totals().waiting, 1U);
  EXPECT_EQ(count(kPublished), 3U);
  EXPECT_THAT(
      fault("Subscribe", Value::structure({{"TopicArn", kTopic},
                                           {"Protocol", "https"},
                                           {"Endpoint", "https://x/"},
                                           {"Attributes", Value::structure({{"FilterPolicy", R"({"a":"b"})"}})}})),
      HasSubstr("FilterPolicy"));
}

TEST_F(ApiTest, AnswersThrottledWhenTheQueueIsFull) {
  Limits limits;
  limits.queue_length = 1;
  open(limits);
  topic();
  subscribe("https", "https://hooks.slack.com/services/T/B/x");
  publish("one");
  EXPECT_THAT(fault("Publish", Value::structure({{"TopicArn", kTopic}, {"Message", "two"}})), StartsWith("Throttled"));
}

TEST_F(ApiTest, PublishesBatchesEntryByEntry) {
  topic();
  const auto entry = [](std::string_view id, std::string_view text) {
    return Value::structure({{"Id", id}, {"Message", text}});
  };
  const auto batch = [](Value list) {
    return Value::structure({{"TopicArn", kTopic}, {"PublishBatchRequestEntries", std::move(list)}});
  };
  const auto output = ok("PublishBatch", batch(Value::list({entry("a", "x"), entry("b", "")})));
  EXPECT_EQ(output["Successful"].elements().size(), 1U);
  ASSERT_EQ(output["Failed"].elements().size(), 1U);
  EXPECT_EQ(output["Failed"].elements()[0]["Code"].string_or(""), "InvalidParameter");
  EXPECT_THAT(fault("PublishBatch", batch(Value::list({}))), StartsWith("EmptyBatchRequest"));
  EXPECT_THAT(fault("PublishBatch", batch(Value::list({entry("a", "x"), entry("a", "x")}))),
              StartsWith("BatchEntryIdsNotDistinct"));
  EXPECT_THAT(fault("PublishBatch", batch(Value::list({entry("a b", "x")}))), StartsWith("InvalidBatchEntryId"));
  Value many = Value::list();
  for (int i = 0; i < 11; ++i) many.push_back(entry(std::to_string(i), "x"));
  EXPECT_THAT(fault("PublishBatch", batch(std::move(many))), StartsWith("TooManyEntriesInBatchRequest"));
}

TEST_F(ApiTest, ListsInPagesThatSurviveChanges) {
  for (int i = 0; i < 150; ++i) ok("CreateTopic", Value::structure({{"Name", fmt::format("t{:03}", i)}}));
  const auto first = ok("ListTopics", Value::structure({}));
  EXPECT_EQ(first["Topics"].elements().size(), 100U);
  ok("DeleteTopic", Value::structure({{"TopicArn", first["Topics"].elements()[99]["TopicArn"]}}));
  const auto second = ok("ListTopics", Value::structure({{"NextToken", first["NextToken"]}}));
  EXPECT_EQ(second["Topics"].elements().size(), 50U);
  EXPECT_TRUE(second["NextToken"].is_null());
  EXPECT_THAT(fault("ListTopics", Value::structure({{"NextToken", "x"}})), StartsWith("InvalidParameter"));
}

TEST_F(ApiTest, ShowsNoPasswordOfAnEndpoint) {
  topic();
  const auto arn =
      std::string(subscribe("https", "https://me:secret@example.com/hook")["SubscriptionArn"].string_or(""));
  EXPECT_EQ(attribute(arn, "Endpoint"), "https://me:****@example.com/hook");
}

TEST_F(ApiTest, HoldsMailUntilARelayIsSetAndSaysSo) {
  topic();
  subscribe("email", "ops@example.com");
  EXPECT_TRUE(notify_->engine().queue->take(10).empty());
  const auto status = notify_->status();
  ASSERT_EQ(status.subscriptions.size(), 1U);
  EXPECT_THAT(status.subscriptions[0].trouble, HasSubstr("no SMTP relay is set"));
  EXPECT_THAT(status.troubles.at(0), HasSubstr("1 mails wait for 1 addresses; set SECUREBASE_SMTP_HOST"));
  Relay relay;
  relay.host = "127.0.0.1";
  open({}, relay);
  EXPECT_EQ(notify_->engine().queue->take(10).size(), 1U);
}

TEST_F(ApiTest, PutsBackWhatTheStackDeclaresAndKeepsWhatWasConfirmed) {
  Config config;
  Topic declared;
  declared.arn = kTopic;
  declared.attributes["DisplayName"] = "Alerts";
  config.topics.push_back(declared);
  Subscription one;
  one.arn = std::string(kTopic) + ":1";
  one.topic_arn = kTopic;
  one.protocol = Protocol::kHttps;
  one.endpoint = "https://example.com/hook";
  config.subscriptions.push_back(one);
  const auto apply = [&] {
    const auto done = notify_->apply(std::make_shared<const Config>(config));
    ASSERT_TRUE(done) << done.error().message;
  };
  apply();
  EXPECT_EQ(notify_->engine().queue->totals().waiting, 1U);
  apply();
  EXPECT_EQ(notify_->engine().queue->totals().waiting, 1U) << "asked once, not at every apply";
  ASSERT_TRUE(notify_->confirm(one.arn));
  ok("CreateTopic", Value::structure({{"Name", "by-api"}}));
  ok("SetTopicAttributes",
     Value::structure({{"TopicArn", kTopic}, {"AttributeName", "DisplayName"}, {"AttributeValue", "x"}}));
  const stack::Change::Attribute renamed{"display_name", "x", "Alerts", false, "", false};
  EXPECT_THAT(notify_->drift(), ElementsAre(stack::Drifted{"aws_sns_topic", std::string(kTopic), false, {renamed}}));
  open();
  apply();
  EXPECT_THAT(notify_->drift(), IsEmpty());
  EXPECT_EQ(attribute(one.arn, "PendingConfirmation"), "false");
  EXPECT_EQ(
      ok("GetTopicAttributes", Value::structure({{"TopicArn", kTopic}}))["Attributes"]["DisplayName"].string_or(""),
      "Alerts");
  ok("Unsubscribe", Value::structure({{"SubscriptionArn", one.arn}}));
  EXPECT_THAT(notify_->drift(), ElementsAre(stack::Drifted{"aws_sns_topic_subscription", one.arn, true, {}}));
  apply();
  EXPECT_EQ(attribute(one.arn, "PendingConfirmation"), "true");
  config = {};
  apply();
  const auto left = ok("ListTopics", Value::structure({}))["Topics"];
  ASSERT_EQ(left.elements().size(), 1U);
  EXPECT_THAT(std::string(left.elements()[0]["TopicArn"].string_or("")), HasSubstr("by-api"));
}

// As after a crash between the change of what is registered and the queue.
TEST_F(ApiTest, AsksAgainAtAnApplyWhomTheQueueDidNotTake) {
  Config config;
  Topic declared;
  declared.arn = kTopic;
  config.topics.push_back(declared);
  Subscription one;
  one.arn = std::string(kTopic) + ":1";
  one.topic_arn = kTopic;
  one.protocol = Protocol::kHttps;
  one.endpoint = "https://example.com/hook";
  config.subscriptions.push_back(one);
  const auto waiting_after_apply = [&] {
    EXPECT_TRUE(notify_->apply(std::make_shared<const Config>(config)));
    return notify_->engine().queue->totals().waiting;
  };
  Limits full;
  full.queue_length = 0;
  open(full);
  EXPECT_EQ(waiting_after_apply(), 0U);
  open();
  EXPECT_EQ(waiting_after_apply(), 1U);
  open();
  EXPECT_EQ(waiting_after_apply(), 1U) << "asked once, also over a restart";
}

TEST_F(ApiTest, RecognisesItsUnsignedAddressesOnly) {
  const auto recognised = [&](http::Method method, std::string_view path, std::string_view query,
                              bool is_signed = false) {
    http::Request request;
    request.method = method;
    request.path = path;
    request.query = query;
    if (is_signed) request.headers.add("Authorization", "AWS4-HMAC-SHA256 x");
    return notify_->recognises(request);
  };
  using http::Method;
  EXPECT_TRUE(recognised(Method::kGet, "/SimpleNotificationService-0123.pem", ""));
  EXPECT_TRUE(recognised(Method::kGet, "/", "Action=ConfirmSubscription&TopicArn=a&Token=b"));
  EXPECT_TRUE(recognised(Method::kPost, "/", "Action=Unsubscribe&SubscriptionArn=a"));
  EXPECT_FALSE(recognised(Method::kGet, "/", "Action=Publish&TopicArn=a"));
  EXPECT_FALSE(recognised(Method::kGet, "/", "Action=Unsubscribe&SubscriptionArn=a", true));
  EXPECT_FALSE(recognised(Method::kGet, "/bucket", "Action=Unsubscribe"));
  EXPECT_FALSE(recognised(Method::kDelete, "/", "Action=Unsubscribe"));
}

TEST_F(ApiTest, ReadsTheNewestOfTheDeliveryLog) {
  const auto line = [](std::string_view subscription, int attempt) {
    return base::Json::object({{"delivery", base::Json::object({{"subscriptionArn", subscription}})},
                               {"notification", base::Json::object({{"topicArn", kTopic}})},
                               {"attempt", attempt}});
  };
  EXPECT_TRUE(notify_->deliveries(10)->empty());
  Limits small;
  small.log_bytes = 2000;  // half of it is a file: some lines each
  open(small);
  for (int i = 0; i < 20; ++i) {
    notify_->engine().log->write(line(i % 2 == 0 ? "even" : "odd", i));
    ASSERT_TRUE(notify_->deliveries(1)) << "writes what waits, so that files change";
  }
  std::ofstream(directory_ / "logs/notify/deliveries.log", std::ios::app) << "{\"torn";
  const auto newest = *notify_->deliveries(3);
  ASSERT_EQ(newest.size(), 3U);
  EXPECT_EQ(newest[0]["attempt"].integer_or(0), 17);
  EXPECT_EQ(newest[2]["attempt"].integer_or(0), 19);
  const auto even = *notify_->deliveries(2, "even");
  ASSERT_EQ(even.size(), 2U);
  EXPECT_EQ(even[1]["attempt"].integer_or(0), 18);
  EXPECT_GT(notify_->deliveries(100, kTopic)->size(), 7U) << "of both files";
}

TEST(RelaySettings, AreReadFromTheEnvironment) {
  const auto secret = [](std::string_view name) -> Result<std::string> { return "secret of " + std::string(name); };
  EXPECT_FALSE((*relay_from({}, secret)).has_value());
  const auto relay = relay_from({{"SECUREBASE_SMTP_HOST", "relay.example"},
                                 {"SECUREBASE_SMTP_FROM", "alerts@example.com"},
                                 {"SECUREBASE_SMTP_USER", "u"},
                                 {"SECUREBASE_SMTP_PASSWORD_SECRET", "smtp"}},
                                secret);
  ASSERT_TRUE(relay) << relay.error().message;
  EXPECT_EQ((*relay)->port, 587);
  EXPECT_EQ((*relay)->security, Relay::Security::kStartTls);
  EXPECT_EQ(*(*relay)->password(), "secret of smtp");
  const std::map<std::string, std::string> good{{"SECUREBASE_SMTP_HOST", "h"}, {"SECUREBASE_SMTP_FROM", "a@b"}};
  for (const auto& [name, value] : std::map<std::string, std::string>{{"SECUREBASE_SMTP_PORT", "0"},
                                                                      {"SECUREBASE_SMTP_TLS", "maybe"},
                                                                      {"SECUREBASE_SMTP_FROM", "nobody"},
                                                                      {"SECUREBASE_SMTP_USER", "u"}}) {
    auto bad = good;
    bad[name] = value;
    EXPECT_FALSE(relay_from(bad, secret)) << name;
  }
}

}  // namespace
}  // namespace securebase::notify
