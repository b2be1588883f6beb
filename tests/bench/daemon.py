# SPDX-License-Identifier: GPL-2.0-only
"""Figures of the daemon on the virtual board, as rows of make bench: print them as JSON.

Run it in the top folder, after make all image: /usr/bin/python3 tests/bench/daemon.py
"""

import json
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "scripts"))

from board.board import Board  # noqa: E402  (the path must be set first)
from board.status import PRODUCING  # noqa: E402

COMMAND = "/usr/bin/python3 tests/bench/daemon.py"
SCRIPT = Path(__file__).with_suffix(".sh")
GUEST_SCRIPT = "/run/qs1-bench"

# Name in the script's output, name of the row, factor to the unit, unit.
FIGURES = [
    ("cpu_percent", "qs1d: processor time while 20 kHz scans are read", 1, "%"),
    ("rss_kib", "qs1d: resident memory", 1, "KiB"),
    ("trip_to_led_us", "trip in the firmware to change of the LED", 1e-3, "ms"),
    ("trip_to_socket_us", "trip in the firmware to event on the socket", 1e-3, "ms"),
    ("trip_to_storage_us", "trip in the firmware to event on stable storage", 1e-3, "ms"),
]


def row(name, value, unit):
    """One figure; these have no baseline to compare with."""
    return {"name": name, "ours": round(value, 2), "baseline": None, "ratio": None, "unit": unit,
            "command": COMMAND}


def measure():
    """Boot once, measure everything, return the rows."""
    with Board(report=lambda text: print(text, file=sys.stderr)) as board:
        board.go()
        board.wait_state(*PRODUCING)
        rows = [row("power on to producing, delay skipped", board.elapsed(), "s")]
        board.agent.write_file(GUEST_SCRIPT, SCRIPT.read_bytes(), mode=0o755)
        output = board.agent.check(GUEST_SCRIPT, 120)
        found = dict(line.split() for line in output.splitlines())
    return rows + [row(name, float(found[key]) * factor, unit)
                   for key, name, factor, unit in FIGURES]


if __name__ == "__main__":
    json.dump(measure(), sys.stdout, indent=1)
    print()
