"""Traces: what AWS's own clients and SDK send and read, in one trace with the hops of the platform itself.

The Python function is packed with Debian's aws_xray_sdk and patches what it can, as the guide prints it.
"""

import datetime
import http.server
import io
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import threading
import time
import unittest
import urllib.request
import zipfile

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from harness import SHARED, Platform, main, wait_until

ROLE = "arn:aws:iam::123456789012:role/any"
LIBRARIES = pathlib.Path("/usr/lib/python3/dist-packages")

# The guide's "Instrument Code", with something to do.
HANDLER = """
from aws_xray_sdk.core import xray_recorder
from aws_xray_sdk.core import patch_all

# Patch libraries
patch_all()

@xray_recorder.capture('process_request')
def process_request(customer_id):
    # Subsegments automatically tracked
    result = query_database(customer_id)
    return result

@xray_recorder.capture('query_database')
def query_database(customer_id):
    xray_recorder.current_subsegment().put_annotation('customer', customer_id)
    return {'customer': customer_id}

def handler(event, context):
    if event.get('fail'):
        raise ValueError('as asked')
    return process_request(event['customer'])
"""

SERVICE_GRAPH = """aws xray get-service-graph \\
  --start-time 2026-01-24T00:00:00Z \\
  --end-time 2026-01-24T23:59:59Z"""


def packed():
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("app.py", HANDLER)
        for package in ("aws_xray_sdk", "wrapt", "jsonpickle"):
            for file in sorted((LIBRARIES / package).rglob("*")):
                if file.is_file() and "__pycache__" not in file.parts:
                    archive.write(file, file.relative_to(LIBRARIES))
    return into.getvalue()


def hours(begin, end):
    now = datetime.datetime.now(datetime.timezone.utc)
    return {"StartTime": now + datetime.timedelta(hours=begin), "EndTime": now + datetime.timedelta(hours=end)}


def trace_id():
    return "1-%08x-%s" % (int(time.time()), os.urandom(12).hex())


def names_in(document):
    """Every segment and subsegment of a document, by name."""
    found = {document["name"]: document}
    for inner in document.get("subsegments", []):
        found.update(names_in(inner))
    return found


