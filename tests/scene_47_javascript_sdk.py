"""AWS's SDK for JavaScript, live: CloudWatch in CBOR and in the SDK's own choice, S3 with streams, Lambda."""

import base64
import io
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest
import zipfile

from harness import REPOSITORY, Platform, main

SDK = REPOSITORY / "tests" / "aws_sdk"


@unittest.skipUnless(shutil.which("node") and shutil.which("npm"), "node and npm are not installed")
class JavaScriptSdk(unittest.TestCase):
    def test_what_it_writes_it_reads_back(self):
        if not (SDK / "node_modules").exists():
            subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=SDK, check=True, timeout=300)
        code = io.BytesIO()
        with zipfile.ZipFile(code, "w") as archive:
            archive.writestr("app.py", "def handler(event, context):\n    return event['n'] + 1\n")
        with tempfile.TemporaryDirectory(prefix="securebase-js-") as folder:
            os.chmod(folder, 0o755)
            stack = pathlib.Path(folder, "stack")
            stack.mkdir()
            (stack / "main.tf").write_text("")
            with Platform(state=pathlib.Path(folder, "state"), stack=stack) as platform:
                environment = {**os.environ, **platform.environment(),
                               "ZIP": base64.b64encode(code.getvalue()).decode()}
                done = subprocess.run(["node", "calls.mjs"], cwd=SDK, env=environment, capture_output=True, text=True,
                                      timeout=120)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                self.assertIn("all held", done.stdout)


if __name__ == "__main__":
    main()
