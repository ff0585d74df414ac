"""Queries over logs: the guide's as they are printed, by the command line and by botocore.

A little traffic makes the functions and the gateway log; then every query of the guide gives rows.
"""

import json
import subprocess
import time
import unittest

import boto3
import botocore.exceptions
from harness import Platform, main, wait_until

P95 = """fields @timestamp, @duration, @requestId
| filter @type = "REPORT"
| stats pct(@duration, 95) as p95 by bin(5m)"""

COLD_START_DURATION = """aws logs insights query \\
  --log-group-name /aws/lambda/securebase-prod-auth \\
  --start-time $(date -u -d '1 hour ago' +%s) \\
  --end-time $(date -u +%s) \\
  --query-string 'fields @duration | filter @type="REPORT" and @initDuration > 0 | stats avg(@initDuration) as avg_cold_start'"""

SLOW_ENDPOINTS = """aws logs insights query \\
  --log-group-name /aws/apigateway/securebase-prod \\
  --query-string 'fields path, @duration | filter @type="REPORT" | sort @duration desc | limit 20'"""

COLD_STARTS = """aws logs insights query \\
  --log-group-name /aws/lambda/securebase-prod \\
  --query-string 'filter @type="REPORT" | stats count(@initDuration) as cold_starts by bin(1h)'"""