class Traces(unittest.TestCase):
    xray = functions = None

    @classmethod
    def setUpClass(cls):
        state = SHARED / "traces-state"
        shutil.rmtree(state, ignore_errors=True)  # of a run before, which has the function already
        cls.collector = Collector()
        cls.addClassCleanup(cls.collector.stop)
        cls.platform = Platform(state=state, arguments=["--otlp-traces", cls.collector.url])
        cls.addClassCleanup(lambda: cls.platform.stop())
        cls.connect()
        cls.functions.create_function(FunctionName="traced", Runtime="python3.11", Role=ROLE,
                                      Handler="app.handler", Timeout=20, Code={"ZipFile": packed()},
                                      TracingConfig={"Mode": "Active"})
        cls.xray.create_sampling_rule(SamplingRule={
            "RuleName": "traced", "ResourceARN": "*", "Priority": 1, "FixedRate": 1, "ReservoirSize": 1000,
            "ServiceName": "traced", "ServiceType": "*", "Host": "*", "HTTPMethod": "*", "URLPath": "*", "Version": 1})

    @classmethod
    def tearDownClass(cls):
        cls.xray.close()
        cls.functions.close()

    @classmethod
    def connect(cls):
        cls.environment = cls.platform.environment()
        cls.environment["PATH"] = f"{cls.platform.state}/bin:/usr/bin:/bin"
        for old in (cls.xray, cls.functions):
            if old:
                old.close()
        cls.xray = cls.client("xray")
        cls.functions = cls.client("lambda")

    @classmethod
    def client(cls, service):
        return boto3.client(service, endpoint_url=f"http://127.0.0.1:{cls.platform.port['aws']}",
                            region_name="us-east-1", aws_access_key_id=cls.environment["AWS_ACCESS_KEY_ID"],
                            aws_secret_access_key=cls.environment["AWS_SECRET_ACCESS_KEY"],
                            config=Config(retries={"max_attempts": 0}))

    def invoke(self, event):
        result = self.functions.invoke(FunctionName="traced", Payload=json.dumps(event))
        return json.loads(result["Payload"].read())

    def summaries(self, expression):
        pages = self.xray.get_paginator("get_trace_summaries")
        return [one for page in pages.paginate(FilterExpression=expression, **hours(-1, 0.1))
                for one in page["TraceSummaries"]]

    def documents(self, identifier):
        traces = self.xray.batch_get_traces(TraceIds=[identifier])["Traces"]
        return [json.loads(one["Document"]) for trace in traces for one in trace["Segments"]]

    def test_what_the_sdk_captures_stands_below_the_function_of_the_platform(self):
        self.assertEqual(self.invoke({"customer": "abc"}), {"customer": "abc"})
        expression = 'annotation.customer = "abc"'
        found = wait_until(lambda: self.summaries(expression), 10, "the SDK's subsegments are found")
        self.assertFalse(found[0]["HasFault"])
        documents = self.documents(found[0]["Id"])
        function = next(one for one in documents if one.get("origin") == "AWS::Lambda::Function")
        captured = next(one for one in documents if one["name"] == "process_request")
        self.assertEqual(captured["parent_id"], function["id"])
        # The SDK sends an inner subsegment with its outer one, or on its own before.
        inner = names_in(captured).get("query_database") or next(
            one for one in documents if one["name"] == "query_database" and one["parent_id"] == captured["id"])
        self.assertEqual(inner["annotations"], {"customer": "abc"})
        shown = self.platform.cli("traces", found[0]["Id"]).stdout
        order = [shown.index(name) for name in ("traced (AWS::Lambda)", "traced (AWS::Lambda::Function)",
                                                "process_request", "query_database")]
        self.assertEqual(order, sorted(order), shown)

    def test_errors_and_cold_starts_are_always_kept(self):
        for number in range(7):
            self.assertEqual(self.platform.curl(f"/api/v1/nowhere-{number}").status, 403)
        found = self.summaries('error AND http.url CONTAINS "/nowhere-"')
        self.assertEqual(len({one["Http"]["HttpURL"] for one in found}), 7, found)
        for _ in range(3):
            self.assertIn("errorMessage", self.invoke({"fail": True}))
        self.assertGreaterEqual(len(self.summaries('service("traced") { fault }')), 3)
        cold = self.summaries("annotation.cold_start = true")
        self.assertTrue(cold)
        names = set().union(*(names_in(one) for one in self.documents(cold[0]["Id"])))
        self.assertIn("Initialization", names)

    def test_a_wrong_filter_expression_says_what_may_be_meant(self):
        with self.assertRaises(ClientError) as caught:
            self.summaries('service("traced") { falt }')
        self.assertEqual(caught.exception.response["Error"]["Code"], "InvalidRequestException")
        self.assertIn("did you mean fault?", str(caught.exception))

    def test_a_url_is_the_one_that_was_asked_for_and_not_what_it_stands_for(self):
        # The prober asks for "/" each second, which is /index.html in the bucket.
        wait_until(lambda: self.summaries('http.url ENDSWITH ".cloudfront.net/"'), 60, "the portal's page is in a trace")
        self.assertEqual(self.summaries('http.url ENDSWITH "/index.html"'), [])

    def test_calls_of_a_service_by_the_minute_are_those_of_the_graph(self):
        self.assertEqual(self.invoke({"customer": "xyz"}), {"customer": "xyz"})
        selector = 'service(id(name: "traced", type: "AWS::Lambda::Function"))'

        def counted():
            series = self.xray.get_time_series_service_statistics(EntitySelectorExpression=selector, Period=60, **hours(-1, 0.1))
            points = series["TimeSeriesServiceStatistics"]
            self.assertTrue(all(one["Timestamp"].second == 0 for one in points))
            graph = self.xray.get_service_graph(**hours(-1, 0.1))["Services"]
            node = next(one for one in graph if (one["Name"], one.get("Type")) == ("traced", "AWS::Lambda::Function"))
            return (sum(one["ServiceSummaryStatistics"]["TotalCount"] for one in points), node["SummaryStatistics"]["TotalCount"])

        # What was just called may come in between the two questions.
        wait_until(lambda: len(set(counted())) == 1, 30, "the graph and the minutes count the same calls")

    def test_there_is_the_group_of_all_and_no_other(self):
        groups = self.xray.get_groups()["Groups"]
        self.assertEqual([one["GroupName"] for one in groups], ["Default"])
        self.assertEqual(self.xray.get_group(GroupARN=groups[0]["GroupARN"])["Group"]["GroupName"], "Default")
        self.assertIn("Services", self.xray.get_service_graph(GroupName="Default", **hours(-1, 0.1)))
        for ask in (lambda: self.xray.get_group(GroupName="mine"),
                    lambda: self.xray.get_service_graph(GroupName="mine", **hours(-1, 0.1))):
            with self.assertRaises(ClientError) as caught:
                ask()
            self.assertEqual(caught.exception.response["Error"]["Code"], "InvalidRequestException")
            self.assertIn("no group here but Default", str(caught.exception))

    def test_statements_and_redis_commands_stand_in_the_trace_of_their_request(self):
        token = self.platform.login()
        identifier = trace_id()
        header = f"X-Amzn-Trace-Id: Root={identifier};Parent=53995c3f42cd8ad8;Sampled=1"
        answer = self.platform.curl("/api/v1/customers/abc123/invoices?limit=7", "-H", header, "-H",
                                    f"Authorization: Bearer {token}")
        self.assertEqual(answer.status, 200)
        self.assertIn(identifier, answer.headers["x-amzn-trace-id"])

        def whole():
            documents = self.documents(identifier)
            return documents if {"PostgreSQL", "Redis"} <= {one["name"] for one in documents} else None
        documents = wait_until(whole, 10, "the function's calls arrive")
        functions = {one["id"]: one["name"] for one in documents if one.get("origin") == "AWS::Lambda::Function"}
        called = {(one["name"], functions.get(one["parent_id"])) for one in documents}
        self.assertLessEqual({("PostgreSQL", "securebase-prod-customers"), ("Redis", "securebase-prod-customers")}, called)
        edge = next(one for one in documents if one.get("origin") == "AWS::CloudFront::Distribution")
        self.assertEqual(edge["parent_id"], "53995c3f42cd8ad8")
        graph = self.xray.get_trace_graph(TraceIds=[identifier])["Services"]
        self.assertLessEqual({"Database::SQL", "Database::Redis", "AWS::ApiGateway::Stage", "AWS::Lambda::Function"},
                             {one.get("Type") for one in graph})

    def test_a_traceparent_is_the_same_trace(self):
        identifier = trace_id()
        hexes = identifier[2:].replace("-", "")
        answer = self.platform.curl("/api/v1/health", "-H", f"traceparent: 00-{hexes}-53995c3f42cd8ad8-01")
        self.assertIn(answer.status, (200,))
        # Answered by another request's response or by a function, it is counted; kept it is when it was sampled there.
        answer = self.platform.curl("/api/v1/nowhere", "-H", f"traceparent: 00-{hexes}-53995c3f42cd8ad8-01")
        self.assertEqual(answer.status, 403)
        self.assertTrue(self.documents(identifier))

    def test_the_guides_service_graph_counts_every_request(self):
        done = subprocess.run(["bash", "-c", SERVICE_GRAPH], env=self.environment, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout)["Services"], [], "long past")
        # The prober asks all the time: what the edge itself has counted before and after is the measure.
        first = self.served()
        before = self.edge_count()
        second = self.served()
        for _ in range(40):
            self.platform.curl("/api/v1/health")
        third = self.served()
        counted = self.edge_count() - before
        self.assertGreaterEqual(counted, max(40, third - second))
        self.assertLessEqual(counted, self.served() - first)

    def served(self):
        return self.platform.status()["edge"]["requests"]

    def edge_count(self):
        now = datetime.datetime.now(datetime.timezone.utc)
        stamp = "%Y-%m-%dT%H:%M:%SZ"
        command = SERVICE_GRAPH.replace("2026-01-24T00:00:00Z", (now - datetime.timedelta(hours=2)).strftime(stamp))
        command = command.replace("2026-01-24T23:59:59Z", (now + datetime.timedelta(hours=1)).strftime(stamp))
        done = subprocess.run(["bash", "-c", command], env=self.environment, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return sum(one["SummaryStatistics"]["TotalCount"] for one in json.loads(done.stdout)["Services"]
                   if one.get("Type") == "AWS::CloudFront::Distribution")

    def test_the_daemon_takes_segments_and_answers_about_sampling(self):
        identifier = trace_id()
        now = time.time()
        segment = {"name": "outside", "id": "70de5b6f19ff9a0a", "trace_id": identifier, "start_time": now - 1,
                   "end_time": now, "annotations": {"by": "udp"}, "http": {"response": {"status": 503}}}
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            to = ("127.0.0.1", self.platform.port["xray"])
            sender.sendto(b"no document", to)
            sender.sendto(b'{"format": "json", "version": 1}\n' + json.dumps(segment).encode(), to)
        found = wait_until(lambda: self.summaries('annotation.by = "udp"'), 10, "the datagram is a trace")
        self.assertEqual((found[0]["Id"], found[0]["HasFault"]), (identifier, True))
        rules = self.ask_daemon("/GetSamplingRules", {})["SamplingRuleRecords"]
        self.assertEqual([one["SamplingRule"]["RuleName"] for one in rules], ["traced", "Default"])
        target = self.ask_daemon("/SamplingTargets", {"SamplingStatisticsDocuments": [
            {"RuleName": "Default", "ClientID": "0123456789abcdef01234567", "Timestamp": now, "RequestCount": 5,
             "SampledCount": 1, "BorrowCount": 0}]})["SamplingTargetDocuments"][0]
        self.assertEqual((target["FixedRate"], target["ReservoirQuota"]), (0.05, 1))

    def ask_daemon(self, path, question):
        request = urllib.request.Request(f"http://127.0.0.1:{self.platform.port['xray']}{path}",
                                         json.dumps(question).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def test_where_the_p95_went_is_counted_over_every_request(self):
        token = self.platform.login()
        for number in range(60):
            self.platform.curl(f"/api/v1/customers/abc123/invoices?limit={1 + number}", "-H",
                               f"Authorization: Bearer {token}")
        routes = self.platform.cli("traces", "slow").stdout
        self.assertIn("GET /v1/customers/{id}/invoices", routes)
        report = json.loads(self.platform.cli("traces", "slow", "--json", "GET", "/v1/customers/{id}/invoices").stdout)
        self.assertGreaterEqual(report["requests"], 60)
        around = report["around_p95"]
        self.assertGreater(around["sql"], 0)
        # The parts are those of the requests around the p95, so together they are about as long.
        self.assertGreater(sum(around.values()), report["p95_seconds"] * 0.3)
        self.assertLess(sum(around.values()), report["p99_seconds"] * 1.1)
        text = self.platform.cli("traces", "slow", "GET /v1/customers/{id}/invoices").stdout
        self.assertRegex(text, r"sql +\S+ \S+ +\S+ \S+ +\d+\.\d %")

    def test_kept_traces_go_to_a_collector_and_come_from_one(self):
        self.platform.curl("/api/v1/nowhere")
        body = wait_until(lambda: self.collector.bodies, 15, "the collector was told")[0]
        self.assertIn(b"service.name", body)
        identifier = trace_id()
        now = time.time_ns()
        span = {"traceId": identifier[2:].replace("-", ""), "spanId": "70de5b6f19ff9a0a", "name": "GET /cart", "kind": 2,
                "startTimeUnixNano": str(now), "endTimeUnixNano": str(now + 5_000_000)}
        request = {"resourceSpans": [{"resource": {"attributes": [
            {"key": "service.name", "value": {"stringValue": "shop"}}]}, "scopeSpans": [{"spans": [span]}]}]}
        answer = self.platform.curl(f"http://127.0.0.1:{self.platform.port['operator']}/v1/traces", "-H",
                                    "Content-Type: application/json", "-d", json.dumps(request))
        self.assertEqual((answer.status, answer.json), (200, {}))
        self.assertEqual(self.documents(identifier)[0]["name"], "shop")

    def test_what_was_acknowledged_outlives_a_kill(self):
        identifier = trace_id()
        now = time.time()
        kept = self.xray.put_trace_segments(TraceSegmentDocuments=[
            json.dumps({"name": "queue", "id": "70de5b6f19ff9a0a", "trace_id": identifier, "start_time": now,
                        "end_time": now + 0.1}), "{}"])
        self.assertEqual([one["ErrorCode"] for one in kept["UnprocessedTraceSegments"]], ["MissingTraceId"])
        self.platform.stop(how=signal.SIGKILL)
        type(self).platform = Platform(state=SHARED / "traces-state",
                                       arguments=["--otlp-traces", self.collector.url])
        self.connect()
        self.assertEqual(self.documents(identifier)[0]["name"], "queue")
        self.assertEqual(len(self.xray.get_sampling_rules()["SamplingRuleRecords"]), 2)


class Collector:
    """Somebody else's OTLP collector."""

    def __init__(self):
        self.bodies = bodies = []

        class Answer(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/v1/traces"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


if __name__ == "__main__":
    main()
