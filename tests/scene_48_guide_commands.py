"""The guide's own commands, typed as they are printed, in a shell that evaluated `securebase env`.

Printed dates long past are accepted and find nothing; the same command with today's dates finds what the traffic left.
Commands about logs and traces are not in here: nothing keeps those yet.
"""

import datetime
import json
import pathlib
import re
import subprocess
import tempfile
import time
import unittest
import zipfile

from harness import REPOSITORY, SECUREBASE, Platform, main, wait_until

CLOUDFRONT_HIT_RATE = """aws cloudwatch get-metric-statistics \\
  --namespace AWS/CloudFront \\
  --metric-name CacheHitRate \\
  --dimensions Name=DistributionId,Value=E1234ABCD \\
  --start-time 2026-01-24T00:00:00Z \\
  --end-time 2026-01-24T23:59:59Z \\
  --period 3600 \\
  --statistics Average"""

API_LATENCY = """aws cloudwatch get-metric-statistics \\
  --namespace AWS/ApiGateway \\
  --metric-name Latency \\
  --dimensions Name=ApiName,Value=securebase-api \\
  --start-time 2026-01-24T00:00:00Z \\
  --end-time 2026-01-24T23:59:59Z \\
  --period 300 \\
  --statistics p95"""

REDIS_HIT_RATE = """aws cloudwatch get-metric-statistics \\
  --namespace AWS/ElastiCache \\
  --metric-name CacheHitRate \\
  --dimensions Name=ReplicationGroupId,Value=securebase-prod-redis \\
  --start-time 2026-01-24T00:00:00Z \\
  --end-time 2026-01-24T23:59:59Z \\
  --period 3600 \\
  --statistics Average"""

LAMBDA_DURATION = """aws cloudwatch get-metric-statistics \\
  --namespace AWS/Lambda \\
  --metric-name Duration \\
  --statistics p95"""

REDIS_HITS_AND_MISSES = """aws cloudwatch get-metric-statistics \\
  --namespace AWS/ElastiCache \\
  --metric-name CacheHits,CacheMisses"""


def shifted(command):
    """The same command for the last hours and the next minutes."""
    now = datetime.datetime.now(datetime.timezone.utc)
    stamp = "%Y-%m-%dT%H:%M:%SZ"
    command = command.replace("2026-01-24T00:00:00Z", (now - datetime.timedelta(hours=2)).strftime(stamp))
    return command.replace("2026-01-24T23:59:59Z", (now + datetime.timedelta(minutes=5)).strftime(stamp))


def documents(text):
    """The JSON documents that several calls printed one after another."""
    decoder = json.JSONDecoder()
    found = []
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        document, at = decoder.raw_decode(text, at)
        found.append(document)
    return found


