# SPDX-License-Identifier: GPL-2.0-only
"""Code that the benchmarks of a fleet share, see tests/bench/fleet_*.py."""

import contextlib
import json
import os
import pathlib
import sys
import tempfile

from fleetlib import Fleet, exit_on_sigterm


class Rows:
    """Figures of one benchmark, with the load of the machine when each was measured."""

    def __init__(self, command):
        self.command = command
        self.rows = []

    def add(self, name, value, unit, goal=None):
        self.rows.append({"name": name, "ours": round(value, 1), "baseline": goal,
                          "ratio": round(value / goal, 3) if goal else None, "unit": unit,
                          "command": self.command})

    def add_load(self, name):
        """Record the load of the last minute; the number of processors is part of the figure's name."""
        self.add(f"{name}: load of the machine with {os.cpu_count()} processors", os.getloadavg()[0], "")

    def print(self):
        json.dump(self.rows, sys.stdout, indent=1)
        print()


@contextlib.contextmanager
def started():
    """A fleet that runs."""
    exit_on_sigterm()
    with tempfile.TemporaryDirectory() as folder:
        fleet = Fleet(pathlib.Path(folder))
        try:
            yield fleet.start()
        finally:
            fleet.stop()


def finished(generator):
    """Summary of generated ECUs that have ended."""
    text, _ = generator.communicate()
    assert generator.returncode == 0, text
    return json.loads(text)
