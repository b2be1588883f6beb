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
