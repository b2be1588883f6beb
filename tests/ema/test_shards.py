# SPDX-License-Identifier: GPL-2.0-only
"""A fleet on two PostgreSQL servers: the same answers as on one, sites that move, and a server that is down."""

import concurrent.futures
import json
import re
import threading
import time

import pytest

from fleetlib import Postgres, sent_batches, shards, stored_batches
from paths import ROOT
from service import Service, all_derived
from service import scoped as sql

DOCUMENT = json.loads((ROOT / "userspace/emad/openapi.json").read_text())
ECUS, UNITS = 10, 2
COMPANY = "Sun and Sons"
# Not of the data: the server's own state, or something that never ends.
NOT_OF_DATA = {"/openapi.json", "/session", "/stream", "/users", "/tokens", "/audit"}


def gets():
    return [(path, operation["get"]) for path, operation in DOCUMENT["paths"].items()
            if "get" in operation and path not in NOT_OF_DATA]


@pytest.fixture
def servers(request):
    servers = [Postgres(), Postgres()]
    for server in servers:
        request.addfinalizer(server.stop)
        server.start()
    return servers


@pytest.fixture
def fleet(request, servers, tmp_path):
    """A service on the first server, with sites, ECUs, alarms and an installer's company."""
    service = Service(tmp_path, shards(servers[:1]))
    request.addfinalizer(service.stop)
    service.start().set_up()
    company = service.emactl("tenant", COMPANY, "company")
    service.emactl("user", "installer", "installer", company, stdin="correct horse battery")
    service.emactl("user", "operator", "operator", 0, stdin="correct horse battery")
    for role in ("installer", "operator"):
        service.tokens[role] = service.token(service.login(role))
    for n in range(6):
        service.api("POST", "/sites", {"name": f"Roof {'BaAbCc'[n]}", "customer_name": f"Customer {n % 2}",
                                       "lat": 40 + n, "lon": n}, "installer")
    service.deliver("--ecus", ECUS, "--units", UNITS, "--batches", 2, "--period", 1, "--history", 1)
    service.wait(lambda: all_derived(servers[0]))
    # alarms that began at the same time, too
    sql(servers[0], "INSERT INTO alarms (site, serial, input, rule, severity, since_ms, begin_ms, end_ms, text) SELECT "
                    "id, 0, 0, 'hot', 1, 1000, 1000 * (id % 5), 9000, 'hot' FROM sites")
    service.api("PUT", "/rules/hot", {"threshold": 70})
    return service


def restart(service, servers):
    service.stop()
    service.settings.update(shards(servers))
    service.start()


def pages(service, path, member, size, who):
    """A list, page by page."""
    found = []
    while True:
        sign = "&" if "?" in path else "?"
        page = service.api("GET", f"{path}{sign}limit={size}&offset={len(found)}", who=who)[member]
        found += page
        if len(page) < size:
            return found


def alarms(service, who, size):
    found = []
    while True:
        before = f"&before={found[-1]['id']}" if found else ""
        page = service.api("GET", f"/alarms?limit={size}{before}", who=who)["alarms"]
        found += page
        if len(page) < size:
            return found


def answers(service):
    """What the interface says of all data, to each role; each list also page by page."""
    said = {}
    today = int(time.time()) // 86400 * 86400
    required = {"from_ms": f"from_ms={(today - 3 * 86400) * 1000}", "to_ms": f"to_ms={today * 1000}",
                "date": time.strftime("date=%Y-%m-%d", time.gmtime(today - 86400))}
    for who in ("owner", "installer", "operator"):
        sites = [site["id"] for site in service.api("GET", "/sites?limit=1000", who=who)["sites"]]
        assert len(sites) == {"owner": ECUS, "installer": 6, "operator": ECUS + 6}[who]
        for path, operation in gets():
            if who not in operation["x-roles"]:
                continue
            query = "&".join(required[each["name"]] for each in operation.get("parameters", ())
                             if each["in"] == "query" and each.get("required"))
            for site in sites if "{id}" in path else [0]:
                at = re.sub(r"{(\w+)}", lambda name, site=site: str(site) if name[1] == "id" else "none", path)
                answer = service.ask("GET", f"/api/v1{at}?{query}", token=service.tokens[who])
                assert answer.status in (200, 404), (at, answer.body)
                # a PDF has the time at which it was made
                body = answer.body.decode(errors="replace")
                said[who, at] = answer.status, "" if "documents" in path else json.loads(body) if body[0] == "{" else body
        for sort in ("name", "power", "energy", "alarms", "last"):
            every = service.api("GET", f"/sites?sort={sort}&limit=1000", who=who)["sites"]
            for size in (1, 3):
                assert pages(service, f"/sites?sort={sort}", "sites", size, who) == every
            said[who, sort] = every
        every = alarms(service, who, 1000)
        assert len({alarm["id"] for alarm in every}) == len(sites)
        assert alarms(service, who, 1) == alarms(service, who, 3) == every
        for search in ("roof", "c", "%"):
            said[who, search] = service.api("GET", f"/sites?search={search}&limit=4", who=who)
    return said


