"""CloudWatch Logs, with Debian's awscli and AWS's own SDK: what is put is found, measured, sent on, and outlasts kill -9."""

import contextlib
import json
import os
import pathlib
import pty
import shutil
import signal
import subprocess
import threading
import time
import unittest
import zipfile

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from harness import SHARED, Platform, main, wait_until

STACK = """
resource "aws_cloudwatch_log_group" "talker" {
  name              = "/aws/lambda/logs-talker"
  retention_in_days = 14
}

resource "aws_cloudwatch_log_group" "listener" {
  name = "/aws/lambda/logs-listener"
}

resource "aws_lambda_function" "talker" {
  function_name = "logs-talker"
  filename      = "${path.module}/talker.zip"
  handler       = "app.handler"
  runtime       = "python3.11"
  role          = "arn:aws:iam::123456789012:role/any"
}

resource "aws_lambda_function" "listener" {
  function_name = "logs-listener"
  filename      = "${path.module}/listener.zip"
  handler       = "app.handler"
  runtime       = "python3.11"
  role          = "arn:aws:iam::123456789012:role/any"
}

resource "aws_cloudwatch_log_metric_filter" "errors" {
  name           = "errors"
  log_group_name = aws_cloudwatch_log_group.talker.name
  pattern        = "{ $.level = \\"ERROR\\" }"

  metric_transformation {
    name      = "Errors"
    namespace = "Scene"
    value     = "1"
  }
}

resource "aws_cloudwatch_log_subscription_filter" "listener" {
  name            = "listener"
  log_group_name  = aws_cloudwatch_log_group.talker.name
  filter_pattern  = "{ $.level = \\"ERROR\\" }"
  destination_arn = aws_lambda_function.listener.arn
}
"""

TALKER = """
import json, time

def handler(event, context):
    print("plain line")
    print(json.dumps({"level": event.get("level", "INFO"), "n": event.get("n", 0), "request": {"path": "/x"}}))
    print(json.dumps({"_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [
        {"Namespace": "Scene", "Dimensions": [["Service"]], "Metrics": [{"Name": "Work", "Unit": "Milliseconds"}]}]},
        "Service": "talker", "Work": 12.5}))
    return event.get("n", 0)
"""

LISTENER = """
import base64, gzip, json

def handler(event, context):
    data = json.loads(gzip.decompress(base64.b64decode(event["awslogs"]["data"])))
    print("heard", data["logGroup"], json.loads(data["logEvents"][0]["message"])["n"])
"""


