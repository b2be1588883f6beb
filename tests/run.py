# SPDX-License-Identifier: GPL-2.0-only
"""Run test suites. The last line is: N passed, N failed, N skipped."""

import argparse
import os
import pathlib
import sys
import time

import pytest

from suites import FILE, SUITES, TEST

TESTS = pathlib.Path(__file__).resolve().parent
ROOT = TESTS.parent
SLOWEST = 10


class Distribution:
    """Distributes the tests over processes, by pytest-xdist.

    @long: a procedure at full length replays the scenarios of those before it
    """

    def __init__(self, long):
        self.long = long

    def group(self, test):
        """The name of the group that @test, a node ID of pytest, belongs to."""
        file = test.split("::")[0]
        kind = SUITES[file.split("/")[1]]
        if kind == TEST:
            return file if self.long else test
        return file if kind == FILE else kind

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_make_scheduler(self, config, log):
        # pytest has to be the first to import the plugin.
        from xdist.scheduler import LoadScopeScheduling

        scheduler = LoadScopeScheduling(config, log)
        scheduler._split_scope = self.group
        return scheduler


class Outcomes:
    """Result of each test; an error in set-up or tear-down counts as a failure."""

    def __init__(self):
        self.begin = time.monotonic()
        self.passed, self.failed, self.reasons, self.seconds = set(), set(), {}, {}

    def pytest_runtest_logreport(self, report):
        name = report.nodeid.removeprefix("tests/")
        self.seconds[name] = self.seconds.get(name, 0) + report.duration
        if report.failed:
            self.failed.add(name)
        elif report.skipped:
            self.reasons[name] = report.longrepr[2].removeprefix("Skipped: ")
        elif report.when == "call":
            self.passed.add(name)

    def pytest_collectreport(self, report):
        if report.failed:
            self.failed.add(report.nodeid)

    def print(self):
        """The slowest tests, why tests were skipped, how long all took, and the counts."""
        slowest = sorted(self.seconds.items(), key=lambda each: -each[1])[:SLOWEST]
        if slowest:
            print(f"\nslowest {len(slowest)} tests:")
        for name, seconds in slowest:
            print(f"{seconds:8.1f} s  {name}")
        for name, reason in self.reasons.items():
            print(f"skipped: {name}: {reason}")
        print(f"{time.monotonic() - self.begin:.0f} s")
        print(f"{len(self.passed - self.failed)} passed, {len(self.failed)} failed, "
              f"{len(self.reasons.keys() - self.failed)} skipped")


def suite(word):
    """A suite, or a file of one, as a path."""
    if word.split("/")[0] not in SUITES:
        raise argparse.ArgumentTypeError(
            f"'{word}': expected one of {' '.join(SUITES)}, or a file of one of these")
    if not (TESTS / word).exists():
        raise argparse.ArgumentTypeError(f"'{word}': there is no {TESTS / word}")
    return str(TESTS / word)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--long", action="store_true", help="run the long tests too")
    parser.add_argument("--quick", action="store_true",
                        help="leave out the slow tests, as make check does")
    parser.add_argument("--verbose", action="store_true", help="name each test as it ends")
    parser.add_argument("--only", metavar="WORDS",
                        help="run the tests whose name matches this expression, as pytest -k")
    # More than processors, because many tests wait.
    parser.add_argument("--jobs", metavar="N", type=int, default=len(os.sched_getaffinity(0)) + 2,
                        help="run tests in N processes; default: %(default)s")
    parser.add_argument("suite", nargs="*", type=suite, help=f"some of {' '.join(SUITES)}; all")
    args = parser.parse_args()
    outcomes = Outcomes()
    options = ["-p", "no:cacheprovider", "--rootdir", str(ROOT), "-rfE",
               f"--junitxml={ROOT / 'build' / 'test.xml'}"]
    options += [f"--{name}" for name in ("long", "quick", "verbose") if getattr(args, name)]
    if args.only:
        options += ["-k", args.only]
    if args.jobs > 1:
        options += [f"--numprocesses={args.jobs}"]
    status = pytest.main(options + (args.suite or [suite(name) for name in SUITES]),
                         plugins=[outcomes, Distribution(args.long)])
    if status == pytest.ExitCode.NO_TESTS_COLLECTED:
        print("no test was selected")
    outcomes.print()
    return 0 if status == pytest.ExitCode.OK and not outcomes.failed else 1


if __name__ == "__main__":
    sys.exit(main())