class GuideCommands(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.platform = Platform()
        cls.environment = cls.platform.environment()
        # Debian's own clients, whatever else this machine has in front of them.
        cls.environment["PATH"] = f"{cls.platform.state}/bin:/usr/bin:/bin"
        cls.folder = tempfile.TemporaryDirectory()
        token = cls.platform.login()
        credentials = ["-H", f"Authorization: Bearer {token}"]
        for number in range(60):
            cls.platform.curl("/")
            cls.platform.curl(f"/api/v1/customers/abc123/invoices?limit={1 + number % 20}", *credentials)
            cls.platform.curl(f"/api/v1/customers/abc123/metrics?period={1 + number % 30}d", *credentials)
        time.sleep(2.5)  # the collector reads each second

    @classmethod
    def tearDownClass(cls):
        cls.platform.stop()
        cls.folder.cleanup()

    def typed(self, command):
        done = subprocess.run(["bash", "-c", command], cwd=self.folder.name, env=self.environment, capture_output=True,
                              text=True, timeout=60)
        self.assertEqual(done.returncode, 0, f"{command}\n{done.stdout}{done.stderr}")
        return done.stdout

    def points(self, command):
        return json.loads(self.typed(command))["Datapoints"]

    def test_an_invalidation_makes_the_next_get_a_miss(self):
        page = "/sign-in"  # not "/", for which the prober asks each second
        self.platform.curl(page)
        self.assertTrue(self.platform.curl(page).headers["x-cache"].startswith("Hit"))
        made = json.loads(self.typed("aws cloudfront create-invalidation \\\n  --distribution-id E1234ABCD \\\n"
                                     '  --paths "/*"'))
        self.assertIn(made["Invalidation"]["Status"], ("InProgress", "Completed"))
        after = self.platform.curl(page)
        self.assertFalse(after.headers["x-cache"].startswith("Hit from"), after)

    def test_a_flush_of_the_stage_makes_the_next_get_a_miss(self):
        # Behind the edge, by the API's own address.
        url = (f"http://127.0.0.1:{self.platform.port['aws']}/restapis/{self.api()}/prod/_user_request_"
               "/v1/customers/abc123/metrics?period=17d")
        bearer = ["-H", f"Authorization: Bearer {self.platform.login()}"]

        def cache_status():
            return self.platform.curl(url, *bearer).headers["cache-status"]
        cache_status()
        self.assertIn("hit", cache_status())
        self.typed(f"aws apigateway flush-stage-cache --rest-api-id {self.api()} --stage-name prod")
        self.assertIn("fwd=miss", cache_status())

    def api(self):
        return json.loads(self.typed("aws apigateway get-rest-apis"))["items"][0]["id"]

    def test_the_platform_says_that_it_is_well(self):
        answer = self.platform.curl(f"http://127.0.0.1:{self.platform.port['operator']}/healthz")
        self.assertEqual(answer.status, 200, answer)

    def test_printed_dates_long_past_are_accepted(self):
        for command in (CLOUDFRONT_HIT_RATE, API_LATENCY, REDIS_HIT_RATE):
            self.assertEqual(self.points(command), [])

    def test_the_edge_hit_rate(self):
        points = self.points(shifted(CLOUDFRONT_HIT_RATE))
        self.assertTrue(points)
        self.assertTrue(all(0 <= point["Average"] <= 100 and point["Unit"] == "Percent" for point in points), points)

    def test_the_api_p95(self):
        points = self.points(shifted(API_LATENCY))
        self.assertTrue(points)
        for point in points:
            self.assertGreater(point["ExtendedStatistics"]["p95"], 0)
            self.assertEqual(point["Unit"], "Milliseconds")

    def test_the_redis_hit_rate(self):
        points = wait_until(lambda: self.points(shifted(REDIS_HIT_RATE)), 30, "Redis' hit rate was sampled")
        self.assertTrue(all(0 <= point["Average"] <= 100 for point in points), points)

    def test_the_duration_of_all_functions_without_times(self):
        points = self.points(LAMBDA_DURATION)
        self.assertTrue(points)
        self.assertTrue(all(point["ExtendedStatistics"]["p95"] > 0 for point in points), points)

    def test_hits_and_misses_by_one_comma_list(self):
        hits, misses = documents(self.typed(REDIS_HITS_AND_MISSES))
        self.assertEqual((hits["Label"], misses["Label"]), ("CacheHits", "CacheMisses"))
        self.assertGreater(sum(point["Sum"] for point in misses["Datapoints"]), 0)

    def test_a_layer_is_published(self):
        with zipfile.ZipFile(pathlib.Path(self.folder.name) / "layer.zip", "w") as layer:
            layer.writestr("python/common_dependencies.py", "ANSWER = 42\n")
        made = json.loads(self.typed("aws lambda publish-layer-version \\\n  --layer-name common-dependencies \\\n"
                                     "  --zip-file fileb://layer.zip"))
        self.assertRegex(made["LayerVersionArn"], r"^arn:aws:lambda:us-east-1:123456789012:layer:common-dependencies:\d+$")

    def test_the_slow_query_log_is_listed_and_downloaded(self):
        subprocess.run(["psql", "-qAtc", "SELECT pg_sleep(1.2) /* slow on purpose */"], env=self.environment, check=True,
                       capture_output=True, timeout=30)
        listed = self.typed("aws rds describe-db-log-files \\\n"
                            "  --db-instance-identifier securebase-prod-instance-1 | \\\n  grep slowquery")
        self.assertIn("slowquery/postgresql-slowquery.log", listed)
        command = ("aws rds download-db-log-file-portion \\\n  --db-instance-identifier securebase-prod-instance-1 \\\n"
                   "  --log-file-name slowquery/postgresql-slowquery.log")
        wait_until(lambda: "slow on purpose" in self.typed(command), 20, "the slow statement is in the log")

    def test_the_database_status(self):
        status = self.typed("aws rds describe-db-instances \\\n  --db-instance-identifier securebase-prod | \\\n"
                            "  jq '.DBInstances[0].DBInstanceStatus'")
        self.assertEqual(status.strip(), '"available"')

    def test_the_portal_is_deployed_by_s3_sync(self):
        dist = REPOSITORY / "service" / "portal" / "dist"
        copy = pathlib.Path(self.folder.name) / "dist"
        subprocess.run(["cp", "-r", dist, copy], check=True)
        (copy / "static").mkdir(exist_ok=True)
        (copy / "static" / "hello.txt").write_text("hello\n")
        self.typed("aws s3 sync dist/ s3://securebase-prod-portal")
        self.assertEqual(self.platform.curl("/static/hello.txt").text, "hello\n")
        (copy / "static" / "hello.txt").unlink()
        self.typed("aws s3 sync dist/ s3://securebase-prod-portal --delete --exclude 'sign-*' --exclude invoices "
                   "--exclude tickets --exclude api-keys")
        self.typed('aws cloudfront create-invalidation --distribution-id E1234ABCD --paths "/static/*"')
        self.assertIn(self.platform.curl("/static/hello.txt").status, (403, 404))

    def test_the_targets_have_a_verdict_for_each_row(self):
        done = self.platform.cli("targets", "--window", "1h", "--json", check=False)
        report = json.loads(done.stdout)
        rows = {row["name"]: row for row in report["targets"]}
        self.assertEqual(len(rows), 11)
        self.assertEqual(done.returncode, 0 if report["pass"] else 1)
        self.assertEqual(rows["Lighthouse Performance"]["verdict"], "no data")
        self.assertGreater(rows["API p50 latency"]["samples"], 20)
        self.assertGreater(rows["Uptime"]["samples"], 0)
        # What the row calls its evidence is a command that gives it.
        evidence = rows["API p50 latency"]["evidence"]
        self.assertTrue(re.search(r"--statistics p50$", evidence), evidence)
        self.assertTrue(self.points(evidence))

    def test_watched_targets_are_measured_again(self):
        watching = subprocess.Popen([SECUREBASE, "targets", "--watch", "--json", "--state", self.platform.state],
                                    stdout=subprocess.PIPE, text=True)
        try:
            reports = [json.loads(watching.stdout.readline()) for _ in range(3)]
        finally:
            watching.terminate()
            watching.wait(20)
            watching.stdout.close()
        self.assertEqual({len(report["targets"]) for report in reports}, {11})
        self.assertEqual(len({report["to"] for report in reports}), 3)


if __name__ == "__main__":
    main()
