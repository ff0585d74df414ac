"""The stack's alarms fire and clear because of what they watch: nothing here writes a metric or sets a state.

An alarm looks at minutes; `-var alarm_period=...` makes them seconds, so that a scene can wait for it. Everything is
caused at once and undone at once.
"""

import http.client
import json
import subprocess
import threading
import time
import unittest

from harness import SHARED, Platform, main, wait_until

NAMES = ["api-p95-latency", "lambda-errors", "lambda-throttles", "api-5xx", "cache-cpu", "cache-memory", "cdn-5xx-rate"]
PERIODS = '{ short = 10, long = 30 }'


class Callers:
    """Threads that ask the API again and again, each for one thing, until they are stopped."""

    def __init__(self, port):
        self.port = port
        self.going = True
        self.threads = []

    def ask(self, method, path, body=None, headers=None, pause=0.0, threads=1):
        def run():
            while self.going:
                try:
                    connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
                    connection.request(method, path, body, headers or {})
                    connection.getresponse().read()
                    connection.close()
                except OSError:
                    pass
                time.sleep(pause)
        for _ in range(threads):
            thread = threading.Thread(target=run, daemon=True)
            thread.start()
            self.threads.append(thread)

    def stop(self):
        self.going = False
        for thread in self.threads:
            thread.join(40)


class Alarms(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # A small cache, so that it can be filled; a state of its own, since a full cache is no place for other scenes.
        cls.platform = Platform(state=SHARED / "alarms",
                                arguments=["-var", f"alarm_period={PERIODS}", "-var", "cache_node_type=cache.t4g.micro"])
        cls.environment = cls.platform.environment()
        cls.environment["PATH"] = f"{cls.platform.state}/bin:/usr/bin:/bin"

    @classmethod
    def tearDownClass(cls):
        cls.platform.stop()

    def aws(self, *words):
        done = subprocess.run(["aws", *words], env=self.environment, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, f"{words}: {done.stdout}{done.stderr}")
        return json.loads(done.stdout) if done.stdout.strip() else None

    def redis(self, *words, check=True):
        command = ["redis-cli", "--tls", "--cacert", self.environment["SECUREBASE_CA"], "-h", "127.0.0.1",
                   "-p", self.environment["REDIS_PORT"], *words]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, check=check, timeout=120)

    def states(self):
        alarms = self.aws("cloudwatch", "describe-alarms")["MetricAlarms"]
        return {alarm["AlarmName"].removeprefix("securebase-prod-"): alarm["StateValue"] for alarm in alarms}

    def wait_for(self, state, names, seconds):
        seen = {}

        def reached():
            seen.update(self.states())
            return all(seen[name] == state for name in names)

        try:
            wait_until(reached, seconds, state)
        except AssertionError:
            self.fail(f"not {state} after {seconds} s: " + ", ".join(f"{n} {seen[n]}" for n in names if seen[n] != state))

    def burn(self, going):
        # A second or more each, and always some in the queue: a cache so busy does not answer INFO in time either.
        script = "local i = 0 while i < 150000000 do i = i + 1 end return i"
        while going.is_set():
            self.redis("EVAL", script, "0", check=False)

    def test_each_fires_and_clears_by_what_it_watches(self):
        quiet = self.states()
        self.assertEqual(set(NAMES) - set(quiet), set())
        self.assertEqual(quiet["lambda-throttles"], "INSUFFICIENT_DATA")  # its source was silent

        token = self.platform.login()
        bearer = {"Authorization": f"Bearer {token}"}
        callers = Callers(self.platform.port["http"])
        login = json.dumps({"email": "demo@abc123.example", "password": "demo-abc123"})
        burning = threading.Event()
        burning.set()
        burners = [threading.Thread(target=self.burn, args=(burning,), daemon=True) for _ in range(3)]
        try:
            # Broken code: errors of the function, 502 at the API, 5xx at the edge.
            self.aws("lambda", "update-function-configuration", "--function-name", "securebase-prod-metrics", "--handler",
                     "nowhere.lambda_handler")
            # No capacity: throttles.
            self.aws("lambda", "put-function-concurrency", "--function-name", "securebase-prod-reports",
                     "--reserved-concurrent-executions", "0")
            # A full cache.
            fill = "for i = 1, 100 do redis.call('SET', KEYS[1] .. i, string.rep('x', 1048576)) end return 1"
            for number in range(4):
                self.redis("EVAL", fill, "1", f"filler:{number}:")
            # Slow answers, as many as a percentile takes: hashing a password is made to be slow.
            callers.ask("POST", "/api/v1/auth/login", login, {"Content-Type": "application/json"}, threads=6)
            callers.ask("GET", "/api/v1/customers/abc123/metrics?period=30d", headers=bearer, pause=0.3)
            callers.ask("POST", "/api/v1/customers/abc123/reports", "{}", {**bearer, "Content-Type": "application/json"},
                        pause=0.3)
            self.wait_for("ALARM", [name for name in NAMES if name != "cache-cpu"], 240)
            # A busy cache, by itself: hashing takes all the processors that a small machine has.
            callers.stop()
            for burner in burners:
                burner.start()
            self.wait_for("ALARM", ["cache-cpu"], 180)
        finally:
            callers.stop()
            burning.clear()
            self.aws("lambda", "update-function-configuration", "--function-name", "securebase-prod-metrics", "--handler",
                     "handler.lambda_handler")
            self.aws("lambda", "delete-function-concurrency", "--function-name", "securebase-prod-reports")
            for burner in burners:
                if burner.is_alive():
                    burner.join(60)
            self.redis("FLUSHALL")

        # Ordinary traffic, so that there is something to be well about.
        callers = Callers(self.platform.port["http"])
        try:
            callers.ask("GET", "/api/v1/health", threads=2, pause=0.02)
            callers.ask("GET", "/api/v1/customers/abc123/metrics?period=7d", headers=bearer, pause=0.3)
            callers.ask("POST", "/api/v1/customers/abc123/reports", "{}", {**bearer, "Content-Type": "application/json"},
                        pause=0.5)
            self.wait_for("OK", NAMES, 240)
        finally:
            callers.stop()

        history = self.aws("cloudwatch", "describe-alarm-history", "--alarm-name", "securebase-prod-api-5xx",
                           "--history-item-type", "StateUpdate")["AlarmHistoryItems"]
        self.assertIn("to ALARM", " ".join(item["HistorySummary"] for item in history))


if __name__ == "__main__":
    main()
