# SPDX-License-Identifier: GPL-2.0-or-later
"""ecud as a process without servers, and simulated inverters on the air of qs1-ether."""

import os
import signal
import sqlite3
import subprocess
import time

from paths import BUILD

ECUD = BUILD / "host/bin/ecud"
ETHER = BUILD / "qs1-ether"
RADIO_ID = "D8A3011B9780"


class Air:
    """A running qs1-ether. @options: others than those for its units."""

    def __init__(self, folder, units, speed=1, options=()):
        self.process = subprocess.Popen(
            [ETHER, "--units", str(units), "--folder", folder, "--watts", "100",
             "--speed", str(speed), *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.units = []
        for line in self.process.stdout:
            word = line.split()
            if word[0] == "unit":
                self.units.append((word[1], int(word[2], 16)))
            if word[0] == "ready":
                break

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()


class Gateway:
    """A running ecud without servers."""

    def __init__(self, folder, **settings):
        self.state = folder / "state"
        self.config = folder / "ecud.conf"
        rows = {"ecu_id": "216000000001", "radio": folder / "modem0", "radio_id": RADIO_ID,
                "state": self.state, "cadence_s": 1, "port": 0, "modbus_port": 0, "aps_port": 0,
                **settings}
        self.config.write_text("".join(f"{name} {value}\n" for name, value in rows.items()))
        self.process = None

    def start(self, **env):
        self.process = subprocess.Popen([ECUD, "--config", self.config], stderr=subprocess.PIPE,
                                        text=True, env={**os.environ, **env})

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        code = self.process.wait(20)
        self.process = None
        return code

    def run(self, *options):
        return subprocess.run([ECUD, "--config", self.config, *options], capture_output=True,
                              text=True, timeout=60)

    def query(self, sql):
        with sqlite3.connect(f"file:{self.state / 'ecud.db'}?mode=ro", uri=True) as db:
            return db.execute(sql).fetchall()

    def events(self, kind):
        """How many events of a kind are stored."""
        return self.query(f"SELECT count(*) FROM event WHERE kind = '{kind}'")[0][0]

    def know(self, units, make=0):
        """Enter units as if they had been paired: identity and address, no key."""
        with sqlite3.connect(self.state / "ecud.db") as db:
            for number, (serial, address) in enumerate(units):
                db.execute("INSERT INTO unit (serial, removed, name, make, paired, address, modbus_unit,"
                           " phase, place, rma, firmware, model, profile, profile_desired)"
                           " VALUES (?,0,?,?,0,?,?,0,x'','','','','','')",
                           (serial, f"unit {number + 1}", make, address, 2 + number))

    def chunks(self):
        """(minute, serial number, totals) of each chunk, in order of time: store_chunks.h."""
        for minute, row in self.query("SELECT minute, chunks FROM minute ORDER BY minute"):
            at = 0
            while at < len(row):
                (serial, *totals, n), at = varints(row, at, 7)
                yield minute, f"{serial:012}", totals
                at += n

    def energy(self):
        """Total of each unit's grid account, mWh."""
        return dict(self.query("SELECT serial, total_mwh FROM account WHERE channel = 4"))

    def make_store(self, units):
        """Make a store that has the units, and stop the gateway."""
        self.start()
        wait_for(lambda: self.query("SELECT count(*) FROM event")[0][0] > 0)
        assert self.stop() == 0
        self.know(units)


def varints(data, at, count):
    """Numbers of pack.h from a place on, and where they end."""
    numbers = []
    for _ in range(count):
        value = shift = 0
        while data[at] & 0x80:
            value |= (data[at] & 0x7f) << shift
            shift += 7
            at += 1
        numbers.append(value | data[at] << shift)
        at += 1
    return numbers, at


def wait_for(what, seconds=20):
    """Wait until the condition is true; a missing or locked store counts as false."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if what():
                return
        except sqlite3.OperationalError:
            pass
        time.sleep(0.2)
    raise AssertionError("timeout")


def clock(speed, wall_s=None):
    """Environment of a site whose clock runs at a speed from now on."""
    wall_s = time.time() if wall_s is None else wall_s
    return {"QS1_CLOCK": f"{speed} {time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000} "
                         f"{int(wall_s * 1000000)}"}
