"""The portal: used by a person in Chromium, who signs in, sees invoices and the chart, opens a ticket and makes an API key;
and as the edge delivers its files: what docs/portal.md says makes it fast fails here when it goes."""

import gzip
import os
import re
import subprocess
import unittest
import urllib.parse

from harness import REPOSITORY, Platform, main

YEAR = 31536000
LEAST_PACKED = 1000  # bytes: as on CloudFront, smaller files are sent as they are
HASHED = re.compile(r"/assets/[\w-]+\.[\w-]{8}\.(?:js|css)")


def directives(value):
    """Cache-Control as {name: seconds or None}."""
    found = {}
    for part in value.split(","):
        name, _, seconds = part.strip().partition("=")
        found[name.lower()] = int(seconds) if seconds else None
    return found


class Portal(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.platform = Platform()

    @classmethod
    def tearDownClass(cls):
        cls.platform.stop()

    def get(self, path, coding=None, *arguments):
        answer = self.platform.curl(path, *(("-H", f"Accept-Encoding: {coding}") if coding else ()), *arguments)
        self.assertIn(answer.status, (200, 304), path)
        return answer

    def files(self):
        """Every file of code and style that a page asks for, and those that they ask for."""
        found = set()
        left = ["/", "/invoices", "/tickets", "/api-keys"]
        while left:
            text = self.get(left.pop()).text
            named = set(HASHED.findall(text)) | {"/assets/" + name for name in re.findall(r'"\./([\w.-]+\.(?:js|css))"', text)}
            left += named - found
            found |= named
        return sorted(found)

    def test_a_customer_finds_his_way(self):
        environment = dict(os.environ, PORTAL_URL=self.platform.url, PORTAL_EMAIL="demo@acme.example", PORTAL_PASSWORD="demo-acme")
        done = subprocess.run(["node", "test/portal_test.mjs"], cwd=REPOSITORY / "service" / "portal", env=environment,
                              capture_output=True, text=True, timeout=240)
        self.assertEqual(done.returncode, 0, done.stdout[-4000:] + done.stderr[-4000:])

    def test_code_and_style_have_their_hash_in_the_name_and_are_never_asked_for_again(self):
        files = self.files()
        self.assertGreaterEqual(len(files), 8, files)
        self.assertTrue(any(one.endswith(".css") for one in files))
        for path in files:
            self.assertRegex(path, HASHED)
            said = directives(self.get(path).headers["cache-control"])
            self.assertIn("immutable", said, path)
            self.assertGreaterEqual(said["max-age"], YEAR, path)
        # The pages that name them are asked for each time, or a release would not be seen.
        for path in ("/", "/invoices", "/tickets", "/api-keys", "/sign-in", "/sign-up"):
            said = directives(self.get(path).headers["cache-control"])
            self.assertEqual(said["max-age"], 0, path)
            self.assertIn("must-revalidate", said, path)

    def test_what_can_be_packed_comes_packed_as_the_browser_reads_it(self):
        code = 0
        for path in ["/", "/invoices", *self.files()]:
            plain = self.get(path, "identity")
            self.assertNotIn("content-encoding", plain.headers, path)
            if len(plain.body) < LEAST_PACKED:
                continue
            packed = {coding: self.get(path, coding) for coding in ("gzip", "br")}
            for coding, answer in packed.items():
                self.assertEqual(answer.headers["content-encoding"], coding, path)
                self.assertLess(len(answer.body), len(plain.body), path)
                self.assertNotEqual(answer.headers["etag"], plain.headers["etag"], f"{path}: other bytes")
            for answer in (plain, *packed.values()):
                self.assertIn("accept-encoding", answer.headers["vary"].lower(), path)
                self.assertEqual(int(answer.headers["content-length"]), len(answer.body), path)
            self.assertEqual(gzip.decompress(packed["gzip"].body), plain.body, path)
            self.assertEqual(self.get(path, "br", "--compressed").body, plain.body, path)  # curl unpacks it
            self.assertEqual(self.get(path, "gzip, deflate, br, zstd").headers["content-encoding"], "br", path)
            code += len(packed["br"].body) if path.endswith(".js") else 0
        self.assertLess(code, 16 * 1024, "all JavaScript together")

    def test_a_file_that_a_browser_has_is_not_sent_again(self):
        for path in ("/", self.files()[0], "/static/basecamp-480.webp"):
            for coding in ("identity", "gzip", "br"):
                first = self.get(path, coding)
                again = self.get(path, coding, "-H", f"If-None-Match: {first.headers['etag']}")
                self.assertEqual((again.status, again.body), (304, b""), f"{path} {coding}")
                for name in ("etag", "cache-control", *(["vary"] if "vary" in first.headers else [])):
                    self.assertEqual(again.headers.get(name), first.headers[name], f"{path} {coding} {name}")
                other = self.get(path, coding, "-H", 'If-None-Match: "another"')
                self.assertEqual((other.status, other.body), (200, first.body), f"{path} {coding}")

    def test_a_screen_with_code_of_its_own_asks_for_it_early(self):
        for screen in ("invoices", "tickets", "api-keys"):
            page = self.get(f"/{screen}").text
            early = re.findall(r'<link rel="modulepreload"[^>]* href="([^"]+)"', page)
            self.assertTrue([one for one in early if one.startswith(f"/assets/{screen.replace('-', '_')}.")], f"{screen}: {early}")
            for path in early:
                self.assertEqual(self.get(path).headers["content-type"].split(";")[0], "text/javascript")
            # All that this code needs, so that nothing is found out a round trip later.
            needed = {urllib.parse.urljoin(one, name) for one in early for name in re.findall(r'from"(\./[^"]+)"', self.get(one).text)}
            entry = re.search(r'<script type="module"[^>]* src="([^"]+)"', page)[1]
            self.assertLessEqual(needed - {entry}, set(early), screen)
        self.assertNotIn("modulepreload", self.get("/").text, "who signs in first has no use for it")

    def test_pictures_are_webp_with_a_jpeg_beside_them_and_stay_in_the_browser(self):
        for name in ("basecamp", "ridge"):
            sizes = {}
            for file, kind, magic in ((f"{name}-480.webp", "image/webp", b"WEBP"), (f"{name}-960.webp", "image/webp", b"WEBP"),
                                      (f"{name}-960.jpg", "image/jpeg", b"\xff\xd8\xff")):
                answer = self.get(f"/static/{file}", "gzip, br")
                self.assertEqual(answer.headers["content-type"], kind)
                self.assertIn(magic, answer.body[:16], file)
                self.assertNotIn("content-encoding", answer.headers, "it is packed already")
                self.assertGreaterEqual(directives(answer.headers["cache-control"])["max-age"], 7 * 86400, file)
                sizes[file] = len(answer.body)
            self.assertLess(sizes[f"{name}-480.webp"], sizes[f"{name}-960.webp"])
            self.assertLess(sizes[f"{name}-960.webp"], sizes[f"{name}-960.jpg"])


if __name__ == "__main__":
    main()
