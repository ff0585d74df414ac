"""The platform from outside: page loads that a browser reports, joined to traces; Lighthouse; canaries and uptime."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import time
import unittest

from harness import (REPOSITORY, SECUREBASE, SHARED, Platform, alive, children_of, main, pages_stack,
                     wait_until)

# Scripts run as another user when the platform is root, and he has to reach tools/browser.
REACHABLE = os.getuid() != 0 or all(place.stat().st_mode & 0o001 for place in [REPOSITORY, *REPOSITORY.parents])
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")


def node(script, *arguments, seconds=240):
    done = subprocess.run(["node", str(REPOSITORY / script), *arguments], capture_output=True, text=True, timeout=seconds)
    if done.returncode != 0:
        raise AssertionError(f"{script} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


class PageLoads(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.platform = Platform()

    @classmethod
    def tearDownClass(cls):
        cls.platform.stop()

    def views(self):
        return json.loads(self.platform.cli("rum", "--json").stdout)["views"]

    def statistic(self, metric, page=None):
        dimensions = ["Name=application_name,Value=securebase-prod-portal"]
        if page:
            dimensions.append(f"Name=PageId,Value={page}")
        points = self.platform.aws("cloudwatch", "get-metric-statistics", "--namespace", "AWS/RUM", "--metric-name", metric,
                                   "--dimensions", *dimensions, "--extended-statistics", "p95", "--period", 3600)["Datapoints"]
        return points[-1]["ExtendedStatistics"]["p95"] if points else None

    def test_a_customer_on_a_slow_network_reports_his_page_loads(self):
        seen = json.loads(node("tests/outside_visit.mjs", self.platform.url, "demo@acme.example", "demo-acme", CHROMIUM))
        self.assertGreater(seen["load"], 300, "the link is slow")
        view = wait_until(lambda: next((one for one in self.views() if one["path"] == "/invoices"), None), 10,
                          "the page view of /invoices")
        self.assertLess(abs(view["timings"]["load_ms"] - seen["load"]), 2)
        self.assertLess(abs(view["timings"]["ttfb_ms"] - seen["ttfb"]), 2)
        for vital in ("fcp_ms", "lcp_ms", "dom_content_loaded_ms", "cls"):
            self.assertIsNotNone(view["timings"][vital], vital)
        # The sign-in page had a person typing and clicking.
        signing_in = next(one for one in self.views() if one["path"] == "/sign-in")
        self.assertIsNotNone(signing_in["timings"]["inp_ms"])

        self.assertTrue(seen["traces"], "the API's answers name their traces")
        self.assertTrue(set(view["trace_ids"]) & set(seen["traces"]), view)

        load = wait_until(lambda: self.statistic("PageLoadTime", "/invoices"), 10, "the metric of the page")
        # Views of a run before, over the same state, count too.
        self.assertLess(abs(load - view["timings"]["load_ms"]), 0.25 * load)
        for metric in ("PageLoadTime", "TTFBTime", "WebVitalsLargestContentfulPaint", "WebVitalsFirstContentfulPaint",
                       "WebVitalsInteractionToNextPaint"):
            self.assertGreater(self.statistic(metric), 0, metric)

        report = json.loads(self.platform.cli("targets", "--json", check=False).stdout)
        row = next(row for row in report["targets"] if row["name"] == "Page load time (p95)")
        self.assertEqual(row["verdict"], "too few samples")
        self.assertGreaterEqual(row["samples"], 2)

    def test_the_api_tells_of_the_monitor(self):
        name = "securebase-prod-portal"
        listed = self.platform.aws("rum", "list-app-monitors")["AppMonitorSummaries"]
        self.assertEqual([(one["Name"], one["State"]) for one in listed], [(name, "ACTIVE")])
        monitor = self.platform.aws("rum", "get-app-monitor", "--name", name)["AppMonitor"]
        self.assertEqual(monitor["Id"], listed[0]["Id"])
        self.assertEqual(monitor["AppMonitorConfiguration"]["SessionSampleRate"], 1)
        self.assertRegex(monitor["DataStorage"]["CwLog"]["CwLogGroup"], f"^/aws/vendedlogs/RUMService_{name}")

    def test_the_pages_script_sends_what_it_should_and_when(self):
        node("tests/outside_beacon.mjs", self.platform.url, seconds=60)

    def test_strangers_words_are_refused(self):
        beacon = self.platform.url + "/_securebase/page"
        for body, fields, status in (('{"p":"/"}', ["Origin: https://evil.example"], 403), ("hello", [], 400),
                                     ('{"p":"/","t":-5}', [], 400), (" " * 5000, [], 413)):
            arguments = [word for field in fields for word in ("-H", field)]
            self.assertEqual(self.platform.curl(beacon, "--data-raw", body, *arguments).status, status, body[:40])

    def test_lighthouse_scores_the_portal_above_95(self):
        done = subprocess.run([str(SECUREBASE), "lighthouse", self.platform.url + "/", "--runs", "5", "--min-score", "95",
                               "--json", "--state", str(self.platform.state)], capture_output=True, text=True, timeout=900,
                              env=dict(os.environ, CHROMIUM=CHROMIUM))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        report = json.loads(done.stdout)
        self.assertGreater(report["score"]["median"], 95)
        targets = json.loads(self.platform.cli("targets", "--json", check=False).stdout)["targets"]
        row = next(row for row in targets if row["name"] == "Lighthouse Performance")
        self.assertEqual((row["verdict"], row["samples"]), ("pass", 5))


# A page in a bucket, and canaries that look at it. Rates of seconds are SecureBase's own.
PROBED = {"securebase:id": "E1OUTSIDE", "securebase:probe": "page=/"}
STACK = pages_stack("canary-pages", PROBED, root_object="index.html") + """
resource "aws_s3_object" "page" {
  bucket       = aws_s3_bucket.pages.id
  key          = "index.html"
  content      = "<!doctype html><title>Hello from outside</title><h1>Hello</h1>"
  content_type = "text/html"
}
locals {
  canaries = {
    checks  = { runtime = "securebase-http-1.0", handler = "checks.json", rate = "rate(2 seconds)", timeout = 2 }
    browser = { runtime = "syn-nodejs-puppeteer-9.1", handler = "look.handler", rate = "rate(30 seconds)", timeout = 30 }
    endless = { runtime = "syn-nodejs-puppeteer-9.1", handler = "endless.handler", rate = "rate(20 seconds)", timeout = 3 }
    visit   = { runtime = "securebase-load-1.0", handler = "visit.js", rate = "rate(5 seconds)", timeout = 5 }
    script  = { runtime = "securebase-load-1.0", handler = "script.yml", rate = "rate(5 seconds)", timeout = 5 }
    wrong   = { runtime = "securebase-load-1.0", handler = "wrong.js", rate = "rate(0 minutes)", timeout = 20 }
    hostile = { runtime = "securebase-load-1.0", handler = "hostile.yml", rate = "rate(0 minutes)", timeout = 20 }
    greedy  = { runtime = "syn-nodejs-puppeteer-9.1", handler = "greedy.handler", rate = "rate(0 minutes)", timeout = 60, memory = 600 }
  }
}
resource "aws_synthetics_canary" "all" {
  for_each             = local.canaries
  name                 = each.key
  artifact_s3_location = "s3://canary-pages/artifacts/"
  execution_role_arn   = "arn:aws:iam::123456789012:role/canary"
  handler              = each.value.handler
  runtime_version      = each.value.runtime
  zip_file             = "code"
  start_canary         = true
  schedule {
    expression = each.value.rate
  }
  run_config {
    timeout_in_seconds = each.value.timeout
    memory_in_mb       = try(each.value.memory, 1000)
  }
}
"""
CHECKS = """{"steps": [
  {"name": "page", "url": "/", "status": 200, "contains": "Hello from outside", "within_ms": 1000},
  {"name": "missing", "url": "/missing", "status": [403, 404], "within_ms": 1000}]}"""
LOOK = """
const synthetics = require('Synthetics');
const log = require('SyntheticsLogger');
exports.handler = async () => {
  await synthetics.executeStep('unprivileged', async () => {
    if (process.getuid() === 0) throw new Error('this runs as root');
  });
  const page = await synthetics.getPage();
  await synthetics.executeStep('look', async () => {
    const response = await page.goto(process.env.SECUREBASE_URL, { waitUntil: 'load' });
    if (response.status() !== 200) throw new Error(`status ${response.status()}`);
    if ((await page.title()) !== 'Hello from outside') throw new Error('another page');
    await synthetics.takeScreenshot('page', 'loaded');
  });
  log.info('seen');
};
"""
# Scripts of load tests, whose phases and users a canary leaves out.
VISIT = """
import http from 'k6/http';
import { check } from 'k6';
export const options = { vus: 50, duration: '10m', thresholds: { http_req_duration: ['p(95)<2000'] } };
export default function () {
  const page = http.get(`${__ENV.SECUREBASE_URL}/`, { tags: { name: 'page' } });
  check(page, { 'it greets': (answer) => answer.body.includes('Hello from outside') });
}
"""
SCRIPT = """
config:
  target: "{{ $env.SECUREBASE_URL }}"
  phases: [{ duration: 600, arrivalRate: 50 }]
  plugins: { expect: {} }
