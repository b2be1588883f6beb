# SPDX-License-Identifier: GPL-2.0-only
"""Runs the cmocka programs of this folder: each test function of a source is one test."""

import os
import re
import subprocess
import tempfile
import threading

import pytest

from paths import BUILD, ROOT
from tap import Tap

# An entry of a program's table of tests; TEST() is a program's macro for entries with the same set-up.
ENTRY = re.compile(r"^\s+(?:cmocka_unit_test(?:_\w+)?|TEST)\(\s*(\w+)", re.MULTILINE)
TIMEOUT_S = 600
# It measures real time, waits for a minute, and uses little processor time: it starts before all others.
FIRST = "test_daemon.c"


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.path.name != FIRST)
    for item in items:
        if item.path.name == FIRST:
            item.add_marker(pytest.mark.real_time)


def pytest_collect_file(file_path, parent):
    if file_path.suffix == ".c" and file_path.name.startswith("test_"):
        return Program.from_parent(parent, path=file_path)
    return None


class Program(pytest.File):
    """A test program. It starts with the first of its tests that is selected, and each test waits for
    its own line of output, so that its duration is its own.
    """

    def collect(self):
        self.names = ENTRY.findall(self.path.read_text())
        if not self.names:
            raise self.CollectError(f"{self.path.name}: expected a table of cmocka_unit_test()")
        for number, name in enumerate(self.names, 1):
            yield Case.from_parent(self, name=name, number=number)

    def setup(self):
        program = BUILD / "tests" / self.path.stem
        self.messages = tempfile.TemporaryFile("w+", errors="replace")
        self.process = subprocess.Popen(
            [program], stdout=subprocess.PIPE, stderr=self.messages, text=True, errors="replace",
            cwd=ROOT, env=os.environ | {"CMOCKA_MESSAGE_OUTPUT": "TAP"})
        self.watchdog = threading.Timer(TIMEOUT_S, self.process.kill)
        self.watchdog.start()
        self.tap = Tap(self.process.stdout)

    def standard_error(self):
        self.messages.seek(0)
        return self.messages.read()

    def teardown(self):
        """Check the run as a whole; pytest counts an error here as a failure of the last test."""
        if not hasattr(self, "tap"):
            return
        self.tap.rest()
        problems = self.tap.wrong(self.process.wait(), len(self.names))
        self.watchdog.cancel()
        self.process.stdout.close()
        output = self.standard_error()
        self.messages.close()
        if problems:
            fail([f"{self.path.stem}: {problem}" for problem in problems] +
                 self.tap.lines[-20:] + [output])


def fail(lines):
    """End a test as failed, with these lines and no traceback of this file."""
    pytest.fail("\n".join(lines), pytrace=False)


class Case(pytest.Item):
    """One test function, the @number'th of its program."""

    def __init__(self, *, number, **kwargs):
        super().__init__(**kwargs)
        self.number = number

    def runtest(self):
        tap = self.parent.tap
        result = tap.result(self.number)
        if result is None:
            fail([f"no result: the output of {self.parent.path.stem} ends after "
                  f"{len(tap.results)} of {len(self.parent.names)} tests"])
        if result.name and result.name != self.name:
            fail([f"expected the result of {self.name}, found that of {result.name}"])
        if result.skipped:
            pytest.skip(tap.reason(self.number))
        if not result.passed:
            fail([tap.text(self.number), self.parent.standard_error()])

    def reportinfo(self):
        return self.path, 0, f"{self.path.stem}: {self.name}"
