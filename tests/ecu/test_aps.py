# SPDX-License-Identifier: GPL-2.0-or-later
"""The stock protocol, decoded as its public clients do."""

import random
import socket
import time

import pytest

import aps
from gateway import ECU_ID


def test_info(gateway):
    found = aps.info(aps.ask(gateway.aps_port, "APS1100160001END\n"))
    status = gateway.owner.get("/status").json
    assert found["id"] == ECU_ID and found["model"] == b"01"
    assert found["inverters"] == 2 and found["online"] == 2
    assert found["power"] == pytest.approx(status["readings"]["power"], abs=1)
    assert found["uploaded"].startswith("d0")


def test_realtime(gateway):
    found = aps.realtime(aps.command(gateway.aps_port, "0002", ECU_ID))
    assert sorted(found["inverters"]) == gateway.serials
    assert found["time"][:8] == time.strftime("%Y%m%d")
    for serial, each in found["inverters"].items():
        known = gateway.owner.get(f"/inverters/{serial}").json
        assert each["online"] == 1
        assert each["hz"] == pytest.approx(known["readings"]["grid_frequency"], abs=0.06)
        assert each["volts"] == pytest.approx(known["readings"]["grid_voltage"], abs=0.6)
        assert each["celsius"] == pytest.approx(known["readings"]["temperature"], abs=0.6)
        assert each["watts"] == [pytest.approx(c["dc_power"], abs=0.6) for c in known["channels"]]


def test_signal(gateway):
    found = aps.signal(aps.command(gateway.aps_port, "0030", ECU_ID))
    for serial, percent in found.items():
        known = gateway.owner.get(f"/inverters/{serial}").json["link"]["quality_percent"]
        assert percent == pytest.approx(known, abs=2)


def test_power_and_energy_have_their_frames(gateway):
    reply = aps.command(gateway.aps_port, "0003", ECU_ID, time.strftime("%Y%m%d"))
    aps.check(reply, "0003")
    assert reply[13:15] == b"00" and (len(reply) - 15 - 4) % 4 == 0
    for period in ("00", "01", "02"):
        reply = aps.command(gateway.aps_port, "0004", ECU_ID, period)
        aps.check(reply, "0004")
        assert reply[13:17] == b"00" + period.encode() and (len(reply) - 17 - 4) % 6 == 0


def test_a_wrong_length_is_accepted(gateway):
    aps.check(aps.command(gateway.aps_port, "0004", ECU_ID, "00", length=39), "0004")
    aps.realtime(aps.command(gateway.aps_port, "0002", ECU_ID, length=9999))


def test_another_identity_and_missing_data(gateway):
    assert aps.realtime(aps.command(gateway.aps_port, "0002", "216000000002")) == b"01"
    reply = aps.command(gateway.aps_port, "0003", ECU_ID, "99999999")
    assert reply[13:15] == b"02"
    assert aps.command(gateway.aps_port, "0004", ECU_ID, "07")[13:15] == b"02"


@pytest.mark.parametrize("request_", ["APS1100280025" + ECU_ID + "END\n", "GET / HTTP/1.1\n", "APS\n",
                                      "APS12001600010END\n", "\n", "APS11" + "9" * 200 + "\n",
                                      "APS1100160001\0END\n", "APS1100160045END\n"])
def test_what_is_no_command_ends_the_connection(gateway, request_):
    assert aps.ask(gateway.aps_port, request_) == b""


def test_abusive_clients(gateway):
    """Half-open, slow and garbage: the next client is answered."""
    generator = random.Random(2)
    held = []
    for number in range(60):
        sock = socket.create_connection(("127.0.0.1", gateway.aps_port), timeout=5)
        if number % 3 == 1:
            sock.sendall(b"APS1100")
        elif number % 3 == 2:
            sock.sendall(generator.randbytes(100))
        held.append(sock)
        assert aps.info(aps.ask(gateway.aps_port, "APS1100160001END\n"))["id"] == ECU_ID
    for sock in held:
        sock.close()
