"""The first start makes everything; the second is quick; an end leaves nothing behind."""

import json
import os
import shutil
import signal
import socket
import subprocess
import unittest

from harness import INFRA, SECUREBASE, SHARED, Platform, alive, children_of, fresh_state, main, wait_until


class Start(unittest.TestCase):
    def test_1_the_first_start_needs_nothing_but_the_stack(self):
        fresh_state()
        with Platform() as platform:
            output = platform.output()
            for word in (platform.url, platform.https_url, 'eval "$(', "curl"):
                self.assertIn(word, output)
            self.assertEqual(platform.curl("/api/v1/health").json["status"], "healthy")
            exported = platform.environment()
            for name, value in json.loads(platform.cli("env", "--json").stdout).items():
                self.assertEqual(exported[name], value, name)
            print(f"first start: {platform.start_seconds:.1f} s", flush=True)

    def test_2_the_second_start_takes_less_than_three_seconds(self):
        times = []
        for _ in range(3):
            with Platform() as platform:
                times.append(platform.start_seconds)
        print("second starts:", ", ".join(f"{t:.2f} s" for t in times), flush=True)
        self.assertLess(sorted(times)[1], 3.0)

    def test_3_ctrl_c_and_sigterm_stop_everything(self):
        for how in (signal.SIGINT, signal.SIGTERM):
            platform = Platform()
            platform.curl("/api/v1/health")
            children = children_of(platform.process.pid)
            self.assertTrue(any("postgres" in name for name in children.values()), children)
            self.assertTrue(any("redis" in name for name in children.values()), children)
            self.assertEqual(platform.stop(how), 0)
            self.assertEqual(alive(children), [])

    def test_3_a_start_is_ended_like_a_platform_that_runs(self):
        platform = Platform(wait=False)
        wait_until(lambda: children_of(platform.process.pid), 30, "the first child")
        children = children_of(platform.process.pid)
        self.assertEqual(platform.stop(signal.SIGTERM), 0)
        self.assertEqual(alive(children), [])

    def test_3_the_second_ctrl_c_ends_at_once(self):
        platform = Platform()
        children = children_of(platform.process.pid)
        # PostgreSQL waits for nobody: it is stopped, so that the first one has something to wait for.
        postgres = min(pid for pid, name in children.items() if "postgres" in name and "-D" in name)
        os.kill(postgres, signal.SIGSTOP)
        platform.process.send_signal(signal.SIGINT)
        wait_until(lambda: "interrupted: stopping" in platform.output(), 10, "the first is heard")
        self.assertEqual(platform.stop(signal.SIGINT), 128 + signal.SIGINT)
        wait_until(lambda: alive(children) == [], 5, f"no orphan: {children}")

    def test_4_kill_9_leaves_no_orphan_and_the_next_start_has_all_data(self):
        platform = Platform()
        token = platform.login()
        made = platform.curl("/api/v1/customers/abc123/tickets", "-d", '{"subject":"before the kill"}',
                             "-H", f"Authorization: Bearer {token}", "-H", "Content-Type: application/json")
        self.assertEqual(made.status, 201, made)
        children = children_of(platform.process.pid)
        self.assertGreater(len(children), 3)
        platform.stop(signal.SIGKILL)
        wait_until(lambda: alive(children) == [], 5, f"no orphan: {children}")
        with Platform() as platform:
            tickets = platform.curl("/api/v1/customers/abc123/tickets",
                                    "-H", f"Authorization: Bearer {platform.login()}").json["tickets"]
            self.assertIn(made.json["ticket_id"], [ticket["ticket_id"] for ticket in tickets])

    def test_5_one_platform_to_a_state_directory(self):
        with Platform():
            second = Platform(wait=False)
            self.assertEqual(second.process.wait(20), 1)
            self.assertIn("another platform runs on", second.output())

    def test_6_a_port_in_use_is_named_with_its_owner(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            second = Platform(wait=False, ports={"http": port})
            self.assertEqual(second.process.wait(30), 1)
            self.assertIn(str(port), second.output())
            self.assertIn(str(os.getpid()), second.output())
            self.assertIn("--http-port", second.output())
            self.assertNotIn("Ready after", second.output())

    def test_7_an_unreadable_state_directory_says_so(self):
        if os.getuid() != 0:
            self.skipTest("root is needed to make a directory that another user cannot read")
        # The other user must reach the program and the files, which may lie below a private home.
        open_to_all = SHARED / "open"
        shutil.rmtree(open_to_all, ignore_errors=True)
        open_to_all.mkdir(mode=0o755)
        shutil.copy(SECUREBASE, open_to_all)
        shutil.copytree(INFRA, open_to_all / "infra")
        closed = SHARED / "closed"
        closed.mkdir(mode=0o700, exist_ok=True)
        done = subprocess.run(
            ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "env", "HOME=/nonexistent",
             open_to_all / SECUREBASE.name, "up", open_to_all / "infra", "--state", closed / "state"],
            capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("state directory", done.stderr)


if __name__ == "__main__":
    main()
