# SPDX-License-Identifier: GPL-2.0-or-later
"""A Chromium that a test drives with statements of Playwright, see driver.mjs."""

import json
import subprocess

from paths import ROOT

PHONE = {"viewport": {"width": 360, "height": 740}, "deviceScaleFactor": 2, "hasTouch": True}
DESKTOP = {"viewport": {"width": 1280, "height": 900}}


class Browser:
    def __init__(self, *arguments):
        modules = subprocess.run(["scripts/npm", "tests/web"], cwd=ROOT, check=True, text=True,
                                 stdout=subprocess.PIPE).stdout.strip()
        self.process = subprocess.Popen(["node", ROOT / "tests/web/driver.mjs", modules, *arguments],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def send(self, order):
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        assert "error" not in answer, answer["error"]
        return answer["value"]

    def new(self, locale="en-GB", dark=False, **options):
        """A fresh page without cookies and storage."""
        self.send({"new": {"locale": locale, "colorScheme": "dark" if dark else "light",
                           "reducedMotion": "reduce", **(options or DESKTOP)}})

    def run(self, statements):
        """The value that the statements return."""
        return self.send({"run": statements})

    def problems(self):
        return self.run("return problems")

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=30)