def where(servers):
    """Sites of each shard."""
    return [set(map(int, sql(server, "SELECT id FROM sites WHERE arriving = 0"))) for server in servers]


def quiet(service):
    """Stop everything that changes data by itself: alarms are looked for, sites become silent."""
    service.settings["part"] = "web"


@pytest.mark.long
def test_two_shards_give_the_answers_and_hashes_of_one_before_and_after_a_move(fleet, servers):
    quiet(fleet)
    restart(fleet, servers[:1])
    one = answers(fleet)
    hashes = fleet.command("--hashes")
    restart(fleet, servers)
    assert answers(fleet) == one
    assert fleet.command("--hashes") == hashes
    # half of the hashes, then all
    moved = int(re.search(r"(\d+) sites moved", fleet.emactl("move", "0000", "7fff"))[1])
    assert answers(fleet) == one
    moved += int(re.search(r"(\d+) sites moved", fleet.emactl("move", "0000", "ffff"))[1])
    assert answers(fleet) == one
    first, second = where(servers)
    assert len(second) == moved and first and second and not first & second
    assert "0 sites moved" in fleet.emactl("move", "0000", "ffff")
    # nothing of the sites that have moved is left
    for table in ("batches", "batch_keys", "units", "unit_days", "ecus", "alarms"):
        column = set(map(int, sql(servers[0], f"SELECT DISTINCT site FROM {table}")))
        assert column <= first, table
    fleet.stop()
    assert fleet.command("--hashes") == hashes
    assert fleet.command("--rebuild", "--hashes") == hashes
    # and back to one
    fleet.start()
    status = json.loads(fleet.emactl("--json", "status"))
    assert [shard["sites"] for shard in status["shards"]] == [len(first), len(second)]
    assert status["waiting"] == 0


@pytest.mark.long
def test_no_batch_is_lost_while_sites_move(fleet, servers):
    restart(fleet, servers)
    generator = fleet.fleet("--ecus", ECUS, "--first", "216000300000", "--units", UNITS, "--batches", 12, "--period", 1)
    fleet.wait(lambda: fleet.api("GET", "/fleet", who="operator")["units"] > ECUS * UNITS)
    # a new site is where its hash says; sites of before go there while their ECUs deliver
    more = fleet.fleet("--ecus", ECUS, "--units", UNITS, "--batches", 12, "--period", 1, new=False)
    for first in range(0, 0x10000, 0x2000):
        fleet.emactl("move", f"{first:04x}", f"{first + 0x1fff:04x}")
        time.sleep(0.5)
    for process in (generator, more):
        text, _ = process.communicate(timeout=120)
        assert process.returncode == 0, text
    assert all(where(servers))
    assert stored_batches(servers) == sent_batches(fleet.folder / "sent.log")
    fleet.wait(lambda: all(derived_own(server, n) for n, server in enumerate(servers)))
    fleet.stop()
    hashes = fleet.command("--hashes")
    assert fleet.command("--rebuild", "--hashes") == hashes


def derived_own(server, shard):
    """A shard derives the batches whose numbers it has given. The newest one may have moved away with its site."""
    first, end = (shard << 37), (shard + 1 << 37)
    newest, done = sql(server, f"SELECT COALESCE(MAX(number), {first}) FROM batches WHERE number > {first} AND number <= "
                               f"{end}; SELECT COALESCE(MAX(number), {first}) FROM progress WHERE name = 'derived'")
    return int(newest) <= int(done)


