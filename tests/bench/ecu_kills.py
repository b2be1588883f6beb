# SPDX-License-Identifier: GPL-2.0-or-later
"""What kill -9 at random instants costs the gateway, as rows of make bench: print them as JSON.

Run it in the top folder, after make ecu site-programs: /usr/bin/python3 tests/bench/ecu_kills.py [KILLS]
"""

import concurrent.futures
import json
import pathlib
import sys
import tempfile

from control import TOP

sys.path[:0] = [str(TOP / "tests"), str(TOP / "tests" / "ecu")]

from kills import Kills  # noqa: E402  (after the path to it)

COMMAND = "/usr/bin/python3 tests/bench/ecu_kills.py"
KILLS = 1000
# Gateways side by side, which mostly wait.
GATEWAYS = 5


def farm(seed, kills):
    with tempfile.TemporaryDirectory() as name, Kills(pathlib.Path(name), seed) as gateway:
        return gateway.run(kills)


def row(name, value, unit):
    return {"name": name, "ours": value, "baseline": None, "ratio": None, "unit": unit,
            "command": COMMAND}


def main():
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else KILLS
    with concurrent.futures.ThreadPoolExecutor(GATEWAYS) as pool:
        verdicts = list(pool.map(farm, range(GATEWAYS), [kills // GATEWAYS] * GATEWAYS))

    def total(name):
        return sum(getattr(verdict, name) for verdict in verdicts)

    json.dump([
        row("kills", total("kills"), ""),
        row("kills after which more energy was stored than after the one before", total("counted"), ""),
        row("energy counted", round(total("energy_mwh") / 1e3, 1), "Wh"),
        row("energy lost", total("lost_mwh"), "mWh"),
        row("energy doubled", total("doubled_mwh"), "mWh"),
        row("totals that fell", total("fell"), ""),
        row("damaged stores", total("damaged"), ""),
    ], sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
