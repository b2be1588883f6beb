# SPDX-License-Identifier: GPL-2.0-only
"""An order to each of 1,000 sites of a fleet until each ECU has acknowledged it, as rows of make bench.

Run it as root in the top folder, after make ema servers: /usr/bin/python3 tests/bench/fleet_orders.py
With an argument: another number of sites.
"""

import concurrent.futures
import sys
import time
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2] / "scripts"))

from fleetbench import Rows, started  # noqa: E402  (after the path to it)

SITES = int(sys.argv[1]) if sys.argv[1:] else 1000
CLIENTS = 8
STATES = "SET qs1.tenant = '-1'; SELECT COUNT(*) FILTER (WHERE state <> 'queued'), " \
         "COUNT(*) FILTER (WHERE state = 'confirmed') FROM orders"


def main():
    rows = Rows("/usr/bin/python3 tests/bench/fleet_orders.py")
    name = f"order to {SITES} sites"
    with started() as fleet:
        generator = fleet.generate("--ecus", SITES, "--threads", 32, "--orders", "--period", 300)
        fleet.wait(lambda: fleet.ask("GET", "/fleet")["units"] == SITES * 12, 300)
        sites = [site["id"] for site in fleet.ask("GET", "/sites?limit=1000")["sites"]]
        begin = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(CLIENTS) as clients:
            list(clients.map(lambda site: fleet.ask("POST", f"/sites/{site}/commands",
                                                    {"command": "identify"}), sites))
        given = time.monotonic() - begin
        while True:
            sent, confirmed = map(int, fleet.postgres.sql("ema", STATES).strip().split("|"))
            elapsed = time.monotonic() - begin
            if confirmed == len(sites):
                break
            assert elapsed < 120, f"{sent} sent, {confirmed} confirmed"
            time.sleep(0.2)
        rows.add_load(name)
        generator.terminate()
        generator.communicate()
    rows.add(f"{name}: all given by the web interface", given, "s")
    rows.add(f"{name}: all acknowledged, from the first request", elapsed, "s", 10)
    rows.print()


if __name__ == "__main__":
    main()
