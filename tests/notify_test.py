#!/usr/bin/python3
"""Notifications against receivers of every kind, through notify_drive, which is the notify room without the platform.

  SECUREBASE_NOTIFY_DRIVE=build/dev/src/notify/notify_drive python3 tests/notify_test.py
"""

import contextlib
import datetime
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import unittest
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from cryptography import x509  # noqa: E402
from cryptography.hazmat.primitives import hashes, serialization  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ec  # noqa: E402
from cryptography.x509.oid import NameOID  # noqa: E402

from receivers import Mailbox, Webhook, verify, wait_for  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent
DRIVE = os.environ.get("SECUREBASE_NOTIFY_DRIVE", str(ROOT / "build/dev/src/notify/notify_drive"))
ALARM = {
    "AlarmName": "securebase-prod-api-latency", "AlarmDescription": "API p95 latency > 100ms",
    "AlarmArn": "arn:aws:cloudwatch:us-east-1:123456789012:alarm:securebase-prod-api-latency",
    "NewStateValue": "ALARM", "OldStateValue": "OK", "Region": "us-east-1",
    "NewStateReason": "Threshold Crossed: 1 out of the last 1 datapoints [131.0 (24/01/26 10:05:00)] was greater than "
                      "the threshold (100.0) (minimum 1 datapoint for OK -> ALARM transition).",
    "StateChangeTime": "2026-01-24T10:10:12.345+0000",
    "Trigger": {"MetricName": "Latency", "Namespace": "AWS/ApiGateway", "ExtendedStatistic": "p95",
                "Unit": "Milliseconds", "Dimensions": [{"name": "ApiName", "value": "securebase-api"}], "Period": 300,
                "EvaluationPeriods": 1, "ComparisonOperator": "GreaterThanThreshold", "Threshold": 100.0}}
FAST = {"healthyRetryPolicy": {"minDelayTarget": 1, "maxDelayTarget": 1, "numRetries": 2}}


def make_authority(directory):
    """A local authority, and a certificate of it for 127.0.0.1: (authority, its key, (certificate, key))."""
    def name(text):
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    def build(subject, key, issuer, issuer_key, authority):
        now = datetime.datetime.utcnow()
        builder = (x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name(issuer))
                   .public_key(key.public_key()).serial_number(x509.random_serial_number())
                   .not_valid_before(now - datetime.timedelta(hours=1)).not_valid_after(now + datetime.timedelta(days=2))
                   .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True))
        if not authority:
            import ipaddress
            builder = builder.add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        return builder.sign(issuer_key, hashes.SHA256())

    def keep(file, certificate, key):
        pem, key_pem = directory / f"{file}.pem", directory / f"{file}-key.pem"
        pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        key_pem.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                              serialization.NoEncryption()))
        return str(pem), str(key_pem)

    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    own = f"Local {directory.name}"
    authority = keep("ca", build(own, ca_key, own, ca_key, True), ca_key)
    server = keep("server", build("127.0.0.1", key, own, ca_key, False), key)
    return authority, server


