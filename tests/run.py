# SPDX-License-Identifier: GPL-2.0-only
"""Run the test suites and close with one line: N passed, N failed, N skipped."""

import argparse
import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
SUITES = ["static", "unit", "conformance", "m4", "pru", "fuzz", "deb", "system", "driver"]


class Count:
    """Counts outcomes; a test that fails in set-up or tear-down has failed."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.bad = set()

    def pytest_runtest_logreport(self, report):
        if report.failed:
            self.bad.add(report.nodeid)
        elif report.skipped:
            self.skipped += 1
        elif report.when == "call":
            self.passed += 1

    def pytest_collectreport(self, report):
        if report.failed:
            self.bad.add(report.nodeid)

    def line(self):
        failed = len(self.bad)
        return f"{self.passed} passed, {failed} failed, {self.skipped} skipped"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--long", action="store_true", help="run the long suites too")
    parser.add_argument("--verbose", action="store_true", help="name each test as it ends")
    parser.add_argument("--only", help="tests whose name matches this expression of pytest's")
    parser.add_argument("suite", nargs="*", default=SUITES, help=f"some of {' '.join(SUITES)}")
    args = parser.parse_args()
    count = Count()
    options = ["-p", "no:cacheprovider", "--rootdir", str(ROOT), "-ra",
               f"--junitxml={ROOT / 'build' / 'test.xml'}"]
    if args.long:
        options.append("--long")
    if args.verbose:
        options.append("--verbose")
    if args.only:
        options += ["-k", args.only]
    folders = [str(ROOT / "tests" / s) for s in args.suite if (ROOT / "tests" / s).exists()]
    status = pytest.main(options + folders, plugins=[count])
    print(count.line())
    return 0 if status == pytest.ExitCode.OK and not count.bad else 1


if __name__ == "__main__":
    sys.exit(main())
