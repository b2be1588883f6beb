# SPDX-License-Identifier: GPL-2.0-or-later
"""Delivery of batches to a small receiver, which stands for the monitoring service and keeps what it got."""

import os
import re
import signal
import sqlite3
import ssl
import struct
import subprocess
import time

import pytest

from memory import copies
from paths import BUILD
from receiver import Receiver, make_certificate

ECUD = BUILD / "host/bin/ecud"
# Simulated seconds in a second: five batches a second.
SPEED = 300
START_MS = 1796060000000


class Site:
    """A gateway and its receiver."""

    def __init__(self, folder):
        self.folder, self.state, self.config = folder, folder / "state", folder / "ecud.conf"
        self.process = None
        make_certificate(folder)
        # the first start makes the gateway's key
        self.write("https://127.0.0.1:1")
        self.start()
        self.wait(lambda: (self.state / "uplink.pem").exists())
        self.stop()
        self.receiver = Receiver(folder, self.state / "uplink.pem")
        self.port = self.receiver.start()
        self.write(f"https://127.0.0.1:{self.port}")

    def write(self, ema):
        self.config.write_text(
            f"ecu_id 216000000001\nradio {self.folder}/none\nstate {self.state}\nport 0\n"
            f"modbus_port 0\naps_port 0\nema {ema}\nema_ca {self.folder}/server.pem\n")

    def start(self):
        clock = f"{SPEED} {time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000} {START_MS * 1000}"
        self.process = subprocess.Popen([ECUD, "--config", self.config], stderr=subprocess.DEVNULL,
                                        env={**os.environ, "QS1_CLOCK": clock})

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        self.process.wait(20)
        self.process = None

    def query(self, sql):
        with sqlite3.connect(f"file:{self.state / 'ecud.db'}?mode=ro", uri=True) as db:
            return db.execute(sql).fetchall()

    @staticmethod
    def wait(what, seconds=20):
        deadline = time.monotonic() + seconds
        while not what():
            assert time.monotonic() < deadline, "timeout"
            time.sleep(0.1)

    def sequences(self):
        return sorted(sequence for _, sequence in self.receiver.batches)


@pytest.fixture
def site(tmp_path):
    one = Site(tmp_path)
    yield one
    if one.process:
        one.process.kill()
        one.process.wait()
    one.receiver.stop()


def test_batches_come_in_order_without_gaps_and_are_dropped_when_stored(site):
    site.start()
    site.wait(lambda: len(site.receiver.batches) >= 4)
    site.stop()
    assert site.sequences() == list(range(1, len(site.receiver.batches) + 1))
    assert len({epoch for epoch, _ in site.receiver.batches}) == 1
    # what the receiver has stored is out of the outbox
    stored = max(site.receiver.stored.values())
    assert all(sequence > stored - 2 for sequence, in site.query("SELECT sequence FROM batch"))
    headers = site.receiver.requests[-1][2]
    assert all(headers[name].isdigit() for name in ("QS1-Wall-Ms", "QS1-Monotonic-Ms", "QS1-Boot"))


def test_only_the_configured_authority_is_trusted(site):
    """The public ones, which libcurl would add, are not even loaded."""
    public = [dict(pair for part in each["subject"] for pair in part).get("commonName")
              for each in ssl.create_default_context().get_ca_certs()]
    some = [name for name in public if name][:3]
    assert some, "expected authorities of the package ca-certificates"
    site.start()
    site.wait(lambda: len(site.receiver.batches) >= 2)
    assert [name for name in some if copies(site.process.pid, name)] == []


def test_an_outage_is_filled_in_order_at_a_bounded_rate(site):
    """OpenEMS PR 3798: what was filled in after an outage was not all, and nobody noticed."""
    site.start()
    site.wait(lambda: len(site.receiver.batches) >= 2)
    site.receiver.stop()
    before = len(site.receiver.batches)
    # a backlog of more than one request
    site.wait(lambda: site.query("SELECT count(*) FROM batch")[0][0] >= 25, 60)
    kept = dict(site.query("SELECT sequence, bytes FROM batch"))
    site.receiver.start(site.port)
    site.wait(lambda: len(site.receiver.batches) >= before + 25, 60)
    site.stop()
    got = {sequence: batch for (_, sequence), batch in site.receiver.batches.items()}
    assert sorted(got) == list(range(1, len(got) + 1))
    # byte for byte, and so hash for hash, what was kept
    assert all(got[sequence] == data for sequence, data in kept.items() if sequence in got)
    assert all(size <= 1048576 for _, size, _ in site.receiver.requests)
    events = [kind for kind, in site.query("SELECT kind FROM event ORDER BY number")]
    assert "uplink-down" in events or "uplink-up" in events