def packed(code, path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("app.py", code)


class Logs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = SHARED / "logs"
        shutil.rmtree(cls.folder, ignore_errors=True)
        stack = cls.folder / "stack"
        stack.mkdir(parents=True)
        (stack / "main.tf").write_text(STACK)
        packed(TALKER, stack / "talker.zip")
        packed(LISTENER, stack / "listener.zip")
        cls.stack = stack
        cls.platform = Platform(state=cls.folder / "state", stack=stack)
        cls.environment = cls.platform.environment()
        cls.environment["PATH"] = f"{cls.platform.state}/bin:/usr/bin:/bin"

    @classmethod
    def tearDownClass(cls):
        cls.platform.stop()

    def client(self, service="logs", platform=None):
        platform = platform or self.platform
        return boto3.client(service, endpoint_url=f"http://127.0.0.1:{platform.port['aws']}", region_name="us-east-1",
                            aws_access_key_id=self.environment["AWS_ACCESS_KEY_ID"],
                            aws_secret_access_key=self.environment["AWS_SECRET_ACCESS_KEY"],
                            config=Config(retries={"max_attempts": 0}))

    def aws(self, *words, check=True):
        done = subprocess.run(["aws", *words], env=self.environment, capture_output=True, text=True, timeout=120)
        if check:
            self.assertEqual(done.returncode, 0, f"{words}: {done.stdout}{done.stderr}")
        return done.stdout

    def invoke(self, **event):
        self.client("lambda").invoke(FunctionName="logs-talker", Payload=json.dumps(event))

    def messages(self, group, **more):
        pages = self.client().get_paginator("filter_log_events").paginate(logGroupName=group, **more)
        return [event["message"] for page in pages for event in page["events"]]

    def test_a_function_is_heard_and_its_lines_have_their_order(self):
        self.invoke(n=7)
        wait_until(lambda: any(m.startswith("REPORT") for m in self.messages("/aws/lambda/logs-talker")), 20, "a REPORT")
        streams = self.client().describe_log_streams(logGroupName="/aws/lambda/logs-talker", orderBy="LastEventTime",
                                                     descending=True)["logStreams"]
        events = self.client().get_log_events(logGroupName="/aws/lambda/logs-talker",
                                              logStreamName=streams[0]["logStreamName"], startFromHead=True)["events"]
        kinds = [event["message"].split()[0] for event in events]
        self.assertEqual(kinds[0], "INIT_START")
        self.assertLess(kinds.index("START"), kinds.index("plain"))
        self.assertLess(kinds.index("plain"), kinds.index("END"))
        self.assertLess(kinds.index("END"), kinds.index("REPORT"))
        shown = self.aws("logs", "tail", "/aws/lambda/logs-talker", "--since", "1h")
        self.assertIn("plain line", shown)
        shown = self.platform.cli("logs", "tail", "/aws/lambda/logs-", "--filter", "plain").stdout
        self.assertIn("plain line", shown)
        self.assertNotIn("REPORT", shown)
        self.assertRegex(self.platform.cli("logs", "groups").stdout, r"14 d +/aws/lambda/logs-talker")

    def test_a_tail_that_follows_shows_what_comes(self):
        logs = self.client()
        logs.create_log_group(logGroupName="/scene/followed")
        logs.create_log_stream(logGroupName="/scene/followed", logStreamName="s")

        def put(message):
            logs.put_log_events(logGroupName="/scene/followed", logStreamName="s",
                                logEvents=[{"timestamp": int(time.time() * 1000), "message": message}])
        put("before it began")
        # On a terminal: into a pipe the CLI writes when its buffer is full. What ends the command that the platform offers has
        # to end the CLI behind it.
        ours, terminal = pty.openpty()
        following = subprocess.Popen(["aws", "logs", "tail", "/scene/followed", "--follow", "--since", "5m"],
                                     env=self.environment, stdout=terminal)
        os.close(terminal)
        os.set_blocking(ours, False)
        shown = b""

        def shows(text):
            nonlocal shown
            with contextlib.suppress(BlockingIOError):
                shown += os.read(ours, 1 << 16)
            return text in shown
        try:
            wait_until(lambda: shows(b"before it began"), 60, "what was there already")
            put("while it follows")
            wait_until(lambda: shows(b"while it follows"), 60, "what came since")
        finally:
            following.terminate()
            following.wait(30)
            os.close(ours)
        self.assertEqual(shown.count(b"before it began"), 1)
        left = subprocess.run(["pgrep", "-f", "logs tail /scene/followed"], capture_output=True, text=True)
        self.assertEqual(left.stdout, "")

    def test_what_matches_becomes_a_metric_and_a_call(self):
        before = time.time()
        self.invoke(n=41, level="ERROR")

        def total(name, **dimensions):
            points = self.client("cloudwatch").get_metric_statistics(
                Namespace="Scene", MetricName=name, StartTime=before - 120, EndTime=time.time() + 120, Period=3600,
                Statistics=["Sum", "SampleCount"],
                Dimensions=[{"Name": k, "Value": v} for k, v in dimensions.items()])["Datapoints"]
            return sum(point["Sum"] for point in points)
        wait_until(lambda: total("Errors") >= 1, 30, "the metric filter's metric")
        wait_until(lambda: total("Work", Service="talker") >= 12.5, 30, "the embedded metric")
        wait_until(lambda: "heard /aws/lambda/logs-talker 41\n" in
                   "".join(m + "\n" for m in self.messages("/aws/lambda/logs-listener")), 30, "the subscribed function")

    def test_groups_and_their_settings(self):
        logs = self.client()
        logs.create_log_group(logGroupName="/scene/groups", tags={"a": "b"})
        with self.assertRaises(ClientError) as caught:
            logs.create_log_group(logGroupName="/scene/groups")
        self.assertEqual(caught.exception.response["Error"]["Code"], "ResourceAlreadyExistsException")
        self.aws("logs", "put-retention-policy", "--log-group-name", "/scene/groups", "--retention-in-days", "7")
        group = logs.describe_log_groups(logGroupNamePrefix="/scene/groups")["logGroups"][0]
        self.assertEqual(group["retentionInDays"], 7)
        logs.create_log_stream(logGroupName="/scene/groups", logStreamName="s")
        now = int(time.time() * 1000)
        day = 86_400_000
        told = logs.put_log_events(logGroupName="/scene/groups", logStreamName="s", logEvents=[
            {"timestamp": now - 8 * day, "message": "expired"}, {"timestamp": now - 8 * day + 1, "message": "expired"}])
        self.assertEqual(told["rejectedLogEventsInfo"]["expiredLogEventEndIndex"], 2)
        logs.put_log_events(logGroupName="/scene/groups", logStreamName="s", logEvents=[
            {"timestamp": now - 5, "message": "10.0.0.1 GET 404 12"}, {"timestamp": now, "message": "10.0.0.2 GET 200 9"}])
        self.assertEqual(self.messages("/scene/groups", filterPattern="[ip, method, status=4*, bytes]"),
                         ["10.0.0.1 GET 404 12"])
        self.assertEqual(self.messages("/scene", filterPattern="?404 ?200"), self.messages("/scene/groups"))
        logs.put_metric_filter(logGroupName="/scene/groups", filterName="f", filterPattern="[ip, method, status, bytes]",
                               metricTransformations=[{"metricName": "Bytes", "metricNamespace": "Scene",
                                                       "metricValue": "$bytes", "dimensions": {"Status": "$status"}}])
        self.assertEqual(logs.describe_metric_filters(logGroupName="/scene/groups")["metricFilters"][0]["filterName"], "f")
        tested = logs.test_metric_filter(filterPattern="[a, b > 10]", logEventMessages=["x 5", "x 50"])
        self.assertEqual(tested["matches"][0]["extractedValues"], {"$a": "x", "$b": "50"})
        logs.delete_log_group(logGroupName="/scene/groups")
        with self.assertRaises(ClientError) as caught:
            self.messages("/scene/groups")
        self.assertEqual(caught.exception.response["Error"]["Code"], "ResourceNotFoundException")

    def test_kill_9_under_ingest_loses_no_acknowledged_event(self):
        state = self.folder / "killed"
        platform = Platform(state=state, stack=self.stack)
        self.environment = platform.environment()
        for name in ("/scene/killed", "/scene/damaged"):
            self.client(platform=platform).create_log_group(logGroupName=name)
        acknowledged = []
        lock = threading.Lock()

        def put(stream):
            logs = self.client(platform=platform)
            logs.create_log_stream(logGroupName="/scene/killed", logStreamName=stream)
            number = 0
            while True:
                batch = [f"{stream} {number + i} {'x' * 80}" for i in range(20)]
                try:
                    logs.put_log_events(logGroupName="/scene/killed", logStreamName=stream, logEvents=[
                        {"timestamp": int(time.time() * 1000), "message": message} for message in batch])
                except (BotoCoreError, ClientError, OSError):
                    return
                with lock:
                    acknowledged.extend(batch)
                number += 20
        threads = [threading.Thread(target=put, args=(f"s{i}",)) for i in range(3)]
        for thread in threads:
            thread.start()
        wait_until(lambda: len(acknowledged) > 6000, 60, "events were taken")
        platform.stop(signal.SIGKILL)
        for thread in threads:
            thread.join(60)
        # What was written last is torn, as a crash of the machine may leave it.
        for journal in pathlib.Path(state).glob("logs/groups/*/journal-*"):
            with open(journal, "ab") as file:
                file.write(b"\x55\x00\x00\x00torn")
        # And what another group is set to cannot be read any more: that is its trouble alone.
        for settings in pathlib.Path(state).glob("logs/groups/scene.damaged~*/group.json"):
            settings.write_text("{")
        with Platform(state=state, stack=self.stack) as again:
            self.environment = again.environment()
            self.assertIn("repaired: ", again.output())
            pages = self.client(platform=again).get_paginator("filter_log_events").paginate(logGroupName="/scene/killed")
            found = [event["message"] for page in pages for event in page["events"]]
            self.assertEqual(set(acknowledged) - set(found), set())
            self.assertEqual(len(found), len(set(found)))
            self.assertIn("scene.damaged could not be opened", again.output())
            self.assertIn("scene.damaged: not opened", again.cli("logs", "groups").stdout)
            with self.assertRaisesRegex(ClientError, "ServiceUnavailableException.*could not be opened"):
                self.client(platform=again).filter_log_events(logGroupName="/scene/damaged")

    def test_a_torn_segment_is_repaired_at_start_and_said(self):
        state = self.folder / "torn"
        begin = int(time.time() * 1000) - 3_600_000
        batch = 10_000
        everything = 14 * batch  # a journal becomes a segment at 131,072 events
        groups = {"/scene/cut": everything, "/scene/index": everything, "/scene/block": everything, "/scene/whole": batch}
        with Platform(state=state, stack=self.stack) as platform:
            self.environment = platform.environment()
            logs = self.client(platform=platform)
            for group, events in groups.items():
                logs.create_log_group(logGroupName=group)
                logs.create_log_stream(logGroupName=group, logStreamName="s")
                for first in range(0, events, batch):
                    logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=[
                        {"timestamp": begin + number, "message": f"number {number} of {group}"}
                        for number in range(first, first + batch)])

            def segments():
                return {group: next(iter(state.glob(f"logs/groups/{group[1:].replace('/', '.')}~*/segment-*[0-9]")), None)
                        for group, events in groups.items() if events == everything}
            wait_until(lambda: all(segments().values()), 60, "the events are in segments")
            files = segments()
        # A crash of the machine has left two thirds of the first; a byte of the second's index is another, and one of the
        # third's events.
        os.truncate(files["/scene/cut"], files["/scene/cut"].stat().st_size * 2 // 3)
        first_head = int.from_bytes(files["/scene/block"].read_bytes()[12:16], "little")
        for group, at in (("/scene/index", files["/scene/index"].stat().st_size - 100),
                          ("/scene/block", 8 + 16 + first_head + 10)):
            with open(files[group], "r+b") as file:
                file.seek(at)
                byte = file.read(1)
                file.seek(at)
                file.write(bytes([byte[0] ^ 0x40]))

        def count(platform, group, query="stats count(*) as n"):
            done = platform.cli("logs", "insights", "--log-group-name", group, "--start-time", begin // 1000 - 10,
                                "--end-time", begin // 1000 + 600, "--query-string", query, "--json", check=False)
            return done.stdout + done.stderr

        with Platform(state=state, stack=self.stack) as again:
            self.environment = again.environment()
            said = again.output()
            self.assertRegex(said, r"repaired: .*scene\.cut~.*segment-.* whole blocks with \d+ events are kept")
            self.assertRegex(said, r"repaired: .*scene\.index~.*segment-.* whole blocks with \d+ events are kept")
            self.assertNotIn("scene.whole", said)
            shown = again.cli("logs", "groups").stdout
            self.assertEqual(shown.count("repaired when the platform started: "), 2, shown)
            found = {group: self.number_of(count(again, group)) for group in groups if group != "/scene/block"}
            self.assertEqual(found["/scene/whole"], batch)
            self.assertEqual(found["/scene/index"], everything, "only the index was bad")
            self.assertGreater(found["/scene/cut"], everything // 3)
            self.assertLess(found["/scene/cut"], everything)
            # What is left of the torn one is its oldest events, as they were, and what comes since.
            logs = self.client(platform=again)
            logs.put_log_events(logGroupName="/scene/cut", logStreamName="s", logEvents=[
                {"timestamp": begin + everything, "message": "after it"}])
            page = logs.get_log_events(logGroupName="/scene/cut", logStreamName="s", startFromHead=True, limit=2)["events"]
            self.assertEqual([event["message"] for event in page], ["number 0 of /scene/cut", "number 1 of /scene/cut"])
            self.assertEqual(self.number_of(count(again, "/scene/cut")), found["/scene/cut"] + 1)
            # A byte among the events is met when they are read: said once, then all others are answered.
            by_time = "filter @timestamp > 0 | stats count(*) as n"
            refused = count(again, "/scene/block", by_time)
            self.assertRegex(refused, r"scene\.block~.*the block of 4096 events from .* is damaged")
            self.assertEqual(self.number_of(count(again, "/scene/block", by_time)), everything - 4096)
            self.assertRegex(again.cli("logs", "groups").stdout, r"damaged, and left out of answers: 1")
            self.assertIn("is damaged", again.output())

    def number_of(self, answer):
        return int(json.loads(answer)["results"][0]["n"])


if __name__ == "__main__":
    main()
