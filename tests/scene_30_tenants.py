"""Tenants are kept apart at every level, with the guide's literal caching configuration too."""

import subprocess
import unittest

from harness import Platform, main


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