def test_a_kill_between_sealing_and_sending_gives_no_batch_two_contents(site):
    for pause in (1.3, 0.8, 2.1, 1.1, 0.5):
        site.start()
        time.sleep(pause)
        site.stop(signal.SIGKILL)
    site.start()
    site.wait(lambda: len(site.receiver.batches) >= 5)
    site.stop()
    # the receiver has compared the bytes of each batch that came twice
    assert site.sequences() == list(range(1, len(site.receiver.batches) + 1))


def test_a_conflict_begins_a_new_epoch(site):
    site.start()
    site.wait(lambda: len(site.receiver.batches) >= 2)
    site.receiver.answer = 409
    site.wait(lambda: site.receiver.conflicts >= 1)
    site.receiver.answer = 200
    site.wait(lambda: len({epoch for epoch, _ in site.receiver.batches}) == 2, 30)
    site.stop()


def created(batch):
    """When the gateway has sealed the batch first."""
    return struct.unpack_from("<q", batch, 32)[0]


def test_a_service_that_was_restored_gets_the_rest_in_a_new_epoch(site):
    """The service has lost batches that the gateway has dropped; those that the gateway has are stored once."""
    site.start()
    site.wait(lambda: len(site.receiver.batches) >= 6)
    site.receiver.stop()
    (epoch, _), = {(key[0], 0) for key in site.receiver.batches}
    site.wait(lambda: site.query("SELECT count(*) FROM batch")[0][0] >= 8, 60)
    kept = {created(data) for data, in site.query("SELECT bytes FROM batch")}
    # back to the state of a backup
    site.receiver.batches = {key: batch for key, batch in site.receiver.batches.items() if key[1] <= 3}
    site.receiver.stored = {epoch: 3}
    site.receiver.start(site.port)
    site.wait(lambda: len({key[0] for key in site.receiver.batches}) == 2, 60)
    site.wait(lambda: len(site.receiver.batches) >= 14, 60)
    site.stop()
    new = sorted(key[1] for key in site.receiver.batches if key[0] != epoch)
    assert new == list(range(1, len(new) + 1))
    times = [created(batch) for batch in site.receiver.batches.values()]
    assert len(times) == len(set(times)), "a batch came under two keys"
    assert kept <= set(times)


def test_a_conflict_keeps_what_waits(site):
    site.start()
    site.wait(lambda: len(site.receiver.batches) >= 2)
    site.receiver.stop()
    site.wait(lambda: site.query("SELECT count(*) FROM batch")[0][0] >= 6, 60)
    waiting = [created(data) for data, in site.query("SELECT bytes FROM batch ORDER BY sequence")]
    site.receiver.answer = 409
    site.receiver.start(site.port)
    site.wait(lambda: site.receiver.conflicts >= 1, 60)
    site.receiver.answer = 200
    site.wait(lambda: set(waiting) <= {created(batch) for batch in site.receiver.batches.values()}, 60)
    site.stop()


def test_a_conflict_sends_no_batch_again_that_was_stored_with_its_request(site):
    site.start()
    site.wait(lambda: len(site.receiver.batches) >= 2)
    site.receiver.stop()
    before = len(site.receiver.batches)
    site.wait(lambda: site.query("SELECT count(*) FROM batch")[0][0] >= 6, 60)
    (epoch, last) = max(site.receiver.batches)
    site.receiver.foreign = (epoch, last + 4)
    site.receiver.start(site.port)
    site.wait(lambda: len(site.receiver.batches) >= before + 8, 60)
    site.stop()
    times = [created(batch) for batch in site.receiver.batches.values()]
    assert len(times) == len(set(times)), "a batch came under two keys"
    assert len({epoch for epoch, _ in site.receiver.batches}) == 2


