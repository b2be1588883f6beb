# SPDX-License-Identifier: GPL-2.0-only
"""The service in parts, between a NATS cluster and PostgreSQL with a synchronous standby."""

import contextlib
import random
import threading
import time
import urllib.request

import pytest

from service import Service
from fleetlib import Nats, Postgres


class Parts:
    """One process for each part."""

    NAMES = ("store", "ingest", "web", "watch")

    def __init__(self, folder, postgres, nats):
        self.parts = {}
        for name in self.NAMES:
            (folder / name).mkdir()
            self.parts[name] = Service(folder / name, {
                "database": postgres.url("qs1_store"), "web_database": postgres.url("qs1_web"),
                "nats": nats.url, "part": name})
            self.parts[name].state = folder / "state"

    def start(self):
        for name in self.NAMES:
            self.parts[name].start()
        web = self.parts["web"]
        web.uplink = self.parts["ingest"].uplink
        web.set_up()
        return self

    def restart(self, name):
        uplink = self.parts["web"].uplink
        self.parts[name].kill()
        self.parts[name].start()
        self.parts["web"].uplink = uplink

    def stop(self):
        for part in self.parts.values():
            part.stop()


@pytest.fixture
def parts(request, tmp_path):
    postgres, nats = Postgres(standby=True), Nats()
    request.addfinalizer(postgres.stop)
    request.addfinalizer(nats.stop)
    postgres.start()
    nats.start()
    parts = Parts(tmp_path, postgres, nats)
    request.addfinalizer(parts.stop)
    parts.start()
    parts.postgres, parts.nats = postgres, nats
    return parts


def stored(postgres):
    rows = postgres.sql("ema", "SET qs1.tenant = '-1'; SELECT ecu, epoch, sequence, "
                               "encode(hash, 'hex') FROM batches").split("\n")[:-1]
    found = {}
    for row in rows:
        ecu, epoch, sequence, digest = row.split("|")
        key = (f"{int(ecu):012d}", str(int(epoch) % 2**64), sequence)
        assert key not in found
        found[key] = digest
    return found


@pytest.mark.long
def test_the_stream_of_the_web_part_hears_of_what_the_store_part_derives(parts):
    web = parts.parts["web"]
    heard = []

    def follow():
        request = urllib.request.Request(f"https://127.0.0.1:{web.web}/api/v1/stream",
                                         headers=web.proof(web.tokens["owner"]))
        with contextlib.suppress(TimeoutError):
            with urllib.request.urlopen(request, context=web.context, timeout=60) as answer:
                for line in answer:
                    heard.append(line.decode())
                    if any(each.startswith("event: site") for each in heard) and \
                            any(each.startswith(":") for each in heard):
                        return

    follower = threading.Thread(target=follow)
    follower.start()
    time.sleep(1)
    web.deliver("--ecus", 1, "--units", 1, "--batches", 2, "--period", 1)
    follower.join(90)
    assert "event: site\n" in heard
    # while nothing happens, a comment says that the service is there
    assert [line for line in heard if line.startswith(":")]


@pytest.mark.long
def test_nothing_is_lost_or_doubled_when_any_part_or_server_is_killed(parts):
    web = parts.parts["web"]
    generator = web.fleet("--ecus", 20, "--units", 2, "--batches", 25, "--period", 1)
    web.wait(lambda: web.api("GET", "/fleet")["units"] == 40, 60)
    rng = random.Random(3)
    victims = ["ingest", "store", "web", "nats", "database", "ingest", "nats", "store"]
    rng.shuffle(victims)
    for victim in victims:
        time.sleep(rng.uniform(0.3, 1.2))
        if victim == "nats":
            number = rng.randrange(parts.nats.COUNT)
            parts.nats.kill(number)
            time.sleep(1)
            parts.nats.start_one(number)
        elif victim == "database":
            parts.postgres.restart()
        else:
            parts.restart(victim)
    text, _ = generator.communicate(timeout=200)
    assert generator.returncode == 0, text
    print(text)
    lines = (web.folder / "sent.log").read_text().split("\n")[:-1]
    promised = {tuple(line.split()[:3]): line.split()[3] for line in lines}
    assert len(promised) == 20 * 25
    web.wait(lambda: len(stored(parts.postgres)) >= len(promised), 60)
    assert stored(parts.postgres) == promised


