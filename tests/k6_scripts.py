"""What the scenes of k6 stand on: the program, a target that says what it was asked, and ways to run a script."""

import gzip
import hashlib
import http.server
import json
import os
import pathlib
import re
import socket
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.parse

from harness import BUILD

K6 = pathlib.Path(os.environ.get("SECUREBASE_K6", BUILD / "src" / "cli" / "securebase-k6"))


class Handler(http.server.BaseHTTPRequestHandler):
    """Says what was asked; some paths do something else."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *arguments):
        pass

    def answer(self, status, body=b"", **fields):
        self.send_response(status)
        for name, value in fields.items():
            for one in value if isinstance(value, list) else [value]:
                self.send_header(name.replace("_", "-"), one)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def handle_any(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        with self.server.lock:
            self.server.seen.append((self.command, self.path, dict(self.headers), body))
        if url.path.startswith("/status/"):
            return self.answer(int(url.path.rsplit("/", 1)[1]), b"status")
        if url.path.startswith("/redirect/"):
            left = int(url.path.rsplit("/", 1)[1])
            return self.answer(302, b"", Location=f"/redirect/{left - 1}" if left > 1 else "/echo", Set_Cookie=f"hop{left}=1; Path=/")
        if url.path == "/away":
            return self.answer(302, b"", Location=query["to"])
        if url.path == "/from":
            return self.answer(200, self.client_address[0].encode())
        if url.path == "/cookies/set":
            return self.answer(200, b"ok", Set_Cookie=[f"{name}={value}; Path=/" for name, value in query.items()])
        if url.path == "/gzip":
            return self.answer(200, gzip.compress(b'{"gzipped":true}'), Content_Encoding="gzip", Content_Type="application/json")
        if url.path == "/slow":
            time.sleep(float(query.get("s", "1")))
            return self.answer(200, b"slow")
        if url.path == "/people":
            return self.answer(200, json.dumps({"people": [{"name": "Ann", "age": 3}, {"name": "Bo", "age": 40}]}).encode())
        if url.path == "/page":
            page = (
                b"<html><head><title>A &amp; B</title></head><body><ul id=l><li class='a b'>one<li>two</ul>"
                b"<a href='/echo?from=link'>go</a><form method=post action='/echo'><input name=user value=u>"
                b"<input type=checkbox name=c checked><input type=submit name=send value=Go></form></body></html>"
            )
            return self.answer(200, page, Content_Type="text/html")
        if url.path == "/digest":
            if "response=" not in (self.headers.get("Authorization") or ""):
                return self.answer(401, b"", WWW_Authenticate='Digest realm="r", nonce="n", qop="auth"')
            said = dict(re.findall(r'(\w+)="?([^",]+)"?', self.headers["Authorization"]))
            first = hashlib.md5(b"joe:r:secret").hexdigest()
            second = hashlib.md5(f"GET:{self.path}".encode()).hexdigest()
            right = hashlib.md5(f"{first}:n:00000001:{said['cnonce']}:auth:{second}".encode()).hexdigest()
            return self.answer(200 if said["response"] == right else 403, b"digest")
        out = {
            "method": self.command,
            "path": url.path,
            "query": query,
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "body": body.decode("latin-1"),
        }
        return self.answer(200, json.dumps(out).encode(), Content_Type="application/json", X_Two=["1", "2"])

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = handle_any


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256


def broken_server(behave):
    """A port on which each connection is given to `behave`."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=behave, args=(connection,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    return listener, listener.getsockname()[1]


class ScriptCase(unittest.TestCase):
    """A folder of its own, a target that says what it was asked, and ways to run a script against it."""

    program = K6

    @classmethod
    def setUpClass(cls):
        cls.server = Server(("127.0.0.1", 0), Handler)
        cls.server.lock = threading.Lock()
        cls.server.seen = []
        threading.Thread(target=cls.server.serve_forever, daemon=True).start()
        cls.base = f"http://127.0.0.1:{cls.server.server_port}"

    @classmethod
    def tearDownClass(cls):
        cls.server.shutdown()
        cls.server.server_close()

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="securebase-k6-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.server.seen.clear()

    def run_script(self, script, *arguments, expect=0, files=None, seconds=60, environment=None):
        for name, text in {"script.js": script, **(files or {})}.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        ended = subprocess.run(
            [self.program, "run", "--quiet", "--env", f"BASE={self.base}", "--summary-export", "out.json", *arguments, "script.js"],
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
            env={**os.environ, **(environment or {})},
        )
        self.assertEqual(ended.returncode, expect, ended.stdout + ended.stderr)
        self.said = ended.stdout + ended.stderr
        return json.loads((self.folder / "out.json").read_text()) if (self.folder / "out.json").exists() else None

    def run_once(self, body, *arguments, head="", **more):
        """One iteration of a function in which `expect(name, condition)` notes what must hold."""
        script = (
            "import http from 'k6/http';\nimport * as k6 from 'k6';\nimport { check, sleep, group, fail } from 'k6';\n"
            + head
            + "\nconst BASE = __ENV.BASE;\nfunction expect(name, a, b = true) { check(null, { [name]: () => JSON.stringify(a) === JSON.stringify(b) });"
            + " if (JSON.stringify(a) !== JSON.stringify(b)) console.error(name + ': ' + JSON.stringify(a) + ' is not ' + JSON.stringify(b)); }\n"
            + "export const options = { iterations: 1, thresholds: { checks: ['rate==1'] } };\n"
            + "export default async function () {\ntry {\n"
            + body
            + "\n} catch (error) { check(null, { ['it threw ' + error]: () => false }); throw error; }\n}\n"
        )
        out = self.run_script(script, *arguments, **more)
        return out
