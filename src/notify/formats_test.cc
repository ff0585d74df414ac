// What people and their tools get, by its text.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/encoding.h"
#include "base/hash.h"
#include "notify/alarm.h"
#include "notify/mail.h"
#include "notify/pagerduty.h"
#include "notify/slack.h"
#include "notify/smtp_reply.h"

namespace securebase::notify {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view kAlarm =
    R"({"AlarmName":"securebase-prod-api-latency","AlarmDescription":"API p95 latency > 100ms","AWSAccountId":"123456789012",
"AlarmArn":"arn:aws:cloudwatch:us-east-1:123456789012:alarm:securebase-prod-api-latency","NewStateValue":"ALARM",
"OldStateValue":"OK","NewStateReason":"Threshold Crossed: 2 out of the last 2 datapoints [131.0 (24/01/26 10:05:00), 118.4 (24/01/26 10:00:00)] were greater than the threshold (100.0) (minimum 2 datapoints for OK -> ALARM transition).",
"StateChangeTime":"2026-01-24T10:10:12.345+0000","Region":"us-east-1","OKActions":[],"AlarmActions":[],
"Trigger":{"MetricName":"Latency","Namespace":"AWS/ApiGateway","StatisticType":"ExtendedStatistic","ExtendedStatistic":"p95",
"Unit":"Milliseconds","Dimensions":[{"name":"ApiName","value":"securebase-api"}],"Period":300,"EvaluationPeriods":2,
"DatapointsToAlarm":2,"ComparisonOperator":"GreaterThanThreshold","Threshold":100.0}})";

