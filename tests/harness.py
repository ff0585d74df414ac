"""What the scenes stand on: a platform started from the release build on ports of its own, and the clients of the trade.

A scene is a unittest file, tests/scene_NN_name.py, and reads as what must hold. All scenes of a run share one state
directory (made new by the first), so that the million rows are loaded once; each starts the platform itself.
"""

import contextlib
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import warnings

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("SECUREBASE_BUILD", REPOSITORY / "build" / "release"))
SECUREBASE = BUILD / "src" / "cli" / "securebase"
INFRA = REPOSITORY / "service" / "infra"
# The clients are Debian's, whatever else a developer has in front of them.
os.environ["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin:" + os.environ["PATH"]
# Unprivileged children of a platform started by root must be able to pass through, so not below a private home.
SHARED = pathlib.Path(os.environ.get("SECUREBASE_TEST_DIR", "/var/tmp/securebase-tests-%d" % os.getuid()))


def free_ports(count):
    """Ports that nobody listens on at this moment, below those that the kernel gives to whoever asks for any."""
    ports = set()
    while len(ports) < count:
        port = random.randrange(16000, 32000)
        with socket.socket() as one, contextlib.suppress(OSError):
            one.bind(("127.0.0.1", port))
            ports.add(port)
    return list(ports)


def children_of(pid):
    """Every descendant process, as {pid: command line}."""
    parents = {}
    names = {}
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            if fields[0] == "Z":
                continue
            parents[int(entry.name)] = int(fields[1])
            names[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    found = {}
    grown = True
    while grown:
        grown = False
        for child, parent in parents.items():
            if (parent == pid or parent in found) and child not in found:
                found[child] = names[child]
                grown = True
    return found


def alive(pids):
    """Those of the processes that still run; zombies do not."""
    running = []
    for pid in pids:
        with contextlib.suppress(OSError):
            if pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z":
                running.append(pid)
    return running


def wait_until(condition, seconds, what):
    """Polls until the condition holds, and gives what it gave."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.05)


class Response:
    """What curl -i printed: status, headers by lower-case name, body."""

    def __init__(self, output):
        head, _, self.body = output.partition(b"\r\n\r\n")
        while head.startswith(b"HTTP/1.1 100"):
            head, _, self.body = self.body.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        self.status = int(lines[0].split()[1])
        self.headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            self.headers.setdefault(name.lower(), value.strip())

    @property
    def text(self):
        return self.body.decode()

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.headers} {self.body[:300]!r}"


class Platform:
    """A `securebase up` that runs. Use as a context manager, or call stop()."""

    def __init__(self, state=None, stack=INFRA, arguments=(), wait=True, ports=None):
        self.state = pathlib.Path(state or SHARED / "state")
        names = ["http", "https", "aws", "operator", "xray", "postgres", "redis"]
        self.port = {**dict(zip(names, free_ports(len(names)))), **(ports or {})}
        self.log = tempfile.NamedTemporaryFile(prefix="securebase-", suffix=".log", delete=False)
        command = [SECUREBASE, "up", stack, "--state", self.state,
                   "--allow-files", REPOSITORY / "service", "--allow-files", BUILD / "service"]
        if pathlib.Path(stack).resolve() == INFRA:
            command += ["-var", f"build={BUILD}"]
        for name in names:
            command += [f"--{name}-port", str(self.port[name])]
        command += list(arguments)
        self.begun = time.monotonic()
        self.process = subprocess.Popen([str(word) for word in command], stdout=self.log, stderr=subprocess.STDOUT)
        if wait:
            self.wait_ready()

    def wait_ready(self, seconds=180):
        def ready():
            if self.process.poll() is not None:
                raise AssertionError(f"the platform ended with {self.process.returncode}:\n{self.output()}")
            return "Ready after" in self.output()
        wait_until(ready, seconds, "the platform is ready:\n" + self.output())
        self.start_seconds = time.monotonic() - self.begun

    def output(self):
        return pathlib.Path(self.log.name).read_text(errors="replace")

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port['http']}"

    @property
    def https_url(self):
        return f"https://127.0.0.1:{self.port['https']}"

    def cli(self, *arguments, check=True, **more):
        command = [str(SECUREBASE), *map(str, arguments)]
        if arguments[0] != "version":
            command += ["--state", str(self.state)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, **more)
        if check and done.returncode != 0:
            raise AssertionError(f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done

    def load(self, *arguments, check=True):
        """A load test. One that says that the generator was late (exit code 4) is done again: this machine had no time for it."""
        for left in (2, 1, 0):
            done = self.cli("load", *arguments, check=False)
            if done.returncode != 4 or not left:
                break
        if check and done.returncode != 0:
            raise AssertionError(f"load {arguments} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done

    def status(self):
        return json.loads(self.cli("status", "--json").stdout)

    def environment(self):
        """What eval "$(securebase env)" exports, as a shell understands it."""
        script = self.cli("env").stdout + "\nenv -0"
        plain = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
        output = subprocess.run(["sh", "-c", script], capture_output=True, check=True, env=plain).stdout
        return dict(pair.split("=", 1) for pair in output.decode().split("\0") if "=" in pair)

    def aws(self, *words):
        """What the AWS CLI answers, read as JSON; {} where it says nothing."""
        done = subprocess.run(["aws", *map(str, words)], capture_output=True, text=True, timeout=120,
                              env=dict(os.environ, **self.environment()))
        if done.returncode != 0:
            raise AssertionError(f"aws {words} ended with {done.returncode}: {done.stderr}")
        return json.loads(done.stdout) if done.stdout.strip() else {}

    def curl(self, target, *arguments):
        """curl -i on a path of the edge, or on a whole URL."""
        url = target if "://" in target else self.url + target
        done = subprocess.run(["curl", "-sS", "-i", "--max-time", "60", "--path-as-is", *arguments, url],
                              capture_output=True, timeout=90)
        if done.returncode != 0:
            raise AssertionError(f"curl {url}: {done.stderr.decode()}")
        return Response(done.stdout)

    def login(self, customer="abc123"):
        body = json.dumps({"email": f"demo@{customer}.example", "password": f"demo-{customer}"})
        answer = self.curl("/api/v1/auth/login", "-d", body, "-H", "Content-Type: application/json")
        if answer.status != 200:
            raise AssertionError(f"login as {customer}: {answer}")
        return answer.json["token"]

    def stop(self, how=signal.SIGTERM, seconds=30):
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError(f"the platform did not end within {seconds} s after {how}:\n{self.output()[-3000:]}")
        finally:
            self.log.close()
            os.unlink(self.log.name)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind is not None:
            sys.stderr.write(self.output()[-8000:])
        self.stop()


def pages_stack(bucket, tags, root_object="", ttl_seconds=None):
    """Terraform of a bucket behind a distribution that whoever asks may read; its resources are called "pages"."""
    tag_list = ", ".join(f'"{name}" = "{value}"' for name, value in tags.items())
    ttl = "" if ttl_seconds is None else f"\n    default_ttl            = {ttl_seconds}"
    return f"""
resource "aws_s3_bucket" "pages" {{
  bucket = "{bucket}"
}}
resource "aws_cloudfront_distribution" "pages" {{
  enabled             = true
  default_root_object = "{root_object}"
  tags                = {{ {tag_list} }}
  origin {{
    domain_name = aws_s3_bucket.pages.bucket_regional_domain_name
    origin_id   = "pages"
    s3_origin_config {{
      origin_access_identity = ""
    }}
  }}
  default_cache_behavior {{
    target_origin_id       = "pages"
    viewer_protocol_policy = "allow-all"
    allowed_methods        = ["GET", "HEAD"]
    cached_methods         = ["GET", "HEAD"]{ttl}
    forwarded_values {{
      query_string = false
      cookies {{
        forward = "none"
      }}
    }}
  }}
  restrictions {{
    geo_restriction {{
      restriction_type = "none"
    }}
  }}
  viewer_certificate {{
    cloudfront_default_certificate = true
  }}
}}
"""


def mock_api_stack(name, path):
    """Terraform of an API of one path that answers 200 by itself, deployed as the stage "prod" with a cache."""
    return f"""
resource "aws_api_gateway_rest_api" "main" {{
  name = "{name}"
  tags = {{ "securebase:id" = "a1b2c3d4e5" }}
  body = jsonencode({{
    openapi = "3.0.1"
    paths = {{ "{path}" = {{ get = {{ x-amazon-apigateway-integration = {{
      type      = "mock"
      responses = {{ default = {{ statusCode = "200" }} }}
    }} }} }} }}
  }})
}}
resource "aws_api_gateway_deployment" "main" {{
  rest_api_id = aws_api_gateway_rest_api.main.id
}}
resource "aws_api_gateway_stage" "prod" {{
  rest_api_id           = aws_api_gateway_rest_api.main.id
  deployment_id         = aws_api_gateway_deployment.main.id
  stage_name            = "prod"
  cache_cluster_enabled = true
  cache_cluster_size    = "0.5"
}}
"""


def fresh_state():
    shutil.rmtree(SHARED, ignore_errors=True)
    SHARED.mkdir(mode=0o755, parents=True)
    SHARED.chmod(0o755)


def main():
    if not SECUREBASE.exists():
        sys.exit(f"{SECUREBASE} is missing: run tools/build release")
    # boto3 keeps its connections open; nobody wants to read that of each.
    warnings.simplefilter("ignore", ResourceWarning)
    unittest.main(verbosity=2, warnings=False)
