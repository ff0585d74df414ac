#include "notify/message.h"

#include <gtest/gtest.h>

#include "notify/endpoint.h"

namespace securebase::notify {
namespace {

Publication a_publication(std::string text) {
  Publication publication;
  publication.topic_arn = "arn:aws:sns:us-east-1:123456789012:t";
  publication.message = std::move(text);
  return publication;
}

TEST(Message, IsTakenAsSnsTakesIt) {
  auto publication = a_publication("hello");
  publication.subject = "Grüße";
  publication.attributes = {{"n", {"Number", "1.5"}}, {"list", {"String.Array", "[1]"}}, {"id", {"String.uuid", "x"}}};
  auto message = compose(publication, {});
  ASSERT_TRUE(message) << message.error().message;
  EXPECT_EQ(message->text, "hello");
}

TEST(Message, IsRefusedWithTheParametersName) {
  const auto code = [](const Publication& publication) {
    auto message = compose(publication, {});
    return message ? std::string() : message.error().code + " " + message.error().message;
  };
  EXPECT_TRUE(code(a_publication("")).starts_with("InvalidParameter Invalid parameter: Message Reason: Empty message"));
  EXPECT_TRUE(code(a_publication("\xff")).starts_with("InvalidParameter"));
  EXPECT_TRUE(code(a_publication(std::string(kMessageBytes + 1, 'x'))).starts_with("InvalidParameter"));
  EXPECT_EQ(code(a_publication(std::string(kMessageBytes, 'x'))), "");
  auto subject = a_publication("x");
  for (const auto& text : {std::string("two\nlines"), std::string(101, 'x'), std::string("")}) {
    subject.subject = text;
    EXPECT_NE(code(subject).find("Subject"), std::string::npos) << text;
  }
  for (const auto& [name, attribute] : std::map<std::string, Attribute>{{"a", {"Text", "x"}},
                                                                        {"b", {"Number", "x"}},
                                                                        {"c", {"String.Array", "x"}},
                                                                        {"d", {"String", ""}},
                                                                        {".e", {"String", "x"}}}) {
    auto with = a_publication("x");
    with.attributes = {{name, attribute}};
    EXPECT_NE(code(with).find("MessageAttributes"), std::string::npos) << name;
  }
}

TEST(Message, HasATextForEachProtocolWhenItsStructureIsJson) {
  auto publication = a_publication(R"({"default":"short","email":"a longer text","http":"{\"a\":1}","sms":5})");
  publication.by_protocol = true;
  auto message = compose(publication, {});
  ASSERT_TRUE(message) << message.error().message;
  EXPECT_EQ(message->text_for("email"), "a longer text");
  EXPECT_EQ(message->text_for("http"), "{\"a\":1}");
  EXPECT_EQ(message->text_for("https"), "short");
  for (const char* text : {"{}", "[]", R"({"email":"x"})", R"({"default":1})", "x"}) {
    publication.message = text;
    EXPECT_FALSE(compose(publication, {})) << text;
  }
}

TEST(Message, ComesOutOfTheQueueAsItWentIn) {
  auto publication = a_publication(R"({"default":"d","email":"e","https":"h"})");
  publication.by_protocol = true;
  publication.subject = "s";
  publication.attributes = {{"b", {"Binary", std::string("\0\xff", 2)}}};
  const auto message = *compose(publication, base::TimePoint{std::chrono::microseconds{1234567}});
  const auto again = message_from(to_json(message));
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->id, message.id);
  EXPECT_EQ(again->subject, message.subject);
  EXPECT_EQ(again->texts, message.texts);
  EXPECT_EQ(again->attributes, message.attributes);
  EXPECT_EQ(again->published, message.published);
}

TEST(Endpoint, OfMailIsReadStrictly) {
  for (const char* good : {"ops@example.com", "a.b+c@mail.example.com", "jürgen@example.de"}) {
    EXPECT_TRUE(check_endpoint(Protocol::kEmail, good)) << good;
  }
  for (const char* bad : {"", "ops", "@x", "a@", "a b@x.y", "a@x.y>", "a\r\nBcc: b@x.y", ".a@x", "a..b@x"}) {
    EXPECT_FALSE(check_endpoint(Protocol::kEmail, bad)) << bad;
  }
}

TEST(Endpoint, IsRecognisedByItsHost) {
  EXPECT_EQ(format_of_host(*http::parse_url("https://hooks.slack.com/services/T/B/x")), Format::kSlack);
  EXPECT_EQ(format_of_host(*http::parse_url("https://events.pagerduty.com/integration/k/enqueue")), Format::kPagerDuty);
  EXPECT_EQ(format_of_host(*http::parse_url("https://hooks.slack.com.evil.example/x")), Format::kSns);
  const auto target = pagerduty_target(*http::parse_url("https://events.pagerduty.com/integration/abc123/enqueue"));
  ASSERT_TRUE(target);
  EXPECT_EQ(target->routing_key, "abc123");
  EXPECT_EQ(target->url.target, "/v2/enqueue");
  EXPECT_EQ(pagerduty_target(*http::parse_url("http://127.0.0.1:9/pd?a=1&routing_key=k"))->url.target, "/pd");
  EXPECT_FALSE(pagerduty_target(*http::parse_url("https://events.pagerduty.com/v2/enqueue")));
}

TEST(Endpoint, HidesItsSecrets) {
  EXPECT_EQ(without_secrets(Protocol::kHttps, Format::kSlack, "https://hooks.slack.com/services/T00/B00/XXXX"),
            "https://hooks.slack.com/services/T00/****");
  EXPECT_EQ(
      without_secrets(Protocol::kHttps, Format::kPagerDuty, "https://events.pagerduty.com/integration/key/enqueue"),
      "https://events.pagerduty.com/****");
  EXPECT_EQ(without_secrets(Protocol::kHttps, Format::kSns, "https://u:p@x.example/a"), "https://u:****@x.example/a");
}

TEST(Endpoint, NamesTheProtocolsThatAreNotDone) {
  for (const char* name : {"sqs", "sms", "application", "firehose"}) {
    const auto protocol = protocol_from(name);
    ASSERT_FALSE(protocol);
    EXPECT_EQ(protocol.error().code, Errc::kUnsupported);
    EXPECT_NE(protocol.error().message.find(name), std::string::npos);
  }
}

}  // namespace
}  // namespace securebase::notify
