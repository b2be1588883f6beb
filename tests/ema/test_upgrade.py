# SPDX-License-Identifier: GPL-2.0-only
"""Databases of version 1, as emad of that version has written them, with the program of today.

tests/data/ema_version_1 has dumps of both engines: one site, an ECU that has delivered a day, an order and
a rule. The keys are those of its customers.
"""

import contextlib
import re
import sqlite3

import pytest

from fleetlib import BIN, Postgres
from paths import ROOT
from service import Service

DUMPS = ROOT / "tests/data/ema_version_1"
STEPS = {"ema": 3, "rls": 2, "partitions": 1, "shards": 3, "file": 2}
# What the version had of the log, and of what is derived from it.
ROWS = ["SELECT ecu, epoch, sequence, {hex}(hash{end}), site, received_ms, shift_s FROM batches ORDER BY 1, 2, 3",
        "SELECT serial, day, site, reports, peak_w, first1, last1, last4, {hex}(quarters{end}), {hex}(plain_hash{end}) "
        "FROM unit_days ORDER BY 1, 2", "SELECT serial, site, ecu, time_s, power_w, {hex}(newest{end}) FROM units ORDER BY 1",
        "SELECT id, site, command, by_name, state FROM orders", "SELECT tenant, name, threshold FROM rules",
        "SELECT id, name, customer, created_ms FROM sites"]


class Lite:
    """The files of a state folder."""

    settings = {}
    steps = {name: STEPS[name] for name in ("ema", "file")}

    def __init__(self, folder):
        self.data = folder / "state/data.db"
        self.data.parent.mkdir()

    def load(self):
        for path in self.data.parent.glob("data.db*"):
            path.unlink()
        with contextlib.closing(sqlite3.connect(self.data)) as database:
            database.executescript((DUMPS / "sqlite.sql").read_text())

    def rows(self, text):
        with contextlib.closing(sqlite3.connect(self.data)) as database, database:
            return [tuple(map(str, row)) for row in database.execute(text.format(hex="HEX", end=""))]

    def stop(self):
        pass


class Server:
    """A PostgreSQL server."""

    steps = {name: STEPS[name] for name in ("ema", "rls", "partitions", "shards")}

    def __init__(self, _folder):
        self.postgres = Postgres()
        self.postgres.start()
        self.settings = {"database": self.postgres.url("qs1_store"), "web_database": self.postgres.url("qs1_web")}

    def load(self):
        self.postgres.sql("postgres", "DROP DATABASE ema; CREATE DATABASE ema OWNER qs1_store")
        self.postgres.run(BIN / "psql", "-h", self.postgres.folder, "-p", self.postgres.ports["data"], "-U", "postgres",
                          "-d", "ema", "-v", "ON_ERROR_STOP=1", "-q", "-f", DUMPS / "postgresql.sql")

    def rows(self, text):
        answer = self.postgres.sql("ema", "SET qs1.tenant = '-1'; " + text.format(hex="upper(encode", end=", 'hex')"))
        return [tuple(row.split("|")) for row in answer.split("\n")[:-1]]

    def stop(self):
        self.postgres.stop()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.long)])
def old(request, tmp_path):
    """A service, not started, with a database of version 1, which it has under .database."""
    database = {"sqlite": Lite, "postgresql": Server}[request.param](tmp_path)
    request.addfinalizer(database.stop)
    database.load()
    service = Service(tmp_path, database.settings)
    request.addfinalizer(service.stop)
    service.state.mkdir(exist_ok=True)
    with contextlib.closing(sqlite3.connect(service.state / "keys.db")) as keys:
        keys.executescript((DUMPS / f"{request.param}_keys.sql").read_text())
    service.database = database
    return service


def contents(database):
    return [database.rows(text) for text in ROWS]


def test_a_database_of_version_1_is_migrated_and_goes_on(old):
    before = contents(old.database)
    assert len(before[0]) > 10 and len(before[1]) == 4 and all(before)
    assert dict(old.database.rows("SELECT component, version FROM versions"))["ema"] == "1"
    old.start().set_up()
    assert {name: int(version) for name, version in old.database.rows("SELECT component, version FROM versions")} == \
        old.database.steps
    assert contents(old.database) == before
    # its days are read, and new ones are stored
    assert len(old.api("GET", "/sites/1/inverters")["inverters"]) == 2
    day = int(before[1][0][1]) * 86400000
    history = old.api("GET", f"/sites/1/history?from_ms={day - 86400000}&to_ms={day + 172800000}&step_s=86400")
    assert sum(value or 0 for series in history["series"] for value in series["values"]) > 0
    assert old.api("GET", "/sites/1/commands")["orders"][0]["command"] == "identify"
    old.deliver("--ecus", 1, "--first", "216000300000", "--units", 2, "--batches", 1, "--period", 1)
    old.wait(lambda: old.api("GET", "/fleet")["units"] == 4)
    # the log of version 1 gives the same days, but for quarters of an hour, which that version spread in another way
    old.stop()
    days = "SELECT serial, day, reports, peak_w, first1, last1, last4, {hex}(plain_hash{end}) FROM unit_days ORDER BY 1, 2"
    known = old.database.rows(days)
    hashes = old.command("--rebuild", "--hashes")
    assert re.search(r"unit_days [5-9] ", hashes)
    assert old.database.rows(days) == known
    assert old.command("--rebuild", "--hashes") == hashes


def test_the_way_back_is_the_copy_of_before_the_upgrade(old):
    before = contents(old.database)
    old.start()
    old.stop()
    hashes = old.command("--hashes")
    # a program whose newest version is one lower refuses the database, and changes nothing
    for component, version in old.database.steps.items():
        old.database.rows(f"UPDATE versions SET version = {version + 1} WHERE component = '{component}'")
        assert f"{component} has version {version + 1}, expected at most {version}: a newer program" in \
            old.program_fails("--hashes")
        assert contents(old.database) == before
        old.database.rows(f"UPDATE versions SET version = {version} WHERE component = '{component}'")
    # the copy has version 1 again, and can be migrated a second time
    old.database.load()
    assert contents(old.database) == before
    assert dict(old.database.rows("SELECT component, version FROM versions"))["ema"] == "1"
    assert old.command("--hashes") == hashes
