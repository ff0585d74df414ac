"""psql, redis-cli and Debian's Python clients reach the managed servers with what `securebase env` exports."""

import subprocess
import unittest

from harness import Platform, main


class Clients(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.platform = Platform()
        cls.environment = cls.platform.environment()

    @classmethod
    def tearDownClass(cls):
        cls.platform.stop()

    def run_client(self, *command):
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout.strip()

    def test_psql_over_tls(self):
        self.assertEqual(self.run_client("psql", "-XAtc", "SELECT count(*) >= 1000000 FROM usage_metrics"), "t")
        self.assertEqual(self.run_client("psql", "-XAtc", "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"), "t")
        self.assertEqual(self.run_client("psql", "-XAtc", "SELECT count(*) >= 100 FROM customers"), "t")

    def test_psql_without_tls_is_refused(self):
        done = subprocess.run(["psql", "-XAtc", "SELECT 1"], env=dict(self.environment, PGSSLMODE="disable"),
                              capture_output=True, text=True)
        self.assertNotEqual(done.returncode, 0)

    def test_the_guides_slow_query_list(self):
        self.run_client("psql", "-XAtc", "SELECT query, mean_exec_time, calls FROM pg_stat_statements "
                        "WHERE mean_exec_time > 100 ORDER BY mean_exec_time DESC LIMIT 20")

    def test_redis_cli_with_password_and_tls(self):
        base = ["redis-cli", "--tls", "--cacert", self.environment["SECUREBASE_CA"], "-h", "127.0.0.1",
                "-p", str(self.platform.port["redis"])]
        self.assertEqual(self.run_client(*base, "PING"), "PONG")
        naked = subprocess.run(base + ["PING"], capture_output=True, text=True,
                               env={k: v for k, v in self.environment.items() if k != "REDISCLI_AUTH"})
        self.assertIn("NOAUTH", naked.stdout + naked.stderr)

    def test_the_guides_python_clients(self):
        script = """
import os, psycopg2, redis
client = redis.Redis(host=os.environ['REDIS_HOST'], port=int(os.environ['REDIS_PORT']),
                     password=os.environ['REDIS_AUTH_TOKEN'], ssl=True, ssl_ca_certs=os.environ['SECUREBASE_CA'],
                     decode_responses=True, socket_keepalive=True, socket_connect_timeout=2, socket_timeout=2,
                     health_check_interval=30)
client.setex('scene:clients', 60, 'kept')
assert client.get('scene:clients') == 'kept'
connection = psycopg2.connect(host=os.environ['PGHOST'], database=os.environ['PGDATABASE'])
with connection.cursor() as cursor:
    cursor.execute('SELECT 1')
    assert cursor.fetchone() == (1,)
"""
        self.run_client("/usr/bin/python3", "-c", script)


if __name__ == "__main__":
    main()
