# SPDX-License-Identifier: GPL-2.0-or-later
"""Many clients at once, slow ones among them: nobody waits, nothing grows."""

import pathlib
import random
import socket
import ssl
import threading
import time

from gateway import wait_for
from sunspec import Device, connect

STREAMS, MASTERS = 100, 16


def memory_kb(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(next(line.split()[1] for line in text.splitlines() if line.startswith("VmRSS")))


def descriptors(pid):
    return len(list(pathlib.Path(f"/proc/{pid}/fd").iterdir()))


def test_100_streams_and_16_masters(gateway):
    """Each stream has each inverter within some seconds, while masters read and pages are asked for."""
    seen = [set() for _ in range(STREAMS)]
    errors, times = [], []

    def follow(number):
        try:
            for name, event in gateway.api["viewer"].follow():
                if name == "inverter":
                    seen[number].add(event["serial"])
                if len(seen[number]) == 2:
                    return
        except BaseException as error:
            errors.append(error)

    def read():
        try:
            client = connect(gateway.modbus_port)
            for _ in range(5):
                Device(client, 2)
            client.close()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=follow, args=(n,)) for n in range(STREAMS)]
    threads += [threading.Thread(target=read) for _ in range(MASTERS)]
    for thread in threads:
        thread.start()
    for _ in range(20):
        begin = time.monotonic()
        assert gateway.owner.get("/status").status == 200
        times.append(time.monotonic() - begin)
    for thread in threads:
        thread.join(60)
    assert not errors
    assert all(len(each) == 2 for each in seen)
    print(f"status while they come: median {sorted(times)[10] * 1e3:.0f} ms")


def test_abuse_leaves_nothing(gateway):
    """Stalled handshakes, half requests and garbage on every port, and all of it gone afterwards."""
    generator = random.Random(3)
    ports = (gateway.port, gateway.modbus_port, gateway.aps_port)
    before = None
    for turn in range(4):
        held = []
        for number in range(150):
            sock = socket.create_connection(("127.0.0.1", ports[number % 3]), timeout=5)
            if number % 2:
                try:
                    sock.sendall(generator.randbytes(generator.randrange(1, 400)))
                except OSError:
                    pass
            held.append(sock)
        for _ in range(10):
            context = ssl._create_unverified_context()
            with socket.create_connection(("127.0.0.1", gateway.port), timeout=5) as raw:
                with context.wrap_socket(raw) as sock:
                    sock.sendall(b"POST /api/v1/commands HTTP/1.1\r\nHost: x\r\nContent-Length: 999\r\n")
        assert gateway.owner.get("/status").status == 200
        for sock in held:
            sock.close()
        wait_for("closed connections", lambda: descriptors(gateway.ecud.pid) < 60)
        if turn == 1:
            before = memory_kb(gateway.ecud.pid)
    assert memory_kb(gateway.ecud.pid) < before + 1024
    assert gateway.all_live()
