"""Metrics leave for Prometheus and for an OTLP collector, come in by OTLP, and outlive kill -9 but for a second."""

import contextlib
import datetime
import gzip
import json
import os
import signal
import struct
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

import boto3
import botocore.config
import botocore.exceptions

from harness import Platform, free_ports, main, pages_stack, wait_until
from receivers import Webhook

STACK = pages_stack("pages", {"securebase:probe": "CANARY=/"}) + """
resource "aws_sns_topic" "orders" {
  name = "orders"
}
"""
TOPIC = "arn:aws:sns:us-east-1:123456789012:orders"
PUBLISHED = 'aws_sns_number_of_messages_published_total{topic_name="orders"}'


class Prometheus:
    """Debian's, which only takes what is written to it."""

    def __init__(self, directory):
        self.directory = directory
        self.port = free_ports(1)[0]
        self.url = f"http://127.0.0.1:{self.port}"
        self.configuration = os.path.join(directory, "prometheus.yml")
        with open(self.configuration, "w", encoding="utf-8") as file:
            file.write("global: {scrape_interval: 1h}\n")
        self.process = None

    def start(self):
        command = ["prometheus", f"--config.file={self.configuration}", "--web.enable-remote-write-receiver",
                   f"--storage.tsdb.path={self.directory}/data", f"--web.listen-address=127.0.0.1:{self.port}"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(self.is_ready, 60, "Prometheus answers")

    def is_ready(self):
        with contextlib.suppress(OSError):
            return urllib.request.urlopen(self.url + "/-/ready", timeout=5).status == 200
        return False

    def stop(self):
        self.process.terminate()
        self.process.wait(30)

    def query(self, expression):
        url = f"{self.url}/api/v1/query?{urllib.parse.urlencode({'query': expression})}"
        with contextlib.suppress(urllib.error.URLError):
            with urllib.request.urlopen(url, timeout=10) as answer:
                return json.load(answer)["data"]["result"]
        return []

    def value(self, expression):
        found = self.query(expression)
        return float(found[0]["value"][1]) if len(found) == 1 else None


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def fields(data):
    """The fields of a protobuf message: (number, int or bytes)."""
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        if tag & 7 == 0:
            value, at = varint(data, at)
        else:
            size, at = varint(data, at) if tag & 7 == 2 else (8, at)
            value = data[at:at + size]
            at += size
        yield tag >> 3, value


def inside(data, *path):
    """The fields at a path of field numbers."""
    if not path:
        return [data]
    return [found for number, value in fields(data) if number == path[0] for found in inside(value, *path[1:])]


def otlp_metrics(body):
    """Of an ExportMetricsServiceRequest: {name: Metric}."""
    return {inside(metric, 1)[0].decode(): metric for metric in inside(gzip.decompress(body), 1, 2, 2)}


class Metrics(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="securebase-metrics-")
        os.chmod(cls.folder.name, 0o755)
        cls.stack = os.path.join(cls.folder.name, "stack")
        os.mkdir(cls.stack)
        cls.probe("first")
        cls.prometheus = Prometheus(cls.folder.name)
        cls.prometheus.start()
        cls.collector = Webhook()
        cls.collector.__enter__()
        cls.headers = os.path.join(cls.folder.name, "headers")
        cls.say("first")
        cls.ports = None
        cls.start()

    @classmethod
    def tearDownClass(cls):
        cls.platform.stop()
        cls.prometheus.stop()
        cls.collector.__exit__()
        cls.folder.cleanup()

    @classmethod
    def probe(cls, canary):
        with open(os.path.join(cls.stack, "main.tf"), "w", encoding="utf-8") as file:
            file.write(STACK.replace("CANARY", canary))

    @classmethod
    def say(cls, token):
        with open(cls.headers, "w", encoding="utf-8", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(f"# the collector's\nAuthorization: Bearer {token}\n")

    @classmethod
    def start(cls):
        cls.platform = Platform(
            state=os.path.join(cls.folder.name, "state"), stack=cls.stack, ports=cls.ports,
            arguments=["--remote-write", f"{cls.prometheus.url}/api/v1/write", "--export-interval", "1",
                       "--otlp-metrics", f"{cls.collector.url}/v1/metrics", "--otlp-metrics-headers", cls.headers])
        cls.ports = cls.platform.port
        cls.environment = cls.platform.environment()

    def client(self, service):
        return boto3.client(service, endpoint_url=self.environment["AWS_ENDPOINT_URL"], region_name="us-east-1",
                            aws_access_key_id=self.environment["AWS_ACCESS_KEY_ID"],
                            aws_secret_access_key=self.environment["AWS_SECRET_ACCESS_KEY"],
                            config=botocore.config.Config(retries={"total_max_attempts": 1}))

    def publish(self, count):
        sns = self.client("sns")
        for number in range(count):
            sns.publish(TopicArn=TOPIC, Message=f"order {number}")

    def statistic(self, namespace, name, statistic, dimensions=()):
        now = datetime.datetime.now(datetime.timezone.utc)
        words = ["aws", "cloudwatch", "get-metric-statistics", "--namespace", namespace, "--metric-name", name,
                 "--start-time", (now - datetime.timedelta(hours=1)).isoformat(), "--period", "3600",
                 "--end-time", (now + datetime.timedelta(hours=1)).isoformat(), "--statistics", statistic]
        if dimensions:
            words += ["--dimensions", *(f"Name={key},Value={value}" for key, value in dimensions)]
        environment = {**self.environment, "PATH": f"{self.platform.state}/bin:/usr/bin:/bin", "AWS_PAGER": ""}
        done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=60, check=True)
        return sum(point[statistic] for point in json.loads(done.stdout)["Datapoints"])

    # --- out

    def test_1_prometheus_has_what_was_counted_and_put(self):
        before = self.prometheus.value(PUBLISHED) or 0
        self.publish(3)
        wait_until(lambda: self.prometheus.value(PUBLISHED) == before + 3, 20, "three messages at Prometheus")
        wait_until(lambda: self.prometheus.value(
            'histogram_quantile(0.5, aws_sns_publish_size_bytes_bucket{topic_name="orders"})'), 20, "their sizes")
        sent = 'securebase_export_samples_sent_total{exporter="remote-write"}'
        wait_until(lambda: (self.prometheus.value(sent) or 0) > 10, 20, "what exports tell of themselves")
        # Put metrics go with their minute: this one is over.
        self.client("cloudwatch").put_metric_data(Namespace="Shop", MetricData=[
            {"MetricName": "Basket", "Unit": "Count", "Values": [1, 5], "Counts": [3, 1],
             "Timestamp": datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(minutes=1)}])
        wait_until(lambda: self.prometheus.value("shop_basket_average") == 2, 70, "the average of a put metric")
        self.assertEqual(self.prometheus.value("shop_basket_sample_count"), 4)

    def test_2_what_a_receiver_missed_comes_when_it_is_back(self):
        self.publish(1)
        wait_until(lambda: self.prometheus.value(PUBLISHED), 20, "a message at Prometheus")
        self.prometheus.stop()
        begun = time.time()
        time.sleep(3)
        self.publish(2)
        time.sleep(1.5)
        self.prometheus.start()

        def gap():
            found = self.prometheus.query(PUBLISHED.replace("}", "}[60s]"))
            stamps = [stamp for stamp, _ in found[0]["values"]] if found else []
            stamps = [stamp for stamp in stamps if stamp > begun - 2]
            return max((b - a for a, b in zip(stamps, stamps[1:])), default=99) if len(stamps) > 6 else 99
        wait_until(lambda: gap() < 2.5, 60, "no gap where Prometheus was down")
        self.assertGreater(self.prometheus.value('securebase_export_retries_total{exporter="remote-write"}'), 0)
        self.assertEqual(self.prometheus.value('securebase_export_samples_dropped_total{exporter="remote-write"}'), 0)

    def test_3_a_collector_has_it_by_otlp(self):
        self.publish(1)
        name = "AWS/SNS/NumberOfMessagesPublished"

        def newest():
            bodies = [body for path, _, body in list(self.collector.got) if path == "/v1/metrics"]
            return next((metric for body in reversed(bodies) if (metric := otlp_metrics(body).get(name))), None)
        metric = wait_until(newest, 20, "the metric at the collector")
        point = inside(metric, 7, 1)[0]
        self.assertGreaterEqual(struct.unpack("<d", inside(point, 4)[0])[0], 1)
        self.assertEqual((inside(metric, 7, 2), inside(metric, 7, 3)), ([2], [1]), "cumulative and monotonic")
        self.assertEqual(inside(point, 7, 1), [b"TopicName"])
        self.assertEqual(self.collector.got[-1][1]["authorization"], "Bearer first")
        self.say("second")
        wait_until(lambda: self.collector.got[-1][1]["authorization"] == "Bearer second", 10, "the file's new token")

    # --- in

    def test_4_otlp_comes_in_packed_or_not(self):
        def request(value):
            now = str(time.time_ns())
            attribute = [{"key": "service.name", "value": {"stringValue": "checkout"}}]
            points = [{"asDouble": value, "timeUnixNano": now,
                       "attributes": [{"key": "Tier", "value": {"stringValue": "gold"}}]}]
            return json.dumps({"resourceMetrics": [{"resource": {"attributes": attribute}, "scopeMetrics": [
                {"metrics": [{"name": "basket", "unit": "By", "gauge": {"dataPoints": points}}]}]}]}).encode()

        def post(body, **headers):
            url = f"http://127.0.0.1:{self.platform.port['operator']}/v1/metrics"
            asked = urllib.request.Request(url, body, {"Content-Type": "application/json", **headers})
            try:
                return urllib.request.urlopen(asked, timeout=10).status
            except urllib.error.HTTPError as error:
                return error.code
        self.assertEqual(post(request(2)), 200)
        self.assertEqual(post(gzip.compress(request(4)), **{"Content-Encoding": "gzip"}), 200)
        self.assertEqual(post(request(4), **{"Content-Encoding": "gzip"}), 400)
        self.assertEqual(post(request(4), **{"Content-Encoding": "zstd"}), 415)
        self.assertEqual(post(gzip.compress(b" " * (65 << 20)), **{"Content-Encoding": "gzip"}), 429)
        self.assertEqual(self.statistic("checkout", "basket", "Sum", [("Tier", "gold")]), 6)

    # --- what is probed

    def test_5_a_changed_probe_takes_effect_at_apply(self):
        def probes(canary):
            return self.statistic("CloudWatchSynthetics", "SuccessPercent", "SampleCount", [("CanaryName", canary)])
        wait_until(lambda: probes("first") > 0, 20, "the first canary")
        self.probe("second")
        self.platform.cli("apply", self.stack, "--auto-approve")
        wait_until(lambda: probes("second") > 0, 20, "the second canary")
        ended = probes("first")
        wait_until(lambda: probes("second") > 3, 20, "more of the second")
        self.assertEqual(probes("first"), ended, "the first is asked no more")

    # --- kill -9

    def test_6_a_kill_loses_the_last_second_at_most(self):
        for turn in range(3):
            self.kill_under_ingest(f"Turn{turn}", 2.0 + 0.37 * turn)

    def kill_under_ingest(self, name, seconds):
        acknowledged = []
        published = []
        counted = self.statistic("AWS/SNS", "NumberOfMessagesPublished", "Sum", [("TopicName", "orders")])

        def put(client):
            while True:
                try:
                    client.put_metric_data(Namespace="Ingest", MetricData=[
                        {"MetricName": name, "Value": 1, "StorageResolution": 1}])
                except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError):
                    return
                acknowledged.append(time.monotonic())

        def publish(client):
            while True:
                try:
                    client.publish(TopicArn=TOPIC, Message="x")
                except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError):
                    return
                published.append(time.monotonic())
        threads = [threading.Thread(target=put, args=(self.client("cloudwatch"),)),
                   threading.Thread(target=publish, args=(self.client("sns"),))]
        for thread in threads:
            thread.start()
        time.sleep(seconds)
        self.platform.stop(signal.SIGKILL)
        killed = time.monotonic()
        for thread in threads:
            thread.join(30)
        type(self).start()
        for what, times, found in (
                ("put", acknowledged, self.statistic("Ingest", name, "Sum")),
                ("counted", published,
                 self.statistic("AWS/SNS", "NumberOfMessagesPublished", "Sum", [("TopicName", "orders")]) - counted)):
            self.assertGreater(len(times), 20, what)
            lost = len(times) - round(found)
            oldest = killed - times[-lost] if lost > 0 else 0
            print(f"{what}: {len(times)} acknowledged, {max(lost, 0)} lost, the oldest {oldest:.3f} s before the kill",
                  flush=True)
            # A second, and what a busy machine lets a thread wait.
            self.assertLess(oldest, 1.3, what)


if __name__ == "__main__":
    main()
