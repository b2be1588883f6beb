# SPDX-License-Identifier: GPL-2.0-only
"""Code that the benchmarks of a fleet share, see tests/bench/fleet_*.py."""

import contextlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

from fleetlib import Fleet, exit_on_sigterm

PROGRESS_S = 10
BEGIN = time.monotonic()


def say(text):
    """Progress, for the person who waits."""
    print(f"{time.monotonic() - BEGIN:6.0f} s  {text}", file=sys.stderr, flush=True)


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
        say("starting PostgreSQL with a standby, NATS, and the parts of emad")
        fleet = Fleet(pathlib.Path(folder))
        try:
            yield fleet.start()
        finally:
            say("stopping all")
            fleet.stop()


def say_delivered(fleet):
    """How far the generated ECUs are: first they get keys, then they deliver."""
    keys = len(list((fleet.folder / "keys").glob("*.key")))
    batches = sum(len(fleet.sent(log)) for log in ("sent.log", "live.log"))
    say(f"{keys} ECUs have a key, {batches} batches delivered")


def finished(fleet, generator):
    """Summary of generated ECUs, once they have ended; says meanwhile how far they are."""
    while True:
        try:
            text, _ = generator.communicate(timeout=PROGRESS_S)
            break
        except subprocess.TimeoutExpired:
            say_delivered(fleet)
    assert generator.returncode == 0, text
    return json.loads(text)


def reached(fleet, condition, seconds):
    """Wait for a condition; says meanwhile how far the generated ECUs are."""
    said = time.monotonic()

    def asked():
        nonlocal said
        if time.monotonic() - said > PROGRESS_S:
            said = time.monotonic()
            say_delivered(fleet)
        return condition()

    fleet.wait(asked, seconds)
