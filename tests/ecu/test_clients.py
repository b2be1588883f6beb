# SPDX-License-Identifier: GPL-2.0-or-later
"""The gateway's servers have a valid certificate, and serve other clients while some stall."""

import contextlib
import datetime
import os
import signal
import socket
import ssl
import time

import pytest

from gateway import Gateway, wait_for
from sunspec import connect

DAY_S = 86400
# Half of the connections of the HTTP server, and all of the Modbus server.
HTTP_CLIENT, MODBUS = 128, 32
NEIGHBOUR = "127.0.0.2"


def connection(port, source="127.0.0.1", timeout=10):
    return socket.create_connection(("127.0.0.1", port), timeout, source_address=(source, 0))


def unverified():
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def certificate(port):
    """The server's certificate; None while it does not listen."""
    try:
        with unverified().wrap_socket(connection(port)) as sock:
            return sock.getpeercert(binary_form=True)
    except ConnectionRefusedError:
        return None


def test_the_certificate_is_renewed_while_the_gateway_runs():
    made = time.time()
    with Gateway(units=0, pair=False, clock=(1, made)) as own:
        first = certificate(own.port)
        fingerprint = own.local.get("/label").json["fingerprint"]
        own.ecud.terminate()
        own.ecud.wait(10)
        # half an hour before it has to be renewed, which passes in 2 s
        own.clock = (1000, made + (397 - 1 - 30) * DAY_S - 1800)
        own.start()
        wait_for("the pages", lambda: certificate(own.port))
        with unverified().wrap_socket(connection(own.port)) as old:
            assert old.getpeercert(binary_form=True) == first
            second = wait_for("the new certificate", lambda: (
                lambda found: found if found != first else None)(certificate(own.port)), 20)
            # a connection that was there before still works
            old.sendall(b"GET /api/v1/openapi.json HTTP/1.1\r\nHost: ecu\r\n\r\n")
            assert old.recv(100).startswith(b"HTTP/1.1 ")
        assert own.ecud.poll() is None
        # the same key: labels stay valid; the authority is the same too
        assert own.local.get("/label").json["fingerprint"] == fingerprint
        pem = own.folder / "second.pem"
        pem.write_text(ssl.DER_cert_to_PEM_cert(second))
        ends = ssl.cert_time_to_seconds(ssl._ssl._test_decode_cert(str(pem))["notAfter"])
        assert ends > made + 2 * (397 - 31) * DAY_S, datetime.datetime.fromtimestamp(ends)
        assert ssl._ssl._test_decode_cert(str(own.state / "tls/server.pem"))["notAfter"] == \
            ssl._ssl._test_decode_cert(str(pem))["notAfter"]


def stall(stack, port, how, count):
    """Clients of one address that connect and stall: half-open, in the handshake, in the request."""
    for _ in range(count):
        with contextlib.suppress(OSError):
            sock = stack.enter_context(connection(port, timeout=2))
            if how == "handshake":
                sock.sendall(b"\x16\x03\x01\x02\x00\x01")
            elif how == "request":
                tls = stack.enter_context(unverified().wrap_socket(sock))
                tls.sendall(b"GET /api/v1/status HTTP/1.1\r\nHost")


def is_served(gateway):
    with contextlib.suppress(OSError):
        return gateway.owner.get("/status").status == 200
    return False


# A connection beyond the limit of an address ends at once, which takes a client of TLS long to notice.
@pytest.mark.parametrize("how, count", [("connection", 2 * HTTP_CLIENT), ("handshake", 2 * HTTP_CLIENT),
                                        pytest.param("request", HTTP_CLIENT + 2, marks=pytest.mark.long)])
def test_stalled_clients_keep_no_other_address_out(gateway, how, count):
    with contextlib.ExitStack() as stack:
        stall(stack, gateway.port, how, count)
        began = time.monotonic()
        for _ in range(5):
            with unverified().wrap_socket(connection(gateway.port, NEIGHBOUR, 6)) as sock:
                sock.sendall(b"GET /api/v1/openapi.json HTTP/1.1\r\nHost: ecu\r\nConnection: close\r\n\r\n")
                assert sock.recv(100).startswith(b"HTTP/1.1 200")
        # a place that a stalled client has to give up is free after 10 s
        assert time.monotonic() - began < 6
    wait_for("the end of the stalled clients", lambda: is_served(gateway))


@pytest.mark.long
def test_stalled_clients_end(gateway):
    with contextlib.ExitStack() as stack:
        stall(stack, gateway.port, "handshake", 4)
        sock = stack.enter_context(connection(gateway.port, timeout=15))
        sock.sendall(b"\x16")
        began = time.monotonic()
        with contextlib.suppress(ConnectionResetError):
            while sock.recv(100):  # an alert of TLS comes first
                pass
        assert time.monotonic() - began < 13


@pytest.mark.parametrize("name", ["modbus", "aps"])
def test_an_address_with_many_connections_cannot_push_out_another(gateway, name):
    port = gateway.modbus_port if name == "modbus" else gateway.aps_port
    first = connection(port, NEIGHBOUR)
    with first, contextlib.ExitStack() as stack:
        for _ in range(3 * MODBUS):
            stack.enter_context(connection(port))
        if name == "modbus":
            first.sendall(bytes.fromhex("00010000000602039c400002"))
            assert first.recv(100)[9:] == b"SunS"
        else:
            first.sendall(b"APS1100160001END\n")
            assert first.recv(1000).startswith(b"APS11")
    client = connect(gateway.modbus_port)
    assert not client.read_holding_registers(40000, count=2, slave=2).isError()
    client.close()


READ = bytes.fromhex("00010000000602039c400002")


def test_a_client_that_asks_keeps_its_connection(gateway):
    """The request and a new connection are there when the gateway looks: it does not close the one for the other."""
    for _ in range(8):
        with contextlib.ExitStack() as stack:
            sound = stack.enter_context(connection(gateway.modbus_port))
            for _ in range(MODBUS - 1):
                one = stack.enter_context(connection(gateway.modbus_port))
                one.sendall(READ)
                assert one.recv(100)[9:] == b"SunS"
            os.kill(gateway.ecud.pid, signal.SIGSTOP)
            try:
                more = [stack.enter_context(connection(gateway.modbus_port)) for _ in range(8)]
                sound.sendall(READ)
            finally:
                os.kill(gateway.ecud.pid, signal.SIGCONT)
            assert sound.recv(100)[9:] == b"SunS"
            more[-1].sendall(READ)
            assert more[-1].recv(100)[9:] == b"SunS"


def test_clients_that_never_ask_give_way_to_those_that_do(gateway):
    with contextlib.ExitStack() as stack:
        sound = stack.enter_context(connection(gateway.modbus_port))
        sound.sendall(READ)
        assert sound.recv(100)[9:] == b"SunS"
        for _ in range(3 * MODBUS):
            stack.enter_context(connection(gateway.modbus_port))
        sound.sendall(READ)
        assert sound.recv(100)[9:] == b"SunS"