class Insights(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.platform = Platform()
        cls.environment = cls.platform.environment()
        cls.environment["PATH"] = f"{cls.platform.state}/bin:/usr/bin:/bin"
        cls.logs = boto3.client("logs", endpoint_url=cls.environment["AWS_ENDPOINT_URL"],
                                region_name=cls.environment.get("AWS_DEFAULT_REGION", "us-east-1"),
                                aws_access_key_id=cls.environment["AWS_ACCESS_KEY_ID"],
                                aws_secret_access_key=cls.environment["AWS_SECRET_ACCESS_KEY"])
        token = cls.platform.login()
        for number in range(40):
            cls.platform.curl(f"/api/v1/customers/abc123/invoices?limit={1 + number % 20}", "-H",
                              f"Authorization: Bearer {token}")

    @classmethod
    def tearDownClass(cls):
        cls.platform.stop()

    def typed(self, command):
        return subprocess.run(["bash", "-c", command], env=self.environment, capture_output=True, text=True, timeout=60)

    def rows_of(self, command):
        """Of the command with --json, once there are any."""
        def rows():
            done = self.typed(command + " --json")
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            return json.loads(done.stdout)["results"]
        return wait_until(rows, 15, f"rows of {command}")

    def answer_of(self, group, text, **more):
        now = int(time.time())
        times = {"startTime": now - 3600, "endTime": now + 60, **more}
        query = self.logs.start_query(logGroupName=group, queryString=text, **times)["queryId"]

        def finished():
            answer = self.logs.get_query_results(queryId=query)
            return answer if answer["status"] not in ("Scheduled", "Running") else None
        return wait_until(finished, 30, "the query ends")

    def test_the_p95_by_five_minutes(self):
        def rows():
            return self.answer_of("/aws/lambda/securebase-prod", P95)["results"]
        for row in wait_until(rows, 15, "reports"):
            values = {field["field"]: field["value"] for field in row}
            self.assertRegex(values["bin(5m)"], r"^\d{4}-\d\d-\d\d \d\d:\d[05]:00\.000$")
            self.assertGreater(float(values["p95"]), 0)

    def test_the_duration_of_cold_starts_as_printed(self):
        rows = self.rows_of(COLD_START_DURATION)
        self.assertGreater(float(rows[0]["avg_cold_start"]), 0)

    def test_the_slow_endpoints_as_printed(self):
        rows = self.rows_of(SLOW_ENDPOINTS)
        self.assertLessEqual(len(rows), 20)
        durations = [float(row["@duration"]) for row in rows]
        self.assertEqual(durations, sorted(durations, reverse=True))
        self.assertIn("path", rows[0])

    def test_the_cold_starts_by_hour_as_printed(self):
        rows = self.rows_of(COLD_STARTS)
        self.assertGreater(sum(int(row["cold_starts"]) for row in rows), 0)

    def test_a_table_for_people(self):
        self.rows_of(SLOW_ENDPOINTS)
        done = self.typed(SLOW_ENDPOINTS)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout.splitlines()[0].split(), ["path", "@duration"])
        self.assertIn("events matched", done.stderr)

    def test_a_query_that_is_none_says_where(self):
        now = int(time.time())
        with self.assertRaises(botocore.exceptions.ClientError) as refused:
            self.logs.start_query(logGroupName="/aws/lambda/securebase-prod", startTime=now - 60, endTime=now,
                                  queryString="fields @message | flter a = 1")
        error = refused.exception.response
        self.assertEqual(error["Error"]["Code"], "MalformedQueryException")
        self.assertIn("did you mean filter?", error["Error"]["Message"])
        place = error["queryCompileError"]["location"]
        self.assertEqual((place["startCharOffset"], place["endCharOffset"]), (18, 23))
        done = self.platform.cli("logs", "insights", "--log-group-name", "/aws/lambda/securebase-prod", "--query-string",
                                 "fields @message | flter a = 1", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("^~~~~", done.stderr)

    def test_a_pointer_leads_to_its_event(self):
        def rows():
            return self.answer_of("/aws/lambda/securebase-prod", "fields @message | filter @type = 'REPORT' | limit 1")["results"]
        row = {field["field"]: field["value"] for field in wait_until(rows, 15, "reports")[0]}
        record = self.logs.get_log_record(logRecordPointer=row["@ptr"])["logRecord"]
        self.assertEqual(record["@message"].strip(), row["@message"].strip())
        self.assertEqual(record["@type"], "REPORT")

    def test_the_fields_of_a_group(self):
        self.rows_of(COLD_STARTS)
        found = {field["name"]: field["percent"] for field in
                 self.logs.get_log_group_fields(logGroupName="/aws/lambda/securebase-prod")["logGroupFields"]}
        self.assertEqual(found["@message"], 100)
        self.assertGreater(found["@duration"], 0)

    def test_queries_can_be_listed_and_stopped(self):
        self.answer_of("/aws/lambda/securebase-prod", "stats count(*) as listed")
        listed = self.logs.describe_queries(status="Complete")["queries"]
        self.assertIn("stats count(*) as listed", [query["queryString"] for query in listed])
        with self.assertRaises(botocore.exceptions.ClientError) as refused:
            self.logs.stop_query(queryId=listed[0]["queryId"])
        self.assertEqual(refused.exception.response["Error"]["Code"], "InvalidParameterException")

    def test_saved_queries_outlive_the_platform(self):
        saved = self.logs.put_query_definition(name="team/slow", queryString=P95,
                                               logGroupNames=["/aws/lambda/securebase-prod"])["queryDefinitionId"]
        found = self.logs.describe_query_definitions(queryDefinitionNamePrefix="team")["queryDefinitions"]
        self.assertIn(saved, [one["queryDefinitionId"] for one in found])
        self.assertTrue((self.platform.state / "logs" / "insights-queries.json").exists())
        self.assertTrue(self.logs.delete_query_definition(queryDefinitionId=saved)["success"])

    def test_rows_and_statistics_are_seen_while_it_runs(self):
        group = "/scene/insights"
        self.logs.create_log_group(logGroupName=group)
        self.addCleanup(self.logs.delete_log_group, logGroupName=group)
        self.logs.create_log_stream(logGroupName=group, logStreamName="s")
        now = int(time.time() * 1000)
        for batch in range(20):
            events = [{"timestamp": now - 100_000 + batch, "message": json.dumps({"n": batch * 8000 + i, "user": f"u{i % 7}"})}
                      for i in range(8000)]
            self.logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=events)
        answer = self.answer_of(group, "stats count(*) as n, max(n) as most by user | sort user")
        self.assertEqual(answer["status"], "Complete")
        self.assertEqual(len(answer["results"]), 7)
        self.assertEqual(sum(int(row[1]["value"]) for row in answer["results"]), 160_000)
        self.assertEqual(answer["statistics"]["recordsScanned"], 160_000)
        # Slow by its regular expression, so that there is something to stop.
        query = self.logs.start_query(logGroupName=group, startTime=now // 1000 - 3600, endTime=now // 1000 + 60,
                                      queryString="parse @message /(?<x>(.*)(.*)(.*)u6.*)/ | stats count(x), pct(strlen(x), 50)")
        seen = self.logs.get_query_results(queryId=query["queryId"])
        if seen["status"] in ("Scheduled", "Running"):
            self.assertLessEqual(seen["statistics"]["recordsScanned"], 160_000)
            try:
                self.assertTrue(self.logs.stop_query(queryId=query["queryId"])["success"])
                self.assertEqual(self.logs.get_query_results(queryId=query["queryId"])["status"], "Cancelled")
            except botocore.exceptions.ClientError as ended:  # between the two calls
                self.assertEqual(ended.response["Error"]["Code"], "InvalidParameterException")


if __name__ == "__main__":
    main()
