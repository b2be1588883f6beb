# SPDX-License-Identifier: GPL-2.0-only
"""From a generated ECU to the web interface, and nothing lost or doubled on the way."""

import contextlib
import hashlib
import random
import signal
import socket
import sqlite3
import struct
import time

import pytest

from service import Service

# 1 June 2026, 15:20 at the generated sites, whose zone is UTC-7
AFTERNOON_S = 1780352400


@pytest.fixture
def afternoon(tmp_path):
    """A service at AFTERNOON_S, whatever the time of the test is."""
    clock = f"1 {time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000} {AFTERNOON_S * 1000000}"
    service = Service(tmp_path, env={"QS1_CLOCK": clock}).start().set_up()
    yield service
    service.stop()


def sent(service):
    """Key and hash of each batch that an ECU was promised."""
    lines = (service.folder / "sent.log").read_text().split("\n")[:-1]
    return {tuple(line.split()[:3]): line.split()[3] for line in lines}


def stored(service):
    database = sqlite3.connect(service.state / "data.db")
    rows = database.execute("SELECT ecu, epoch, sequence, hash FROM batches").fetchall()
    database.close()
    assert len(rows) == len({row[:3] for row in rows})
    return {(f"{ecu:012d}", str(epoch % 2**64), str(sequence)): digest.hex()
            for ecu, epoch, sequence, digest in rows}


def all_derived(service):
    database = sqlite3.connect(service.state / "data.db")
    newest, done = database.execute(
        "SELECT COALESCE(MAX(batches.number), 0), "
        "(SELECT number FROM progress WHERE name = 'derived') FROM batches").fetchone()
    database.close()
    return newest == (done or 0)


def test_a_batch_reaches_store_roll_up_and_web_interface(service):
    summary = service.deliver("--ecus", 2, "--units", 3, "--batches", 2, "--period", 2,
                              "--history", 1)
    assert summary["failures"] == 0
    service.wait(lambda: all_derived(service))
    assert stored(service) == sent(service)
    fleet = service.api("GET", "/fleet")
    assert (fleet["sites"], fleet["units"]) == (2, 6)
    site = service.api("GET", "/sites?sort=power")["sites"][0]
    assert site["units"] == 3 and site["last_ms"]
    inverters = service.api("GET", f"/sites/{site['id']}/inverters")["inverters"]
    assert len(inverters) == 3 and all(len(each["inputs"]) == 4 for each in inverters)
    now_ms = int(time.time() * 1000)
    history = service.api("GET", f"/sites/{site['id']}/history?from_ms={now_ms - 86400000}"
                                 f"&to_ms={now_ms}&step_s=900&modules=true")
    assert len(history["series"]) == 12
    assert len(history["time_ms"]) == len(history["series"][0]["values"])


def test_the_energy_of_a_day_is_the_same_by_counters_by_quarters_and_on_the_list(afternoon):
    """Live reports come two hours after the last ones, and the night lies between two days."""
    afternoon.deliver("--ecus", 1, "--units", 2, "--batches", 2, "--period", 1, "--history", 2)
    afternoon.wait(lambda: all_derived(afternoon))
    site = afternoon.api("GET", "/sites")["sites"][0]
    midnight_s = AFTERNOON_S - (15 * 60 + 20) * 60
    for begin_s in (midnight_s - 86400, midnight_s):
        energy = {}
        for step_s in (86400, 900):
            history = afternoon.api("GET", f"/sites/{site['id']}/history?from_ms={begin_s * 1000}"
                                           f"&to_ms={(begin_s + 86400) * 1000}&step_s={step_s}")
            values = [value for value in history["series"][0]["values"] if value is not None]
            energy[step_s] = sum(values) * (0.25 if step_s == 900 else 1)
        print(begin_s, energy, site["energy_today_wh"])
        assert energy[86400] > 5000
        assert energy[900] == pytest.approx(energy[86400], abs=2)
    assert site["energy_today_wh"] == pytest.approx(energy[86400], abs=2)


def test_the_derived_tables_are_built_again_with_equal_hashes(service):
    service.deliver("--ecus", 2, "--units", 2, "--batches", 1, "--period", 1, "--history", 3)
    service.wait(lambda: all_derived(service))
    service.stop()
    before = service.command("--hashes")
    assert "unit_days 0 " not in before
    assert service.command("--rebuild", "--hashes") == before


def test_compaction_changes_no_derived_table_and_keeps_the_log_unique(service):
    service.deliver("--ecus", 1, "--units", 4, "--batches", 1, "--period", 1, "--history", 2)
    service.wait(lambda: all_derived(service))
    service.stop()
    before = service.command("--hashes")
    log = stored(service)
    # the batches become old
    database = sqlite3.connect(service.state / "data.db")
    with database:
        database.execute("UPDATE batches SET received_ms = received_ms - 9 * 86400000")
    database.close()
    assert f"{len(log)} batches compacted" in service.command("--compact")
    assert stored(service) == {}
    assert service.command("--hashes") == before
    assert service.command("--rebuild", "--hashes") == before
    database = sqlite3.connect(service.state / "data.db")
    reports, size = database.execute(
        "SELECT SUM(reports), SUM(LENGTH(content) + LENGTH(quarters) + LENGTH(plain_hash)) "
        "FROM unit_days").fetchone()
    log_size, = database.execute("SELECT SUM(LENGTH(hashes) + LENGTH(rows)) FROM log_days").fetchone()
    database.close()
    print(f"{reports} reports, {(size + log_size) / reports:.1f} bytes a report")
    assert (size + log_size) / reports <= 20


