# SPDX-License-Identifier: GPL-2.0-only
"""How long emad takes to filter 100,000 sites by its web interface, as rows of make bench: JSON.

Run it in the top folder, after make ema servers: /usr/bin/python3 tests/bench/fleet_filter.py
"""

import os
import sqlite3
import sys
import tempfile
import time
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.path += [str(TOP / folder) for folder in ("tests", "tests/ema", "scripts")]

from fleetbench import Rows, say  # noqa: E402  (after the path to it)
from fleetlib import Postgres  # noqa: E402
from service import Service  # noqa: E402

SITES = 100_000
GOAL_MS = 200
TURNS = 5
# Each filter that a page has: text in names and addresses, state, alarms, order.
QUERIES = ("", "search=9%209", "search=oak", "state=fault", "alarms=true", "search=oak&state=producing",
           "sort=power", "sort=energy", "sort=alarms", "sort=last&search=7", "offset=99900")

# Names, streets, and one site in a hundred with alarms; both engines understand it.
FILL = f"""
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {SITES})
INSERT INTO sites (customer, name, address, state, power_w, energy_today_wh, units, reporting, alarms,
                   last_ms, created_ms)
SELECT 0, 'Site ' || (i * 7919 % {SITES}) || ' ' || (i % 97),
       i || CASE i % 3 WHEN 0 THEN ' Oak Street' WHEN 1 THEN ' Mill Lane' ELSE ' High Road' END,
       CASE i % 50 WHEN 0 THEN 'fault' WHEN 1 THEN 'silent' ELSE 'producing' END,
       i % 14400, i % 90000, 12, 12, CASE i % 100 WHEN 0 THEN 1 ELSE 0 END, 1780000000000 + i, 0
FROM n
"""


def percentile(values, part):
    return sorted(values)[int((len(values) - 1) * part)]


def cpu_ms(parent):
    """Processor time of a process and of its children that run, ms."""
    total = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = path.read_text().rsplit(")", 1)[1].split()
        except FileNotFoundError:
            continue
        if parent in (int(path.parent.name), int(words[1])):
            total += sum(map(int, words[11:13]))
    return total * 1000 / os.sysconf("SC_CLK_TCK")


def ask_all(service):
    """Times of all queries, ms; each of the pages must show what it should."""
    times = []
    for query in QUERIES * TURNS:
        begin = time.monotonic()
        answer = service.api("GET", f"/sites?limit=100&{query}")
        times.append(1000 * (time.monotonic() - begin))
        assert answer["total"] > 0 and answer["sites"]
        assert query or answer["total"] == SITES
    return times


def measure(rows, name, folder, settings, fill, server=None):
    service = Service(folder, settings)
    service.start().set_up()
    try:
        say(f"filling {SITES} sites on {name}")
        fill(service)
        say(f"{TURNS} times {len(QUERIES)} filters")
        processes = [service.process.pid, *([server] if server else [])]
        before = sum(map(cpu_ms, processes))
        times = ask_all(service)
        cost = (sum(map(cpu_ms, processes)) - before) / len(times)
    finally:
        service.stop()
    name = f"{SITES} sites on {name}"
    rows.add(f"{name}: answer to a filter, median", percentile(times, 0.5), "ms", GOAL_MS)
    rows.add(f"{name}: answer to a filter, 90th percentile", percentile(times, 0.9), "ms", GOAL_MS)
    rows.add(f"{name}: processor time of a filter, mean", cost, "ms", GOAL_MS)
    rows.add_load(name)


def fill_sqlite(service):
    with sqlite3.connect(service.state / "data.db") as database:
        database.execute(FILL)
    database.close()


def main():
    postgres = Postgres()
    rows = Rows("/usr/bin/python3 tests/bench/fleet_filter.py")
    try:
        postgres.start()
        with tempfile.TemporaryDirectory() as folder:
            measure(rows, "SQLite", Path(folder), {"part": "web"}, fill_sqlite)
        with tempfile.TemporaryDirectory() as folder:
            measure(rows, "PostgreSQL", Path(folder),
                    {"database": postgres.url("qs1_store"),
                     "web_database": postgres.url("qs1_web"), "part": "web"},
                    lambda _: postgres.sql("ema", f"SET qs1.tenant = '-1'; {FILL}; ANALYZE"),
                    int((postgres.folder / "data/postmaster.pid").read_text().split()[0]))
    finally:
        postgres.stop()
    rows.print()


if __name__ == "__main__":
    main()
