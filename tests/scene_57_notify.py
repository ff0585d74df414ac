"""From a cause to people, through the whole platform: a function that dies makes an alarm, and mail, a webhook, Slack,
PagerDuty and a function hear of it, and of its end. What was acknowledged outlives kill -9, and what the API changed of
the files' alarms and topics is drift."""

import contextlib
import functools
import json
import os
import pathlib
import re
import shutil
import signal
import tempfile
import time
import unittest
import urllib.request

import boto3
from botocore.config import Config

from harness import Platform, main, wait_until
from receivers import Mailbox, Webhook, verify

ARN = "arn:aws:sns:us-east-1:123456789012:"
ALARM = "fragile-errors"

FRAGILE = """
import os, signal
def handler(event, context):
    if event.get("die"):
        os.kill(os.getpid(), signal.SIGKILL)
    return "well"
"""

TELLER = """
import json, urllib.request
def handler(event, context):
    for record in event["Records"]:
        urllib.request.urlopen(urllib.request.Request("%s", data=json.dumps(record).encode())).close()
"""

# Topics whose webhooks are Slack's and PagerDuty's have a tag, since these ends are no hosts of theirs.
STACK = """
locals {
  again = jsonencode({ http = { defaultHealthyRetryPolicy = {
    minDelayTarget = 1, maxDelayTarget = 1, numRetries = 100 } } })
  told = [for topic in aws_sns_topic.all : topic.arn]
}

resource "aws_sns_topic" "all" {
  for_each        = { alerts = "sns", chat = "slack", critical = "pagerduty" }
  name            = each.key
  display_name    = "SecureBase"
  delivery_policy = local.again
  tags            = { "securebase:format" = each.value }
}

resource "aws_sns_topic_subscription" "mail" {
  topic_arn = aws_sns_topic.all["alerts"].arn
  protocol  = "email"
  endpoint  = "ops@example.com"
}

resource "aws_sns_topic_subscription" "hook" {
  for_each  = { alerts = "WEBHOOK/hook", chat = "SLACK/services/T/B/key", critical = "PAGER/integration/0123abcd/enqueue" }
  topic_arn = aws_sns_topic.all[each.key].arn
  protocol  = "http"
  endpoint  = each.value
}

resource "aws_sns_topic_subscription" "function" {
  topic_arn = aws_sns_topic.all["alerts"].arn
  protocol  = "lambda"
  endpoint  = aws_lambda_function.all["teller"].arn
}

data "archive_file" "code" {
  for_each    = toset(["fragile", "teller"])
  type        = "zip"
  source_dir  = "${path.module}/${each.key}"
  output_path = "${path.module}/${each.key}.zip"
}

resource "aws_lambda_function" "all" {
  for_each      = data.archive_file.code
  function_name = each.key
  role          = "arn:aws:iam::123456789012:role/any"
  runtime       = "python3.11"
  handler       = "app.handler"
  filename      = each.value.output_path
}

resource "aws_cloudwatch_metric_alarm" "fragile" {
  alarm_name          = "fragile-errors"
  alarm_description   = "The function dies."
  namespace           = "AWS/Lambda"
  metric_name         = "Errors"
  dimensions          = { FunctionName = aws_lambda_function.all["fragile"].function_name }
  statistic           = "Sum"
  period              = 10
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  alarm_actions       = local.told
  ok_actions          = local.told
}
"""


