"""Artillery's scripts, the guide's and those of the documented surface, against a server of known answers.

The server stands beside the run; the scripts are as people write them. Needs the program only, not the platform.
"""

import contextlib
import http.server
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import socketserver
import subprocess
import tempfile
import threading
import time
import unittest

from artillery_examples import EXAMPLES
from harness import SECUREBASE, main

GUIDE = r"""config:
  target: 'https://api.securebase.com'
  phases:
    - duration: 60
      arrivalRate: 10      # 10 requests/sec
      name: "Warm up"
    - duration: 300
      arrivalRate: 100     # 100 requests/sec
      name: "Sustained load"
    - duration: 60
      arrivalRate: 200     # Spike to 200 requests/sec
      name: "Spike test"

scenarios:
  - name: "API Load Test"
    flow:
      - get:
          url: "/v1/customers/{{ $randomString() }}/invoices"
          headers:
            Authorization: "Bearer {{ $env.API_TOKEN }}"
      - think: 2  # 2 second pause between requests
"""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one piece: in two, Nagle's algorithm makes them 40 ms apart
    seen = []
    together = threading.Barrier(3)

    def log_message(self, *arguments):
        pass

    def answer(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        path = self.path.split("?")[0]
        self.seen.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body.decode("latin-1")))
        status, headers = 200, {"Content-Type": "application/json", "X-Id": "42"}
        answer = {"id": 7, "items": [{"id": 1}, {"id": 2}], "path": self.path}
        if path == "/redirect":
            status, headers["Location"] = 302, "/landed"
        elif path == "/login":
            headers["Set-Cookie"] = "sid=abc; Path=/"
        elif path == "/missing":
            status = 404
        elif path == "/feed":
            headers["Content-Type"] = "application/xml"
            answer = None
        elif path == "/slow":
            # Three that come together go on at once; one that waits for the others alone never does.
            with contextlib.suppress(threading.BrokenBarrierError):
                Handler.together.wait(5)
                answer["together"] = True
        data = b"<feed><entry id='e1'/><entry id='e2'/></feed>" if answer is None else json.dumps(answer).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        with contextlib.suppress(OSError):  # an interrupted run reads no more
            self.wfile.write(data if self.command != "HEAD" else b"")
            self.wfile.flush()

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = answer


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 512


class Rude:
    """A TCP server that answers each connection in one bad way."""

    def __init__(self, how):
        self.how = how
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        kept = []
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            connection.recv(4096)
            if self.how == "reset":
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                connection.close()
            elif self.how == "garbage":
                connection.sendall(b"this is no HTTP\r\n\r\n")
                connection.close()
            else:
                kept.append(connection)


class Scripts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(("127.0.0.1", 0), Handler)
        cls.port = cls.server.server_address[1]
        threading.Thread(target=cls.server.serve_forever, daemon=True).start()

    @classmethod
    def tearDownClass(cls):
        cls.server.shutdown()

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="artillery-"))
        self.addCleanup(shutil.rmtree, self.folder)
        Handler.seen.clear()

    def run_script(self, text, *arguments, code=0, files=None, environment=None, timeout=120):
        (self.folder / "script.yml").write_text(text.replace("TARGET", f"http://127.0.0.1:{self.port}"))
        for name, content in (files or {}).items():
            (self.folder / name).write_text(content)
        done = subprocess.run([SECUREBASE, "artillery", "run", "script.yml", "-o", "report.json", *arguments],
                              cwd=self.folder, capture_output=True, text=True, timeout=timeout,
                              env={**os.environ, **(environment or {})})
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        self.output = done.stdout
        self.errors = done.stderr
        report = self.folder / "report.json"
        self.report = json.loads(report.read_text()) if report.exists() else None
        return self.report["aggregate"]["counters"] if self.report else {}

    def one(self, flow, config="", code=0, **more):
        return self.run_script("config:\n  target: TARGET\n" + config + "scenarios:\n  - flow:\n" + flow, code=code, **more)


