# SPDX-License-Identifier: GPL-2.0-only
"""The service in parts, between a NATS cluster and PostgreSQL with a synchronous standby."""

import random
import time

import pytest

from service import Service, all_derived, scoped
from fleetlib import Fleet, Nats, Postgres

UNITS = 2
# ECUs that wait for an order.
WAITING = 30


@pytest.fixture
def fleet(request, tmp_path):
    fleet = Fleet(tmp_path)
    request.addfinalizer(fleet.stop)
    return fleet.start()


class Disturbances:
    """Disturbances of a fleet. Each is a function that causes it and returns a function that repairs it."""

    def __init__(self, fleet):
        self.fleet = fleet
        self.all = [*[(f"kill {name}", self.kill_part, name) for name in fleet.PARTS],
                    *[(f"kill nats{n}", self.kill_nats, n) for n in range(Nats.COUNT)],
                    *[(f"kill {name}", self.restart, name) for name in ("data", "standby")],
                    *[(f"cut {name}", self.cut, host) for name, host in fleet.network.hosts.items()]]

    def kill_part(self, name):
        self.fleet.parts[name].kill()
        return self.fleet.parts[name].start

    def kill_nats(self, number):
        self.fleet.nats.kill(number)
        return lambda: self.fleet.nats.start_one(number)

    def restart(self, name):
        self.fleet.postgres.restart(name)
        return lambda: None

    @staticmethod
    def cut(host):
        host.cut()
        return host.join

    def run(self, count, rng):
        """Number of times that each disturbance was caused; none comes again before all others came once."""
        done = {}
        turn = []
        for _ in range(count):
            turn = turn or rng.sample(self.all, len(self.all))
            name, disturb, victim = turn.pop()
            mend = disturb(victim)
            time.sleep(rng.uniform(0.1, 0.8))
            mend()
            time.sleep(rng.uniform(0.1, 0.8))
            done[name] = done.get(name, 0) + 1
        return done


def disturb_and_compare(fleet, count, ecus, batches, seed):
    generator = fleet.generate("--ecus", ecus, "--units", UNITS, "--batches", batches, "--period", 2,
                               "--orders")
    fleet.wait(lambda: fleet.ask("GET", "/fleet")["units"] == ecus * UNITS)
    done = Disturbances(fleet).run(count, random.Random(seed))
    text, _ = generator.communicate(timeout=400)
    assert generator.returncode == 0, text
    promised = fleet.sent()
    print(f"{count} disturbances {done}, {len(promised)} batches", text)
    assert len(promised) == ecus * batches
    fleet.wait(lambda: len(fleet.stored()) >= len(promised))
    assert fleet.stored() == promised


@pytest.mark.long
def test_nothing_is_lost_or_doubled_by_a_hundred_kills_and_cuts(fleet):
    disturb_and_compare(fleet, 100, 30, 110, 3)


@pytest.mark.long
def test_an_outage_is_filled_with_equal_hashes_while_others_are_live(fleet):
    live = fleet.generate("--ecus", 30, "--units", UNITS, "--period", 5, "--batches", 8,
                          log="live.log")
    filled = fleet.generate("--ecus", 40, "--first", "216000200000", "--units", UNITS, "--threads", 40,
                            "--outage", 6, "--batches", 1)
    for generator in (live, filled):
        text, _ = generator.communicate(timeout=200)
        assert generator.returncode == 0, text
    promised = fleet.sent() | fleet.sent("live.log")
    assert len(promised) == 40 * (6 * 12 + 1) + 30 * 8
    fleet.wait(lambda: len(fleet.stored()) >= len(promised))
    assert fleet.stored() == promised
    newest = "SELECT COALESCE(MAX(number), 0) FROM batches; SELECT number FROM progress WHERE name = 'derived'"
    fleet.wait(lambda: len(set(scoped(fleet.postgres, newest))) == 1)


@pytest.mark.long
def test_an_order_reaches_each_waiting_ecu(fleet):
    generator = fleet.generate("--ecus", WAITING, "--units", UNITS, "--period", 60, "--orders")
    fleet.wait(lambda: fleet.ask("GET", "/fleet")["units"] == WAITING * UNITS, 200)
    time.sleep(2)
    begin = time.monotonic()
    orders = [(site, fleet.ask("POST", f"/sites/{site}/commands", {"command": "identify"})["id"])
              for site in (each["id"] for each in fleet.ask("GET", "/sites?limit=1000")["sites"])]
    assert len(orders) == WAITING
    for site, order in orders:
        fleet.wait(lambda site=site, order=order: fleet.ask(
            "GET", f"/sites/{site}/commands/{order}")["state"] == "confirmed")
    print(f"{WAITING} orders confirmed after {time.monotonic() - begin:.1f} s")
    generator.terminate()
    generator.communicate()


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
    log = int(scoped(postgres, "SELECT COUNT(*) FROM batches")[0])
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
