"""One request carried the whole way: edge, bucket, gateway, function, cache, database."""

import json
import os
import subprocess
import unittest

from harness import Platform, main


class Request(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.platform = Platform()
        cls.token = cls.platform.login()

    @classmethod
    def tearDownClass(cls):
        cls.platform.stop()

    def get(self, path, *arguments, token=None):
        credentials = ["-H", f"Authorization: Bearer {token or self.token}"]
        return self.platform.curl(path, *credentials, *arguments)

    def test_the_page_is_kept_for_an_hour(self):
        page = "/sign-in"  # as "/", but the prober does not ask for it each second
        self.platform.cli("invalidate", "/*", "--hard")
        miss = self.platform.curl(page)
        hit = self.platform.curl(page)
        self.assertEqual((miss.status, hit.status), (200, 200))
        self.assertTrue(miss.headers["content-type"].startswith("text/html"))
        self.assertTrue(miss.headers["x-cache"].startswith("Miss"), miss)
        self.assertTrue(hit.headers["x-cache"].startswith("Hit"), hit)
        self.assertIn("age", hit.headers)
        self.assertIn("hit", hit.headers["cache-status"])
        self.assertIn("s-maxage=3600", hit.headers["cache-control"])
        self.assertEqual(miss.body, hit.body)

    def test_assets_are_kept_for_a_year(self):
        page = self.platform.curl("/").text
        asset = page.split('src="', 1)[1].split('"', 1)[0]
        self.assertTrue(asset.startswith("/assets/"), asset)
        self.platform.curl(asset)
        hit = self.platform.curl(asset)
        self.assertTrue(hit.headers["x-cache"].startswith("Hit"), hit)
        self.assertEqual(hit.headers["cache-control"], "public, max-age=31536000, immutable")
        self.assertTrue(hit.headers["content-type"].startswith("text/javascript"))

    def test_compressed_once_per_encoding(self):
        plain = self.platform.curl("/")
        for encoding in ("gzip", "br"):
            first = self.platform.curl("/", "-H", f"Accept-Encoding: {encoding}")
            self.assertEqual(first.headers.get("content-encoding"), encoding, first)
            self.assertLess(len(first.body), len(plain.body))
            again = self.platform.curl("/", "-H", f"Accept-Encoding: {encoding}")
            self.assertEqual(first.body, again.body)
            self.assertTrue(again.headers["x-cache"].startswith("Hit"))
        decoded = self.platform.curl("/", "-H", "Accept-Encoding: gzip", "--compressed")
        self.assertEqual(decoded.body, plain.body)

    def test_conditional_requests_and_ranges(self):
        full = self.platform.curl("/")
        same = self.platform.curl("/", "-H", f"If-None-Match: {full.headers['etag']}")
        self.assertEqual((same.status, same.body), (304, b""))
        part = self.platform.curl("/", "-H", "Range: bytes=0-9")
        self.assertEqual((part.status, part.body), (206, full.body[:10]))
        self.assertEqual(part.headers["content-range"], f"bytes 0-9/{len(full.body)}")
        beyond = self.platform.curl("/", "-H", "Range: bytes=99999999-")
        self.assertEqual(beyond.status, 416)

    def test_health_is_never_kept(self):
        for _ in range(2):
            answer = self.platform.curl("/api/v1/health")
            self.assertEqual(answer.json["status"], "healthy")
            self.assertTrue(answer.headers["x-cache"].startswith("Miss"), answer)

    def test_the_api_answers_under_both_of_its_paths(self):
        self.assertEqual(self.platform.curl("/v1/health").json["status"], "healthy")
        self.assertEqual(self.platform.curl("/api/v1/health").json["status"], "healthy")

    def test_an_invoice_list_is_kept_for_its_caller(self):
        self.platform.cli("invalidate", "#customer:abc123", "--hard")
        path = "/api/v1/customers/abc123/invoices?limit=5"
        miss = self.get(path)
        hit = self.get(path)
        self.assertEqual(len(miss.json["invoices"]), 5)
        self.assertTrue(miss.headers["x-cache"].startswith("Miss"), miss)
        self.assertTrue(hit.headers["x-cache"].startswith("Hit"), hit)
        self.assertLessEqual(int(hit.headers["age"]), 300)
        following = self.get(path + "&cursor=" + miss.json["next_cursor"])
        self.assertNotEqual(following.json["invoices"][0]["invoice_id"], miss.json["invoices"][0]["invoice_id"])

    def test_the_python_function_answers_through_redis_and_postgresql(self):
        self.platform.cli("invalidate", "#customer:abc123", "--hard")
        path = "/api/v1/customers/abc123/metrics?period=30d"
        first = self.get(path)
        self.assertEqual(first.status, 200, first)
        self.assertEqual(len(first.json["data"]), 100)
        self.assertEqual(set(first.json["data"][0]), {"metric_name", "value", "timestamp"})
        self.assertEqual(first.headers["x-cache-status"], "MISS")
        # Edge and gateway forget, Redis does not: the function finds its value there.
        self.platform.cli("invalidate", "/api/v1/customers/abc123/metrics*", "--hard")
        second = self.get(path)
        self.assertEqual(second.headers["x-cache-status"], "HIT")
        self.assertEqual(second.json, first.json)

    def test_writes_are_seen_at_once(self):
        path = "/api/v1/customers/abc123/tickets"
        for number in range(2):
            self.get(path)
            made = self.get(path, "-d", json.dumps({"subject": f"ticket {number}"}), "-H", "Content-Type: application/json")
            self.assertEqual(made.status, 201, made)
            listed = [ticket["ticket_id"] for ticket in self.get(path).json["tickets"]]
            self.assertIn(made.json["ticket_id"], listed)

    def test_an_api_key_is_shown_once_works_and_is_revoked(self):
        made = self.get("/api/v1/customers/abc123/api-keys", "-d", '{"name":"ci"}', "-H", "Content-Type: application/json")
        self.assertEqual(made.status, 201, made)
        key = ["-H", f"X-API-Key: {made.json['api_key']}"]
        self.assertEqual(self.platform.curl("/api/v1/customers/abc123/invoices", *key).status, 200)
        self.assertNotIn(made.json["api_key"], self.get("/api/v1/customers/abc123/api-keys").text)
        gone = self.get(f"/api/v1/customers/abc123/api-keys/{made.json['api_key_id']}", "-X", "DELETE")
        self.assertEqual(gone.status, 204, gone)
        self.assertIn(self.platform.curl("/api/v1/customers/abc123/invoices", *key).status, (401, 403))

    def test_every_route_answers(self):
        for path in ("pricing", "tiers", "customers/abc123", "customers/abc123/compliance", "analytics/cost-breakdown",
                     "analytics/security", "analytics/compliance", "customers/abc123/api-keys"):
            answer = self.get("/api/v1/" + path)
            self.assertEqual(answer.status, 200, f"{path}: {answer}")
            self.assertEqual(answer.headers["content-type"].split(";")[0], "application/json")
        report = self.get("/api/v1/customers/abc123/reports", "-d", '{"type":"usage"}', "-H", "Content-Type: application/json")
        self.assertEqual(report.status, 202, report)
        self.assertEqual(self.get(f"/api/v1/customers/abc123/reports/{report.json['report_id']}").status, 200)

    def test_errors_have_the_bodies_of_aws(self):
        unknown = self.platform.curl("/v1/nothing")
        self.assertEqual((unknown.status, unknown.json), (403, {"message": "Missing Authentication Token"}))
        anonymous = self.platform.curl("/v1/customers/abc123")
        self.assertEqual((anonymous.status, anonymous.json), (401, {"message": "Unauthorized"}))
        wrong = self.platform.curl("/v1/auth/login", "-d", '{"email":"demo@abc123.example","password":"wrong"}')
        self.assertEqual(wrong.status, 401)

    def test_a_bare_shell_gets_credentials_by_the_line_that_up_prints(self):
        line = next(line for line in self.platform.output().splitlines() if line.strip().startswith("credentials"))
        script = line.split("credentials", 1)[1] + "\npsql -XAtc 'SELECT 1' && securebase status"
        bare = {"PATH": "/usr/bin:/bin", "HOME": os.environ["HOME"]}
        done = subprocess.run(["sh", "-ec", script], env=bare, cwd="/", capture_output=True, text=True, timeout=30)
        self.assertEqual((done.returncode, done.stdout.splitlines()[:1]), (0, ["1"]), f"{line}\n{done.stderr}")
        self.assertIn(self.platform.url, done.stdout)

    def test_over_tls_with_the_local_authority(self):
        authority = self.platform.environment()["SECUREBASE_CA"]
        answer = self.platform.curl(self.platform.https_url + "/api/v1/health", "--cacert", authority)
        self.assertEqual(answer.json["status"], "healthy")

    def test_the_api_without_the_edge(self):
        host = "api.securebase.com"
        answer = self.platform.curl(f"http://127.0.0.1:{self.platform.port['aws']}/v1/health", "-H", f"Host: {host}")
        self.assertEqual(answer.json["status"], "healthy")
        self.assertNotIn("x-cache", answer.headers)


if __name__ == "__main__":
    main()