@pytest.fixture(scope="module")
def partitioned(request, tmp_path_factory):
    """One process on PostgreSQL, with an ECU that has delivered two days."""
    postgres = Postgres()
    request.addfinalizer(postgres.stop)
    postgres.start()
    service = Service(tmp_path_factory.mktemp("partitioned"), {
        "database": postgres.url("qs1_store"), "web_database": postgres.url("qs1_web")})
    request.addfinalizer(service.stop)
    service.start().set_up()
    service.deliver("--ecus", 2, "--units", 2, "--batches", 1, "--period", 1, "--history", 2)
    service.postgres = postgres
    service.wait(lambda: all_derived(postgres))
    return service


def scoped(postgres, text, tenant=-1):
    return postgres.sql("ema", f"SET ROLE qs1_store; SET qs1.tenant = '{tenant}'; {text}").split()


def all_derived(postgres):
    newest, done = scoped(postgres, "SELECT COALESCE(MAX(number), 0) FROM batches; SELECT number FROM "
                                    "progress WHERE name = 'derived'")
    return newest == done


def partitions(postgres, parent):
    return scoped(postgres, "SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid "
                            f"WHERE inhparent = '{parent}'::regclass ORDER BY 1")


@pytest.mark.long
def test_no_other_role_reads_a_partition_itself(partitioned):
    postgres = partitioned.postgres
    tables = [f"partitions.{name}" for parent in ("batches", "unit_days")
              for name in partitions(postgres, parent)]
    assert len(tables) >= 8
    for table in tables:
        with pytest.raises(AssertionError, match="permission denied"):
            postgres.sql("ema", f"SET ROLE qs1_web; SET qs1.tenant = '-1'; SELECT * FROM {table}")
    # the parent shows a tenant its rows alone, also to the owner of the table
    for role in ("qs1_web", "qs1_store"):
        for tenant, seen in ((-1, True), (0, True), (77, False)):
            count = postgres.sql("ema", f"SET ROLE {role}; SET qs1.tenant = '{tenant}'; "
                                        "SELECT COUNT(*) FROM unit_days").strip()
            assert (count != "0") is seen, (role, tenant, count)


@pytest.mark.long
def test_a_row_outside_of_the_partitions_moves_when_its_partition_is_made(partitioned):
    postgres = partitioned.postgres
    scoped(postgres, "INSERT INTO unit_days (serial, day, site, reports, quarters, plain_hash, content) "
                     "SELECT 7, 320, MIN(id), 0, '', '', '' FROM sites")
    where = "SELECT tableoid::regclass FROM unit_days WHERE serial = 7"
    assert scoped(postgres, where) == ["partitions.unit_days_rest"]
    assert scoped(postgres, "SELECT partition_add('unit_days', 320, 352)") == ["1"]
    assert scoped(postgres, where) == ["partitions.unit_days_320"]
    assert scoped(postgres, "SELECT partition_drop('unit_days', 351, true)") == ["0"]
    assert scoped(postgres, "SELECT partition_drop('unit_days', 352, true)") == ["1"]
    assert scoped(postgres, where) == []


@pytest.mark.long
def test_compaction_empties_partitions_of_the_log_which_are_dropped(partitioned):
    postgres = partitioned.postgres
    partitioned.stop()
    before = partitioned.command("--hashes")
    log = len(stored(postgres))
    # the batches become old, in partitions of their days
    day = int(time.time()) // 86400 - 9
    scoped(postgres, f"SELECT partition_add('batches', {day * 86400000}, {(day + 1) * 86400000}); "
                     f"UPDATE batches SET received_ms = {day * 86400000}")
    assert f"batches_{day * 86400000}" in partitions(postgres, "batches")
    assert f"{log} batches compacted" in partitioned.command("--compact")
    assert f"batches_{day * 86400000}" not in partitions(postgres, "batches")
    assert partitioned.command("--hashes") == before
    assert partitioned.command("--rebuild", "--hashes") == before
    partitioned.start()
