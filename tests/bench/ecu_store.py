# SPDX-License-Identifier: GPL-2.0-or-later
"""What the gateway's store writes in a day and keeps of a year, as rows of make bench: print them as JSON.

Run it in the top folder, after make build/tests/ecu-year: /usr/bin/python3 tests/bench/ecu_store.py
"""

import json
import subprocess
import sys
import tempfile

from control import BUILD

COMMAND = "/usr/bin/python3 tests/bench/ecu_store.py"
UNITS, CADENCE_S = 50, 5
# Ends of the measured days, s since 1970: a day of 16 hours of light, and one of 8.
DAYS = {"June": 1782086400, "December": 1797984000}
# The days before run fast; the last one runs slowly enough for the timing of the store's thread.
BEFORE = 1.2
# A year of one inverter has no noise of its neighbours; two show that they do not share anything.
YEAR_UNITS, YEAR_CADENCE_S = 2, 60
MB = 1e6


def store(*options):
    with tempfile.TemporaryDirectory(dir=BUILD) as folder:
        done = subprocess.run([BUILD / "tests" / "ecu-year", "--state", f"{folder}/state",
                               *map(str, options)], check=True, capture_output=True, text=True)
        return json.loads(done.stdout)


def row(name, value, unit):
    return {"name": name, "ours": value, "baseline": None, "ratio": None, "unit": unit,
            "command": COMMAND}


def main():
    rows = []
    for month, end in DAYS.items():
        found = store("--units", UNITS, "--cadence", CADENCE_S, "--days", 1 + BEFORE, "--end", end,
                      "--measure", 24)
        rows.append(row(f"{UNITS} inverters at {CADENCE_S} s, a day in {month}: written",
                        round(found["written_bytes"] / MB, 1), "MB"))
    found = store("--units", YEAR_UNITS, "--cadence", YEAR_CADENCE_S, "--days", 365, "--end",
                  DAYS["June"])
    rows.append(row("database of a year, of each inverter",
                    round(found["database_bytes"] / YEAR_UNITS / MB, 2), "MB"))
    json.dump(rows, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
