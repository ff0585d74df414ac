"""The portal, used by a person in Chromium: signs in, sees invoices and the chart, opens a ticket, makes an API key."""

import os
import subprocess
import unittest

from harness import REPOSITORY, Platform, main


class Portal(unittest.TestCase):
    def test_a_customer_finds_his_way(self):
        with Platform() as platform:
            environment = dict(os.environ, PORTAL_URL=platform.url, PORTAL_EMAIL="demo@acme.example", PORTAL_PASSWORD="demo-acme")
            done = subprocess.run(["node", "test/portal_test.mjs"], cwd=REPOSITORY / "service" / "portal", env=environment,
                                  capture_output=True, text=True, timeout=240)
            self.assertEqual(done.returncode, 0, done.stdout[-4000:] + done.stderr[-4000:])


if __name__ == "__main__":
    main()
