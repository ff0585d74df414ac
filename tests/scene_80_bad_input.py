"""Each mistake gets an error that says what to do, an exit code that is not zero, and leaves nothing half done."""

import os
import subprocess
import unittest

from harness import SECUREBASE, SHARED, Platform, children_of, main

FUNCTION = """
resource "aws_lambda_function" "f" {
  function_name = "f"
  runtime       = "%(runtime)s"
  handler       = "bootstrap"
  filename      = "%(file)s"
  timeout       = 3
}
"""


class BadInput(unittest.TestCase):
    def stack(self, name, **files):
        folder = SHARED / "bad" / name
        folder.mkdir(parents=True, exist_ok=True)
        for file in folder.iterdir():
            file.unlink()
        for file, text in files.items():
            path = folder / file.replace("__", ".")
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return folder

    def refuse(self, stack, *words):
        platform = Platform(state=SHARED / "bad-state", stack=stack, wait=False)
        code = platform.process.wait(30)
        output = platform.output()
        self.assertEqual(code, 1, output)
        for word in words:
            self.assertIn(word, output)
        self.assertNotIn("Ready after", output)
        self.assertEqual(children_of(platform.process.pid), {})

    def test_a_broken_tf(self):
        self.refuse(self.stack("syntax", main__tf='resource "aws_s3_bucket" "b" {\n  bucket = "x\n}\n'), "main.tf:2")

    def test_a_misspelt_attribute(self):
        self.refuse(self.stack("misspelt", main__tf='resource "aws_s3_bucket" "b" {\n  buckt = "xyz"\n}\n'),
                    "main.tf:2:3", "buckt", 'Did you mean "bucket"?')

    def test_a_missing_bucket(self):
        self.refuse(self.stack("bucket", main__tf='resource "aws_s3_object" "o" {\n  bucket = "nowhere"\n  key = "k"\n'
                               '  content = "c"\n}\n'), "nowhere", "aws_s3_bucket")

    def test_a_zip_that_is_no_zip(self):
        self.refuse(self.stack("zip", main__tf=FUNCTION % {"runtime": "provided.al2023", "file": "f.zip"},
                               f__zip="this is no zip"), "f.zip", "zip")

    def test_an_unknown_runtime(self):
        self.refuse(self.stack("runtime", main__tf=FUNCTION % {"runtime": "cobol", "file": "f.zip"}, f__zip="x"),
                    "cobol", "python3.11", "provided")

    def test_a_program_that_nobody_allowed(self):
        stack = self.stack("program", who__sh="cat >&2\necho '{\"bucket\":\"told-by-a-program\"}'\n",
                           main__tf='data "external" "who" {\n  program = ["sh", "who.sh"]\n}\n'
                           'resource "aws_s3_bucket" "b" {\n  bucket = data.external.who.result.bucket\n}\n')
        self.refuse(stack, "main.tf:1", "--allow-programs")
        command = [SECUREBASE, "plan", stack, "--state", SHARED / "bad-state"]
        self.assertEqual(subprocess.run(command, capture_output=True).returncode, 1)
        allowed = subprocess.run([*command, "--allow-programs"], capture_output=True, text=True)
        self.assertEqual(allowed.returncode, 0, allowed.stderr)
        self.assertIn("told-by-a-program", allowed.stdout)

    def test_a_directory_that_is_not_there(self):
        self.refuse(SHARED / "bad" / "not-there", "not-there")

    def test_a_function_that_exits_in_init_says_so_to_its_caller(self):
        import zipfile
        folder = self.stack("init", main__tf=FUNCTION % {"runtime": "provided.al2023", "file": "f.zip"})
        with zipfile.ZipFile(folder / "f.zip", "w") as archive:
            member = zipfile.ZipInfo("bootstrap")
            member.external_attr = 0o755 << 16
            archive.writestr(member, "#!/bin/sh\nexit 3\n")
        with Platform(state=SHARED / "bad-state", stack=folder) as platform:
            answer = platform.cli("invoke", "f", check=False)
            self.assertEqual(answer.returncode, 1)
            self.assertIn("Runtime.ExitError", answer.stdout)
            self.assertIn("exit status 3", answer.stdout)

    def test_a_full_disk(self):
        if os.getuid() != 0:
            self.skipTest("root is needed to mount a small file system")
        small = SHARED / "small"
        small.mkdir(exist_ok=True)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m,mode=755", "tmpfs", small]).returncode != 0:
            self.skipTest("no file system can be mounted here")
        try:
            platform = Platform(state=small / "state", wait=False)
            self.assertEqual(platform.process.wait(120), 1, platform.output())
            self.assertIn("No space left on device", platform.output())
        finally:
            subprocess.run(["umount", "-l", small], check=True)

    def test_the_command_line(self):
        for arguments, code in ((["nonsense"], 64), (["plan"], 64), (["plan", "--var", "novalue", "x"], 64),
                                (["status", "--state", "/nonexistent"], 1), (["--help"], 0), (["version"], 0)):
            done = subprocess.run([SECUREBASE, *arguments], capture_output=True, text=True)
            self.assertEqual(done.returncode, code, f"{arguments}: {done.stdout}{done.stderr}")
            self.assertTrue(done.stdout + done.stderr)


if __name__ == "__main__":
    main()
