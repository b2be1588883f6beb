# SPDX-License-Identifier: GPL-2.0-only
"""Reads the output of cmocka in the Test Anything Protocol, line by line, while the program runs.

cmocka prints the plan, "1..N", then a line for each test as soon as it has ended: "ok N - name",
"not ok N - name", or for a skipped test "not ok N # SKIP name", in later versions "ok N # SKIP name".
What a test prints comes before its line, what cmocka says of a failure after it.
"""

import dataclasses
import re

PLAN = re.compile(r"1\.\.(\d+)\s*$")
RESULT = re.compile(r"(not )?ok\s+(\d+)\s+(?:(-)|#\s*SKIP)\s*(\S*)", re.I)
BAIL_OUT = re.compile(r"Bail out!\s*(.*)")


@dataclasses.dataclass
class Result:
    """One line of a test.

    @begin, @end: where its line and what it printed stand in Tap.lines
    """

    name: str
    passed: bool
    skipped: bool
    begin: int
    end: int


class Tap:
    """The output of one program.

    @source: its lines, as they come
    """

    def __init__(self, source):
        self.source = iter(source)
        self.lines = []
        self.results = []
        self.plans = []
        self.problems = []

    def _read(self):
        """Take one line; False at the end."""
        line = next(self.source, None)
        if line is None:
            return False
        self.lines.append(line.rstrip("\n"))
        if match := PLAN.match(line):
            self.plans.append(int(match[1]))
        elif match := BAIL_OUT.match(line):
            self.problems.append(f"bailed out: {match[1]}")
        elif match := RESULT.match(line):
            self._add(match)
        return True

    def _add(self, match):
        number, skipped = int(match[2]), not match[3]
        begin = self.results[-1].end if self.results else 0
        self.results.append(Result(match[4], not match[1] and not skipped, skipped, begin,
                                   len(self.lines)))
        if number != len(self.results):
            self.problems.append(f"expected result {len(self.results)}, found "
                                 f"'{self.lines[-1]}'")

    def result(self, number):
        """The result of test @number, counted from 1; None if the output ends before it."""
        while len(self.results) < number and self._read():
            pass
        return self.results[number - 1] if number <= len(self.results) else None

    def text(self, number):
        """What test @number and cmocka printed about it."""
        self.result(number + 1)
        begin = self.results[number - 1].begin
        end = self.results[number].end - 1 if number < len(self.results) else len(self.lines)
        return "\n".join(self.lines[begin:end])

    def reason(self, number):
        """Why test @number was skipped: the last thing that it printed."""
        result = self.results[number - 1]
        said = [line.lstrip("# ") for line in self.lines[result.begin:result.end - 1]
                if line.startswith("# ")]
        return said[-1] if said else "no reason given"

    def rest(self):
        """Read to the end."""
        while self._read():
            pass

    def wrong(self, status, expected):
        """What is wrong with the run as a whole, a sentence each; after rest().

        @status: exit status, negative when a signal ended the program
        @expected: number of tests in the program's source
        """
        problems = list(self.problems)
        failed = sum(not r.passed and not r.skipped for r in self.results)
        if not self.plans:
            problems.append("no plan: expected a line '1..N'")
        for plan in self.plans:
            if plan != len(self.results):
                problems.append(f"the plan says {plan} results, found {len(self.results)}")
        if len(self.results) != expected:
            problems.append(f"expected {expected} results, one for each cmocka_unit_test() of the "
                            f"source, found {len(self.results)}")
        if status < 0:
            problems.append(f"ended by signal {-status}")
        elif bool(status) != bool(failed):
            problems.append(f"exit status {status} with {failed} failed tests")
        return problems