class Notifications(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = contextlib.ExitStack()
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="securebase-notify-"))
        cls.folder.chmod(0o755)
        cls.stack.callback(shutil.rmtree, cls.folder)
        cls.hook, cls.slack, cls.pager, cls.told = (cls.stack.enter_context(Webhook()) for _ in range(4))
        cls.mailbox = cls.stack.enter_context(Mailbox())
        relay = {"HOST": "127.0.0.1", "PORT": str(cls.mailbox.port), "TLS": "none", "FROM": "alerts@example.com"}
        os.environ.update({f"SECUREBASE_SMTP_{name}": value for name, value in relay.items()})
        cls.files = cls.folder / "stack"
        text = STACK.replace("WEBHOOK", cls.hook.url).replace("SLACK", cls.slack.url).replace("PAGER", cls.pager.url)
        for name, code in (("fragile", FRAGILE), ("teller", TELLER % cls.told.url)):
            (cls.files / name).mkdir(parents=True)
            (cls.files / name / "app.py").write_text(code)
        (cls.files / "main.tf").write_text(text)
        cls.ports = None
        cls.start()

    @classmethod
    def start(cls):
        # The same ports after a restart: what waits in the queue has links to them.
        cls.platform = Platform(state=cls.folder / "state", stack=cls.files, ports=cls.ports)
        cls.ports = cls.platform.port
        cls.environment = cls.platform.environment()

    @classmethod
    def tearDownClass(cls):
        cls.platform.stop()
        cls.stack.close()

    @functools.lru_cache  # the ports and the keys outlive a restart
    def client(self, service):
        return boto3.client(service, endpoint_url=self.environment["AWS_ENDPOINT_URL"], region_name="us-east-1",
                            aws_access_key_id=self.environment["AWS_ACCESS_KEY_ID"],
                            aws_secret_access_key=self.environment["AWS_SECRET_ACCESS_KEY"],
                            config=Config(retries={"total_max_attempts": 1}))

    def json(self, *words):
        return json.loads(self.platform.cli(*words, "--json").stdout)

    def alarm(self):
        return self.client("cloudwatch").describe_alarms(AlarmNames=[ALARM])["MetricAlarms"][0]

    def invoke_until(self, state, **event):
        """Calls the function until the alarm that watches it is in that state."""
        functions = self.client("lambda")

        def reached():
            functions.invoke(FunctionName="fragile", Payload=json.dumps(event))
            time.sleep(0.2)
            return self.alarm()["StateValue"] == state
        wait_until(reached, 60, f"the alarm is {state}")

    def of_alarm(self, state):
        """What each receiver got about the alarm in that state."""
        def told(message):
            return message.get("AlarmName") == ALARM and message["NewStateValue"] == state
        return {
            "mail": [m for _, _, m in self.mailbox.got if m["Subject"].startswith(f'{state}: "{ALARM}"')],
            "webhook": [m for m in self.hook.messages("Notification") if m["Message"][0] == "{" and
                        told(json.loads(m["Message"]))],
            "slack": [m for m in self.slack.messages() if m["text"].startswith(f"{state}: {ALARM}")],
            "pagerduty": [m for m in self.pager.messages()
                          if m["event_action"] == ("resolve" if state == "OK" else "trigger")],
            "function": [m for m in self.told.messages() if m["Sns"]["Message"][0] == "{" and
                         told(json.loads(m["Sns"]["Message"]))],
        }

    def everybody_heard_of(self, state):
        got = {}

        def all_did():
            got.update(self.of_alarm(state))
            return all(got.values())
        try:
            wait_until(all_did, 30, "all receivers")
        except AssertionError:
            self.fail(f"{state} was not told to {[name for name, came in got.items() if not came]}")
        return {name: came[-1] for name, came in got.items()}

    def test_1_receivers_confirm(self):
        wait_until(lambda: self.hook.messages("SubscriptionConfirmation") and self.mailbox.got, 10, "they are asked")
        pending = [one["protocol"] for one in self.json("notify")["subscriptions"] if not one["confirmed"]]
        self.assertEqual(sorted(pending), ["email", "http"])
        self.assertIn("pending", self.platform.cli("notify").stdout)

        asked = self.hook.messages("SubscriptionConfirmation")[0]
        verify(asked, pathlib.Path(self.environment["SECUREBASE_CA"]).read_bytes())
        urllib.request.urlopen(asked["SubscribeURL"], timeout=5).close()
        link = re.search(r"http://\S+", self.mailbox.got[0][2].get_content()).group()
        urllib.request.urlopen(link, timeout=5).close()
        self.assertTrue(all(one["confirmed"] for one in self.json("notify")["subscriptions"]))

    def test_2_an_alarm_by_its_cause_is_told_to_everybody_and_so_is_its_end(self):
        self.invoke_until("ALARM", die=True)
        got = self.everybody_heard_of("ALARM")
        verify(got["webhook"], pathlib.Path(self.environment["SECUREBASE_CA"]).read_bytes())
        self.assertIn("aws cloudwatch get-metric-statistics --namespace AWS/Lambda --metric-name Errors",
                      got["mail"].get_content())
        self.assertIn("The function dies.", got["mail"].get_content())
        trigger = got["pagerduty"]
        self.assertEqual((trigger["routing_key"], trigger["dedup_key"]), ("0123abcd", self.alarm()["AlarmArn"]))
        self.assertEqual(got["function"]["EventSource"], "aws:sns")

        # The command line says the same.
        burning = self.platform.cli("alarms", "--only", "ALARM", "--check", check=False)
        self.assertEqual(burning.returncode, 1)
        self.assertIn("Threshold Crossed: 1 out of the last 1 datapoints", burning.stdout)

        self.invoke_until("OK")
        resolve = self.everybody_heard_of("OK")["pagerduty"]
        self.assertEqual((resolve["event_action"], resolve["dedup_key"]), ("resolve", trigger["dedup_key"]))
        self.assertEqual(self.platform.cli("alarms", "--only", "ALARM", "--check").returncode, 0)
        changes = [item["summary"] for item in self.json("alarms", "history", ALARM)["history"]]
        self.assertTrue(changes[-2].endswith("to ALARM") and changes[-1].endswith("from ALARM to OK"), changes)
        self.assertIn("200", self.platform.cli("notify", "log", "alerts").stdout)

    def test_3_a_backtest_says_what_another_threshold_would_have_done(self):
        past = self.json("alarms", "backtest", ALARM, "--over", "10m")
        self.assertGreaterEqual(past["times_in_alarm"], 1)
        self.assertGreaterEqual(past["notifications"], 2)
        deaf = self.json("alarms", "backtest", ALARM, "--over", "10m", "--threshold", "100000")
        self.assertEqual((deaf["times_in_alarm"], deaf["definition"]["Threshold"]), (0, 100000))
        held = self.json("alarms", "backtest", ALARM, "--over", "10m", "--tag", "securebase:hold=1h")
        self.assertEqual(held["changes"][-1]["state"], "ALARM")

        # One that does not exist yet, by flags and by a file in put-metric-alarm's form.
        by_flags = self.json("alarms", "backtest", "--namespace", "AWS/Lambda", "--metric-name", "Errors",
                             "--dimensions", "Name=FunctionName,Value=fragile", "--period", "10", "--threshold", "0",
                             "--over", "10m")
        self.assertEqual(by_flags["times_in_alarm"], past["times_in_alarm"])
        file = self.folder / "alarm.json"
        file.write_text(json.dumps({**by_flags["definition"], "AlarmName": "to-come"}))
        text = self.platform.cli("alarms", "backtest", "--file", file, "--over", "10m").stdout
        self.assertIn(f"In ALARM {past['times_in_alarm']} times", text)
        self.assertNotIn("to-come", self.platform.cli("alarms").stdout)
        silent = self.platform.cli("alarms", "backtest", "--file", file, "--metric-name", "Nothing").stdout
        self.assertIn("there are no samples", silent)
        for wrong in (["nobody"], ["--file", file, "--period", "7"], [ALARM, "--over", "90d"]):
            self.assertEqual(self.platform.cli("alarms", "backtest", *wrong, check=False).returncode, 1, wrong)
        self.assertEqual(self.platform.cli("alarms", "backtest", "--threshold", "x", check=False).returncode, 64)

    def test_4_kill_9_loses_nothing_that_waits(self):
        sns = self.client("sns")
        beside = sns.create_topic(Name="beside")["TopicArn"]
        self.client("cloudwatch").put_metric_alarm(
            AlarmName="beside", Namespace="AWS/Lambda", MetricName="Invocations", Period=60, EvaluationPeriods=1,
            Statistic="Sum", Threshold=1e9, ComparisonOperator="GreaterThanThreshold", AlarmActions=[beside])
        before = self.json("notify")

        def of_beside():
            return next(one for one in self.json("alarms")["alarms"] if one["name"] == "beside")
        wait_until(lambda: of_beside()["state"] == "OK", 30, "the alarm that the API made is evaluated")
        state, history = of_beside(), self.json("alarms", "history", "--all")["history"]
        self.hook.statuses = [503] * 100_000  # it is ill: all of it waits
        acknowledged = {f"message {i}" for i in range(100)}
        for text in acknowledged:
            sns.publish(TopicArn=ARN + "alerts", Message=text)
        self.assertGreaterEqual(self.json("notify")["waiting"], 100)
        queue = self.json("notify", "queue", "-n", "1000")["waiting"]
        self.assertGreaterEqual(len(queue), 100)
        self.assertIn("alerts", self.platform.cli("notify", "queue").stdout)
        self.platform.stop(signal.SIGKILL)
        self.hook.got.clear()
        type(self).start()

        after = self.json("notify")
        for kept in ("topics", "subscriptions"):
            self.assertEqual([one["arn"] for one in after[kept]], [one["arn"] for one in before[kept]])
        self.assertTrue(all(one["confirmed"] for one in after["subscriptions"]))

        self.assertEqual((of_beside()["state"], of_beside()["since"]), (state["state"], state["since"]))
        self.assertEqual(self.json("alarms", "history", "--all")["history"][:len(history)], history)

        self.hook.got.clear()
        self.hook.statuses.clear()
        wait_until(lambda: acknowledged <= {m["Message"] for m in self.hook.messages("Notification")}, 60,
                   "every acknowledged message comes")
        for made in ('api.aws_cloudwatch_metric_alarm["beside"]', 'api.aws_sns_topic["beside"]'):
            self.assertIn(made, self.plan()[1].partition("Made through the AWS APIs, stays:")[2])
        sns.delete_topic(TopicArn=beside)
        self.client("cloudwatch").delete_alarms(AlarmNames=["beside"])

    def test_5_what_is_given_up_is_listed_and_tried_again(self):
        self.hook.statuses = [410]
        sent = self.platform.cli("notify", "send", "alerts", "to be refused", "--subject", "a test").stdout.strip()
        letters = wait_until(lambda: self.json("notify", "dead-letters")["dead_letters"], 10, "a dead letter")
        self.assertEqual((letters[0]["message_id"], letters[0]["subject"]), (sent, "a test"))
        self.assertIn("refused: 410", self.platform.cli("notify", "dead-letters").stdout)
        self.assertIn("1 dead letter will be tried again",
                      self.platform.cli("notify", "redrive", letters[0]["id"]).stdout)
        wait_until(lambda: "to be refused" in [m["Message"] for m in self.hook.messages("Notification")[-1:]], 10,
                   "it comes")
        self.assertEqual(self.platform.cli("notify", "redrive", 999999, check=False).returncode, 1)
        missing = self.platform.cli("notify", "send", "nowhere", check=False)
        self.assertEqual(missing.returncode, 1)
        self.assertIn("there are: alerts, chat, critical", missing.stderr)

    def plan(self):
        done = self.platform.cli("plan", self.files, "--detailed-exitcode", check=False)
        return done.returncode, done.stdout

    def test_6_what_the_api_changed_is_drift_until_an_apply(self):
        self.assertEqual(self.plan()[0], 0, self.plan()[1])
        cloudwatch, sns = self.client("cloudwatch"), self.client("sns")
        alarm = {name: value for name, value in self.alarm().items()
                 if name in ("AlarmName", "Namespace", "MetricName", "Dimensions", "Period", "EvaluationPeriods",
                             "Statistic", "ComparisonOperator", "AlarmActions", "OKActions", "AlarmDescription")}
        cloudwatch.put_metric_alarm(**alarm, Threshold=7)
        sns.set_topic_attributes(TopicArn=ARN + "chat", AttributeName="DisplayName", AttributeValue="Another")
        gone = next(one["arn"] for one in self.json("notify")["subscriptions"] if one["protocol"] == "lambda")
        sns.unsubscribe(SubscriptionArn=gone)
        # A change of something else does not take it back.
        self.client("lambda").put_function_concurrency(FunctionName="fragile", ReservedConcurrentExecutions=5)
        self.assertEqual(self.alarm()["Threshold"], 7)

        code, text = self.plan()
        self.assertEqual(code, 2)
        for line in ("aws_cloudwatch_metric_alarm.fragile will be updated in place", "threshold = 7",
                     'display_name = "Another" -> "SecureBase"',
                     "aws_sns_topic_subscription.function will be created"):
            self.assertIn(line, text)
        self.platform.cli("apply", self.files, "--auto-approve")
        self.assertEqual(self.alarm()["Threshold"], 0)
        self.assertEqual(sns.get_topic_attributes(TopicArn=ARN + "chat")["Attributes"]["DisplayName"], "SecureBase")
        self.assertIn(gone, [one["SubscriptionArn"] for one in sns.list_subscriptions()["Subscriptions"]])
        self.assertEqual(self.plan()[0], 0, self.plan()[1])

        cloudwatch.delete_alarms(AlarmNames=[ALARM])
        self.assertIn("aws_cloudwatch_metric_alarm.fragile will be created", self.plan()[1])
        self.platform.cli("apply", self.files, "--auto-approve")
        quiet = self.platform.cli("alarms", "maintenance", ALARM, "--for", "1h").stdout
        self.assertIn("shows the change as drift", quiet)
        self.assertIn("quiet", self.platform.cli("alarms").stdout)
        self.platform.cli("alarms", "maintenance", ALARM, "none")
        self.assertEqual(self.plan()[0], 0, self.plan()[1])


if __name__ == "__main__":
    main()
