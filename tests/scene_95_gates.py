"""The checklists as gates: what is not known does not pass, what is shown does, and there is a way back that was tried."""

import json
import re
import shutil
import subprocess
import time
import unittest

import boto3
import junit
from harness import BUILD, REPOSITORY, SHARED, Platform, main, wait_until
from receivers import Webhook

ARN = "arn:aws:sns:us-east-1:123456789012:"


class Gates(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # A copy of the service, whose relative paths hold, to change in; and a state directory without a past.
        cls.service = SHARED / "gates" / "service"
        shutil.rmtree(SHARED / "gates", ignore_errors=True)
        shutil.copytree(REPOSITORY / "service", cls.service, ignore=shutil.ignore_patterns("node_modules", "test", "art"))
        (SHARED / "gates").chmod(0o755)
        cls.hooks = [Webhook(), Webhook()]
        for hook in cls.hooks:
            hook.__enter__()
        # Somebody hears of alarms; each confirms by the operator's word.
        (cls.service / "infra" / "listeners.tf").write_text("".join(
            f'resource "aws_sns_topic_subscription" "listener_{topic}" {{\n'
            f'  topic_arn = aws_sns_topic.{topic}.arn\n  protocol  = "http"\n'
            f'  endpoint  = "{hook.url}/{topic}"\n}}\n'
            for topic, hook in zip(("alerts", "critical"), cls.hooks)))
        # What the stack is tested by.
        declared = cls.service / "infra" / "load.tf"
        declared.write_text(declared.read_text().replace("  value = {", """  value = {
            health = { url = "/api/v1/health", rate = 50, duration = "5s", thresholds = ["errors<1%"] }""", 1))
        cls.platform = Platform(state=SHARED / "gates" / "state", stack=cls.service / "infra",
                                arguments=["--allow-files", cls.service, "-var", f"build={BUILD}"])

    @classmethod
    def tearDownClass(cls):
        cls.platform.stop()
        for hook in cls.hooks:
            hook.__exit__(None, None, None)
        shutil.rmtree(SHARED / "gates", ignore_errors=True)

    def gate(self, name, *arguments):
        """Its exit code, and its checks by id."""
        done = self.platform.cli("check", name, "--json", "-", *arguments, check=False)
        self.assertIn(done.returncode, (0, 1, 3), done.stderr)
        report = json.loads(done.stdout)
        self.assertEqual(report["exit_code"], done.returncode)
        return done.returncode, {check["id"]: check for check in report["checks"]}

    def apply(self, *more):
        return self.platform.cli("apply", self.service / "infra", "--allow-files", self.service, "--allow-files",
                                 BUILD / "service", "-var", f"build={BUILD}", "--auto-approve", *more)

    def test_1_what_is_not_known_does_not_pass(self):
        code, checks = self.gate("pre-deploy")
        self.assertNotEqual(code, 0)
        self.assertEqual(list(checks), ["load-test", "alarms", "dashboards", "cache-warming", "rollback"])
        for name in ("load-test", "cache-warming", "rollback"):
            self.assertEqual(checks[name]["decision"], "insufficient evidence", checks[name])
            self.assertTrue(checks[name]["fix"])
        self.assertNotEqual(checks["alarms"]["decision"], "pass")
        for gate in ("post-deploy", "monthly"):
            code, checks = self.gate(gate)
            self.assertNotEqual(code, 0)
            self.assertEqual(len(checks), 5)

    def test_2_alarms_pass_once_a_message_reached_somebody(self):
        sns = boto3.client("sns", endpoint_url=f"http://127.0.0.1:{self.platform.port['aws']}", region_name="us-east-1",
                           **self.credentials())
        for one in sns.list_subscriptions()["Subscriptions"]:
            self.platform.cli("notify", "confirm", one["SubscriptionArn"], check=False)
        status = json.loads(self.platform.cli("notify", "--json").stdout)
        for one in status["subscriptions"]:
            if not one["confirmed"]:
                self.platform.cli("notify", "confirm", one["arn"])
        _, before = self.gate("pre-deploy")
        self.assertEqual(before["alarms"]["decision"], "insufficient evidence", before["alarms"])
        _, after = self.gate("pre-deploy", "--send-tests")
        self.assertEqual(after["alarms"]["decision"], "pass", after["alarms"])
        for hook in self.hooks:
            self.assertTrue(any(b"test of this topic" in body for _, _, body in hook.got))

        # An alarm that is taken away is missed, and one whose actions are off is not heard.
        cloudwatch = boto3.client("cloudwatch", endpoint_url=f"http://127.0.0.1:{self.platform.port['aws']}",
                                  region_name="us-east-1", **self.credentials())
        cloudwatch.disable_alarm_actions(AlarmNames=["securebase-prod-cache-cpu"])
        _, off = self.gate("pre-deploy")
        self.assertEqual(off["alarms"]["decision"], "fail")
        cloudwatch.delete_alarms(AlarmNames=["securebase-prod-cache-cpu"])
        code, gone = self.gate("pre-deploy")
        self.assertEqual(code, 1)
        self.assertEqual(gone["alarms"]["decision"], "fail")
        self.assertTrue(any("ElastiCache CPU: there is no such alarm" in line for line in gone["alarms"]["evidence"]))
        self.apply()
        _, back = self.gate("pre-deploy")
        self.assertEqual(back["alarms"]["decision"], "pass", back["alarms"])

    def credentials(self):
        environment = self.platform.environment()
        return {"aws_access_key_id": environment["AWS_ACCESS_KEY_ID"],
                "aws_secret_access_key": environment["AWS_SECRET_ACCESS_KEY"]}

    def metrics_answer(self):
        token = self.platform.login()
        self.platform.cli("invalidate", "/*", "#customer:abc123", "--hard")
        return self.platform.curl("/api/v1/customers/abc123/metrics?period=1d", "-H", f"Authorization: Bearer {token}")

    def test_3_the_way_back_is_rehearsed_and_taken_with_the_code_of_functions(self):
        first = self.metrics_answer()
        self.assertEqual(first.status, 200, first)
        for words, said in ((("--list", "--rehearse"), "`securebase rollback --rehearse`"), (("--list", "--to", "1"), "leave one of them out"),
                            (("--rehearse", "--auto-approve"), "nothing to approve")):
            refused = self.platform.cli("rollback", *words, check=False)
            self.assertEqual(refused.returncode, 64)
            self.assertIn(said, refused.stderr)
        _, checks = self.gate("pre-deploy")
        self.assertIn("securebase check waive pre-deploy/rollback", checks["rollback"]["fix"])
        refused = self.platform.cli("rollback", "--rehearse", check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("no earlier configuration", refused.stderr)

        # A deployment that breaks a function, and adds a page.
        code = self.service / "functions" / "metrics" / "handler.py"
        good = code.read_text()
        code.write_text(good + "\n\ndef lambda_handler(event, context):\n"
                               "    return {'statusCode': 503, 'body': '{\"message\": \"new and broken\"}'}\n")
        (self.service / "infra" / "change.tf").write_text(
            'resource "aws_s3_object" "notice" {\n  bucket       = module.cloudfront.bucket_id\n'
            '  key          = "notice.txt"\n  content      = "deployed"\n  content_type = "text/plain"\n}\n')
        self.apply()
        self.assertEqual(self.metrics_answer().status, 503)

        _, checks = self.gate("pre-deploy")
        self.assertEqual(checks["rollback"]["decision"], "insufficient evidence")
        shown = self.platform.cli("rollback", "--rehearse").stdout
        self.assertIn("aws_s3_object.notice", shown)
        self.assertIn("nothing was changed", shown)
        self.assertEqual(self.metrics_answer().status, 503)
        _, checks = self.gate("pre-deploy")
        self.assertEqual(checks["rollback"]["decision"], "pass", checks["rollback"])

        self.platform.cli("rollback", "--auto-approve")
        again = self.metrics_answer()
        self.assertEqual(again.status, 200, again)
        self.assertNotEqual(self.platform.curl("/notice.txt").status, 200)
        # Another configuration now, for which nothing was rehearsed.
        _, checks = self.gate("pre-deploy")
        self.assertEqual(checks["rollback"]["decision"], "insufficient evidence")
        listed = self.platform.cli("rollback", "--list").stdout
        self.assertIn("rollback to 1", listed)

        # The same command once more leads forward.
        self.platform.cli("rollback", "--auto-approve")
        self.assertEqual(self.metrics_answer().status, 503)
        self.platform.cli("rollback", "--auto-approve")
        self.assertEqual(self.metrics_answer().status, 200)

    def test_4_a_waiver_counts_for_its_time_by_its_owner(self):
        refused = self.platform.cli("check", "waive", "pre-deploy/nothing", "--owner", "ana", "--reason", "x", "--for",
                                    "1d", check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("pre-deploy/load-test", refused.stderr)
        self.platform.cli("check", "waive", "pre-deploy/load-test", "--owner", "ana", "--reason", "no generator today",
                          "--for", "3s")
        _, checks = self.gate("pre-deploy")
        self.assertEqual(checks["load-test"]["waiver"]["owner"], "ana")
        wait_until(lambda: "waiver" not in self.gate("pre-deploy")[1]["load-test"], 10, "the waiver's end")

    def test_5_reports_for_ci_and_pull_requests(self):
        report, markdown = SHARED / "gates" / "gate.xml", SHARED / "gates" / "gate.md"
        self.platform.cli("check", "monthly", "--junit", report, "--markdown", markdown, check=False)
        suite = junit.suite_of(report)
        self.assertEqual(suite.get("tests"), "5")
        self.assertGreater(int(suite.get("errors")) + int(suite.get("failures")), 0)
        self.assertIn("| Analyze slow query logs |", markdown.read_text())
        # A waived check is one that was skipped, with who answers for it.
        self.platform.cli("check", "waive", "monthly/cost", "--owner", "ana <ana@example>", "--reason", "no bill & no test", "--for", "1h")
        self.platform.cli("check", "monthly", "--junit", report, "--markdown", markdown, check=False)
        suite = junit.suite_of(report)
        self.assertEqual(suite.get("skipped"), "1")
        self.assertIn("waived by ana <ana@example>", suite.find(".//skipped").get("message"))
        self.assertIn("waived by ana &lt;ana@example&gt;", markdown.read_text())
        self.platform.cli("check", "unwaive", "monthly/cost")
        # A watch in which nothing fails lasts its time, and ends as the last look did.
        begun = time.monotonic()
        watched = self.platform.cli("check", "pre-deploy", "--watch", "3s", "--every", "1s", check=False)
        self.assertEqual(watched.returncode, self.platform.cli("check", "pre-deploy", check=False).returncode)
        if watched.returncode == 3:
            self.assertGreaterEqual(time.monotonic() - begun, 3)

    def test_6_post_deploy_looks_at_this_configuration_only(self):
        for _ in range(300):
            self.platform.curl("/api/v1/health")
        # The minute of the deployment does not count.
        def counted():
            for _ in range(20):
                self.platform.curl("/api/v1/health")
            checks = self.gate("post-deploy")[1]
            return re.search(r"% of [0-9]{3,} requests", checks["errors"]["reason"]) and checks
        checks = wait_until(counted, 150, "the requests in the metrics")
        self.assertEqual(checks["errors"]["decision"], "insufficient evidence")
        self.assertIn("of 24.0 h so far", checks["errors"]["reason"])

        # A watch ends at the first failure: here, of a cache that is asked for what nobody asks for twice.
        for number in range(200):
            self.platform.curl(f"/nowhere/{number}")
        begun = time.monotonic()
        done = self.platform.cli("check", "post-deploy", "--watch", "10m", "--every", "1s", check=False)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertLess(time.monotonic() - begun, 60)
        self.assertIn("Verify cache hit rates > 70%: fail", done.stderr)
        nobody = self.platform.cli("check", "waivers")
        self.assertEqual(nobody.returncode, 0)

    def test_7_a_restart_keeps_the_configuration_its_age_and_the_way_back(self):
        before = json.loads(self.platform.cli("check", "monthly", "--json", "-", check=False).stdout)
        listed = self.platform.cli("rollback", "--list").stdout
        self.platform.stop()
        type(self).platform = Platform(state=SHARED / "gates" / "state", stack=self.service / "infra",
                                       arguments=["--allow-files", self.service, "-var", f"build={BUILD}"],
                                       ports=self.platform.port)
        after = json.loads(self.platform.cli("check", "monthly", "--json", "-", check=False).stdout)
        # The files say what they said when the platform went back to generation 1: they count again.
        self.assertNotEqual(before["configuration"], after["configuration"])
        self.assertGreater(len(self.platform.cli("rollback", "--list").stdout), len(listed))
        self.platform.stop()
        type(self).platform = Platform(state=SHARED / "gates" / "state", stack=self.service / "infra",
                                       arguments=["--allow-files", self.service, "-var", f"build={BUILD}"],
                                       ports=self.platform.port)
        again = json.loads(self.platform.cli("check", "monthly", "--json", "-", check=False).stdout)
        self.assertEqual((after["configuration"], after["deployed"]), (again["configuration"], again["deployed"]))

    def test_8_a_load_test_counts_for_the_configuration_that_it_met(self):
        script = SHARED / "gates" / "warm-up.js"
        script.write_text("""
            import http from 'k6/http';
            import { sleep } from 'k6';
            export const options = { vus: 2, duration: '4s', thresholds: { http_req_failed: ['rate<0.01'] } };
            export default function () { http.get(`${__ENV.TARGET}/api/v1/health`); sleep(0.05); }
        """)
        # One of something else says nothing of this platform.
        with Webhook() as other:
            self.platform.load("run", other.url, "--method", "POST", "--rate", "50", "--duration", "5s", "-t",
                              "p50<10s", "-q")
        _, checks = self.gate("pre-deploy")
        self.assertEqual(checks["load-test"]["decision"], "insufficient evidence", checks["load-test"])
        self.assertIn("one of something else", checks["load-test"]["reason"])

        def run(threshold, *more):
            return self.platform.load("run", self.platform.url + "/api/v1/health", "--rate", "50", "--duration", "5s",
                                     "-t", threshold, "-q", *more, check=False)
        failed = run("rate>100000", "--html", SHARED / "gates" / "run.html")
        self.assertEqual(failed.returncode, 3, failed.stdout + failed.stderr)
        _, checks = self.gate("pre-deploy")
        self.assertEqual(checks["load-test"]["decision"], "fail", checks["load-test"])
        page = (SHARED / "gates" / "run.html").read_text()
        self.assertIn("Where the time went in SecureBase", page)
        self.assertIn("GET /v1/health", page)

        # A warming is none of them, whatever came of it.
        ran = subprocess.run(["k6", "run", "-q", "-e", f"TARGET={self.platform.url}", script], text=True,
                             env=self.platform.environment(), capture_output=True, timeout=60)
        self.assertEqual(ran.returncode, 0, ran.stdout + ran.stderr)
        self.assertIn("warm-up.js", self.platform.cli("load", "runs").stdout)
        _, checks = self.gate("pre-deploy")
        self.assertEqual(checks["load-test"]["decision"], "fail", checks["load-test"])
        self.assertEqual(checks["cache-warming"]["decision"], "pass", checks["cache-warming"])

        # A test that the stack declares is run by its name, and is what the gate rests on when it is named.
        self.assertIn("rate 50", self.platform.cli("load", "list").stdout)
        _, checks = self.gate("pre-deploy", "--load-test", "health")
        self.assertIn('no load test "health" ran', checks["load-test"]["reason"])
        self.platform.load("health", "-q")
        self.assertIn("run health", self.platform.cli("load", "runs").stdout)
        _, checks = self.gate("pre-deploy", "--load-test", "health")
        self.assertEqual(checks["load-test"]["decision"], "pass", checks["load-test"])
        _, checks = self.gate("pre-deploy")
        self.assertEqual(checks["load-test"]["decision"], "fail", checks["load-test"])
        unknown = self.platform.cli("load", "spike", "health", check=False)
        self.assertEqual(unknown.returncode, 64)
        self.assertIn("securebase load run health", unknown.stderr)

        # The same test, passed, takes its failure back.
        self.assertEqual(run("errors<1%").returncode, 0)
        _, checks = self.gate("pre-deploy")
        self.assertEqual(checks["load-test"]["decision"], "pass", checks["load-test"])

        # And none of them counts for another configuration.
        (self.service / "infra" / "more.tf").write_text(
            'resource "aws_s3_object" "more" {\n  bucket  = module.cloudfront.bucket_id\n'
            '  key     = "more.txt"\n  content = "more"\n}\n')
        self.apply()
        _, checks = self.gate("pre-deploy")
        self.assertIn("no load test ran on this configuration", checks["load-test"]["reason"])


if __name__ == "__main__":
    main()
