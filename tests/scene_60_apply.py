"""A changed .tf file takes effect live: no connection is dropped, nothing else changes."""

import concurrent.futures
import http.client
import shutil
import threading
import time
import unittest

from harness import BUILD, REPOSITORY, SHARED, Platform, main


class Apply(unittest.TestCase):
    def setUp(self):
        # A copy of the service, whose relative paths hold, to change in.
        self.service = SHARED / "apply" / "service"
        shutil.rmtree(self.service, ignore_errors=True)
        shutil.copytree(REPOSITORY / "service", self.service, ignore=shutil.ignore_patterns("node_modules", "test", "art"))
        self.stack = self.service / "infra"
        self.arguments = ["--allow-files", self.service, "-var", f"build={BUILD}"]

    def apply(self, platform, *more, check=True):
        return platform.cli("apply", self.stack, "--allow-files", self.service, "--allow-files", BUILD / "service",
                            "-var", f"build={BUILD}", *more, check=check)

    def test_a_change_is_planned_applied_and_then_there_is_nothing_to_do(self):
        with Platform(stack=self.stack, arguments=self.arguments) as platform:
            self.assertIn("No changes", self.apply(platform).stdout)

            errors = []
            ending = threading.Event()

            def load():
                connection = http.client.HTTPConnection("127.0.0.1", platform.port["http"], timeout=10)
                connection.connect()
                first = connection.sock
                while not ending.is_set():
                    connection.request("GET", "/api/v1/health")
                    answer = connection.getresponse()
                    answer.read()
                    if answer.status != 200 or connection.sock is not first:
                        errors.append((answer.status, "a new connection" if connection.sock is not first else ""))
            thread = threading.Thread(target=load)
            thread.start()

            api = self.stack / "api.tf"
            text = api.read_text().replace("throttling_burst_limit = 5000", "throttling_burst_limit = 4000", 1)
            api.write_text(text)
            (self.stack / "change.tf").write_text(
                'resource "aws_s3_object" "notice" {\n'
                '  bucket       = module.cloudfront.bucket_id\n  key          = "notice.txt"\n'
                '  content      = "changed live"\n  content_type = "text/plain"\n}\n')
            self.assertNotEqual(platform.curl("/notice.txt").status, 200)
            shown = self.apply(platform, "--auto-approve").stdout
            self.assertIn("aws_s3_object.notice", shown)
            self.assertIn("throttling_burst_limit", shown)
            platform.cli("invalidate", "/notice.txt", "--hard")
            self.assertEqual(platform.curl("/notice.txt").text, "changed live")
            self.assertIn("No changes", self.apply(platform).stdout)
            ending.set()
            thread.join()
            self.assertEqual(errors, [])

    def refused(self, platform, *words):
        done = self.apply(platform, "--auto-approve", check=False)
        self.assertEqual(done.returncode, 1, done.stdout)
        for word in words:
            self.assertIn(word, done.stderr)
        self.assertEqual(platform.curl("/api/v1/health").status, 200)

    def a_migration_that_fails_changes_nothing(self, platform):
        migration = self.service / "schema" / "9999_wrong.sql"
        migration.write_text("CREATE TABLE never (n int);\nCREATE TABEL wrong (n int);\n")
        # Nothing in the .tf files has changed: the migration alone is seen.
        shown = platform.cli("plan", self.stack, "--allow-files", self.service, "--allow-files", BUILD / "service",
                             "-var", f"build={BUILD}").stdout
        self.assertIn('migrations["9999_wrong.sql"]', shown)
        self.refused(platform, "9999_wrong.sql:2", "everything is as it was before")
        migration.unlink()
        self.assertIn("No changes", self.apply(platform).stdout)

    def who_looks_does_not_wait_for_an_apply(self, platform):
        migration = self.service / "schema" / "9999_slow.sql"
        migration.write_text("SELECT pg_sleep(8);\nSELECT fails;\n")
        with concurrent.futures.ThreadPoolExecutor() as beside:
            applying = beside.submit(self.refused, platform, "9999_slow.sql:2")
            time.sleep(2)
            platform.cli("status")
            platform.cli("env")
            platform.cli("invoke", "securebase-prod-critical-api", "{}", check=False)
            self.assertFalse(applying.done(), "all of these answered while it was under way")
            applying.result()
        migration.unlink()

    def a_bucket_with_objects_is_not_destroyed(self, platform):
        extra = self.stack / "extra.tf"
        extra.write_text('resource "aws_s3_bucket" "extra" {\n  bucket = "leaves-with-the-stack"\n}\n')
        self.apply(platform, "--auto-approve")
        platform.aws("s3api", "put-object", "--bucket", "leaves-with-the-stack", "--key", "mine")
        extra.unlink()
        self.refused(platform, "leaves-with-the-stack", "BucketNotEmpty", "force_destroy")
        platform.aws("s3api", "delete-object", "--bucket", "leaves-with-the-stack", "--key", "mine")
        self.apply(platform, "--auto-approve")
        buckets = platform.aws("s3api", "list-buckets")["Buckets"]
        self.assertNotIn("leaves-with-the-stack", [bucket["Name"] for bucket in buckets])

    def test_what_cannot_be_applied_changes_nothing(self):
        with Platform(stack=self.stack, arguments=self.arguments) as platform:
            self.a_migration_that_fails_changes_nothing(platform)
            self.who_looks_does_not_wait_for_an_apply(platform)
            self.a_bucket_with_objects_is_not_destroyed(platform)
            (self.stack / "broken.tf").write_text('resource "aws_s3_object" "x" {\n  bukket = "y"\n}\n')
            self.refused(platform, "broken.tf:2", '"bucket"')


if __name__ == "__main__":
    main()
