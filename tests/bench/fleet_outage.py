# SPDX-License-Identifier: GPL-2.0-only
"""1,000 ECUs deliver what an outage of 24 h left, while others are live, as rows of make bench.

Run it as root in the top folder, after make ema servers: /usr/bin/python3 tests/bench/fleet_outage.py
With two arguments: another number of ECUs, and hours.
"""

import json
import sys
import time
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2] / "scripts"))

from fleetbench import Rows, finished, reached, say, started  # noqa: E402  (after the path to it)

ECUS, HOURS = (int(value) for value in (sys.argv[1:] or (1000, 24)))
LIVE_ECUS = 200
PERIOD_S = 300
PROGRESS = "SET qs1.tenant = '-1'; SELECT (SELECT MAX(number) FROM batches) = " \
           "(SELECT number FROM progress WHERE name = 'derived')"


def main():
    rows = Rows("/usr/bin/python3 tests/bench/fleet_outage.py")
    name = f"{HOURS} h of {ECUS} ECUs"
    with started() as fleet:
        live = fleet.generate("--ecus", LIVE_ECUS, "--threads", 32, "--period", 20, "--pages",
                              log="live.log")
        # all deliver, at their usual rate
        reached(fleet, lambda: len(fleet.sent("live.log")) > LIVE_ECUS, 600)
        say(f"{LIVE_ECUS} ECUs are live, {ECUS} deliver {ECUS * (HOURS * 3600 // PERIOD_S)} batches of an outage")
        outage = finished(fleet, fleet.generate("--ecus", ECUS, "--first", "216000200000", "--threads",
                                                min(ECUS, 1000), "--outage", HOURS, "--period", PERIOD_S,
                                                "--batches", 1))
        rows.add_load(name)
        begin = time.monotonic()
        live.terminate()
        summary = json.loads(live.communicate()[0])
        say("delivered; waiting until all is derived")
        reached(fleet, lambda: fleet.postgres.sql("ema", PROGRESS).strip() == "t", 3600)
        derived = time.monotonic() - begin
        say("comparing each batch's hash")
        promised, stored = fleet.sent() | fleet.sent("live.log"), fleet.stored()
    assert all(stored.get(key) == digest for key, digest in promised.items())
    filled = ECUS * (HOURS * 3600 // PERIOD_S)
    assert len(promised) >= filled and summary["live"]["count"]
    rows.add(f"{name}: batches delivered, hash of each as sent", len(promised), "")
    rows.add(f"{name}: delivered after", outage["outage_s"], "s")
    rows.add(f"{name}: all derived, after the last was answered", derived, "s")
    rows.add(f"{name}: live arrival to answer meanwhile, 99th percentile", summary["live"]["p99_ms"],
             "ms", 1000)
    rows.print()


if __name__ == "__main__":
    main()
