# SPDX-License-Identifier: GPL-2.0-only
"""10,000 generated ECUs with 12 inverters each, every 5 minutes, on make fleet, as rows of make bench.

Run it as root in the top folder, after make ema servers: /usr/bin/python3 tests/bench/fleet_live.py
With two arguments: another number of ECUs, and seconds of measurement.
"""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2] / "scripts"))

from fleetbench import Rows, finished, say, started  # noqa: E402  (after the path to it)

ECUS, SECONDS = (int(value) for value in (sys.argv[1:] or (10000, 120)))


def main():
    rows = Rows("/usr/bin/python3 tests/bench/fleet_live.py")
    name = f"{ECUS} live ECUs"
    with started() as fleet:
        say(f"enrolling {ECUS} ECUs, then {SECONDS} s of measurement after each has delivered once")
        summary = finished(fleet, fleet.generate("--ecus", ECUS, "--threads", 64, "--orders", "--pages",
                                                 "--period", 300, "--for", SECONDS))
        rows.add_load(name)
    live, page = summary["live"], summary["page"]
    assert live["count"] and page["count"], "no batch was measured: expected more ECUs, or more seconds"
    rows.add(f"{name}: batches measured", live["count"], "")
    rows.add(f"{name}: arrival to answer, median", live["p50_ms"], "ms")
    rows.add(f"{name}: arrival to answer, 99th percentile", live["p99_ms"], "ms", 1000)
    rows.add(f"{name}: arrival to page, 99th percentile", page["p99_ms"], "ms", 10000)
    rows.print()


if __name__ == "__main__":
    main()
