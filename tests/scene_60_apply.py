"""A changed .tf file takes effect live: no connection is dropped, nothing else changes."""

import http.client
import shutil
import threading
import unittest

from harness import BUILD, INFRA, REPOSITORY, SHARED, Platform, main


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

    def test_a_broken_file_changes_nothing(self):
        with Platform(stack=self.stack, arguments=self.arguments) as platform:
            (self.stack / "broken.tf").write_text('resource "aws_s3_object" "x" {\n  bukket = "y"\n}\n')
            refused = self.apply(platform, "--auto-approve", check=False)
            self.assertEqual(refused.returncode, 1)
            self.assertIn("broken.tf:2", refused.stderr)
            self.assertIn('"bucket"', refused.stderr)
            self.assertEqual(platform.curl("/api/v1/health").status, 200)


if __name__ == "__main__":
    main()
