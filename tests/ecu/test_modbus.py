# SPDX-License-Identifier: GPL-2.0-or-later
"""SunSpec Modbus, read by pymodbus: every model of every unit, writes as limits, bad input."""

import random
import socket
import struct
import threading

import pytest

from gateway import wait_for
from sunspec import LENGTHS, Device, connect

SITE = 1


@pytest.fixture
def client(gateway):
    client = connect(gateway.modbus_port)
    yield client
    client.close()


@pytest.fixture
def writer(gateway):
    """127.0.0.1 may write."""
    assert gateway.owner.put("/settings", {"modbus_writers": ["127.0.0.1"]}).status == 200
    yield
    assert gateway.owner.put("/settings", {"modbus_writers": []}).status == 200


@pytest.mark.parametrize("unit", [SITE, 2, 3])
def test_every_model_has_its_length(client, unit):
    device = Device(client, unit)
    assert {model: len(registers) for model, registers in device.models.items()} == LENGTHS


@pytest.mark.parametrize("unit", [2, 3])
def test_readings_of_an_inverter(gateway, client, unit):
    each = gateway.owner.get(f"/inverters/{gateway.serials[unit - 2]}").json
    device = Device(client, unit)
    readings = each["readings"]
    assert device.text(1, 0, 16) == "qs1" and device.text(1, 48, 16) == each["serial"]
    assert device.value(120, "DERTyp") == 4 and device.value(120, "WRtg") == 1200
    for model in (101, 701):
        assert device.value(model, "W") == pytest.approx(readings["power"], abs=1.5)
        assert device.value(model, "A") == pytest.approx(readings["grid_current"], abs=0.02)
        assert device.value(model, "Hz") == pytest.approx(readings["grid_frequency"], abs=0.011)
        assert device.value(model, "TmpCab") == pytest.approx(readings["temperature"], abs=0.11)
    assert device.value(101, "PhVphA") == pytest.approx(readings["grid_voltage"], abs=0.11)
    assert device.value(101, "St") == 4 and device.value(701, "InvSt") == 4
    assert device.value(701, "ConnSt") == 2
    assert device.value(714, "NPrt") == 4
    assert device.value(714, "DCW") == pytest.approx(sum(c["dc_power"] for c in each["channels"]), abs=2.5)
    for port, channel in enumerate(each["channels"]):
        at = 18 + 25 * port
        scale = device.models[714][14] - 0x10000  # DCV_SF
        assert device.models[714][at + 11] * 10.0 ** scale == pytest.approx(channel["dc_voltage"], abs=0.11)
        at = 8 + 20 * port
        assert device.models[160][at + 11] == pytest.approx(channel["dc_power"], abs=1)


def test_the_site_is_the_sum(gateway, client):
    status = gateway.owner.get("/status").json
    device = Device(client, SITE)
    assert device.value(701, "W") == pytest.approx(status["readings"]["power"], abs=10)
    assert device.value(120, "WRtg") == 2400
    assert device.text(1, 48, 16) == status["ecu"]["id"]


def test_what_is_not_known_is_not_implemented(client):
    device = Device(client, 2)
    assert device.models[701][33] == 0x8000           # TmpAmb
    assert device.models[101][1 + 1] == 0xffff        # AphB
    assert device.models[120][17] == 0xffff           # WHRtg
    assert device.models[705][0] == 0xffff            # Ena: the inverter keeps its curves


def test_reads_beyond_the_map_and_unknown_units_are_exceptions(client):
    assert client.read_holding_registers(39999, 1, slave=2).exception_code == 2
    for unit in (0, 4, 200, 247, 248, 255):
        assert client.read_holding_registers(40000, 125, slave=unit).exception_code == 11
    assert client.read_holding_registers(50000, 1, slave=2).exception_code == 2
    assert client.read_coils(0, 1, slave=2).exception_code == 1


def test_writing_is_off_until_the_owner_lists_addresses(gateway, client):
    device = Device(client, 2)
    assert device.write(704, "WMaxLimPct", 500).exception_code == 1
    entries = gateway.owner.get("/audit").json["entries"]
    assert any(e["interface"] == "modbus" and e["result"] == "address not listed" for e in entries)


def test_a_limit_by_model_704(gateway, client, writer):
    device = Device(client, 2)
    path = f"/inverters/{gateway.serials[0]}"
    # as Victron's driver writes it: Ena, Pct, Rvrt, EnaRvrt, Tms in one request
    assert not device.write(704, "WMaxLimPctEna", [1, 250, 1000, 0, 0, 60]).isError()
    device.read()
    assert device.value(704, "WMaxLimPct") == 25 and device.value(704, "WMaxLimPctEna") == 1
    assert 50 < device.value(704, "WMaxLimPctRvrtRem") <= 60
    each = wait_for("300 W", lambda: (lambda e: e if e["limit"]["desired_w"] == 300 and
                                      e["readings"]["power"] <= 301 else None)(gateway.owner.get(path).json))
    assert each["limit"]["owner"] == "modbus-127.0.0.1"
    limits = gateway.owner.get("/limits").json["limits"]
    assert limits[0]["until_ms"] is not None
    # another master's limit stays
    assert gateway.owner.put("/limits/owner", {"w": 200, "serial": gateway.serials[0]}).status == 202
    assert not device.write(704, "WMaxLimPctEna", 0).isError()
    wait_for("only the owner's limit", lambda: [
        e["owner"] for e in gateway.owner.get("/limits").json["limits"]] == ["owner"])
    gateway.owner.put("/limits/owner", {"w": None, "serial": gateway.serials[0]})
    wait_for("full power", lambda: gateway.owner.get(path).json["readings"]["power"] > 700)


