# SPDX-License-Identifier: GPL-2.0-or-later
"""A gateway with 50 inverters and a year of data at work, as rows of make bench: print them as JSON.

Age of readings at 5 % loss, REST while a year is rolled up, many clients at once, memory. Run it in the
top folder, after make ecu site-programs build/tests/ecu-year:
/usr/bin/python3 tests/bench/ecu_rest.py [DATABASE], the year's, which is made otherwise.
"""

import json
import multiprocessing
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

from control import BUILD, TOP

sys.path[:0] = [str(TOP / "tests"), str(TOP / "tests" / "ecu")]

from gateway import Gateway, wait_for  # noqa: E402  (after the path to them)
from sunspec import Device, connect  # noqa: E402

COMMAND = "/usr/bin/python3 tests/bench/ecu_rest.py"
UNITS, LOSS_PCT = 50, 5
# A reading is never older than the cadence and its delay, if none is lost.
CADENCE_S = 4
# Interval of the year's readings: long enough to generate a year within some minutes.
YEAR_CADENCE_S = 300
WATCH_S, REQUESTS = 60, 600
MASTERS, STREAMS = 16, 100
YEAR_MS = 365 * 86400 * 1000
LIGHT = ("/status", "/inverters", "/limits", "/events")


def row(name, value, unit, baseline=None):
    return {"name": name, "ours": value, "baseline": baseline,
            "ratio": round(value / baseline, 2) if baseline else None, "unit": unit,
            "command": COMMAND}


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def status_mb(pid, name):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return round(int(text.split(name + ":")[1].split()[0]) / 1024, 1)


def ages(gateway):
    """Sample the age of each unit's readings many times, s."""
    found = []
    end = time.monotonic() + WATCH_S
    while time.monotonic() < end:
        found += [each["age_s"] for each in gateway.local.get("/inverters").json["inverters"]]
        time.sleep(0.23)
    return [age if age is not None else float(WATCH_S) for age in found]


class Requests:
    """Requests of one client that keeps its connection; times in ms."""

    def __init__(self, gateway):
        self.api = gateway.api["viewer"]
        self.connection = self.api.connection()
        self.paths = [*LIGHT, f"/inverters/{gateway.serials[0]}/history?step=900"]

    def ask(self, path):
        begin = time.perf_counter()
        self.connection.request("GET", "/api/v1" + path,
                                headers={"Authorization": f"Bearer {self.api.token}"})
        response = self.connection.getresponse()
        response.read()
        assert response.status == 200, path
        return (time.perf_counter() - begin) * 1e3

    def times(self):
        found = []
        for number in range(REQUESTS):
            found.append(self.ask(self.paths[number % len(self.paths)]))
            time.sleep(0.02)
        return found


class Busy:
    """Clients that run in parallel with the requests, each in a thread, all in a separate process."""

    def __init__(self, work, clients):
        self.work, self.clients = work, clients
        self.stop = multiprocessing.Event()
        self.rounds, self.failed = multiprocessing.Value("i", 0), multiprocessing.Value("i", 0)
        self.process = multiprocessing.Process(target=self.run)

    def run(self):
        threads = [threading.Thread(target=self.client) for _ in range(self.clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def client(self):
        try:
            while not self.stop.is_set():
                self.work(self.stop)
                with self.rounds.get_lock():
                    self.rounds.value += 1
        except BaseException as error:
            print(f"client: {error!r}", file=sys.stderr)
            self.failed.value += 1

    def __enter__(self):
        self.process.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.process.join()
        assert not self.failed.value, f"{self.failed.value} clients failed"


def roll_up(gateway):
    def work(_):
        now_ms = int(time.time() * 1000)
        for step in ("3600", "day", "month"):
            reply = gateway.api["viewer"].get(f"/history?from={now_ms - YEAR_MS}&to={now_ms}&step={step}")
            assert reply.status == 200 and len(reply.json["time_ms"]) > 11, reply.body[:200]
    return work


def stream(gateway):
    """Follow the stream until the end; each inverter must have sent an event."""
    def work(stop):
        heard = set()
        for name, event in gateway.api["viewer"].follow():
            if name == "inverter":
                heard.add(event["serial"])
            if len(heard) == UNITS and stop.is_set():
                return
    return work


def master(gateway):
    def work(_):
        client = connect(gateway.modbus_port)
        Device(client, 2)
        client.close()
    return work


def make_year(folder):
    subprocess.run([BUILD / "tests" / "ecu-year", "--state", f"{folder}/state", "--units", str(UNITS),
                    "--cadence", str(YEAR_CADENCE_S)], check=True, stdout=subprocess.DEVNULL)
    return f"{folder}/state/ecud.db"


def main():
    rows = []
    with tempfile.TemporaryDirectory(dir=BUILD) as folder:
        database = sys.argv[1] if len(sys.argv) > 1 else make_year(folder)
        with Gateway(units=UNITS, pair=False, store=database, cadence_s=CADENCE_S) as gateway:
            for unit in range(1, UNITS + 1):
                gateway.say(f"loss {unit} {LOSS_PCT}")
            wait_for("readings of all units", gateway.all_live, 120)
            time.sleep(10)
            pid = gateway.ecud.pid
            rows.append(row(f"{UNITS} inverters, a year of data: resident", status_mb(pid, "VmRSS"), "MiB"))
            rows.append(row(f"{UNITS} inverters, {LOSS_PCT} % loss: age of readings, 95th percentile",
                            percentile(ages(gateway), 0.95), "s"))
            requests = Requests(gateway)
            idle = requests.times()
            with Busy(roll_up(gateway), 1):
                busy = requests.times()
            rows.append(row("resident at the most, after roll-ups of the year", status_mb(pid, "VmHWM"),
                            "MiB"))
            for share, name in ((0.5, "median"), (0.99, "99th percentile")):
                rows.append(row(f"REST without a roll-up: {name}", round(percentile(idle, share), 1), "ms"))
                rows.append(row(f"REST during a roll-up of the year: {name}",
                                round(percentile(busy, share), 1), "ms",
                                round(percentile(idle, share), 1)))
            begin = time.monotonic()
            with Busy(stream(gateway), STREAMS) as streams, Busy(master(gateway), MASTERS) as masters:
                many = requests.times()
                rows.append(row(f"{STREAMS} streams and {MASTERS} Modbus clients: resident",
                                status_mb(pid, "VmRSS"), "MiB"))
            seconds = time.monotonic() - begin
            assert streams.rounds.value >= STREAMS, "each stream has heard each inverter"
            rows.append(row(f"{STREAMS} streams and {MASTERS} Modbus clients: reads of all models",
                            round(masters.rounds.value / seconds, 1), "1/s"))
            rows.append(row(f"REST beside {STREAMS} streams and {MASTERS} Modbus clients: 99th percentile",
                            round(percentile(many, 0.99), 1), "ms", round(percentile(idle, 0.99), 1)))
    json.dump(rows, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
