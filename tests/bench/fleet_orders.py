# SPDX-License-Identifier: GPL-2.0-only
"""An order to each of 1,000 sites of a fleet until each ECU has acknowledged it, as rows of make bench.

Run it as root in the top folder, after make ema servers: /usr/bin/python3 tests/bench/fleet_orders.py
With an argument: another number of sites.
"""

import concurrent.futures
import http.client
import json
import sys
import time
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2] / "scripts"))

from fleetbench import Rows, reached, say, started  # noqa: E402  (after the path to it)

SITES = int(sys.argv[1]) if sys.argv[1:] else 1000
CLIENTS = 8
STATES = "SET qs1.tenant = '-1'; SELECT COUNT(*) FILTER (WHERE state <> 'queued'), " \
         "COUNT(*) FILTER (WHERE state = 'confirmed') FROM orders"


def give(fleet, sites):
    """Give an order to some sites, by one connection, as a program does."""
    connection = http.client.HTTPSConnection(fleet.parts["web"].url("web_port").removeprefix("https://"),
                                             context=fleet.context, timeout=60)
    for site in sites:
        connection.request("POST", f"/api/v1/sites/{site}/commands", json.dumps({"command": "identify"}),
                           fleet.headers)
        answer = connection.getresponse()
        body = answer.read()
        assert answer.status == 202, body
    connection.close()


def main():
    rows = Rows("/usr/bin/python3 tests/bench/fleet_orders.py")
    name = f"order to {SITES} sites"
    with started() as fleet:
        generator = fleet.generate("--ecus", SITES, "--threads", 32, "--orders", "--period", 300)
        reached(fleet, lambda: fleet.ask("GET", "/fleet")["units"] == SITES * 12, 600)
        sites = [site["id"] for site in fleet.ask("GET", "/sites?limit=1000")["sites"]]
        begin = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(CLIENTS) as clients:
            list(clients.map(lambda some: give(fleet, some), [sites[n::CLIENTS] for n in range(CLIENTS)]))
        given = time.monotonic() - begin
        say(f"{len(sites)} orders given after {given:.1f} s")
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