std::string with(std::string text, std::string_view from, std::string_view to) {
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

constexpr std::string_view kCommand =
    "aws cloudwatch get-metric-statistics --namespace AWS/ApiGateway --metric-name Latency --dimensions "
    "Name=ApiName,Value=securebase-api --start-time 2026-01-24T09:40:12Z --end-time 2026-01-24T10:15:12Z --period 300 "
    "--extended-statistics p95";

Message a_message(std::string_view text) {
  Message message;
  message.id = "11111111-2222-4333-8444-555555555555";
  message.topic_arn = "arn:aws:sns:us-east-1:123456789012:securebase-prod-alerts";
  message.text = text;
  message.published = base::TimePoint{std::chrono::seconds{1'769'249'413}};
  return message;
}

TEST(Alarm, SaysWhatBrokeSinceWhenAndHowToSeeIt) {
  const auto alarm = alarm_from(kAlarm);
  ASSERT_TRUE(alarm);
  EXPECT_EQ(
      headline(*alarm),
      "p95 of AWS/ApiGateway Latency (ApiName=securebase-api) is 131 ms: greater than 100 ms in 2 of 2 periods of "
      "300 s");
  EXPECT_EQ(since(*alarm), "since 2026-01-24 10:10:12 UTC");
  EXPECT_THAT(evidence(*alarm), ElementsAre(std::string(kCommand)));
  const auto over = alarm_from(with(std::string(kAlarm), "\"NewStateValue\":\"ALARM\"", "\"NewStateValue\":\"OK\""));
  EXPECT_THAT(headline(*over), HasSubstr("is 131 ms, no longer greater than 100 ms"));
}

TEST(Alarm, IsNotSeenInOtherMessages) {
  for (const char* text :
       {"", "hello", "{}", "[1]", R"({"AlarmName":"x"})", R"({"AlarmName":"x","NewStateValue":"BAD"})"}) {
    EXPECT_FALSE(alarm_from(text)) << text;
  }
}

TEST(Alarm, OfAFunctionShowsItsLogToo) {
  auto text = with(std::string(kAlarm), "AWS/ApiGateway", "AWS/Lambda");
  text = with(text, "\"ApiName\"", "\"FunctionName\"");
  const auto commands = evidence(*alarm_from(text));
  ASSERT_EQ(commands.size(), 2U);
  EXPECT_THAT(commands[1],
              HasSubstr("aws logs filter-log-events --log-group-name /aws/lambda/securebase-api --start-time"));
}

TEST(Alarm, QuotesWhatAShellWouldRun) {
  const auto alarm = alarm_from(R"({"AlarmName":"a'; rm -rf ~ #","NewStateValue":"ALARM"})");
  EXPECT_THAT(evidence(*alarm),
              ElementsAre(R"(aws cloudwatch describe-alarm-history --alarm-name 'a'\''; rm -rf ~ #')"));
}

TEST(Slack, ShowsAnAlarmInBlocksWithATextForElsewhere) {
  const auto json = *base::Json::parse(slack_body(a_message(kAlarm), kAlarm, "Alerts", "http://127.0.0.1:8081"));
  EXPECT_EQ(json.dump(2), R"({
  "text": "ALARM: securebase-prod-api-latency - p95 of AWS/ApiGateway Latency (ApiName=securebase-api) is 131 ms: greater than 100 ms in 2 of 2 periods of 300 s",
  "blocks": [
    {
      "type": "header",
      "text": {
        "type": "plain_text",
        "text": "🔴 ALARM: securebase-prod-api-latency"
      }
    },
    {
      "type": "section",
      "text": {
        "type": "mrkdwn",
        "text": "*p95 of AWS/ApiGateway Latency (ApiName=securebase-api) is 131 ms: greater than 100 ms in 2 of 2 periods of 300 s*\nAPI p95 latency &gt; 100ms"
      }
    },
    {
      "type": "section",
      "text": {
        "type": "mrkdwn",
        "text": "Threshold Crossed: 2 out of the last 2 datapoints [131.0 (24/01/26 10:05:00), 118.4 (24/01/26 10:00:00)] were greater than the threshold (100.0) (minimum 2 datapoints for OK -&gt; ALARM transition)."
      }
    },
    {
      "type": "section",
      "text": {
        "type": "mrkdwn",
        "text": "```)" + std::string(kCommand) +
                              R"(```"
      }
    },
    {
      "type": "context",
      "elements": [
        {
          "type": "mrkdwn",
          "text": "since 2026-01-24 10:10:12 UTC · us-east-1 · Alerts · <http://127.0.0.1:8081/alarms/securebase-prod-api-latency|console>"
        }
      ]
    }
  ]
})");
}

TEST(Slack, KeepsPlainMessagesWithinItsLimitsAndEscapesThem) {
  auto message = a_message("<!channel> & " + std::string(5000, 'x'));
  message.subject = "Deploy";
  const auto json = *base::Json::parse(slack_body(message, message.text, "Alerts", ""));
  EXPECT_EQ(json["text"].string_or(""), "Deploy");
  const auto shown = std::string((*json["blocks"].as_array())[1]["text"]["text"].string_or(""));
  EXPECT_TRUE(shown.starts_with("&lt;!channel&gt; &amp; xxx"));
  EXPECT_LE(shown.size(), 3000U);
  EXPECT_TRUE(shown.ends_with("…"));
}

TEST(PagerDuty, TriggersWithTheAlarmsArnAndResolvesTheSame) {
  const auto json =
      *base::Json::parse(pagerduty_body(a_message(kAlarm), kAlarm, "Critical", "KEY", "http://127.0.0.1:8081"));
  EXPECT_EQ(json["routing_key"].string_or(""), "KEY");
  EXPECT_EQ(json["event_action"].string_or(""), "trigger");
  EXPECT_EQ(json["dedup_key"].string_or(""),
            "arn:aws:cloudwatch:us-east-1:123456789012:alarm:securebase-prod-api-latency");
  EXPECT_EQ(json["payload"]["severity"].string_or(""), "critical");
  EXPECT_THAT(std::string(json["payload"]["summary"].string_or("")), HasSubstr("securebase-prod-api-latency: p95 of"));
  EXPECT_EQ(json["payload"]["timestamp"].string_or(""), "2026-01-24T10:10:12.000Z");
  EXPECT_EQ(json["payload"]["custom_details"]["value"].number_or(0), 131);
  EXPECT_EQ((*json["payload"]["custom_details"]["evidence"].as_array())[0].string_or(""), kCommand);
  EXPECT_EQ((*json["links"].as_array())[0]["href"].string_or(""),
            "http://127.0.0.1:8081/alarms/securebase-prod-api-latency");
  const auto ok = with(std::string(kAlarm), "\"NewStateValue\":\"ALARM\"", "\"NewStateValue\":\"OK\"");
  const auto over = *base::Json::parse(pagerduty_body(a_message(ok), ok, "Critical", "KEY", ""));
  EXPECT_EQ(over["event_action"].string_or(""), "resolve");
  EXPECT_EQ(over["dedup_key"], json["dedup_key"]);
  EXPECT_FALSE(over.find("payload"));
}

TEST(PagerDuty, TakesActionKeyAndSeverityFromAttributes) {
  auto message = a_message("disk full\nmore");
  const auto plain = *base::Json::parse(pagerduty_body(message, message.text, "t", "KEY", ""));
  EXPECT_EQ(plain["payload"]["summary"].string_or(""), "disk full");
  EXPECT_EQ(plain["payload"]["severity"].string_or(""), "error");
  EXPECT_EQ(plain["dedup_key"].string_or(""), message.id);
  message.attributes = {{"event_action", {"String", "acknowledge"}}, {"dedup_key", {"String", "disk"}}};
  const auto told = *base::Json::parse(pagerduty_body(message, message.text, "t", "KEY", ""));
  EXPECT_EQ(told["event_action"].string_or(""), "acknowledge");
  EXPECT_EQ(told["dedup_key"].string_or(""), "disk");
}

TEST(Mail, TellsAnAlarmInWords) {
  EXPECT_EQ(mail_subject(a_message(kAlarm), kAlarm, "Alerts"), "ALARM: securebase-prod-api-latency");
  EXPECT_EQ(
      mail_text(a_message(kAlarm), kAlarm, "http://u", ""),
      "ALARM: securebase-prod-api-latency\n\n"
      "p95 of AWS/ApiGateway Latency (ApiName=securebase-api) is 131 ms: greater than 100 ms in 2 of 2 periods of "
      "300 s\nsince 2026-01-24 10:10:12 UTC\n\nAPI p95 latency > 100ms\n\nWhy:\n  Threshold Crossed: 2 out of the "
      "last 2 datapoints [131.0 (24/01/26 10:05:00), 118.4 (24/01/26 10:00:00)] were greater than the threshold "
      "(100.0) (minimum 2 datapoints for OK -> ALARM transition).\n\nThe evidence:\n  " +
          std::string(kCommand) +
          "\n\nAlarm    arn:aws:cloudwatch:us-east-1:123456789012:alarm:securebase-prod-api-latency\n"
          "Region   us-east-1\nBefore   OK\n\n-- \nTopic arn:aws:sns:us-east-1:123456789012:securebase-prod-alerts\n"
          "To stop these mails: http://u\n");
  EXPECT_EQ(mail_text(a_message("as it is"), "as it is", "", ""), "as it is\n");
}

TEST(Mail, IsWellFormed) {
  Mail mail;
  mail.from = "alerts@example.com";
  mail.from_name = "Ops \"A\"";
  mail.to = "ops@example.com";
  mail.subject = "Überlast";
  mail.text = "Grüße\n.\n" + std::string(100, 'x') + " \n";
  mail.id = "id.1";
  mail.topic_arn = "arn:t";
  mail.unsubscribe_url = "http://u/?a=b";
  mail.date = base::TimePoint{std::chrono::seconds{1'769'249'413}};
  EXPECT_EQ(
      render(mail),
      "Date: Sat, 24 Jan 2026 10:10:13 +0000\r\nFrom: \"Ops \\\"A\\\"\" <alerts@example.com>\r\n"
      "To: ops@example.com\r\nSubject: =?UTF-8?B?w5xiZXJsYXN0?=\r\nMessage-ID: <id.1@example.com>\r\n"
      "List-Id: <" +
          base::hex(base::sha256("arn:t")).substr(0, 16) +
          ".example.com>\r\nList-Unsubscribe: <http://u/?a=b>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
          "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
          "Content-Transfer-Encoding: quoted-printable\r\n\r\nGr=C3=BC=C3=9Fe\r\n.\r\n" +
          std::string(75, 'x') + "=\r\n" + std::string(25, 'x') + "=20\r\n");
}

TEST(Mail, EncodesLongSubjectsInWordsThatFit) {
  std::string subject;
  for (int i = 0; i < 60; ++i) subject += "ü";
  const auto encoded = encoded_words(subject);
  std::string decoded;
  for (std::string_view rest = encoded; !rest.empty();) {
    const auto word = rest.substr(0, rest.find("\r\n "));
    EXPECT_LE(word.size(), 75U);
    decoded += base::from_base64(word.substr(10, word.size() - 12)).value_or("?");
    rest.remove_prefix(std::min(word.size() + 3, rest.size()));
  }
  EXPECT_EQ(decoded, subject);
  EXPECT_EQ(encoded_words("plain"), "plain");
  EXPECT_THAT(encoded_words("=?x"), HasSubstr("=?UTF-8?B?"));
}

TEST(SmtpReply, IsReadHoweverItIsCut) {
  constexpr std::string_view kBytes = "250-relay.example\r\n250-STARTTLS\n250 AUTH PLAIN\r\n354\r\n";
  for (std::size_t step = 1; step <= kBytes.size(); ++step) {
    SmtpReplyReader reader;
    std::vector<std::string> seen;
    for (std::size_t at = 0; at < kBytes.size(); at += step) {
      auto piece = kBytes.substr(at, step);
      while (!piece.empty()) {
        auto reply = reader.next(piece);
        ASSERT_TRUE(reply) << reply.error().message;
        if (*reply) seen.push_back((*reply)->text());
      }
    }
    EXPECT_THAT(seen, ElementsAre("250 relay.example STARTTLS AUTH PLAIN", "354 "));
  }
}

TEST(SmtpReply, IsRefusedWhenItIsNone) {
  for (const char* text : {"HTTP/1.1 200 OK\r\n", "25 x\r\n", "250x\r\n", "250-a\r\n251 b\r\n", "650 x\r\n"}) {
    SmtpReplyReader reader;
    std::string_view input = text;
    Result<std::optional<SmtpReply>> reply = std::optional<SmtpReply>{};
    while (!input.empty() && reply) reply = reader.next(input);
    EXPECT_FALSE(reply) << text;
  }
}

}  // namespace
}  // namespace securebase::notify