class Artillery(Scripts):
    def test_the_guides_script(self):
        # As the guide types it, by way of the shell; the target is another, and the phases are shorter.
        text = GUIDE
        heredoc = text.replace("$", r"\$")
        self.assertEqual(subprocess.run(["sh", "-c", f"cat <<EOF\n{heredoc}EOF\n"], capture_output=True, text=True).stdout, text)
        self.run_script(text, "-t", f"http://127.0.0.1:{self.port}", "--solo", environment={"API_TOKEN": "secret"})
        counters = self.run_script(
            text, "-t", f"http://127.0.0.1:{self.port}", "--overrides",
            json.dumps({"config": {"phases": [{"duration": 4, "arrivalRate": 10, "name": "Warm up"},
                                              {"duration": 8, "arrivalRate": 50, "name": "Sustained load"},
                                              {"duration": 2, "arrivalRate": 100, "name": "Spike test"}]}}),
            environment={"API_TOKEN": "secret"})
        self.assertEqual(counters["vusers.created"], 4 * 10 + 8 * 50 + 2 * 100)
        self.assertEqual(counters["vusers.completed"], counters["vusers.created"])
        self.assertEqual(counters["vusers.failed"], 0)
        self.assertEqual(counters["vusers.created_by_name.API Load Test"], 640)
        self.assertEqual(counters["http.requests"], 640)
        self.assertEqual(counters["http.codes.200"], 640)
        paths = {path for _, path, _, _ in Handler.seen}
        self.assertEqual(len(paths), 641)
        self.assertTrue(all(re.fullmatch(r"/v1/customers/[A-Za-z0-9]{10}/invoices", path) for path in paths), list(paths)[:3])
        self.assertEqual({headers["authorization"] for _, _, headers, _ in Handler.seen}, {"Bearer secret"})
        summaries = self.report["aggregate"]["summaries"]
        self.assertGreater(summaries["vusers.session_length"]["min"], 1990)
        for name in ("http.response_time", "http.total_time", "http.latency_from_schedule",
                     "plugins.metrics-by-endpoint.response_time./v1/customers/{{ $randomString() }}/invoices"):
            self.assertEqual(summaries[name]["count"], 640, name)
        for phase in ("Warm up", "Sustained load", "Spike test"):
            self.assertIn(f"Phase started: {phase} (index: ", self.output)
            self.assertIn(f"Phase completed: {phase} (index: ", self.output)
        self.assertIn("Summary report @ ", self.output)
        self.assertIn("http.codes.200: ", self.output)

    def test_the_report_is_artillerys(self):
        self.one("      - get: { url: / }\n", "  phases: [ { duration: 12, arrivalRate: 5 } ]\n")
        self.assertEqual(list(self.report)[:2], ["aggregate", "intermediate"])
        self.assertGreaterEqual(len(self.report["intermediate"]), 2)
        for period in [self.report["aggregate"], *self.report["intermediate"]]:
            for key in ("counters", "rates", "summaries", "histograms", "firstCounterAt", "lastCounterAt", "firstHistogramAt",
                        "lastHistogramAt", "firstMetricAt", "lastMetricAt", "period"):
                self.assertIn(key, period)
            self.assertEqual(set(period["summaries"]["http.response_time"]),
                             {"min", "max", "count", "mean", "p50", "median", "p75", "p90", "p95", "p99", "p999"})
        total = sum(period["counters"].get("http.requests", 0) for period in self.report["intermediate"])
        self.assertEqual(total, 60)
        self.assertEqual(self.report["aggregate"]["counters"]["http.requests"], 60)
        self.assertAlmostEqual(self.report["aggregate"]["rates"]["http.request_rate"], 5, delta=1)
        done = subprocess.run([SECUREBASE, "artillery", "report", "report.json"], cwd=self.folder, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        page = (self.folder / "report.json.html").read_text()
        self.assertIn("Latency by percentile", page)
        self.assertNotRegex(page, r"(src|href)=|@import|url\(|<script")
        # Of Artillery's own report there are no histograms.
        del self.report["securebase"]
        (self.folder / "theirs.json").write_text(json.dumps(self.report))
        done = subprocess.run([SECUREBASE, "artillery", "report", "theirs.json", "-o", "theirs.html"], cwd=self.folder)
        self.assertEqual(done.returncode, 0)
        self.assertIn("sent to first byte", (self.folder / "theirs.html").read_text())

    def test_a_flow_of_everything(self):
        counters = self.one("""
      - post:
          url: /login
          json: { user: "{{ name }}", age: "{{ age }}", tags: [ "{{ $randomNumber(5, 5) }}" ] }
          capture:
            - { json: "$.items[?(@.id > 1)].id", as: item }
            - { header: x-id, as: header }
            - { regexp: '"id": ([0-9]+)', group: 1, as: first }
          expect: [ { statusCode: 200 }, { contentType: json }, { hasProperty: 'items[1].id' } ]
      - get:
          url: "/items/{{ item }}/{{ header }}/{{ first }}?a=1"
          qs: { q: "a b", list: [ 1, 2 ] }
          headers: { X-One: "{{ name }}" }
      - loop:
          - put: { url: "/loop/{{ $loopCount }}/{{ $loopElement }}", body: "text {{ age }}" }
        over: [ x, y ]
      - loop:
          - patch: { url: "/count/{{ $loopCount }}", form: { a: "1 2", b: "{{ name }}" } }
        count: 3
      - parallel:
          - get: { url: /slow }
          - get: { url: /slow }
          - get: { url: /slow }
      - delete: { url: /never, ifTrue: "age > 100" }
      - delete: { url: /gone, ifTrue: "age > 10 and name == \\"Ada\\"" }
      - get: { url: /redirect }
      - get: { url: /redirect, followRedirect: false, expect: { statusCode: 302 } }
      - get: { url: /auth, auth: { user: u, pass: p } }
      - think: 0.05
      - log: "done with {{ name }}"
""", """  variables: { name: Ada, age: 36 }
  phases: [ { duration: 1, arrivalCount: 1 } ]
  http: { defaults: { headers: { X-Default: yes } } }
  plugins: { expect: { formatter: silent } }
""")
        self.assertEqual(counters["vusers.completed"], 1, self.output)
        self.assertEqual(counters["plugins.expect.ok"], 4)
        asked = [(method, path) for method, path, _, _ in Handler.seen]
        self.assertEqual(json.loads(Handler.seen[0][3]), {"user": "Ada", "age": 36, "tags": ["5"]})
        self.assertEqual(asked[1], ("GET", "/items/2/42/7?q=a%20b&list%5B0%5D=1&list%5B1%5D=2"))
        self.assertEqual(Handler.seen[1][2]["x-one"], "Ada")
        self.assertEqual(Handler.seen[1][2]["cookie"], "sid=abc")
        self.assertEqual(Handler.seen[1][2]["x-default"], "yes")
        self.assertEqual(asked[2:4], [("PUT", "/loop/0/x"), ("PUT", "/loop/1/y")])
        self.assertEqual(Handler.seen[2][3], "text 36")
        self.assertEqual(asked[4:7], [("PATCH", f"/count/{i}") for i in range(3)])
        self.assertEqual(Handler.seen[4][3], "a=1+2&b=Ada")
        self.assertEqual(asked[7:10], [("GET", "/slow")] * 3)
        self.assertEqual(asked[10:], [("DELETE", "/gone"), ("GET", "/redirect"), ("GET", "/landed"), ("GET", "/redirect"), ("GET", "/auth")])
        self.assertEqual(Handler.seen[-1][2]["authorization"], "Basic dTpw")
        self.assertFalse(Handler.together.broken, "the three slow ones ran at once")
        self.assertIn("done with Ada", self.output)
        self.assertEqual(counters["http.codes.302"], 2)

    def test_scripts_as_people_write_them(self):
        for example in EXAMPLES:
            with self.subTest(example.name):
                Handler.seen.clear()
                for name, content in example.files.items():
                    (self.folder / name).write_text(content.replace("TARGET", f"http://127.0.0.1:{self.port}"))
                done = subprocess.run([SECUREBASE, "artillery", "run", "-o", "report.json", *example.arguments], cwd=self.folder,
                                      capture_output=True, text=True, timeout=120, env={**os.environ, **example.environment})
                self.assertEqual(done.returncode, example.code, done.stdout + done.stderr)
                aggregate = json.loads((self.folder / "report.json").read_text())["aggregate"]
                counters = {**aggregate["counters"], **{f"{name}.count": one["count"] for name, one in aggregate["summaries"].items()}}
                self.assertEqual({name: counters.get(name) for name in example.counters}, example.counters, done.stdout + done.stderr)
                asked = [f"{method} {path}" for method, path, _, _ in Handler.seen]
                for pattern, count in example.asked.items():
                    self.assertEqual(len([one for one in asked if re.fullmatch(pattern, one)]), count, f"{pattern} in {asked}")
                for words in example.said:
                    self.assertIn(words, done.stdout + done.stderr)

    def test_payloads_and_weights(self):
        self.run_script("""config:
  target: TARGET
  phases: [ { duration: 1, arrivalCount: 40 } ]
  payload: { path: users.csv, fields: [ id, name ], order: sequence, skipHeader: true }
scenarios:
  - { name: never, weight: 0, flow: [ { get: { url: /never } } ] }
  - { name: always, weight: 1, flow: [ { get: { url: "/u/{{ id }}/{{ name }}" } } ] }
""", files={"users.csv": "id,name\n1,a\n2,b\n3,c\n4,d\n"})
        paths = sorted(path for _, path, _, _ in Handler.seen)
        self.assertEqual(paths, sorted(["/u/1/a", "/u/2/b", "/u/3/c", "/u/4/d"] * 10))

    def test_exit_codes_of_checks(self):
        flow = "      - get: { url: /missing, expect: { statusCode: 200 } }\n"
        self.one(flow, "  plugins: { expect: {} }\n", code=21)
        self.assertIn("not ok statusCode 404", self.output)
        self.one(flow, "  ensure: { p99: 5000, maxErrorRate: 0 }\n")
        self.assertIn("ok: p99 < 5000", self.output)
        self.one(flow, "  ensure: { thresholds: [ { http.codes.404: 1 } ] }\n", code=1)
        self.assertIn("fail: http.codes.404 < 1", self.output)
        # Expectations speak first, as in Artillery.
        self.one(flow, "  plugins: { expect: {} }\n  ensure: { thresholds: [ { http.codes.404: 1 } ] }\n", code=21)
        self.one(flow, "  ensure: { conditions: [ { expression: http.codes.500 < 1, strict: false } ] }\n")
        self.assertIn("fail: http.codes.500 < 1 (optional)", self.output)
        counters = self.one("      - get: { url: /, capture: { json: $.none, as: x } }\n      - get: { url: /never }\n")
        self.assertEqual(counters["errors.Failed capture or match"], 1)
        self.assertEqual(counters["vusers.failed"], 1)
        self.assertEqual(counters["http.requests"], 1)

    def test_errors_are_counted_as_node_names_them(self):
        def errors(port, **config):
            counters = self.run_script(f"config: {{ target: 'http://127.0.0.1:{port}', http: {{ timeout: 1 }} }}\n"
                                       "scenarios: [ { flow: [ { get: { url: / } } ] } ]\n")
            self.assertEqual(counters["vusers.failed"], 1)
            return {name: count for name, count in counters.items() if name.startswith("errors.")}
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        self.assertEqual(errors(port), {"errors.ECONNREFUSED": 1})
        self.assertEqual(errors("{{ nothing }}"), {"errors.ERR_INVALID_URL": 1})
        self.assertEqual(errors(Rude("reset").port), {"errors.ECONNRESET": 1})
        self.assertEqual(errors(Rude("stall").port), {"errors.ETIMEDOUT": 1})
        self.assertEqual(errors(Rude("garbage").port), {"errors.EPROTO": 1})

    def test_mistakes_say_where(self):
        for text, expected in (
                ("config: [\n", "script.yml:2:1: this is no YAML"),
                ("config:\n  target: TARGET\n  phases:\n    - duration: 5\n      arivalRate: 1\nscenarios: [ { flow: [] } ]\n",
                 "script.yml:5:7: config.phases[0]: unknown key arivalRate; did you mean arrivalRate?"),
                ("config: { target: TARGET }\nscenarios:\n  - flow:\n      - get: { url: '/{{ $rnd() }}' }\n",
                 "unknown function $rnd()"),
                ("config: { target: TARGET, ensure: { conditions: [ { expression: 'a &&' } ] } }\nscenarios: [ { flow: [] } ]\n",
                 "column 3")):
            self.run_script(text, code=1)
            self.assertIn(expected, self.errors)
        both = subprocess.run([SECUREBASE, "artillery", "run", "--count", "2", "--workers", "1", "none.yml"], cwd=self.folder,
                              capture_output=True, text=True)
        self.assertNotEqual(both.returncode, 0)
        self.assertRegex(both.stdout + both.stderr, "--count excludes --workers|--workers excludes --count")
        missing = subprocess.run([SECUREBASE, "artillery", "run", "none.yml"], cwd=self.folder, capture_output=True, text=True)
        self.assertEqual(missing.returncode, 1)
        self.assertIn("none.yml", missing.stderr)

    def test_an_interrupt_leaves_a_report(self):
        (self.folder / "script.yml").write_text(f"config: {{ target: 'http://127.0.0.1:{self.port}', phases: [ {{ duration: 60, arrivalRate: 20 }} ] }}\n"
                                                "scenarios: [ { flow: [ { get: { url: / } } ] } ]\n")
        process = subprocess.Popen([SECUREBASE, "artillery", "run", "script.yml", "-o", "report.json"], cwd=self.folder,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        time.sleep(2)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=10)
        self.assertEqual(process.returncode, 130, output)
        self.assertGreater(json.loads((self.folder / "report.json").read_text())["aggregate"]["counters"]["http.requests"], 10)

    def test_quick(self):
        done = subprocess.run([SECUREBASE, "artillery", "quick", "-c", "5", "-n", "4", f"http://127.0.0.1:{self.port}/q"],
                              capture_output=True, text=True, timeout=30)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([path for _, path, _, _ in Handler.seen], ["/q"] * 20)

    def test_the_program_on_the_path(self):
        program = self.folder / "artillery"
        program.symlink_to(SECUREBASE)
        done = subprocess.run([program, "quick", "-c", "1", "-n", "1", f"http://127.0.0.1:{self.port}/p"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len(Handler.seen), 1)


PROCESSOR = r"""
module.exports = { setUp, signIn, noteAnswer, again, isBig, fails, crashes, lazy, done, change, back };
let seen = 0;
function setUp(context, events, next) { context.vars.token = 'tok'; context.keep = new Map([['a', 1]]); return next(); }
function signIn(request, context, events, next) {
  request.headers = { ...request.headers, 'X-Token': context.vars.token, 'X-Kept': String(context.keep.get('a')) };
  request.json = { made: 'here' };
  return next();
}
async function noteAnswer(request, response, context, events) {
  const body = JSON.parse(response.body);
  context.vars.answered = { status: response.statusCode, id: body.id, header: response.headers['x-id'] };
  events.emit('counter', 'my.answers', 1);
  events.emit('histogram', 'my.size', response.body.length);
}
function again(context, next) { seen += 1; return next(seen < 3); }
function isBig(vars) { return vars.answered.id > 5; }
function fails(context, events, next) { next(new Error('no luck')); }
function crashes() { setTimeout(() => { throw new Error('out of band'); }, 10); }
function change(context, events, next) { context.vars.mode = 'second'; context.vars.gone = 'there'; next(); }
function back(context, events, next) { context.vars.mode = 'first'; delete context.vars.gone; next(); }
async function lazy(context) { context.vars.lazy = await Promise.resolve('yes'); }
function done(context, events, next) { events.emit('counter', 'my.done', 1); next(); }
"""


@unittest.skipUnless(shutil.which("node"), "processors run in node")
class Processors(Scripts):
    def process(self, text, **more):
        return self.run_script(text, files={"processor.js": PROCESSOR}, **more)

    def test_hooks_steps_and_conditions(self):
        counters = self.process("""config: { target: TARGET, processor: ./processor.js }
scenarios:
  - beforeScenario: setUp
    afterScenario: [ done ]
    flow:
      - function: lazy
      - post: { url: "/a/{{ lazy }}", beforeRequest: signIn, afterResponse: noteAnswer }
      - get: { url: "/b/{{ answered.id }}/{{ answered.header }}", ifTrue: isBig }
      - loop: [ { get: { url: /again } } ]
        whileTrue: again
""")
        self.assertEqual(counters["vusers.completed"], 1, self.output + self.errors)
        self.assertEqual(counters["my.answers"], 1)
        self.assertEqual(counters["my.done"], 1)
        self.assertEqual(self.report["aggregate"]["summaries"]["my.size"]["count"], 1)
        self.assertEqual([path for _, path, _, _ in Handler.seen], ["/a/yes", "/b/7/42", "/again", "/again", "/again"])
        self.assertEqual(Handler.seen[0][2]["x-token"], "tok")
        self.assertEqual(Handler.seen[0][2]["x-kept"], "1")
        self.assertEqual(json.loads(Handler.seen[0][3]), {"made": "here"})

    def test_what_a_function_deletes_or_sets_back_is_known_to_the_templates(self):
        self.process('''config: { target: TARGET, processor: ./processor.js, variables: { mode: first } }
scenarios:
  - flow:
      - function: change
      - get: { url: "/1/{{ mode }}/{{ gone }}" }
      - function: back
      - get: { url: "/2/{{ mode }}/{{ gone }}" }
''')
        self.assertEqual([path for _, path, _, _ in Handler.seen], ["/1/second/there", "/2/first/undefined"])

    def test_a_function_that_fails_fails_its_user(self):
        counters = self.process("config: { target: TARGET, processor: processor.js, phases: [ { duration: 1, arrivalCount: 3 } ] }\n"
                                "scenarios: [ { flow: [ { function: fails }, { get: { url: / } } ] } ]\n")
        self.assertEqual(counters["errors.no luck"], 3)
        self.assertEqual(counters["vusers.failed"], 3)

    def test_a_crash_ends_the_run(self):
        began = time.monotonic()
        self.process("config: { target: TARGET, processor: processor.js, phases: [ { duration: 30, arrivalRate: 2 } ] }\n"
                     "scenarios: [ { flow: [ { function: crashes } ] } ]\n", code=1)
        self.assertLess(time.monotonic() - began, 10)
        self.assertIn("has crashed: node ended with exit status", self.errors)
        self.assertIn("out of band", self.errors)

    def test_a_module_that_does_not_load(self):
        self.run_script("config: { target: TARGET, processor: processor.js }\nscenarios: [ { flow: [ { function: f } ] } ]\n",
                        files={"processor.js": "module.exports = {"}, code=11)
        self.assertIn("processor.js cannot be loaded", self.errors)

    def test_no_node(self):
        self.process("config: { target: TARGET, processor: processor.js }\nscenarios: [ { flow: [ { function: lazy } ] } ]\n",
                     code=11, environment={"PATH": "/nowhere"})
        self.assertIn("install the package nodejs", self.errors)

    def test_before_and_after(self):
        self.process("""config: { target: TARGET, processor: processor.js, phases: [ { duration: 1, arrivalCount: 2 } ] }
before: { flow: [ { get: { url: /before, capture: { json: $.id, as: fromBefore } } }, { function: setUp } ] }
after: { flow: [ { get: { url: "/after" } } ] }
scenarios: [ { flow: [ { get: { url: "/{{ fromBefore }}/{{ token }}" } } ] } ]
""")
        self.assertEqual([path for _, path, _, _ in Handler.seen], ["/before", "/7/tok", "/7/tok", "/after"])
        self.assertEqual(self.report["aggregate"]["counters"]["http.requests"], 2, "before and after are not the run's")
        self.run_script("config: { target: TARGET, phases: [ { duration: 1, arrivalCount: 1 } ] }\n"
                        "after: { flow: [ { get: { url: /after, capture: { json: $.none, as: x } } } ] }\n"
                        "scenarios: [ { flow: [ { get: { url: / } } ] } ]\n", code=1)
        self.assertIn("running the script's after", self.errors)


if __name__ == "__main__":
    main()
