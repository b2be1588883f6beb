# SPDX-License-Identifier: GPL-2.0-only
"""Each cmocka program of this folder, one test for each line of its TAP output."""

import os
import re
import subprocess

import pytest

from paths import BUILD

LINE = re.compile(r"^(not )?ok \d+ -? ?(\S+)(?: # (SKIP.*))?", re.I)


def pytest_collect_file(file_path, parent):
    if file_path.suffix == ".c" and file_path.name.startswith("test_"):
        return Program.from_parent(parent, path=file_path)
    return None


class Program(pytest.File):
    """A test program; it runs when its tests are collected."""

    def collect(self):
        program = BUILD / "tests" / self.path.stem
        env = dict(os.environ, CMOCKA_MESSAGE_OUTPUT="TAP")
        done = subprocess.run([program], capture_output=True, text=True, env=env, timeout=600)
        found = 0
        for line in done.stdout.splitlines():
            match = LINE.match(line)
            if match:
                found += 1
                yield Case.from_parent(self, name=match[2], failed=bool(match[1]),
                                       skip=match[3], output=done.stdout + done.stderr)
        if not found or done.returncode < 0:
            yield Case.from_parent(self, name="runs", failed=True, skip=None,
                                   output=f"exit status {done.returncode}\n" + done.stdout +
                                   done.stderr)


class Case(pytest.Item):
    """One test function."""

    def __init__(self, *, failed, skip, output, **kwargs):
        super().__init__(**kwargs)
        self.failed, self.skip, self.output = failed, skip, output

    def runtest(self):
        if self.skip:
            pytest.skip(self.skip)
        if self.failed:
            raise AssertionError(self.output)

    def repr_failure(self, excinfo, style=None):
        return str(excinfo.value)

    def reportinfo(self):
        return self.path, 0, f"{self.path.stem}: {self.name}"
