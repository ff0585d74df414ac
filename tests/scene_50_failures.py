"""What dies comes back by itself, and costs errors only while it is down."""

import os
import signal
import threading
import time
import unittest

from harness import Platform, children_of, main, wait_until


class Failures(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.platform = Platform()
        cls.token = cls.platform.login()

    @classmethod
    def tearDownClass(cls):
        cls.platform.stop()

    def find(self, *words):
        """The oldest descendant whose command line has all the words."""
        found = [pid for pid, name in children_of(self.platform.process.pid).items() if all(word in name for word in words)]
        self.assertTrue(found, f"a child with {words}")
        return min(found)

    def uncached(self):
        """A request that reaches the database: reports are never stored under a new period."""
        uncached = f"/api/v1/customers/abc123/invoices?limit={1 + time.monotonic_ns() % 100}&from=2000-01-{1 + time.monotonic_ns() // 100 % 28:02}"
        return self.platform.curl(uncached, "-H", f"Authorization: Bearer {self.token}")

    def kill_under_load(self, pid, ask, recovery_seconds):
        statuses = []
        ending = threading.Event()

        def load():
            while not ending.is_set():
                status = ask().status
                statuses.append((time.monotonic(), status))  # when it was answered
        threads = [threading.Thread(target=load) for _ in range(2)]
        for thread in threads:
            thread.start()
        time.sleep(0.5)
        os.kill(pid, signal.SIGKILL)
        killed = time.monotonic()
        try:
            wait_until(lambda: any(t > killed + 0.2 and s == 200 for t, s in statuses[-4:]) and
                       all(s == 200 for t, s in statuses[-6:]), recovery_seconds, "six good answers in a row")
            time.sleep(0.5)
        finally:
            ending.set()
            for thread in threads:
                thread.join()
        self.assertTrue(all(s == 200 for t, s in statuses if t < killed), "all was well before")
        self.assertTrue(all(s == 200 for t, s in statuses[-3:]), statuses[-10:])
        down = [s for t, s in statuses if s != 200]
        print(f"{len(statuses)} requests, {len(down)} errors", flush=True)
        self.assertTrue(all(s in (500, 502, 503, 504) for s in down), set(down))

    def test_postgresql(self):
        self.kill_under_load(self.find("postgres", "-D"), self.uncached, 20)

    def test_redis(self):
        pid = self.find("redis-server")
        self.kill_under_load(pid, self.uncached, 10)
        wait_until(lambda: any("redis-server" in name for name in children_of(self.platform.process.pid).values()), 10, "Redis again")

    def test_a_function_instance(self):
        self.platform.curl("/api/v1/health")
        pid = self.find("bootstrap")
        self.kill_under_load(pid, lambda: self.platform.curl("/api/v1/health"), 10)


if __name__ == "__main__":
    main()