@pytest.mark.parametrize("damage", ["UPDATE batch SET bytes = CAST(substr(bytes, 1, 60) AS BLOB)"
                                    " WHERE sequence = {}", "DELETE FROM batch WHERE sequence = {}"])
def test_a_damaged_or_missing_batch_does_not_hold_up_the_others(site, damage):
    site.start()
    site.wait(lambda: len(site.receiver.batches) >= 2)
    site.receiver.stop()
    site.wait(lambda: site.query("SELECT count(*) FROM batch")[0][0] >= 8, 60)
    site.stop()
    kept = dict(site.query("SELECT sequence, bytes FROM batch"))
    lost = sorted(kept)[3]
    with sqlite3.connect(site.state / "ecud.db") as db:
        db.execute(damage.format(lost))
    site.receiver.start(site.port)
    site.start()
    waiting = {created(data) for sequence, data in kept.items() if sequence != lost}
    site.wait(lambda: waiting <= {created(batch) for batch in site.receiver.batches.values()}, 60)
    assert created(kept[lost]) not in {created(batch) for batch in site.receiver.batches.values()}
    epochs = {epoch for epoch, _ in site.receiver.batches}
    assert len(epochs) == 2
    if damage.startswith("UPDATE"):
        (what, bytes_kept), = site.query("SELECT what, bytes FROM damaged")
        assert what.startswith(f"batch {lost} of the outbox") and bytes_kept == kept[lost][:60]
        site.wait(lambda: site.query("SELECT 1 FROM event WHERE kind = 'store-damaged'"))
    site.stop()


def test_a_busy_service_is_left_alone_for_as_long_as_it_asks(site):
    """The test waits one second, in which the gateway would otherwise retry several times."""
    site.receiver.answer, site.receiver.headers = 503, {"Retry-After": str(SPEED)}
    site.start()
    site.wait(lambda: site.receiver.requests)
    time.sleep(0.7)
    assert len(site.receiver.requests) == 1
    site.receiver.answer, site.receiver.headers = 200, {}
    site.wait(lambda: site.receiver.batches)
    site.stop()


def order(command, age_s=0, **more):
    return {"id": f"ema-{command}-{age_s}", "command": command, "serial": None, "arguments": {},
            "by": "anna (owner)", "role": "owner", "issued_ms": START_MS - age_s * 1000, "ttl_s": 86400,
            **more}


def audit(site):
    return site.query("SELECT * FROM audit")


def test_orders_are_checked_for_identity_age_and_right(site):
    site.receiver.orders = [
        order("limit", arguments={"w": 300, "lease_s": 3600}),
        order("limit", arguments={"w": 300, "lease_s": 3600}),
        order("limit", age_s=200000, arguments={"w": 100, "lease_s": 3600}),
        order("profile", arguments={"name": "note1"}),
        order("profile", arguments={"name": "no such profile"}, role="installer", id="ema-installer"),
        order("limit", arguments={"watts": 300}, id="ema-unknown-argument"),
        order("commission", ttl_s=600, arguments={"inverters": 1}),
        order("explode"),
        order("start", serial="nonsense"),
    ]
    site.start()
    site.wait(lambda: len(site.receiver.batches) >= 3)
    site.wait(lambda: any("commission" in map(str, row) for row in audit(site)))
    site.stop()
    rows = [" ".join(map(str, row)) for row in audit(site)]
    limits = [row for row in rows if re.search(r"\blimit\b", row)]
    # the repeated one is one; the old one has expired; the role may not choose profiles
    assert sum("confirmed" in row for row in limits) == 1, rows
    assert sum("expired" in row for row in limits) == 1, rows
    profiles = [row for row in rows if re.search(r"\bprofile\b", row)]
    assert len(profiles) == 2 and all("refused" in row for row in profiles), rows
    # an installer may: it is refused because there is no such profile
    assert [" ema " in row for row in profiles].count(True) == 1, profiles
    # there is no inverter: commissioning waits until its time is over
    assert any("commission" in row and "unconfirmed" not in row and "expired" in row and '"inverters":1' in row
               for row in rows), rows
    assert site.query("SELECT owner, w FROM power_limit") == [("ema", 300.0)]
