# SPDX-License-Identifier: GPL-2.0-only
"""What a unit costs on a feeder, as rows of make bench: print them as JSON.

Run it in the top folder, after make sim: /usr/bin/python3 tests/bench/feeder.py
"""

import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from control import BUILD, CONTROL_HZ, instructions, row

COMMAND = "/usr/bin/python3 tests/bench/feeder.py"
HEAD = """
units {units}
sun all 900
skip enter-service
set power_limit_w 100
grid scr 50 1
"""
UNITS = (1, 10, 50, 100)


def world(units, cable, seconds):
    """All units on one bus, or each on a separate bus along a cable."""
    text = HEAD.format(units=units) + "feeder phases one 240 60\n"
    for unit in range(1, units + 1):
        if cable:
            text += f"feeder cable {unit} from {unit - 1} 2 4/0Al\nunit {unit} bus {unit}\n"
    return text + f"run {seconds}\n"


def counted(folder, units, cable):
    """Instructions of a period of a unit, between two lengths, so that the start does not count."""
    cost = []
    for seconds in (1.3, 1.5):
        path = folder / "count.scn"
        path.write_text(world(units, cable, seconds))
        cost.append(instructions(path))
    return (cost[1] - cost[0]) / (0.2 * CONTROL_HZ * units)


def simulated(folder, units, seconds):
    """Simulated time over processor time, on one core."""
    path = folder / "speed.scn"
    path.write_text(world(units, True, seconds))
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([BUILD / "qs1-sim", path], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds / (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def main():
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for cable in (False, True):
            where = "a bus for each" if cable else "one bus"
            for units in UNITS:
                rows.append(row(f"feeder, {where}, units {units}: host instructions of a unit's period",
                                round(counted(folder, units, cable)), "instructions"))
        rows.append(row("feeder, 50 units, a bus for each: simulated over processor time",
                        round(simulated(folder, 50, 10), 2), "", baseline=1))
    json.dump([{**each, "command": COMMAND} for each in rows], sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
