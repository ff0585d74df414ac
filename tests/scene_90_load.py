"""Load tests tell the truth: of latencies that are known, of stalls, of what goes wrong, and of the generator itself."""

import contextlib
import json
import os
import pathlib
import pty
import re
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import time
import unittest

import junit
import load_targets
from harness import SECUREBASE, free_ports, main, wait_until

RATE = 200
SECONDS = 20
SHORT_SECONDS = 12  # where the same is shown once more, another way


TRIES = 3


def was_late(result, allowed_ms=None):
    """Whether the generator was late, by its own clock: for its verdict, or for a bound of the test."""
    if result is None:
        return False
    generator = result["generator"]
    if allowed_ms is not None and max(generator["lateness_p99_ms"], generator["lag_p99_ms"]) > allowed_ms:
        return True
    return any("late:" in reason or reason.startswith("arrivals were late") or "was busy" in reason
               for reason in result["invalid_because"])


class Load(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = pathlib.Path(tempfile.mkdtemp(prefix="securebase-load-"))
        with contextlib.suppress(PermissionError):
            os.nice(-10)  # latencies are compared within 1 %: what else the machine does must not be in them

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.directory)

    def load(self, *arguments, expected=None, timeout=90):
        """Runs `securebase load ...`; gives what it wrote as JSON.

        A run that says of itself that this machine had no time for it is done again, twice at most.
        """
        for left in reversed(range(TRIES)):
            file = self.directory / "result.json"
            file.unlink(missing_ok=True)
            done = subprocess.run([SECUREBASE, "load", *map(str, arguments), "--json", file, "--state", self.directory],
                                  capture_output=True, text=True, timeout=timeout)
            result = json.loads(file.read_text()) if file.exists() else None
            if not left or not was_late(result):
                break
            print("  done again:", result["invalid_because"])
        if expected is not None:
            self.assertEqual(done.returncode, expected, done.stdout + done.stderr)
        self.said = done.stdout
        self.complained = done.stderr
        return result

    def reported_and_true(self, seconds, *arguments, tls=None):
        """What a run reports of a target that stalls for 2 s, and what is true of it."""
        # 1 % of the median are 2 ms: where this machine was later than that by itself, the run says nothing of the measuring.
        for left in reversed(range(TRIES)):
            server = load_targets.SlowServer(stall_at=seconds / 2, tls=tls)
            self.addCleanup(server.stop)
            result = self.load("run", server.url(), "--rate", RATE, "--duration", f"{seconds}s", "-t", "p95<3s", *arguments, expected=0)
            if not left or not was_late(result, 1):
                break
            print("  done again:", result["generator"]["lateness_p99_ms"], result["generator"]["lag_p99_ms"])
        truth = load_targets.true_latencies(RATE, server)
        self.assertEqual(len(truth), RATE * seconds)
        own = result["generator"]
        # A machine that let it be late each time: what it was late itself is no fault of the measuring.
        allowed_ms = 2 * (own["lateness_p99_ms"] + own["lag_p99_ms"]) if was_late(result, 1) else 0
        return result["summary"]["milliseconds"]["http.latency_from_schedule"], truth, allowed_ms

    def assert_is_the_truth(self, measured, truth, allowed_ms):
        self.assertEqual(measured["count"], len(truth))
        for name, percent in (("p50", 50), ("p75", 75), ("p95", 95), ("p99", 99), ("max", 100)):
            with self.subTest(name):
                true = 1000 * load_targets.percentile(truth, percent)
                print(f"  {name}: true {true:.1f} ms, reported {measured[name]:.1f} ms, "
                      f"{100 * (measured[name] / true - 1):+.2f} %")
                self.assertLess(abs(measured[name] - true), 0.01 * true + allowed_ms)
        self.assertGreater(measured["max"], 2000)

    def test_percentiles_are_the_truth_though_the_target_stalls(self):
        self.assert_is_the_truth(*self.reported_and_true(SECONDS))

    def test_they_are_over_tls_by_a_worker(self):
        # One: of two the server could not tell whose schedule began when. That histograms merge exactly is shown in C++.
        certificate, context = self.certificate()
        token, named = self.workers(1)
        self.assert_is_the_truth(*self.reported_and_true(SHORT_SECONDS, "--cacert", certificate, *named, "--token-file", token, tls=context))

    @unittest.skipUnless(shutil.which("wrk"), "wrk is not installed")
    def test_a_generator_that_waits_for_answers_does_not_see_the_stall(self):
        server = load_targets.SlowServer(stall_at=SECONDS / 2)
        self.addCleanup(server.stop)
        # As many connections as give about the same rate.
        done = subprocess.run(["wrk", "-t1", f"-c{int(RATE * 0.2)}", f"-d{SECONDS}s", "--latency", server.url()],
                              capture_output=True, text=True, timeout=90)
        number, unit = re.search(r"99%\s+([\d.]+)(ms|s)", done.stdout).groups()
        reported = float(number) * (1000 if unit == "s" else 1)
        # What a client would have seen that sends at a rate: a tenth of its requests fall into the stall.
        seen = [load_targets.delay_of(number) for number in range(RATE * SECONDS)]
        begin = RATE * SECONDS // 2
        for number in range(begin, begin + 2 * RATE):
            seen[number] += 2 - (number - begin) / RATE
        true = 1000 * load_targets.percentile(sorted(seen), 99)
        print(f"  p99: true {true:.0f} ms, wrk says {reported:.0f} ms")
        self.assertLess(reported, 0.75 * true)

    def test_what_goes_wrong_is_counted_by_kind_and_nothing_hangs(self):
        for act, kind in ((load_targets.resets, "connection reset"), (load_targets.stalls, "no answer in time"),
                          (load_targets.drips, "no answer in time"),
                          (load_targets.sends_garbage, "not HTTP/1.1"),
                          (load_targets.ends_early, "answer ended early"),
                          (load_targets.ends_its_half, "connection reset"),
                          (load_targets.sends_half_a_chunk, "answer ended early"),
                          (load_targets.sends_no_end_of_a_head, "answer too large")):
            with self.subTest(act.__name__):
                server = load_targets.BadServer(act)
                begun = time.monotonic()
                result = self.load("run", server.url(), "--users", 5, "--duration", "2s", "--timeout", "200ms", "-t", "errors<1%")
                server.stop()
                self.assertLess(time.monotonic() - begun, 15)
                errors = result["summary"]["errors"]
                self.assertEqual(list(errors), [kind])
                self.assertGreater(errors[kind], 5)
                self.assertEqual(result["summary"]["responses"], 0)
                self.assertEqual(result["summary"]["transport_errors"], result["summary"]["requests"])

    def test_a_port_that_refuses_and_a_name_that_nobody_has(self):
        refused = self.load("run", f"http://127.0.0.1:{free_ports(1)[0]}/", "--users", 20, "--duration", "2s", "-t", "errors<1%",
                            expected=3)
        self.assertEqual(list(refused["summary"]["errors"]), ["connection refused"])
        unknown = self.load("run", "http://name.invalid/", "--users", 2, "--duration", "1s")
        self.assertEqual(list(unknown["summary"]["errors"]), ["unknown host"])

    def test_answers_that_are_odd_and_sound_are_answers(self):
        # Interim answers, trailers, no body where none may be, and one more answer that nobody asked for.
        server = load_targets.BadServer(load_targets.answers_oddly)
        self.addCleanup(server.stop)
        result = self.load("run", server.url(), "--users", 4, "--duration", "4s", "--think", "250ms", "-t", "transport<1%")
        self.assertEqual(result["summary"]["errors"], {})
        self.assertEqual(set(result["summary"]["codes"]), {"200", "204", "304"})

    def test_methods_and_bodies_arrive_as_they_were_typed(self):
        body = self.directory / "body.txt"
        body.write_bytes(b"from a file\n")
        for words, line, content in (((), b"GET / HTTP/1.1", b""),
                                     (("-d", "a=b"), b"POST / HTTP/1.1", b"a=b"),
                                     (("-X", "GET", "-d", "a=b"), b"GET / HTTP/1.1", b"a=b"),
                                     (("-X", "HEAD"), b"HEAD / HTTP/1.1", b""),
                                     (("-X", "PUT", "-d", f"@{body}"), b"PUT / HTTP/1.1", b"from a file\n")):
            with self.subTest(words):
                server = load_targets.HearingServer()
                self.addCleanup(server.stop)
                result = self.load("run", server.url(), "--users", 1, "--duration", "300ms", "--think", "100ms", *words)
                self.assertGreater(result["summary"]["responses"], 0)
                self.assertEqual(result["summary"]["transport_errors"], 0)
                head, came = server.heard[0]
                self.assertEqual((head.split(b"\r\n")[0], came), (line, content))
                self.assertEqual(b"Content-Length: %d" % len(content) in head, bool(content))

    def test_answers_500_are_errors_and_not_failures_of_the_connection(self):
        server = load_targets.BadServer(load_targets.answers_500)
        self.addCleanup(server.stop)
        result = self.load("run", server.url(), "--users", 5, "--duration", "2s", "-t", "5xx<1%", "-t", "transport<1%", expected=3)
        self.assertEqual(result["summary"]["transport_errors"], 0)
        self.assertEqual(result["summary"]["5xx"], result["summary"]["responses"])
        self.assertEqual([one["verdict"] for one in result["thresholds"]], ["fail", "pass"])

    def test_a_generator_that_was_stopped_gives_no_verdict(self):
        server = load_targets.SlowServer()
        self.addCleanup(server.stop)
        file = self.directory / "late.json"
        child = subprocess.Popen([SECUREBASE, "load", "run", server.url(), "--rate", "100", "--duration", "6s", "-t", "p95<1s",
                                  "--json", file, "--state", self.directory], stdout=subprocess.PIPE, text=True)
        time.sleep(3)
        os.kill(child.pid, signal.SIGSTOP)
        time.sleep(1)
        os.kill(child.pid, signal.SIGCONT)
        said, _ = child.communicate(timeout=30)
        self.assertEqual(child.returncode, 4, said)
        self.assertIn("INVALID", said)
        self.assertFalse(json.loads(file.read_text())["valid"])

    def test_an_interrupt_ends_the_run_with_its_report(self):
        server = load_targets.SlowServer()
        self.addCleanup(server.stop)
        file = self.directory / "short.json"
        child = subprocess.Popen([SECUREBASE, "load", "run", server.url(), "--users", "5", "--duration", "10m", "--json", file,
                                  "--state", self.directory], stdout=subprocess.PIPE, text=True)
        time.sleep(2.5)
        child.send_signal(signal.SIGINT)
        child.communicate(timeout=10)
        self.assertEqual(child.returncode, 130)
        self.assertGreater(json.loads(file.read_text())["summary"]["responses"], 10)

    def certificate(self):
        """A file of a certificate for 127.0.0.1, and a server's context with it."""
        key, certificate = self.directory / "key.pem", self.directory / "certificate.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                        "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
                       check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        return certificate, context

    def test_tls_is_spoken_and_certificates_are_checked(self):
        certificate, context = self.certificate()
        server = load_targets.SlowServer(tls=context)
        self.addCleanup(server.stop)
        for trust in (("--cacert", certificate), ("--insecure",)):
            result = self.load("run", server.url(), "--users", 5, "--duration", "2s", *trust, expected=0)
            self.assertEqual(result["summary"]["errors"], {})
            self.assertGreater(result["summary"]["responses"], 20)
            self.assertEqual(result["summary"]["milliseconds"]["http.tls_time"]["count"], 5)
        refused = self.load("run", server.url(), "--users", 2, "--duration", "1s")
        self.assertEqual(list(refused["summary"]["errors"]), ["TLS failed"])

    def workers(self, count):
        """The file of their token, and the options that name them."""
        token = self.directory / "token"
        token.write_text("0123456789abcdef\n")
        ports = free_ports(count)
        workers = []
        for port in ports:
            workers.append(subprocess.Popen([SECUREBASE, "load", "worker", "--listen", f"127.0.0.1:{port}", "--token-file", token],
                                            stdout=subprocess.PIPE, text=True))
            self.addCleanup(workers[-1].stdout.close)
            self.addCleanup(workers[-1].wait)
            self.addCleanup(workers[-1].terminate)
            self.assertIn(str(port), workers[-1].stdout.readline())
        self.processes = workers
        return token, [word for port in ports for word in ("--worker", f"127.0.0.1:{port}")]

    def test_two_workers_make_one_load_and_need_their_token(self):
        server = load_targets.SlowServer()
        self.addCleanup(server.stop)
        token, named = self.workers(2)
        result = self.load("run", server.url(), "--rate", "100", "--duration", "3s", "-t", "errors<1%", *named, "--token-file", token,
                           expected=0)
        self.assertEqual(result["summary"]["requests"], 300)
        self.assertEqual(result["settings"]["workers"], 2)
        spike = self.load("spike", server.url(), "--from", 4, "--to", 8, "--before", "2s", "--rise", "1s", "--duration", "3s",
                          "--limit", "1000", *named, "--token-file", token, expected=0)
        self.assertEqual((spike["findings"]["kind"], spike["settings"]["workers"]), ("spike", 2))
        self.load("run", server.url(), "--rate", "100", "--duration", "3s", *named, expected=1)
        self.assertIn("401", self.complained)
        self.load("capacity", server.url(), *named, expected=64)
        self.assertIn("runs on one machine", self.complained)
        for short in ({"SECUREBASE_LOAD_TOKEN": "short"}, {}):
            refused = subprocess.run([SECUREBASE, "load", "worker", "--listen", f"0.0.0.0:{free_ports(1)[0]}"], capture_output=True, text=True,
                                     timeout=20, env={**os.environ, **short})
            self.assertEqual(refused.returncode, 1)
            self.assertIn("at least 16 characters" if short else "--token-file", refused.stderr)

    def test_a_worker_that_dies_ends_the_run_and_is_named(self):
        server = load_targets.SlowServer()
        self.addCleanup(server.stop)
        token, named = self.workers(2)
        run = subprocess.Popen([SECUREBASE, "load", "run", server.url(), "--rate", "20", "--duration", "10m", *named, "--token-file", token,
                                "--state", self.directory], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(run.kill)
        wait_until(lambda: server.received_at, 20, "the first request")
        self.processes[1].kill()
        said, complained = run.communicate(timeout=60)
        self.assertEqual((run.returncode, said), (1, ""))
        self.assertIn("worker " + named[3], complained)
        # The other one was told: nobody goes on sending half of a test.
        count = len(server.received_at)
        time.sleep(1.5)
        self.assertLess(len(server.received_at) - count, 20)

    def test_a_result_is_shown_again_and_compared_with_itself(self):
        server = load_targets.SlowServer()
        self.addCleanup(server.stop)
        files = {kind: self.directory / f"kept.{kind}" for kind in ("json", "html", "junit")}
        self.load("run", server.url(), "--users", 20, "--duration", "10s", "-t", "p95<50ms", "--html", files["html"],
                  "--junit", files["junit"], expected=3)
        shutil.copy(self.directory / "result.json", files["json"])
        page = files["html"].read_text()
        self.assertIn(server.url(), page)
        self.assertNotIn("<script", page)
        suite = junit.suite_of(files["junit"])
        self.assertEqual((suite.get("tests"), suite.get("failures")), ("2", "1"))
        shown = subprocess.run([SECUREBASE, "load", "report", files["json"]], capture_output=True, text=True)
        self.assertEqual((shown.returncode, shown.stdout), (3, self.said))
        compared = subprocess.run([SECUREBASE, "load", "compare", files["json"], files["json"]], capture_output=True, text=True)
        self.assertEqual(compared.returncode, 0, compared.stdout + compared.stderr)
        self.assertIn("no difference that matters", compared.stdout)
        self.assertNotIn("worse", compared.stdout)
        beside = subprocess.run([SECUREBASE, "load", "report", files["json"], "--baseline", files["json"], "--html", files["html"]],
                                capture_output=True, text=True)
        self.assertEqual(beside.returncode, 3, beside.stdout + beside.stderr)
        self.assertIn("Compared with the baseline", beside.stdout)
        self.assertIn("Compared with the baseline", files["html"].read_text())
        nothing = subprocess.run([SECUREBASE, "load", "run", server.url(), "--baseline", self.directory / "none.json"],
                                 capture_output=True, text=True)
        self.assertEqual((nothing.returncode, nothing.stdout), (1, ""))
        self.assertIn("--baseline", nothing.stderr)

    def test_access_lines_become_a_scenario_without_secrets(self):
        lines = self.directory / "access.log"
        lines.write_text('127.0.0.1 - - [27/Nov/2026:06:00:00 +0000] "GET /a?token=secret HTTP/1.1" 200 12\n' * 3 +
                         '127.0.0.1 - - [27/Nov/2026:06:00:00 +0000] "POST /b HTTP/1.1" 200 12\n')
        scenario = self.directory / "scenario.json"
        subprocess.run([SECUREBASE, "load", "record", "--file", lines, "-o", scenario], check=True, capture_output=True)
        self.assertNotIn("secret", scenario.read_text())
        server = load_targets.SlowServer()
        self.addCleanup(server.stop)
        result = self.load("run", server.url(), "--scenario", scenario, "--users", 2, "--duration", "1s", expected=0)
        self.assertIn({"endpoint": "/a"}, [one["tags"] for one in result["measured"]["series"]])

    def test_a_script_is_run_by_the_tool_whose_it_is(self):
        server = load_targets.SlowServer()
        self.addCleanup(server.stop)
        k6 = self.directory / "script.js"
        k6.write_text(f"""import http from 'k6/http';
            export const options = {{ thresholds: {{ http_req_failed: ['rate<0.01'] }} }};
            export default () => http.get('{server.url()}');""")
        artillery = self.directory / "script.yml"
        artillery.write_text(f"config: {{ target: '{server.url()}', phases: [{{ duration: 1, arrivalCount: 4 }}] }}\n"
                             "scenarios: [{ flow: [{ get: { url: '/' } }] }]\n")
        for words, asked in (((k6, "--iterations", "3", "--quiet"), 3), ((artillery, "--quiet"), 4)):
            before = len(server.received_at)
            done = subprocess.run([SECUREBASE, "load", "run", *map(str, words)], capture_output=True, text=True, timeout=60)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertEqual(len(server.received_at) - before, asked)

    def test_what_a_target_leaks_is_found(self):
        # Memory, files and sockets of a process that keeps all that it gets: each more than doubles while one looks.
        leaking = subprocess.Popen([sys.executable, "-c", """if True:
            import os, socket, time
            kept = []
            while True:
                kept.append((bytearray(os.urandom(400_000)), os.open("/dev/null", os.O_RDONLY), socket.socketpair()))
                time.sleep(0.1)
        """])
        self.addCleanup(leaking.wait)
        self.addCleanup(leaking.kill)
        server = load_targets.SlowServer()
        self.addCleanup(server.stop)
        result = self.load("endurance", server.url(), "--users", 2, "--duration", "26s", "--warm-up", "0s", "--target-pid", leaking.pid)
        verdicts = {one["name"]: (one["verdict"], one["seen"]) for one in result["checks"]}
        for name in ("memory of the process", "descriptors", "connections"):
            self.assertEqual(verdicts["no growth of " + name][0], "fail", verdicts)

    def test_a_terminal_shows_how_it_goes(self):
        server = load_targets.SlowServer()
        self.addCleanup(server.stop)
        terminal, line = pty.openpty()
        child = subprocess.Popen([SECUREBASE, "load", "run", server.url(), "--users", "20", "--duration", "4s", "--state", self.directory],
                                 stdout=subprocess.PIPE, stderr=line)
        os.close(line)
        child.communicate(timeout=60)
        shown = os.read(terminal, 65536).decode()
        os.close(terminal)
        self.assertRegex(shown, r"\r\x1b\[K00:0[1-4] of 00:04  20 users  \d+/s  p50 .* p95 .* p99 .* max ")

    def test_a_named_set_of_thresholds_is_the_guides(self):
        server = load_targets.SlowServer()
        self.addCleanup(server.stop)
        result = self.load("run", server.url(), "--users", 30, "--duration", "3s", "--criteria", "guide", expected=3)
        self.assertEqual([(one["expression"], one["verdict"]) for one in result["thresholds"]],
                         [("p95<100ms", "fail"), ("errors<1%", "pass")])

    def test_too_few_samples_are_no_evidence(self):
        server = load_targets.SlowServer()
        self.addCleanup(server.stop)
        self.load("run", server.url(), "--users", 2, "--duration", "2s", "-t", "p99<1s", expected=5)
        self.assertIn("1000 are needed", self.said)

    def test_a_wrong_command_line_says_what_was_expected(self):
        for arguments, words in ((("run", "ftp://x/"), "http://"), (("run", "http://x/", "-t", "p95<soon"), "p95<100ms"),
                                 (("run", "http://x/", "-H", "nonsense"), "Name: value"),
                                 (("run", "http://x/", "--connections", "5"), "--connections needs --rate"),
                                 (("run", "http://x/", "-X", "PUT", "--scenario", "a"), "has no effect beside --scenario"),
                                 (("run", "http://x/", "--warm-up", "-5s"), "--warm-up"),
                                 (("endurance", "http://x/", "--target-pid", 2**22 + 1), "there is no process")):
            self.load(*arguments, expected=64)
            self.assertIn(words, self.complained)

    def test_a_file_that_cannot_be_read_or_written_is_named_before_the_first_request(self):
        server = load_targets.SlowServer()
        self.addCleanup(server.stop)
        broken = self.directory / "broken.json"
        broken.write_text('{"requests": [\n  {"path": "/a" "weight": 1}\n]}\n')
        empty = self.directory / "empty.json"
        empty.write_text('{"format": "securebase-load-scenario/1", "requests": []}')
        plain = self.directory / "plain.pem"
        plain.write_text("no certificate\n")
        missing = self.directory / "missing"
        for arguments, words in ((("--scenario", broken), str(broken)), (("--scenario", empty), str(empty)),
                                 (("--scenario", missing), str(missing)), (("-d", f"@{missing}"), str(missing)),
                                 (("--cacert", plain), "no certificate authority"), (("--cacert", missing), str(missing)),
                                 (("--baseline", broken), str(broken)),
                                 (("--html", missing / "a.html"), f"there is no directory {missing}"),
                                 (("--junit", self.directory), "is a directory"),
                                 (("--worker", "127.0.0.1:1"), "worker 127.0.0.1:1")):
            with self.subTest(words):
                begun = time.monotonic()
                done = subprocess.run([SECUREBASE, "load", "run", server.url(), "--duration", "10m", *map(str, arguments), "--state",
                                       self.directory], capture_output=True, text=True, timeout=60)
                self.assertIn(done.returncode, (1, 64), done.stdout + done.stderr)
                self.assertIn(words, done.stderr)
                self.assertEqual(done.stdout, "")
                self.assertLess(time.monotonic() - begun, 30)
        self.assertEqual(server.received_at, [])
        for command in (("report", broken), ("compare", broken, broken)):
            done = subprocess.run([SECUREBASE, "load", *map(str, command)], capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertIn(str(broken), done.stderr)

    def test_capacity_finds_where_a_target_breaks(self):
        # One request at a time, 4 ms each: 250 a second at most, and p95 beyond 100 ms from about 25 users on.
        server = load_targets.QueueServer(0.004)
        self.addCleanup(server.stop)
        result = self.load("capacity", server.url(), "--from", 5, "--to", 200, "--step", "4s", "--target-pid", os.getpid(), timeout=300)
        found = result["findings"]
        print(self.said)
        self.assertGreaterEqual(found["held"]["users"], 10)
        self.assertLessEqual(found["broke"]["users"], 35)
        self.assertLess(found["held"]["p95_ms"], 100)
        self.assertGreaterEqual(found["broke"]["p95_ms"], 100)
        self.assertLess(found["law"]["knee_users"], 6)
        self.assertGreater(found["held"]["throughput"], 100)


if __name__ == "__main__":
    main()
