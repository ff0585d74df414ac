"""Tenants are kept apart at every level, with the guide's literal caching configuration too."""

import base64
import hashlib
import hmac
import json
import subprocess
import unittest

from harness import Platform, main


# Below /v1/customers/{id}; what has a body is sent one that is right.
ROUTES = (("GET", ""), ("GET", "/invoices"), ("GET", "/invoices/{other}"), ("GET", "/metrics"), ("GET", "/compliance"),
          ("GET", "/api-keys"), ("POST", "/api-keys"), ("DELETE", "/api-keys/{other}"), ("GET", "/tickets"),
          ("POST", "/tickets", '{"subject":"x"}'), ("GET", "/tickets/{other}"),
          ("POST", "/tickets/{other}/comments", '{"body":"x"}'), ("POST", "/reports"), ("GET", "/reports/{other}"))


def token(header, claims, key):
    """A JWT, signed with the key by HMAC-SHA256."""
    def text(data):
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
    signed = text(json.dumps(header).encode()) + "." + text(json.dumps(claims).encode())
    return signed + "." + text(hmac.new(key, signed.encode(), hashlib.sha256).digest())


class Tenants(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.platform = Platform()
        cls.tokens = {customer: cls.platform.login(customer) for customer in ("abc123", "42")}

    @classmethod
    def tearDownClass(cls):
        cls.platform.stop()

    def get(self, path, customer=None):
        credentials = ["-H", f"Authorization: Bearer {self.tokens[customer]}"] if customer else []
        return self.platform.curl(path, *credentials)

    def test_what_is_stored_for_one_is_never_served_to_another(self):
        path = "/api/v1/customers/abc123/invoices"
        for _ in range(3):
            self.assertEqual(self.get(path, "abc123").status, 200)
        self.assertTrue(self.get(path, "abc123").headers["x-cache"].startswith("Hit"))
        for suffix in ("", "?limit=20", "/", "?x=1", "/../invoices", "/%2e/", ".css"):
            other = self.get(path + suffix, "42")
            self.assertIn(other.status, (400, 403, 404), f"{suffix}: {other}")
            self.assertNotIn(b"invoice_id", other.body)
            nobody = self.get(path + suffix)
            self.assertIn(nobody.status, (400, 401, 403), f"{suffix}: {nobody}")
            self.assertNotIn(b"invoice_id", nobody.body)

    def test_another_tenants_id_is_forbidden_whether_it_exists_or_not(self):
        for customer in ("abc123", "no-such-customer"):
            answer = self.get(f"/api/v1/customers/{customer}", "42")
            self.assertEqual((answer.status, answer.json), (403, {"message": "Forbidden"}))

    def send(self, method, path, credentials, body=None):
        body = ["-d", body or "{}", "-H", "Content-Type: application/json"] if method == "POST" else []
        return self.platform.curl(path, "-X", method, "-H", credentials, *body)

    def test_every_route_of_another_is_forbidden_to_token_and_key(self):
        bearer = f"Authorization: Bearer {self.tokens['42']}"
        made = self.send("POST", "/v1/customers/42/api-keys", bearer).json
        try:
            for credentials in (bearer, f"X-API-Key: {made['api_key']}"):
                for method, path, *body in ROUTES:
                    path = "/v1/customers/43" + path.replace("{other}", "tkt-43-1")
                    answer = self.send(method, path, credentials, *body)
                    self.assertEqual((answer.status, answer.json), (403, {"message": "Forbidden"}), (method, path))
                for kind in ("cost-breakdown", "security", "compliance"):
                    answer = self.send("GET", f"/v1/analytics/{kind}?customer_id=43", credentials)
                    self.assertEqual(answer.status, 403, kind)
        finally:
            self.send("DELETE", f"/v1/customers/42/api-keys/{made['api_key_id']}", bearer)

    def test_what_belongs_to_another_is_not_found_below_ones_own_id(self):
        month = self.get("/v1/customers/42/invoices?limit=1", "42").json["invoices"][0]["invoice_id"][-6:]
        for other in (f"invoices/inv-43-{month}", "tickets/tkt-43-1", "reports/rpt_43"):
            self.assertEqual(self.get("/v1/customers/42/" + other, "42").status, 404, other)
        comment = self.send("POST", "/v1/customers/42/tickets/tkt-43-1/comments",
                            f"Authorization: Bearer {self.tokens['42']}", '{"body":"x"}')
        self.assertEqual(comment.status, 404)

    def test_a_token_that_is_not_ours_opens_nothing(self):
        header, payload, signature = self.tokens["42"].split(".")
        claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
        forged = dict(claims, customer_id="43")
        other_payload = token({}, forged, b"").split(".")[1]
        for kind, made in {"without algorithm": token({"alg": "none"}, forged, b"").rpartition(".")[0] + ".",
                           "of another key": token({"alg": "HS256"}, forged, b"k" * 32),
                           "of an empty key": token({"alg": "HS256"}, forged, b""),
                           "of other claims": f"{header}.{other_payload}.{signature}",
                           "in another spelling": self.tokens["42"] + "="}.items():
            for customer in ("42", "43"):
                answer = self.platform.curl(f"/v1/customers/{customer}", "-H", f"Authorization: Bearer {made}")
                self.assertEqual((answer.status, answer.json), (401, {"message": "Unauthorized"}), kind)

    def test_the_same_url_gives_each_caller_his_own(self):
        path = "/api/v1/analytics/cost-breakdown"
        for _ in range(2):
            self.assertEqual(self.get(path, "abc123").json["data"]["customer_id"], "abc123")
            self.assertEqual(self.get(path, "42").json["data"]["customer_id"], "42")

    def test_the_database_keeps_tenants_apart_by_itself(self):
        environment = self.platform.environment()
        app = dict(environment, PGUSER=environment["SECUREBASE_APP_USER"], PGPASSWORD=environment["SECUREBASE_APP_PASSWORD"])

        def count(customer):
            sql = f"SELECT set_config('app.customer_id', '{customer}', false); SELECT count(DISTINCT customer_id) FROM invoices"
            done = subprocess.run(["psql", "-XAtq", "-c", sql], env=app, capture_output=True, text=True, check=True)
            return done.stdout.split()[-1]
        self.assertEqual(count("abc123"), "1")
        nobody = subprocess.run(["psql", "-XAtqc", "SELECT count(*) FROM invoices"], env=app, capture_output=True, text=True)
        self.assertEqual(nobody.stdout.strip(), "0")


if __name__ == "__main__":
    main()