def kill_and_compare(service, kills, batches):
    generator = service.fleet("--ecus", 20, "--units", 2, "--batches", batches, "--period", 1)
    service.wait(lambda: service.api("GET", "/fleet")["units"] == 40, 120)
    rng = random.Random(5)
    for _ in range(kills):
        time.sleep(rng.uniform(0.05, 1))
        service.kill()
        service.start()
    text, _ = generator.communicate(timeout=300)
    assert generator.returncode == 0, text
    service.wait(lambda: all_derived(service), 120)
    promised = sent(service)
    assert len(promised) == 20 * batches
    assert stored(service) == promised


def test_no_batch_is_lost_or_doubled_by_six_kills(service):
    kill_and_compare(service, 6, 12)


@pytest.mark.long
def test_no_batch_is_lost_or_doubled_by_a_hundred_kills(service):
    kill_and_compare(service, 100, 90)


def enrolled(service):
    """Site of a generated ECU; from now on the test's requests use the key of this ECU."""
    service.deliver("--ecus", 1, "--units", 1, "--batches", 1, "--period", 1)
    certificate = next((service.folder / "keys").glob("*.pem"))
    service.context.load_cert_chain(certificate, certificate.with_suffix(".key"))
    return service.wait(lambda: service.api("GET", "/sites")["sites"])[0]["id"]


def test_more_orders_than_one_answer_holds_come_with_the_next_one(service):
    site = enrolled(service)
    given = [service.api("POST", f"/sites/{site}/commands", {"command": "identify"})["id"] for _ in range(120)]
    taken = []
    for count in (100, 20, 0):
        orders = service.ask("GET", "/uplink/v1/orders?wait=0", port=service.uplink).json["orders"]
        assert len(orders) == count
        taken += [order["id"] for order in orders]
    assert taken == given


def empty_batch(ecu, sequence, wall_ms):
    """As userspace/service/batch.h has it: its four tables without rows are one raw block of zstd."""
    content = bytes.fromhex("28b52ffd 20 04 210000 00000000")
    batch = struct.pack("<4sIQQQqQIhH", b"QSB1", 56 + len(content) + 32, ecu, 1, sequence, wall_ms, 0, 1, 0, 1) + content
    return batch + hashlib.blake2b(batch, digest_size=32).digest()


def test_a_conflict_names_its_batch_and_those_before_it_are_stored(service):
    site = enrolled(service)
    ecu = int(service.api("GET", f"/sites/{site}")["ecus"][0]["ecu"])

    def post(*batches):
        return service.ask("POST", "/uplink/v1/batches", b"".join(batches), port=service.uplink,
                           headers={"Content-Type": "application/octet-stream"})
    first, second, third, other = (empty_batch(ecu, *each) for each in ((1, 1), (2, 2), (3, 3), (3, 4)))
    assert post(first).json["stored_through"] == {"epoch": "1", "sequence": 1}
    assert post(third).status == 200
    answer = post(first, second, other)
    assert (answer.status, answer.headers["QS1-Conflict"]) == (409, "3")
    assert post(third).json["stored_through"]["sequence"] == 3


def test_hundreds_of_ecus_connect_while_the_service_is_busy(service):
    """The kernel takes the connections that a stopped process does not accept."""
    service.process.send_signal(signal.SIGSTOP)
    with contextlib.ExitStack() as ecus:
        ecus.callback(service.process.send_signal, signal.SIGCONT)
        for _ in range(400):
            ecus.enter_context(socket.create_connection(("127.0.0.1", service.uplink), timeout=0.5))


def test_an_ecu_without_a_known_key_is_refused(service, tmp_path):
    answer = service.ask("POST", "/uplink/v1/batches", b"x" * 200, port=service.uplink,
                         headers={"Content-Type": "application/octet-stream"})
    assert (answer.status, answer.json["error"]["code"]) == (400, "malformed")
    answer = service.ask("GET", "/uplink/v1/orders?wait=0", port=service.uplink)
    assert (answer.status, answer.json["error"]["code"]) == (401, "no_certificate")


def test_a_revoked_ecu_is_refused_at_its_next_request(service):
    generator = service.fleet("--ecus", 1, "--units", 1, "--period", 1)
    site = service.wait(lambda: service.api("GET", "/sites")["sites"])[0]["id"]
    service.wait(lambda: service.api("GET", f"/sites/{site}")["units"])
    ecu = service.api("GET", f"/sites/{site}")["ecus"][0]["ecu"]
    service.api("DELETE", f"/sites/{site}/ecus/{ecu}")
    time.sleep(1.5)
    count = len(stored(service))
    time.sleep(2.5)
    assert len(stored(service)) == count
    generator.terminate()
    generator.communicate()


def test_an_order_is_confirmed_by_each_inverter(service):
    generator = service.fleet("--ecus", 1, "--units", 1, "--period", 1)
    site = service.wait(lambda: service.api("GET", "/sites")["sites"])[0]["id"]
    service.wait(lambda: service.api("GET", f"/sites/{site}")["units"])
    order = service.api("POST", f"/sites/{site}/commands",
                        {"command": "limit", "arguments": {"w": 300, "lease_s": 600}})
    assert order["state"] == "queued"

    def confirmed():
        now = service.api("GET", f"/sites/{site}/commands/{order['id']}")
        return now if now["state"] == "confirmed" else None
    assert service.wait(confirmed)["results"][0]["text"] == "read back"
    generator.terminate()
    generator.communicate()
