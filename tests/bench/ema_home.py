# SPDX-License-Identifier: GPL-2.0-or-later
"""The monitoring service of one home after ten years: memory, bytes, and time of each page, as rows of make
bench: print them as JSON.

Run it in the top folder, after make ema build/tests/ema-years: /usr/bin/python3 tests/bench/ema_home.py
With an argument: another number of years.
"""

import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

from control import BUILD

TOP = Path(__file__).resolve().parents[2]
sys.path += [str(TOP / "tests"), str(TOP / "tests/ema")]
from service import Service  # noqa: E402  (the path must be set first)

COMMAND = "/usr/bin/python3 tests/bench/ema_home.py"
YEARS, UNITS = int(sys.argv[1]) if sys.argv[1:] else 10, 6
TURNS = 40
DAY_S = 86400
ZONE_S = -7 * 3600


def row(name, value, unit):
    return {"name": name, "ours": value, "baseline": None, "ratio": None, "unit": unit, "command": COMMAND}


def memory(service, field):
    """Of the process, MB: VmRSS now, VmHWM at its highest."""
    status = Path(f"/proc/{service.process.pid}/status").read_text()
    return int(status.split(f"{field}:")[1].split()[0]) / 1024


def requests_of_pages(end_s):
    """What the pages ask for, by page. Each period ends yesterday at midnight."""
    midnight_s = (end_s + ZONE_S) // DAY_S * DAY_S - ZONE_S
    serial = "806000000001"

    def history(days, step_s, more=""):
        return f"/sites/1/history?from_ms={(midnight_s - days * DAY_S) * 1000}&to_ms={midnight_s * 1000}&step_s={step_s}{more}"

    def energy(more=""):
        """A day, a month, a year, and all years, as energy.js asks for them."""
        return [history(1, 900, more), history(31, DAY_S, more), history(365, 30 * DAY_S, more),
                history(365 * YEARS, 30 * DAY_S, more)]
    day = (datetime.fromtimestamp(midnight_s + ZONE_S, timezone.utc) - timedelta(days=1)).strftime("%Y-%m-%d")
    replay = f"/sites/1/day?date={day}"
    return {
        "fleet": ["/fleet", "/sites", "/alarms"],
        "site": ["/sites/1", "/sites/1/inverters", "/sites/1/map", "/sites/1/events", replay, *energy()],
        "module": ["/sites/1/inverters", replay, *energy(f"&serial={serial}")],
        "compare": [history(31, DAY_S)],
    }


def timed(connection, service, path):
    begin = time.perf_counter()
    connection.request("GET", "/api/v1" + path, headers=service.proof(service.tokens["owner"]))
    answer = connection.getresponse()
    body = answer.read()
    assert answer.status == 200, (path, answer.status, body[:200])
    return (time.perf_counter() - begin) * 1000


def percentile(values, part):
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]


def measure(folder):
    service = Service(folder)
    service.state.mkdir()
    end_s = int(time.time())
    done = subprocess.run([BUILD / "tests/ema-years", service.state, str(365 * YEARS), str(UNITS), str(end_s)],
                          check=True, capture_output=True, text=True, cwd=TOP)
    reports = int(done.stdout)
    size = (service.state / "data.db").stat().st_size
    yield row(f"{YEARS} years of {UNITS} inverters: reports", reports, "")
    yield row(f"{YEARS} years of {UNITS} inverters: file of the data", round(size / 1e6, 1), "MB")
    yield row(f"{YEARS} years of {UNITS} inverters: file of the data, each report", round(size / reports, 1), "byte")
    service.start().set_up()
    yield row("resident after the start", round(memory(service, "VmRSS"), 1), "MiB")
    connection = http.client.HTTPSConnection("127.0.0.1", service.web, context=service.context, timeout=60)
    every = []
    for page, paths in requests_of_pages(end_s).items():
        times = [timed(connection, service, path) for _ in range(TURNS) for path in paths]
        every += times
        yield row(f"page {page}: a request, p99 of {len(times)}", round(percentile(times, 0.99), 1), "ms")
    yield row(f"all pages: a request, p99 of {len(every)}", round(percentile(every, 0.99), 1), "ms")
    yield row(f"load of the machine with {os.cpu_count()} processors", round(os.getloadavg()[0], 1), "")
    for name in ("installation-map", "registration-card", "warranty-card"):
        timed(connection, service, f"/sites/1/documents/{name}")
    service.login("owner")
    yield row("resident after pages, documents and a login", round(memory(service, "VmRSS"), 1), "MiB")
    yield row("resident at its highest", round(memory(service, "VmHWM"), 1), "MiB")
    connection.close()
    service.stop()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(dir=BUILD) as where:
        json.dump(list(measure(where)), sys.stdout, indent=1)
    print()
