# SPDX-License-Identifier: GPL-2.0-only
"""A job that two processes of the web interface get at the same time is stored once, with every database."""

import concurrent.futures
import contextlib
import sqlite3
import subprocess
import time

import pytest

from fleetlib import Postgres, shards
from service import Service

JOBS = 4
CUSTOMERS = "SELECT name FROM tenants WHERE name LIKE 'Customer%'"


class Lite:
    """The file of a home or a small installer."""

    settings = {}

    def __init__(self, folder):
        self.data = folder / "state/data.db"

    @contextlib.contextmanager
    def held(self):
        """Nobody else writes; all read."""
        with contextlib.closing(sqlite3.connect(self.data)) as database:
            database.execute("BEGIN IMMEDIATE")
            yield
            database.rollback()

    def rows(self, text):
        with contextlib.closing(sqlite3.connect(self.data)) as database:
            return [row for row, in database.execute(text)]

    def stop(self):
        pass


class Servers:
    """PostgreSQL servers, a shard on each."""

    def __init__(self, count):
        self.servers = [Postgres().start() for _ in range(count)]
        self.settings = shards(self.servers)

    @contextlib.contextmanager
    def held(self):
        """Nobody else stores a job; all read."""
        holders = []
        for server in self.servers:
            holders.append(subprocess.Popen(
                ["psql", "-h", server.folder, "-U", "postgres", "-d", "ema", "-Atq"], stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, text=True))
            holders[-1].stdin.write("BEGIN; LOCK TABLE jobs IN EXCLUSIVE MODE; SELECT 1;\n")
            holders[-1].stdin.flush()
            assert holders[-1].stdout.readline() == "1\n"
        yield
        for holder in holders:
            holder.communicate("ROLLBACK;\n")

    def rows(self, text):
        return [row for server in self.servers
                for row in server.sql("ema", f"SET qs1.tenant = '-1'; {text}").split("\n")[:-1]]

    def drop_locks(self):
        """End the connections that hold a lock of shard 0, as a network that breaks does."""
        self.servers[0].sql("ema", "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted")

    def stop(self):
        for server in self.servers:
            server.stop()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.long),
                        pytest.param("two shards", marks=pytest.mark.long)])
def pair(request, tmp_path):
    """Two processes of the web interface on one database, and an installer."""
    database = Lite(tmp_path) if request.param == "sqlite" else Servers(1 + (request.param == "two shards"))
    request.addfinalizer(database.stop)
    first = Service(tmp_path, {**database.settings, "part": "web"})
    request.addfinalizer(first.stop)
    first.start().set_up()
    company = first.emactl("tenant", "Sun and Sons", "company")
    first.emactl("user", "installer", "installer", company, stdin="correct horse battery")
    first.tokens["installer"] = first.token(first.login("installer"))
    folder = tmp_path / "second"
    folder.mkdir()
    second = Service(folder, first.settings | {"web_port": 0, "uplink_port": 0})
    second.state = first.state
    request.addfinalizer(second.stop)
    second.start()
    second.tokens = first.tokens
    first.database = database
    return first, second


def job(number):
    return {"id": f"0a8f1d3e-0000-4000-8000-{number:012d}", "ecu": f"2160000001{number:02d}", "commission": True,
            "inverters": [], "site": {"name": f"Roof {number}", "customer_name": f"Customer {number}"}}


def hand_over(services, body, disturb=None):
    """Hand a job over to all services, each of which knows of none at its beginning."""
    with concurrent.futures.ThreadPoolExecutor() as pool:
        with services[0].database.held():
            answers = [pool.submit(service.ask, "POST", "/api/v1/jobs", body, service.tokens["installer"])
                       for service in services]
            time.sleep(0.7)
            if disturb:
                disturb()
                time.sleep(0.7)
        return [answer.result() for answer in answers]


def test_a_job_that_two_processes_get_at_once_is_stored_once(pair):
    database = pair[0].database
    for number in range(JOBS):
        answers = hand_over(pair, job(number))
        assert sorted(answer.status for answer in answers) == [200, 201], [answer.body for answer in answers]
        assert len({answer.json["site"] for answer in answers}) == 1
    for text in ("SELECT id FROM jobs", "SELECT name FROM sites", "SELECT ecu FROM ecus", "SELECT id FROM orders"):
        assert len(database.rows(text)) == JOBS, text
    customers = database.rows(CUSTOMERS)
    assert set(customers) == {f"Customer {number}" for number in range(JOBS)}
    # the list of a tenant is that of shard 0
    assert len([each for each in pair[0].api("GET", "/tenants", who="installer")["tenants"]
                if each["kind"] == "customer"]) == JOBS


@pytest.mark.parametrize("pair", [pytest.param("two shards", marks=pytest.mark.long)], indirect=True)
def test_a_job_is_stored_once_when_the_lock_is_lost(pair):
    database = pair[0].database
    for number in range(JOBS):
        answers = hand_over(pair, job(number), database.drop_locks)
        assert {answer.status for answer in answers} <= {200, 201, 503}, [answer.body for answer in answers]
        # the app hands over again what was not acknowledged
        again = pair[1].ask("POST", "/api/v1/jobs", job(number), pair[1].tokens["installer"])
        assert again.status in (200, 201), again.body
        assert {answer.json["site"] for answer in answers if answer.status < 300} <= {again.json["site"]}
    for text in ("SELECT id FROM jobs", "SELECT name FROM sites", "SELECT ecu FROM ecus"):
        assert len(database.rows(text)) == JOBS, text


def test_a_job_of_another_tenant_is_not_shown(pair):
    body = job(0)
    assert pair[0].ask("POST", "/api/v1/jobs", body, pair[0].tokens["installer"]).status == 201
    foreign = dict(body, ecu="216000000199", site={"name": "Other"})
    answer = pair[1].ask("POST", "/api/v1/jobs", foreign, pair[1].tokens["owner"])
    assert answer.status == 409, answer.body
    assert pair[0].database.rows("SELECT name FROM sites") == ["Roof 0"]
