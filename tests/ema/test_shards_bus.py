# SPDX-License-Identifier: GPL-2.0-only
"""Two shards behind the NATS cluster: each batch reaches the shard of its site, also when the site moves."""

import json
import re
import time

import pytest

from fleetlib import Fleet
from service import scoped

pytestmark = pytest.mark.long

ECUS, UNITS = 12, 2


@pytest.fixture
def fleet(request, tmp_path):
    """Two databases; the sites of the first ECUs were made when there was one."""
    fleet = Fleet(tmp_path, databases=2)
    request.addfinalizer(fleet.stop)
    fleet.start()
    fleet.use_databases(1)
    deliver(fleet, "--ecus", ECUS, "--batches", 2)
    fleet.wait(lambda: fleet.stored() == fleet.sent())
    fleet.use_databases(2)
    return fleet


def deliver(fleet, *options, **more):
    generator = fleet.generate("--units", UNITS, "--period", 1, *options, **more)
    text, _ = generator.communicate(timeout=200)
    assert generator.returncode == 0, text


def sites(server):
    return set(map(int, scoped(server, "SELECT id FROM sites WHERE arriving = 0")))


def move(fleet, first, last):
    return int(re.search(r"(\d+) sites moved", fleet.emactl("move", f"{first:04x}", f"{last:04x}"))[1])


def check_shards(fleet):
    """Each site is in one shard, with all of its batches, and those are derived."""
    first, second = map(sites, fleet.databases)
    assert first and second and not first & second
    for server, own in zip(fleet.databases, (first, second)):
        for table in ("batches", "batch_keys", "units"):
            assert set(map(int, scoped(server, f"SELECT DISTINCT site FROM {table}"))) <= own, table
    fleet.wait(lambda: json.loads(fleet.emactl("--json", "status"))["waiting"] == 0)
    return first, second


def test_a_batch_on_the_bus_follows_its_site_to_another_shard(fleet):
    before = fleet.sent()
    fleet.parts["store"].kill()
    # NATS has them, the databases do not
    deliver(fleet, "--ecus", ECUS, "--batches", 3, new=False)
    promised = fleet.sent()
    assert len(promised) == len(before) + 3 * ECUS and fleet.stored() == before
    moved = move(fleet, 0, 0xffff)
    assert 0 < moved < ECUS and fleet.stored() == before
    # the batches of a site that was deleted are dropped, without holding up the others
    gone = min(sites(fleet.databases[1]))
    ecu, = scoped(fleet.databases[1], f"SELECT ecu FROM ecus WHERE site = {gone}")
    fleet.ask("DELETE", f"/sites/{gone}")
    fleet.parts["store"].start()
    left = {key: digest for key, digest in promised.items() if key[0] != f"{int(ecu):012d}"}
    assert len(left) == len(promised) - 5
    fleet.wait(lambda: len(fleet.stored()) >= len(left))
    assert fleet.stored() == left
    first, second = check_shards(fleet)
    assert len(second) == moved - 1 and len(first) == ECUS - moved


def test_sites_move_behind_the_bus_while_their_ecus_deliver(fleet):
    new = fleet.generate("--units", UNITS, "--ecus", ECUS, "--first", "216000300000", "--batches", 12, "--period", 1,
                         "--orders")
    old = fleet.generate("--units", UNITS, "--ecus", ECUS, "--batches", 15, "--period", 1, new=False, log="old.log")
    fleet.wait(lambda: fleet.ask("GET", "/fleet")["units"] > ECUS * UNITS)
    moved = 0
    for begin in range(0, 0x10000, 0x2000):
        moved += move(fleet, begin, begin + 0x1fff)
        time.sleep(0.5)
    for generator in (new, old):
        text, _ = generator.communicate(timeout=200)
        assert generator.returncode == 0, text
    promised = fleet.sent() | fleet.sent("old.log")
    print(f"{moved} sites moved, {len(promised)} batches")
    assert moved > 0 and len(promised) == ECUS * (2 + 12 + 15)
    fleet.wait(lambda: len(fleet.stored()) >= len(promised))
    assert fleet.stored() == promised
    check_shards(fleet)
