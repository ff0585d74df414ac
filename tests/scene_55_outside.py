"""The platform from outside: page loads that a browser reports, joined to traces; Lighthouse; canaries and uptime."""

import json
import os
import shutil
import subprocess
import unittest

from harness import REPOSITORY, SECUREBASE, Platform, main, wait_until

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
        environment = dict(os.environ, **self.platform.environment())
        dimensions = ["Name=application_name,Value=securebase-prod-portal"]
        if page:
            dimensions.append(f"Name=PageId,Value={page}")
        done = subprocess.run(["aws", "cloudwatch", "get-metric-statistics", "--namespace", "AWS/RUM", "--metric-name", metric,
                               "--dimensions", *dimensions, "--extended-statistics", "p95", "--period", "3600"],
                              capture_output=True, text=True, env=environment, timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        points = json.loads(done.stdout)["Datapoints"]
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
        self.assertLess(abs(load - view["timings"]["load_ms"]), 0.02 * load)
        for metric in ("PageLoadTime", "TTFBTime", "WebVitalsLargestContentfulPaint", "WebVitalsFirstContentfulPaint",
                       "WebVitalsInteractionToNextPaint"):
            self.assertGreater(self.statistic(metric), 0, metric)

        report = json.loads(self.platform.cli("targets", "--json", check=False).stdout)
        row = next(row for row in report["targets"] if row["name"] == "Page load time (p95)")
        self.assertEqual(row["verdict"], "too few samples")
        self.assertGreaterEqual(row["samples"], 2)

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


if __name__ == "__main__":
    main()
