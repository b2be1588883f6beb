# SPDX-License-Identifier: GPL-2.0-or-later
"""A client of the stock protocol on port 8899, as its public clients read it: one connection for each
command, and one read for each reply."""

import socket


def ask(port, request, size=4096):
    with socket.create_connection(("127.0.0.1", port), timeout=5) as sock:
        sock.sendall(request.encode())
        return sock.recv(size)


def command(port, number, ecu, argument=None, length=None):
    text = f"{number}{ecu}END" + (f"{argument}END" if argument else "")
    if length is None:
        length = 9 + len(text)
    return ask(port, f"APS11{length:04}{text}\n")


def check(reply, number):
    """The frame around each reply."""
    assert reply[:5] == b"APS11" and reply[-4:] == b"END\n"
    assert int(reply[5:9]) == len(reply) - 1
    assert reply[9:13] == number.encode()


def u(data, at, count):
    return int.from_bytes(data[at:at + count], "big")


def info(reply):
    check(reply, "0001")
    version = int(reply[52:55])
    return {"id": reply[13:25].decode(), "model": reply[25:27], "lifetime_wh": u(reply, 27, 4) * 100,
            "power": u(reply, 31, 4), "today_wh": u(reply, 35, 4) * 10, "uploaded": reply[39:46].hex(),
            "inverters": u(reply, 46, 2), "online": u(reply, 48, 2),
            "version": reply[55:55 + version].decode()}


def realtime(reply):
    check(reply, "0002")
    if reply[13:15] != b"00":
        return reply[13:15]
    count, at, inverters = u(reply, 17, 2), 26, {}
    for _ in range(count):
        kind = reply[at + 7:at + 9]
        assert kind == b"03", "a QS1"
        inverters[reply[at:at + 6].hex()] = {
            "online": reply[at + 6], "hz": u(reply, at + 9, 2) / 10, "celsius": u(reply, at + 11, 2) - 100,
            "volts": u(reply, at + 15, 2),
            "watts": [u(reply, at + n, 2) for n in (13, 17, 19, 21)]}
        at += 23
    assert at == len(reply) - 4
    return {"time": reply[19:26].hex(), "inverters": inverters}


def signal(reply):
    check(reply, "0030")
    data = reply[15:-4]
    assert len(data) % 7 == 0
    return {data[n:n + 6].hex(): data[n + 6] / 2.55 for n in range(0, len(data), 7)}