def test_a_limit_by_model_123_ends_by_itself(gateway, client, writer):
    device = Device(client, 3)
    path = f"/inverters/{gateway.serials[1]}"
    assert not device.write(123, "WMaxLimPct", [400, 0, 3, 0, 1]).isError()
    wait_for("480 W", lambda: gateway.owner.get(path).json["limit"]["desired_w"] == 480)
    wait_for("the end of its lease", lambda: not gateway.owner.get("/limits").json["limits"], 20)
    device.read()
    assert device.value(123, "WMaxLim_Ena") == 0


def test_disconnecting_is_a_limit_of_0_w(gateway, client, writer):
    device = Device(client, 3)
    path = f"/inverters/{gateway.serials[1]}"
    assert not device.write(123, "Conn", 0).isError()
    wait_for("0 W", lambda: gateway.owner.get(path).json["limit"]["desired_w"] == 0)
    # a limit that is written now does not start it
    assert not device.write(123, "WMaxLimPct", 500).isError()
    assert gateway.owner.get(path).json["limit"]["desired_w"] == 0
    assert not device.write(123, "Conn", 1).isError()
    wait_for("no limit", lambda: gateway.owner.get(path).json["limit"]["desired_w"] is None)


def test_wrong_writes_change_nothing(gateway, client, writer):
    device = Device(client, 2)
    assert device.write(704, "WMaxLimPct", 1001).exception_code == 3
    assert device.write(704, "WMaxLimPctEna", 2).exception_code == 3
    assert device.write(704, "WMaxLimPctRvrtTms", 5).exception_code == 2       # half of a point
    assert device.write(704, "WMaxLimPctRvrtTms", [100, 0]).exception_code == 3
    assert device.write(704, "WMaxLimPctRvrtRem", [0, 0]).exception_code == 2  # read only
    assert client.write_registers(device.at[701], [1], slave=2).exception_code == 2
    assert client.write_registers(40000, [1], slave=2).exception_code == 2
    assert client.write_registers(device.at[704], [1], slave=99).exception_code == 11
    assert gateway.owner.get("/limits").json["limits"] == []


def request(unit, pdu, protocol=0, length=None):
    return struct.pack(">HHHB", 7, protocol, len(pdu) + 1 if length is None else length, unit) + pdu


RAW = [
    (request(2, struct.pack(">BHH", 3, 40000, 0)), b"\x83\x03"),
    (request(2, struct.pack(">BHH", 3, 40000, 126)), b"\x83\x03"),
    (request(2, struct.pack(">BHH", 3, 65535, 2)), b"\x83\x02"),
    (request(2, struct.pack(">BH", 3, 40000)), b"\x83\x03"),
    (request(2, b"\x2b\x0e\x01\x00"), b"\xab\x01"),
    (request(2, struct.pack(">BHHB", 16, 40000, 2, 3) + b"\0" * 3), b"\x90\x03"),
    (request(2, struct.pack(">BHHB", 16, 40000, 124, 248) + b"\0" * 240), b"\x90\x03"),
    (request(2, b"\x10"), b"\x90\x03"),
    (request(2, b"\x03" * 4, protocol=1), None),
    (request(2, b"\x03" * 4, length=0), None),
    (request(2, b"\x03" * 4, length=60000), None),
    (b"GET / HTTP/1.1\r\n\r\n", None),
]


@pytest.mark.parametrize("raw, expected", RAW, ids=range(len(RAW)))
def test_malformed_requests(gateway, raw, expected):
    with socket.create_connection(("127.0.0.1", gateway.modbus_port), timeout=5) as sock:
        sock.sendall(raw)
        reply = sock.recv(1000)
    assert reply[7:] == expected if expected else reply == b""


def test_requests_in_pieces_and_in_one_packet(gateway):
    whole = request(2, struct.pack(">BHH", 3, 40000, 2))
    with socket.create_connection(("127.0.0.1", gateway.modbus_port), timeout=5) as sock:
        for byte in whole:
            sock.sendall(bytes([byte]))
        assert sock.recv(100)[9:] == b"SunS"
        sock.sendall(whole * 3)
        got = b""
        while len(got) < 3 * 13:
            got += sock.recv(1000)
        assert got.count(b"SunS") == 3


def test_sixteen_clients_at_once(gateway):
    errors = []

    def read():
        client = connect(gateway.modbus_port)
        try:
            for _ in range(3):
                Device(client, 2)
        except BaseException as error:
            errors.append(error)
        finally:
            client.close()

    threads = [threading.Thread(target=read) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors


def test_garbage_ends_no_other_connection(gateway, client):
    generator = random.Random(1)
    for _ in range(200):
        with socket.create_connection(("127.0.0.1", gateway.modbus_port), timeout=5) as sock:
            sock.sendall(generator.randbytes(generator.randrange(1, 300)))
    assert not client.read_holding_registers(40000, 2, slave=2).isError()
