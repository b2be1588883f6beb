# SPDX-License-Identifier: GPL-2.0-or-later
"""What days of abuse leave in the gateway, as rows of make bench: print them as JSON.

Run it in the top folder, after make ecu site-programs: /usr/bin/python3 tests/bench/ecu_abuse.py [HOURS [SPEED]]
"""

import json
import pathlib
import sys
import tempfile

from control import TOP

sys.path[:0] = [str(TOP / "tests"), str(TOP / "tests" / "ecu")]

from abuse import Abuse  # noqa: E402  (after the path to it)

COMMAND = "/usr/bin/python3 tests/bench/ecu_abuse.py"
# Of the site; the first comparison comes after a tenth of it.
HOURS, SPEED = 72, 60


def row(name, value, unit, baseline=None):
    return {"name": name, "ours": value, "baseline": baseline,
            "ratio": round(value / baseline, 3) if baseline else None, "unit": unit,
            "command": COMMAND}


def main():
    hours, speed = [*map(float, sys.argv[1:]), *(HOURS, SPEED)[len(sys.argv) - 1:]]
    with tempfile.TemporaryDirectory() as name, Abuse(pathlib.Path(name), int(speed)) as abuse:
        abuse.run(hours / 10)
        memory, descriptors = abuse.measure()
        abuse.run(hours * 0.9)
        memory_after, descriptors_after = abuse.measure()
        print(*abuse.failures(), sep="\n", file=sys.stderr)
        rows = [row("hours of the site", hours, "h"),
                row("speed of the site", speed, ""),
                row("attacks of clients", sum(abuse.rounds().values()), ""),
                row("answers to sound clients that were wrong", len(abuse.failures()), ""),
                row("resident memory afterwards", memory_after, "kB", memory),
                row("resident memory afterwards, over that before", round(memory_after / memory, 3), ""),
                row("descriptors afterwards", descriptors_after, "", descriptors)]
    json.dump(rows, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
