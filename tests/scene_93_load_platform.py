"""Load tests of the running platform: found without a URL, seen from inside, told to the gates, recorded and replayed."""

import json
import os
import subprocess
import unittest

from harness import SECUREBASE, SHARED, Platform, main


class LoadOfThePlatform(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.platform = Platform()

    @classmethod
    def tearDownClass(cls):
        cls.platform.stop()

    def load(self, *arguments):
        """Exit code, output, and what was written as JSON."""
        file = SHARED / "load.json"
        file.unlink(missing_ok=True)
        done = self.platform.load(*arguments, "--json", file, check=False)
        return done.returncode, done.stdout + done.stderr, json.loads(file.read_text()) if file.exists() else None

    def test_1_without_a_url_the_platform_is_asked_and_its_gates_are_told(self):
        code, said, result = self.load("run", "--rate", "50", "--duration", "6s", "-t", "p95<1s", "-t", "errors<1%")
        self.assertEqual(code, 0, said)
        self.assertTrue(result["target"].endswith("/api/v1/health"), result["target"])
        self.assertEqual(result["summary"]["responses"], 300)
        runs = json.loads(self.platform.cli("load", "runs", "--json").stdout)["runs"]
        self.assertEqual((runs[-1]["scenario"], runs[-1]["requests"], runs[-1]["verdict"]), ("run", 300, "pass"))

    def test_1_the_newest_baseline_is_what_a_run_is_beside(self):
        old, new = SHARED / "old.json", SHARED / "new.json"
        for file in (old, new):  # of a run before this one
            file.unlink(missing_ok=True)
        none = self.platform.cli("load", "run", "/api/v1/health", "--duration", "1s", "--baseline", "newest", check=False)
        self.assertEqual((none.returncode, none.stdout), (1, ""))
        self.assertIn("securebase load baseline --json", none.stderr)
        for file in (old, new):
            self.platform.load("baseline", "--users", "4", "--think", "10ms", "--warm-up", "1s", "--duration", "8s", "--json", file)
        page = SHARED / "beside.html"
        run = ("run", "/api/v1/health", "--users", "4", "--think", "10ms", "--duration", "8s", "--baseline", "newest", "--html", page)
        started = json.loads(new.read_text())["started"][:19]
        self.assertIn(f"Compared with the baseline, baseline of {started}", self.platform.load(*run).stdout)
        self.assertIn("Compared with the baseline", page.read_text())
        # What is not there any more is no baseline.
        new.unlink()
        started = json.loads(old.read_text())["started"][:19]
        self.assertIn(f"baseline of {started}", self.platform.load(*run).stdout)

    def test_1_capacity_sees_what_the_platform_says_of_its_limits(self):
        code, said, result = self.load("capacity", "--from", "2", "--to", "4", "--step", "3s", "--think", "5ms", "-t", "errors<50%")
        self.assertIn(code, (0, 4), said)
        seen = {one["resource"] for step in result["findings"]["steps"] for one in step["resources"]}
        self.assertIn("connections of PostgreSQL", seen)
        self.assertTrue(any(name.startswith("CPU of this machine") for name in seen), seen)
        self.assertTrue(any(name.startswith("concurrency of ") for name in seen), seen)

    def test_1_what_the_stack_declares_is_listed(self):
        listed = self.platform.cli("load", "list").stdout
        for name in ("api-baseline", "api-capacity", "api-spike", "api-endurance", "guide-artillery", "guide-k6", "warm-up"):
            self.assertIn(name, listed)
        # Each would run: what is typed in addition is looked at after all that is declared.
        for name, kind in (("api-baseline", "baseline"), ("api-capacity", "capacity"), ("api-spike", "spike"), ("api-endurance", "endurance")):
            done = self.platform.cli("load", kind, name, "-t", "nonsense", check=False)
            self.assertEqual(done.returncode, 64)
            self.assertIn('the threshold "nonsense"', done.stderr)

    def test_2_a_spike_sees_instances_and_how_long_the_platform_was_slow(self):
        code, said, result = self.load("spike", "--before", "4s", "--rise", "2s", "--duration", "10s", "--to", "50", "--limit", "2000")
        self.assertEqual(code, 0, said)
        self.assertGreater(result["findings"]["samples"][-1]["cpu_seconds"], 0)
        self.assertIsNotNone(result["findings"]["recovered_after_seconds"])

    def test_3_endurance_sees_memory_and_does_not_judge_half_a_minute(self):
        code, said, result = self.load("endurance", "--users", "5", "--duration", "30s", "--warm-up", "2s")
        self.assertIn(code, (0, 5), said)  # that nothing grows, or that it cannot be told yet
        levels = {one["name"]: one for one in result["findings"]["levels"]}
        self.assertGreater(levels["memory of the process"]["level"], 10)
        self.assertGreater(levels["connections"]["level"], 5)

    def test_4_its_access_lines_are_a_scenario(self):
        scenario = SHARED / "scenario.json"
        self.platform.cli("load", "record", "--since", "10m", "-o", scenario)
        paths = [one["path"] for one in json.loads(scenario.read_text())["requests"]]
        self.assertIn("/api/v1/health", paths)
        code, said, result = self.load("run", self.platform.url, "--scenario", scenario, "--rate", "20", "--duration", "3s",
                                       "-t", "transport<1%")
        self.assertEqual(result["summary"]["transport_errors"], 0, said)
        self.assertEqual(code, 5, said)  # 60 requests are too few for a share

    def test_5_pages_of_artillerys_scripts_show_the_platforms_hops(self):
        report = SHARED / "report.json"
        environment = {**os.environ, "SECUREBASE_STATE": str(self.platform.state)}
        for words in (("quick", "-c", "20", "-n", "5", self.platform.url + "/api/v1/health", "-o", report),
                      ("report", report, "-o", SHARED / "report.html")):
            done = subprocess.run([SECUREBASE, "artillery", *map(str, words)], capture_output=True, text=True, timeout=60, env=environment)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        routes = json.loads(report.read_text())["securebase"]["hops"]
        self.assertGreaterEqual(sum(one["requests"] for one in routes), 90)
        self.assertIn("Where the time went in SecureBase", (SHARED / "report.html").read_text())

    def test_6_k6_scripts_show_the_platforms_hops(self):
        script = SHARED / "script.js"
        script.write_text("import http from 'k6/http'; export const options = { vus: 4, iterations: 120 };"
                          f"export default () => http.get('{self.platform.url}/api/v1/health', {{ tags: {{ name: 'health' }} }});")
        done = subprocess.run([SECUREBASE, "k6", "run", "--html", SHARED / "k6.html", "--summary-export", SHARED / "k6.json", script],
                              capture_output=True, text=True, timeout=60, env={**os.environ, "SECUREBASE_STATE": str(self.platform.state)})
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        routes = json.loads((SHARED / "k6.json").read_text())["hops"]
        self.assertGreaterEqual(sum(one["requests"] for one in routes), 108)
        self.assertIn("WHERE THE TIME WENT IN SECUREBASE", done.stdout)
        page = (SHARED / "k6.html").read_text()
        self.assertIn("Where the time went in SecureBase", page)


if __name__ == "__main__":
    main()