scenarios:
  - flow:
      - get: { url: "/", name: "page", expect: [{ statusCode: 200 }] }
"""
# It leaves a pipe where its results are looked for, and ends who would have written them.
HOSTILE = SCRIPT.replace("config:", 'config:\n  processor: "./hostile.js"') + '      - function: "leave"\n'
HOSTILE_PROCESSOR = """
const { execFileSync } = require('node:child_process');
exports.leave = () => {
  execFileSync('mkfifo', [process.env.SECUREBASE_ARTIFACTS.replace(/artifacts$/, 'results.json')]);
  execFileSync('pkill', ['-KILL', '-u', String(process.getuid()), '-f', '/hostile.yml']);
};
"""
WRONG = VISIT.replace("Hello from outside", "Hello from nowhere")
ENDLESS = """
const { spawn } = require('node:child_process');
exports.handler = async () => {
  spawn('sleep', ['98765'], { detached: true, stdio: 'ignore' }).unref();
  await new Promise((resolve) => setTimeout(resolve, 1e8));
};
"""
# What takes the memory is the browser, not node.
GREEDY = """
const synthetics = require('Synthetics');
exports.handler = async () => {
  const page = await synthetics.getPage();
  await page.evaluate(async () => {
    window.kept = [];
    for (let i = 0; i < 48; ++i) {
      window.kept.push(new Uint8Array(64 << 20).fill(1));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  });
};
"""


def sleepers():
    """Processes that the endless script left behind."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if b"98765" in (entry / "cmdline").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                pass
    return found


class Canaries(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        SHARED.mkdir(mode=0o755, parents=True, exist_ok=True)
        cls.stack = SHARED / "outside-stack"
        shutil.rmtree(cls.stack, ignore_errors=True)
        (cls.stack / "code").mkdir(parents=True)
        (cls.stack / "main.tf").write_text(STACK)
        (cls.stack / "code" / "checks.json").write_text(CHECKS)
        (cls.stack / "code" / "look.js").write_text(LOOK)
        (cls.stack / "code" / "visit.js").write_text(VISIT)
        (cls.stack / "code" / "script.yml").write_text(SCRIPT)
        (cls.stack / "code" / "hostile.yml").write_text(HOSTILE)
        (cls.stack / "code" / "hostile.js").write_text(HOSTILE_PROCESSOR)
        (cls.stack / "code" / "wrong.js").write_text(WRONG)
        (cls.stack / "code" / "endless.js").write_text(ENDLESS)
        (cls.stack / "code" / "greedy.js").write_text(GREEDY)
        cls.state = SHARED / "outside-state"
        shutil.rmtree(cls.state, ignore_errors=True)
        cls.platform = Platform(state=cls.state, stack=cls.stack)

    @classmethod
    def tearDownClass(cls):
        cls.platform.stop()

    def synthetics(self, *words):
        return self.platform.aws("synthetics", *words)

    def runs(self, name):
        return self.synthetics("get-canary-runs", "--name", name)["CanaryRuns"]

    def first_run(self, name, seconds):
        return wait_until(lambda: self.runs(name), seconds, f"a run of {name}")[-1]

    def budget(self, canary):
        report = json.loads(self.platform.cli("uptime", "--json", check=False).stdout)
        return next((one for one in report["canaries"] if one["canary"] == canary), None)

    def test_1_canaries_run_on_their_schedules(self):
        self.assertEqual(self.first_run("checks", 20)["Status"]["State"], "PASSED")
        look = self.first_run("browser", 120)
        if not REACHABLE:
            self.assertIn("cannot pass through", look["Status"]["StateReason"])
            self.skipTest("the checkout lies below a private home: scripts say so")
        self.assertEqual(look["Status"]["State"], "PASSED", look)
        canaries = {one["Name"]: one for one in self.synthetics("describe-canaries")["Canaries"]}
        self.assertEqual({one["Status"]["State"] for name, one in canaries.items() if name not in ("greedy", "hostile", "wrong")},
                         {"RUNNING"})
        # The scripts of load tests: one visit each, judged by what they check.
        for name in ("visit", "script"):
            run = self.first_run(name, 60)
            self.assertEqual(run["Status"]["State"], "PASSED", run)
        wrong = self.first_run("wrong", 60)
        self.assertEqual(wrong["Status"]["State"], "FAILED", wrong)
        self.assertIn("it greets does not hold", wrong["Status"]["StateReason"])
        hostile = self.first_run("hostile", 60)
        self.assertEqual(hostile["Status"]["State"], "FAILED", hostile)
        self.assertRegex(hostile["Status"]["StateReason"], "could not be run|measured nothing")
        # It ran once, at the start.
        greedy = self.first_run("greedy", 60)
        self.assertEqual(greedy["Status"]["State"], "FAILED", greedy)
        self.assertIn("took more than the 600 MB", greedy["Status"]["StateReason"])
        self.assertEqual(canaries["checks"]["Schedule"]["Expression"], "rate(2 seconds)")
        last = self.synthetics("describe-canaries-last-run")["CanariesLastRun"]
        self.assertLessEqual({"checks", "browser"}, {one["CanaryName"] for one in last})
        self.assertTrue(list((self.state / "synthetics" / "artifacts" / "browser").glob("*/page-loaded.png")))

        for dimensions, metric in ((["Name=CanaryName,Value=browser", "Name=StepName,Value=look"], "SuccessPercent"),
                                   (["Name=CanaryName,Value=visit", "Name=StepName,Value=page"], "SuccessPercent"),
                                   (["Name=CanaryName,Value=browser"], "Duration"),
                                   (["Name=CanaryName,Value=checks"], "2xx")):
            points = self.platform.aws("cloudwatch", "get-metric-statistics", "--namespace", "CloudWatchSynthetics",
                                       "--metric-name", metric, "--dimensions", *dimensions, "--statistics", "Maximum",
                                       "--period", 3600)["Datapoints"]
            self.assertTrue(points and points[-1]["Maximum"] > 0, metric)

    def test_2_a_script_that_does_not_end_is_ended_with_all_that_it_started(self):
        run = self.first_run("endless", 60)
        self.assertEqual(run["Status"]["State"], "FAILED")
        if REACHABLE:
            self.assertIn("did not end within 3 s", run["Status"]["StateReason"])
        self.synthetics("stop-canary", "--name", "endless")
        wait_until(lambda: not sleepers(), 20, "nothing of the script is left")
        self.assertEqual(self.synthetics("get-canary", "--name", "endless")["Canary"]["Status"]["State"], "STOPPED")
        before = len(self.runs("endless"))
        time.sleep(22)
        self.assertLessEqual(len(self.runs("endless")), before + 1, "a run may have been under way")

    def test_3_a_stopped_platform_is_noticed_and_costs_budget(self):
        self.assertEqual(self.budget("checks")["failed"], 0)
        os.kill(self.platform.process.pid, signal.SIGSTOP)
        time.sleep(12)
        os.kill(self.platform.process.pid, signal.SIGCONT)
        failed = wait_until(lambda: [one for one in self.runs("checks") if one["Status"]["State"] == "FAILED"], 20,
                            "the runs that failed meanwhile")
        self.assertIn("page: no answer within", failed[0]["Status"]["StateReason"])
        budget = wait_until(lambda: next((one for one in [self.budget("checks")] if one["failed"] >= 3), None), 20, "the budget")
        self.assertEqual(budget["down_seconds"], 2 * budget["failed"])
        self.assertLess(budget["availability"], 100)
        self.assertAlmostEqual(budget["budget_remaining_percent"], 100 * (1 - budget["down_seconds"] / 1296), places=2)
        self.assertGreater(budget["burn_rate_1h"], 1)

    def test_4_a_killed_platform_leaves_nothing_and_its_gap_is_down_time(self):
        children = list(children_of(self.platform.process.pid))
        self.assertTrue(children)
        ports = self.platform.port
        time.sleep(4)  # kill -9 may take the last second of metrics with it: not what the test before caused
        before = {name: self.budget(name) for name in ("checks", "page")}
        killed = time.monotonic()
        self.platform.stop(signal.SIGKILL)
        wait_until(lambda: not alive(children), 20, "no child outlives the platform")
        time.sleep(12)
        # The heartbeat beats again at the latest when the platform is ready, and at the earliest when it begins.
        least = time.monotonic() - killed
        type(self).platform = Platform(state=self.state, stack=self.stack, ports=ports)
        most = time.monotonic() - killed
        for name, interval in (("checks", 2), ("page", 1)):
            def grown(name=name):
                now = self.budget(name)
                return now["failed"] - before[name]["failed"] if now else 0
            # The last beat may be a second old, and the first runs of a platform that begins may fail.
            failed = wait_until(lambda: grown() >= (least - 2) // interval and grown(), 30,
                                f"the gap of {least:.0f} s as failed runs of {name}")
            self.assertLessEqual(failed, (most + 3) / interval + 3, name)
            after = self.budget(name)
            self.assertEqual(after["down_seconds"] - before[name]["down_seconds"],
                             interval * (after["failed"] - before[name]["failed"]))
            self.assertLess(after["budget_remaining_percent"], before[name]["budget_remaining_percent"])
        self.assertEqual(self.synthetics("get-canary", "--name", "endless")["Canary"]["Status"]["State"], "STOPPED",
                         "what the API said outlives a restart")

    def test_5_a_runtime_that_is_not_done_says_so(self):
        other = SHARED / "outside-python"
        shutil.rmtree(other, ignore_errors=True)
        shutil.copytree(self.stack, other)
        (other / "main.tf").write_text(STACK.replace('"syn-nodejs-puppeteer-9.1", handler = "look.handler"',
                                                     '"syn-python-selenium-4.1", handler = "look.handler"'))
        done = self.platform.cli("plan", other, check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("syn-python-selenium-4.1", done.stdout + done.stderr)


if __name__ == "__main__":
    main()