@pytest.mark.long
def test_a_shard_that_is_down_is_missed_by_its_sites_alone(fleet, servers):
    restart(fleet, servers)
    fleet.emactl("move", "0000", "ffff")
    first, second = where(servers)
    of = {int(ecu): n for n, server in enumerate(servers) for ecu in sql(server, "SELECT ecu FROM ecus")}
    assert set(of.values()) == {0, 1}
    assert "missing_sites" not in fleet.api("GET", "/fleet", who="operator")
    servers[1].control("data", "-m", "immediate", "stop")
    for site in first:
        assert fleet.ask("GET", f"/api/v1/sites/{site}", token=fleet.tokens["operator"]).status == 200
    for site in second:
        answer = fleet.ask("GET", f"/api/v1/sites/{site}", token=fleet.tokens["operator"])
        assert answer.status == 503 and answer.headers["Retry-After"], answer.body
    page = fleet.api("GET", "/sites?limit=1000", who="operator")
    assert {site["id"] for site in page["sites"]} == first and page["missing_shards"] == 1
    totals = fleet.api("GET", "/fleet", who="operator")
    assert (totals["sites"], totals["missing_shards"], totals["missing_sites"]) == (len(first), 1, len(second))
    # another tenant, whose sites were never counted
    unknown = fleet.api("GET", "/fleet", who="installer")
    assert unknown["missing_shards"] == 1 and "missing_sites" not in unknown
    assert fleet.ask("PUT", "/api/v1/rules/hot", {"threshold": 75}, fleet.tokens["owner"]).status == 503
    # ECUs of the other shard deliver; those of this one are asked to come back
    generator = fleet.fleet("--ecus", ECUS, "--units", UNITS, "--batches", 1, "--period", 1, new=False)
    live = sum(shard == 0 for shard in of.values())
    before = len(sql(servers[0], "SELECT 1 FROM batches"))
    fleet.wait(lambda: len(sql(servers[0], "SELECT 1 FROM batches")) == before + live, 90)
    time.sleep(1)
    assert generator.poll() is None
    servers[1].control("data", "start")
    text, _ = generator.communicate(timeout=200)
    assert generator.returncode == 0, text
    assert all(len(sql(server, "SELECT 1 FROM batches")) for server in servers)
    assert "missing_shards" not in fleet.api("GET", "/sites", who="operator")
    fleet.api("PUT", "/rules/hot", {"threshold": 75})
    assert sql(servers[0], "SELECT threshold FROM rules") == sql(servers[1], "SELECT threshold FROM rules") == ["75"]


@pytest.mark.long
def test_an_interrupted_move_is_finished_or_made_again(fleet, servers):
    quiet(fleet)
    restart(fleet, servers)
    said = answers(fleet)
    site, other = sorted(where(servers)[0])[:2]
    row = servers[0].sql("ema", f"SET qs1.tenant = '-1'; SELECT customer, name, created_ms FROM sites WHERE id = {site}")
    customer, name, created = row.strip().split("|")
    # one that was copied and not deleted: the old one counts
    tenant = servers[0].sql("ema", f"SET qs1.tenant = '-1'; SELECT name FROM tenants WHERE id = {customer}").strip()
    sql(servers[1], f"INSERT INTO tenants SELECT {customer}, '{tenant}', 'customer' ON CONFLICT DO NOTHING; INSERT INTO "
                    f"sites (id, customer, name, created_ms, arriving) VALUES ({site}, {customer}, '{name}', {created}, 1)")
    assert answers(fleet) == said
    assert "1 interrupted moves ended" in fleet.emactl("move", "0000", "ffff")
    assert answers(fleet) == said
    # one that was deleted and not confirmed: the new one counts
    there = sorted(where(servers)[1])[0]
    sql(servers[1], f"UPDATE sites SET arriving = 1 WHERE id = {there}")
    assert "1 interrupted moves ended" in fleet.emactl("move", "0000", "ffff")
    assert answers(fleet) == said and other in where(servers)[0] | where(servers)[1]


@pytest.mark.long
def test_changes_wait_while_a_site_moves(fleet, servers):
    restart(fleet, servers)
    orders = []
    stop = threading.Event()

    def give():
        while not stop.is_set():
            for site in range(1, 7):
                answer = fleet.ask("POST", f"/api/v1/sites/{site}/commands", {"command": "identify", "ttl_s": 3600},
                                   fleet.tokens["installer"])
                assert answer.status in (202, 503), answer.body
                if answer.status == 202:
                    orders.append(answer.json["id"])
    with concurrent.futures.ThreadPoolExecutor() as pool:
        giver = pool.submit(give)
        fleet.emactl("move", "0000", "ffff")
        stop.set()
        giver.result()
    stored = [order for server in servers for order in sql(server, "SELECT id FROM orders")]
    assert sorted(stored) == sorted(orders) and orders


@pytest.mark.long
def test_databases_in_another_order_are_refused(fleet, servers):
    restart(fleet, servers)
    fleet.stop()
    fleet.settings.update(shards(servers[::-1]))
    fleet.config.write_text("".join(f"{name} {value}\n" for name in ("database", "web_database")
                                    for value in fleet.settings[name]))
    assert "line 1: expected shard 0, found shard 1" in fleet.program_fails("--hashes")
    fleet.settings.update(shards(servers))


@pytest.mark.long
def test_an_ecu_is_at_one_site_in_all_shards(fleet, servers):
    restart(fleet, servers)
    sites = [fleet.api("POST", "/sites", {"name": f"New {n}"})["id"] for n in range(12)]
    first, second = where(servers)
    here, there = (next(site for site in sites if site in shard) for shard in (first, second))
    assert fleet.ask("POST", f"/api/v1/sites/{here}/ecus", {"ecu": "216000000077"}, fleet.tokens["owner"]).status == 201
    for site, status in ((there, 409), (here, 201)):
        answer = fleet.ask("POST", f"/api/v1/sites/{site}/ecus", {"ecu": "216000000077"}, fleet.tokens["owner"])
        assert answer.status == status, answer.body