class Drive:
    """notify_drive as a child."""

    def __init__(self, state, port, authority, relay=None):
        environment = {**os.environ, **{f"SECUREBASE_SMTP_{k}": str(v) for k, v in (relay or {}).items()}}
        self.process = subprocess.Popen([DRIVE, state, str(port), *authority], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, env=environment)
        assert self.process.stdout.readline() == "ready\n"

    def __call__(self, op, **order):
        self.process.stdin.write(json.dumps({"op": op, **order}) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def ask(self, op, **given):
        answer = self(op, input=given)
        if isinstance(answer, dict) and "error" in answer:
            raise AssertionError(f"{op}: {answer}")
        return answer

    def end(self):
        self.process.stdin.close()
        try:
            self.process.wait(20)
        finally:
            self.process.kill()
            self.process.stdout.close()

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(20)
        self.process.stdout.close()
        with contextlib.suppress(OSError):
            self.process.stdin.close()


class NotifyTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = pathlib.Path(tempfile.mkdtemp(prefix="notify-test-"))
        cls.authority, cls.tls = make_authority(cls.directory)
        cls.authority_pem = pathlib.Path(cls.authority[0]).read_bytes()

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.directory)

    def setUp(self):
        self.state = tempfile.mkdtemp(dir=self.directory)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.stack = contextlib.ExitStack()
        self.addCleanup(self.stack.close)
        self.drive = None

    def start(self, relay=None):
        self.drive = Drive(self.state, self.port, self.authority, relay)
        drive = self.drive
        self.stack.callback(lambda: drive.process.poll() is None and drive.end())
        return self.drive

    def topic(self, name="alerts", **given):
        return self.drive.ask("CreateTopic", Name=name, **given)["TopicArn"]

    def subscribe(self, topic, protocol, endpoint, **attributes):
        return self.drive.ask("Subscribe", TopicArn=topic, Protocol=protocol, Endpoint=endpoint, Attributes=attributes,
                              ReturnSubscriptionArn=True)["SubscriptionArn"]

    def log(self):
        lines = (pathlib.Path(self.state) / "logs/notify/deliveries.log").read_text().splitlines()
        return [json.loads(line) for line in lines]

    def confirmed_webhook(self, topic, receiver, protocol="http", **attributes):
        arn = self.subscribe(topic, protocol, receiver.url, **attributes)
        asked = wait_for(lambda: receiver.messages("SubscriptionConfirmation"), what="the confirmation")[-1]
        verify(asked, self.authority_pem)
        with urllib.request.urlopen(asked["SubscribeURL"], timeout=5) as answer:
            self.assertIn(f"<SubscriptionArn>{arn}</SubscriptionArn>".encode(), answer.read())
        return arn

    def test_a_webhook_confirms_gets_signed_messages_and_leaves(self):
        drive = self.start()
        receiver = self.stack.enter_context(Webhook())
        for version in "12":
            with self.subTest(signature_version=version):
                receiver.got.clear()
                topic = self.topic("t" + version, Attributes={"SignatureVersion": version})
                arn = self.confirmed_webhook(topic, receiver)
                attributes = {"n": {"DataType": "Number", "StringValue": "5"}}
                drive.ask("Publish", TopicArn=topic, Message="Grüße\n\"quoted\"", Subject="s",
                          MessageAttributes=attributes)
                message = wait_for(lambda: receiver.messages("Notification"))[0]
                verify(message, self.authority_pem)
                self.assertEqual(message["SignatureVersion"], version)
                self.assertEqual(message["Message"], "Grüße\n\"quoted\"")
                self.assertEqual(message["MessageAttributes"], {"n": {"Type": "Number", "Value": "5"}})
                headers = receiver.got[-1][1]
                self.assertEqual(headers["x-amz-sns-message-type"], "Notification")
                self.assertEqual(headers["x-amz-sns-message-id"], message["MessageId"])
                self.assertEqual(headers["x-amz-sns-subscription-arn"], arn)
                self.assertEqual(headers["content-type"], "text/plain; charset=UTF-8")
                message["Message"] += "!"
                with self.assertRaises(Exception):
                    verify(message, self.authority_pem)
                with urllib.request.urlopen(message["UnsubscribeURL"], timeout=5) as answer:
                    self.assertEqual(answer.status, 200)
                left = wait_for(lambda: receiver.messages("UnsubscribeConfirmation"))[0]
                verify(left, self.authority_pem)
                with self.assertRaises(urllib.error.HTTPError) as gone:
                    urllib.request.urlopen(message["UnsubscribeURL"], timeout=5)
                self.assertEqual(gone.exception.code, 404)
                gone.exception.close()
                urllib.request.urlopen(left["SubscribeURL"], timeout=5).close()
                drive.ask("Publish", TopicArn=topic, Message="again")
                wait_for(lambda: [m for m in receiver.messages("Notification") if m["Message"] == "again"])

    def test_a_webhook_by_tls_is_verified_and_raw_messages_are_raw(self):
        drive = self.start()
        receiver = self.stack.enter_context(Webhook(tls=self.tls))
        topic = self.topic()
        policy = json.dumps({"requestPolicy": {"headerContentType": "application/json"}})
        self.confirmed_webhook(topic, receiver, "https", RawMessageDelivery="true", DeliveryPolicy=policy)
        drive.ask("Publish", TopicArn=topic, Message='{"a": 1}')
        wait_for(lambda: len(receiver.got) == 2)
        _, headers, body = receiver.got[1]
        self.assertEqual(body, b'{"a": 1}')
        self.assertEqual(headers["x-amz-sns-rawdelivery"], "true")
        self.assertEqual(headers["content-type"], "application/json")
        with tempfile.TemporaryDirectory() as other:
            _, strangers = make_authority(pathlib.Path(other))
            with Webhook(tls=strangers) as stranger:
                arn = self.subscribe(topic, "https", stranger.url)
                wait_for(lambda: [one for one in drive("status")["subscriptions"]
                                  if one["arn"] == arn and "certificate verify failed" in one["trouble"]])
                self.assertEqual(stranger.got, [])

    def test_what_fails_is_tried_again_and_then_kept_as_a_dead_letter(self):
        drive = self.start()
        receiver = self.stack.enter_context(Webhook())
        topic = self.topic()
        self.confirmed_webhook(topic, receiver, DeliveryPolicy=json.dumps(FAST))
        receiver.statuses = [503, 503]
        drive.ask("Publish", TopicArn=topic, Message="thrice")
        wait_for(lambda: len(receiver.messages("Notification")) == 3)
        receiver.statuses = [500, 500, 500]
        drive.ask("Publish", TopicArn=topic, Message="given up")
        letter = wait_for(lambda: drive("dead-letters"))[0]
        self.assertEqual(letter["attempts"], 3)
        self.assertIn("given up after 3 attempts: 500", letter["reason"])
        receiver.statuses = [410]
        drive.ask("Publish", TopicArn=topic, Message="refused")
        wait_for(lambda: len(drive("dead-letters")) == 2)
        self.assertIn("refused: 410", drive("dead-letters")[1]["reason"])
        before = len(receiver.got)
        self.assertEqual(drive("redrive")["count"], 2)
        wait_for(lambda: len(receiver.got) == before + 2)
        wait_for(lambda: drive("status")["dead"] == 0)
        log = wait_for(lambda: len(self.log()) >= 10 and self.log())
        self.assertEqual([line["status"] for line in log].count("FAILURE"), 6)

    def test_a_slow_receiver_holds_back_nobody_else(self):
        drive = self.start()
        slow = self.stack.enter_context(Webhook(delay=1.5))
        fast = self.stack.enter_context(Webhook())
        topic = self.topic()
        for receiver in (slow, fast):
            drive("confirm", arn=self.subscribe(topic, "http", receiver.url))
        for i in range(50):
            drive.ask("Publish", TopicArn=topic, Message=str(i))
        wait_for(lambda: len(fast.messages("Notification")) == 50, 3, "fifty messages to the fast one")
        self.assertLess(len(slow.messages("Notification")), 50)

    def test_slack_gets_blocks_in_order(self):
        drive = self.start()
        slack = self.stack.enter_context(Webhook(statuses=[429], headers={"Retry-After": "0"}))
        topic = self.topic(Tags=[{"Key": "securebase:format", "Value": "slack"}])
        self.subscribe(topic, "http", slack.url + "/services/T/B/secret", DeliveryPolicy=json.dumps(FAST))
        drive.ask("Publish", TopicArn=topic, Message=json.dumps(ALARM), Subject="ALARM")
        drive.ask("Publish", TopicArn=topic, Message=json.dumps({**ALARM, "NewStateValue": "OK", "OldStateValue": "ALARM"}))
        wait_for(lambda: len(slack.got) == 3)
        heads = [body["blocks"][0]["text"]["text"].split(" ", 1)[1] for body in slack.messages()]
        self.assertEqual([head.split(":")[0] for head in heads], ["ALARM", "ALARM", "OK"])
        self.assertTrue(slack.messages()[0]["text"].startswith("ALARM: securebase-prod-api-latency - p95 of"))
        self.assertIn("/services/T/****", drive("status")["subscriptions"][0]["endpoint"])
        self.assertNotIn("secret", (pathlib.Path(self.state) / "logs/notify/deliveries.log").read_text())

    def test_pagerduty_triggers_and_resolves_one_incident(self):
        drive = self.start()
        pagerduty = self.stack.enter_context(Webhook(statuses=[202, 202]))
        topic = self.topic("critical")
        self.subscribe(topic, "http", pagerduty.url + "/integration/0123abcd/enqueue", **{"securebase:format": "pagerduty"})
        drive.ask("Publish", TopicArn=topic, Message=json.dumps(ALARM))
        drive.ask("Publish", TopicArn=topic, Message=json.dumps({**ALARM, "NewStateValue": "OK"}))
        wait_for(lambda: len(pagerduty.got) == 2)
        trigger, resolve = pagerduty.messages()
        self.assertEqual(pagerduty.got[0][0], "/v2/enqueue")
        self.assertEqual((trigger["routing_key"], trigger["event_action"], trigger["payload"]["severity"]),
                         ("0123abcd", "trigger", "critical"))
        self.assertEqual((resolve["event_action"], resolve["dedup_key"]), ("resolve", trigger["dedup_key"]))
        self.assertEqual(trigger["dedup_key"], ALARM["AlarmArn"])

    def test_mail_waits_for_a_relay_then_confirms_and_tells_the_alarm(self):
        drive = self.start()
        topic = self.topic(Attributes={"DisplayName": "Wächter"})
        arn = self.subscribe(topic, "email", "ops@example.com")
        status = drive("status")
        self.assertEqual(status["waiting"], 1)
        self.assertIn("no SMTP relay is set: 1 mails wait", status["troubles"][0])
        drive.end()
        mailbox = self.stack.enter_context(Mailbox(tls=self.tls, user="me", password="s3cret"))
        drive = self.start({"HOST": "127.0.0.1", "PORT": mailbox.port, "USER": "me", "PASSWORD": "s3cret",
                            "FROM": "alerts@example.com"})
        sender, receivers, mail = wait_for(lambda: mailbox.got)[0]
        self.assertEqual((sender, receivers), ("alerts@example.com", ["ops@example.com"]))
        link = re.search(r"http://\S+", mail.get_content()).group()
        request = urllib.request.Request(link, headers={"Accept": "text/html,*/*"})
        with urllib.request.urlopen(request, timeout=5) as page:
            self.assertIn(b"Subscription confirmed", page.read())
        drive.ask("Publish", TopicArn=topic, Message=json.dumps(ALARM), Subject='ALARM: "latency" in us-east-1')
        mail = wait_for(lambda: len(mailbox.got) == 2 and mailbox.got)[1][2]
        self.assertEqual(mail["Subject"], 'ALARM: "latency" in us-east-1')
        self.assertEqual(mail["From"], "Wächter <alerts@example.com>")
        self.assertEqual(mail.get_content_charset(), "utf-8")
        text = mail.get_content()
        self.assertIn("is 131 ms: greater than 100 ms", text)
        self.assertIn("since 2026-01-24 10:10:12 UTC", text)
        self.assertIn("aws cloudwatch get-metric-statistics --namespace AWS/ApiGateway --metric-name Latency", text)
        self.assertEqual(mail.defects, [])
        one_click = urllib.request.Request(mail["List-Unsubscribe"].strip("<>"), data=b"List-Unsubscribe=One-Click")
        urllib.request.urlopen(one_click, timeout=5).close()
        left = wait_for(lambda: len(mailbox.got) == 3 and mailbox.got)[2][2]
        self.assertIn("no longer sent", left.get_content())
        self.assertEqual(drive("GetSubscriptionAttributes", input={"SubscriptionArn": arn})["error"], "NotFound")

    def test_mail_that_is_refused_is_dead_and_mail_that_is_deferred_is_not(self):
        mailbox = self.stack.enter_context(Mailbox(refuse=["550 5.1.1 no such user"]))
        drive = self.start({"HOST": "127.0.0.1", "PORT": mailbox.port, "TLS": "none", "FROM": "alerts@example.com"})
        topic = self.topic()
        self.subscribe(topic, "email-json", "nobody@example.com")
        letter = wait_for(lambda: drive("dead-letters"))[0]
        self.assertIn("refused: 550: RCPT TO: 550 5.1.1 no such user", letter["reason"])
        mailbox.refuse = ["451 later"]
        drive("redrive")
        wait_for(lambda: "451" in drive("status")["subscriptions"][0]["trouble"])
        self.assertEqual(drive("status")["waiting"], 1)

    def test_email_json_is_signed(self):
        mailbox = self.stack.enter_context(Mailbox())
        drive = self.start({"HOST": "127.0.0.1", "PORT": mailbox.port, "TLS": "none", "FROM": "alerts@example.com"})
        topic = self.topic()
        drive("confirm", arn=self.subscribe(topic, "email-json", "robot@example.com"))
        drive.ask("Publish", TopicArn=topic, MessageStructure="json",
                  Message=json.dumps({"default": "d", "email-json": ".\nfor robots"}))
        mail = wait_for(lambda: [m for _, _, m in mailbox.got if "for robots" in m.get_content()])[0]
        message = json.loads(mail.get_content())
        self.assertEqual(message["Message"], ".\nfor robots")
        verify(message, self.authority_pem)

    def test_functions_get_snss_event(self):
        drive = self.start()
        topic = self.topic()
        good = "arn:aws:lambda:us-east-1:123456789012:function:good"
        arn = self.subscribe(topic, "lambda", good, FilterPolicy='{"kind": ["a"]}')
        drive.ask("Publish", TopicArn=topic, Message="no")
        drive.ask("Publish", TopicArn=topic, Message="yes",
                  MessageAttributes={"kind": {"DataType": "String", "StringValue": "a"}})
        events = pathlib.Path(self.state) / "events.jsonl"
        lines = wait_for(lambda: events.exists() and events.read_text().splitlines())
        self.assertEqual(len(lines), 1)
        record = json.loads(lines[0])["Records"][0]
        self.assertEqual((record["EventSource"], record["EventSubscriptionArn"]), ("aws:sns", arn))
        self.assertEqual(record["Sns"]["Message"], "yes")
        self.subscribe(topic, "lambda", good + "-bad")
        drive.ask("Publish", TopicArn=topic, Message="to the bad one")
        self.assertIn("refused: 404", wait_for(lambda: drive("dead-letters"))[0]["reason"])

    def test_kill_9_loses_nothing_that_was_acknowledged(self):
        receiver = self.stack.enter_context(Webhook())
        acknowledged = set()
        topic = None
        for round_ in range(4):
            drive = self.start()
            if topic is None:
                topic = self.topic()
                drive("confirm", arn=self.subscribe(topic, "http", receiver.url, RawMessageDelivery="true"))
            killer = threading.Timer(0.15 + 0.1 * round_, drive.kill)
            killer.start()
            with contextlib.suppress(OSError, ValueError):
                for i in range(100000):
                    drive.ask("Publish", TopicArn=topic, Message=f"{round_}-{i}")
                    acknowledged.add(f"{round_}-{i}")
            killer.join()
        self.start()
        self.assertGreater(len(acknowledged), 40)

        def missing():
            got = {body.decode() for _, headers, body in list(receiver.got) if "x-amz-sns-rawdelivery" in headers}
            return acknowledged - got
        wait_for(lambda: not missing(), 20, "every acknowledged message")


if __name__ == "__main__":
    unittest.main(verbosity=2)
