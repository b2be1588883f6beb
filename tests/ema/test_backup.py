# SPDX-License-Identifier: GPL-2.0-only
"""Backup and restore; upgrade and downgrade of the databases."""

import json
import re
import shutil
import sqlite3
import subprocess
import sys

import pytest

from fleetlib import BIN, Postgres
from paths import BUILD, ROOT
from service import Service

sys.path.append(str(ROOT / "tests/ecu"))
from gateway import ECU_ID, Gateway, wait_for  # noqa: E402

FLEET = ("--ecus", 2, "--units", 2, "--batches", 2, "--period", 1, "--history", 1)
LATER = ("--ecus", 1, "--first", "216000200000", "--units", 1, "--batches", 2, "--period", 1)


def fails(service, *arguments):
    done = subprocess.run([BUILD / "host/bin/emactl", "--config", service.config, "--state", service.state,
                           *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 1, done.stdout
    return done.stderr


def wait_derived(service):
    service.wait(lambda: json.loads(service.emactl("--json", "status"))["waiting"] == 0)


def back_up(service, folder):
    """A backup while the service runs, more data after it, and then the loss of the state folder."""
    service.deliver(*FLEET)
    wait_derived(service)
    service.emactl("backup", folder)
    hashes = service.command("--hashes")
    assert "unit_days 0 " not in hashes
    service.deliver(*LATER)
    wait_derived(service)
    service.stop()
    assert service.command("--hashes") != hashes
    return hashes


def check_restored(service, folder, hashes):
    assert service.command("--hashes") == hashes
    assert service.command("--rebuild", "--hashes") == hashes
    service.start()
    # the authority, the users with their tokens, and the keys of the ECUs are the old ones
    assert len(service.api("GET", "/sites")["sites"]) == 2
    service.deliver("--ecus", 2, "--units", 2, "--batches", 1, "--period", 1, new=False)


def test_a_backup_of_a_running_service_comes_back_with_equal_hashes(service, tmp_path):
    folder = tmp_path / "backup"
    hashes = back_up(service, folder)
    assert "expected a folder that does not exist" in fails(service, "backup", folder)
    assert "stop emad and move its files away" in fails(service, "restore", folder)
    shutil.rmtree(service.state)
    assert "expected a folder of emactl backup" in fails(service, "restore", tmp_path)
    assert not list(service.state.glob("*.db"))
    service.emactl("restore", folder)
    assert {path.stat().st_mode & 0o777 for path in service.state.rglob("*") if path.is_file()} == {0o600}
    check_restored(service, folder, hashes)


@pytest.mark.long
def test_a_backup_with_postgresql_comes_back_with_equal_hashes(request, tmp_path):
    postgres = Postgres().start()
    request.addfinalizer(postgres.stop)
    service = Service(tmp_path, {"database": postgres.url("qs1_store"), "web_database": postgres.url("qs1_web")})
    request.addfinalizer(service.stop)
    service.start().set_up()
    at = ("-h", postgres.folder, "-p", postgres.ports["data"], "-U", "postgres")
    service.deliver(*FLEET)
    wait_derived(service)
    postgres.run(BIN / "pg_dump", *at, "--format=custom", f"--file={postgres.folder}/ema.dump", "ema")
    service.emactl("backup", tmp_path / "backup")
    hashes = service.command("--hashes")
    service.deliver(*LATER)
    wait_derived(service)
    service.stop()
    assert service.command("--hashes") != hashes
    postgres.sql("postgres", "DROP DATABASE ema")
    postgres.sql("postgres", "CREATE DATABASE ema OWNER qs1_store")
    postgres.run(BIN / "pg_restore", *at, "--dbname=ema", f"{postgres.folder}/ema.dump")
    shutil.rmtree(service.state)
    service.emactl("restore", tmp_path / "backup")
    check_restored(service, tmp_path / "backup", hashes)


@pytest.mark.long
def test_a_gateway_goes_on_in_a_new_epoch_after_a_restore(service, tmp_path):
    job = service.ask("POST", "/api/v1/jobs", {"id": "0a8f1d3e-0000-4000-8000-000000000003", "site": {"name": "A"},
                                               "ecu": ECU_ID}, service.tokens["owner"]).json
    with Gateway(units=0, pair=False, config=f"ema https://127.0.0.1:{service.uplink}\nema_ca {service.ca}\n"
                                             f"ema_code {job['enrolment']['code']}\n") as gateway:
        def batches():
            database = sqlite3.connect(service.state / "data.db")
            found = database.execute("SELECT epoch, sequence FROM batches ORDER BY number").fetchall()
            database.close()
            return found

        def order():
            return service.api("POST", f"/sites/{job['site']}/commands", {"command": "start"})["id"]

        def confirmed(number):
            return service.api("GET", f"/sites/{job['site']}/commands/{number}")["state"] == "confirmed"
        wait_for("a batch", batches)
        service.emactl("backup", tmp_path / "backup")
        # a result of an order is a batch at once
        for _ in range(2):
            number = order()
            wait_for("a result", lambda: confirmed(number))
        before = batches()
        service.stop()
        shutil.rmtree(service.state)
        service.emactl("restore", tmp_path / "backup")
        service.start()
        assert len(batches()) < len(before)
        number = order()
        wait_for("a result after the restore", lambda: confirmed(number), 120)
        number = order()
        wait_for("a result in the new epoch", lambda: confirmed(number), 120)
        epochs = [epoch for epoch, _ in batches()]
        assert len(set(epochs)) == 2, batches()
        new = [sequence for epoch, sequence in batches() if epoch == epochs[-1]]
        assert new == list(range(1, len(new) + 1))
        assert "new epoch" in gateway.text_of_log()


def test_the_operators_tool_prints_json(service):
    assert json.loads(service.emactl("--json", "status"))["tenants"] == 1
    assert json.loads(service.emactl("--json", "tenants"))["tenants"] == [
        {"id": 0, "name": "Owner", "kind": "customer", "sites": 0}]


# --- versions ---------------------------------------------------------------

def version_1():
    """The first version of the tables; a released step is never changed."""
    text = (ROOT / "userspace/emad/schema.c").read_text()
    body = re.search(r"static const char version_1\[\] =(.*?);\n\n", text, re.DOTALL)[1]
    body = re.sub(r"/\*.*?\*/", "", body, flags=re.DOTALL)
    return "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', body)).replace('\\"', '"')


def versions(service):
    database = sqlite3.connect(service.state / "data.db")
    found = dict(database.execute("SELECT component, version FROM versions").fetchall())
    database.close()
    return found


def test_a_database_of_the_first_version_is_brought_forward_with_its_data(tmp_path):
    service = Service(tmp_path)
    service.state.mkdir()
    database = sqlite3.connect(service.state / "data.db")
    with database:
        database.executescript(version_1() + "CREATE TABLE versions (component TEXT NOT NULL UNIQUE, version INTEGER "
                                             "NOT NULL); INSERT INTO versions VALUES ('ema', 1);")
        database.execute("INSERT INTO sites (id, customer, name, created_ms) VALUES (5, 0, 'Old roof', 1)")
        database.execute("INSERT INTO batches VALUES (1, 216000000001, 7, 1, X'00', 5, 1, 0, X'00')")
    database.close()
    service.start().set_up()
    assert versions(service)["ema"] > 1
    assert [site["name"] for site in service.api("GET", "/sites")["sites"]] == ["Old roof"]
    service.stop()
    database = sqlite3.connect(service.state / "data.db")
    assert database.execute("SELECT ecu, epoch, sequence, site FROM batch_keys").fetchall() == [(216000000001, 7, 1, 5)]
    database.close()


@pytest.mark.parametrize("file, statement", [
    ("data.db", "UPDATE versions SET version = 99 WHERE component = 'ema'"),
    ("keys.db", "UPDATE schema_version SET version = 99"),
    ("control.db", "UPDATE schema_version SET version = 99 WHERE component = 'auth'")])
def test_a_newer_database_is_refused_and_stays_as_it_is(service, file, statement):
    service.stop()
    path = service.state / file
    database = sqlite3.connect(path)
    with database:
        database.execute(statement)
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    before = path.read_bytes()
    message = service.program_fails("--hashes")
    assert re.search(r"expected (version|at most) \d+", message) and ("newer" in message), message
    assert path.read_bytes() == before
