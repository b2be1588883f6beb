# SPDX-License-Identifier: GPL-2.0-or-later
"""SunSpec Modbus, read by pymodbus: every model of every unit, writes as limits, bad input."""

import random
import socket
import struct
import threading

import pytest

from gateway import wait_for
from paths import ROOT
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
    assert device.raw(705, "VRefAuto") is None
    assert device.raw(707, "MayTrip.X1") is None


# Model, point, parameter of the profile, factor.
CURVES = [
    (703, "ESVHi", "es_v_max_pu", 100), (703, "ESVLo", "es_v_min_pu", 100), (703, "ESHzHi", "es_f_max_hz", 1),
    (703, "ESHzLo", "es_f_min_hz", 1), (703, "ESDlyTms", "es_delay_s", 1), (703, "ESRmpTms", "es_ramp_s", 1),
    *[(705, f"V{n}", f"vv_v{n}_pu", 100) for n in range(1, 5)],
    *[(705, f"Var{n}", f"vv_q{n}_pu", 100) for n in range(1, 5)], (705, "RspTms", "vv_olrt_s", 1),
    (706, "Ena", "vw_on", 1), (706, "V1", "vw_v1_pu", 100), (706, "V2", "vw_v2_pu", 100),
    (706, "W2", "vw_p2_pu", 100), (706, "RspTms", "vw_olrt_s", 1),
    (707, "MomCess.X1", "mc_lv_v_pu", 100), (708, "MomCess.X1", "mc_hv_v_pu", 100),
    *[(model, f"MustTrip.{point}{n}", f"{trip}{n}_{name}", factor)
      for model, trip, voltage in ((707, "uv", True), (708, "ov", True), (709, "uf", False), (710, "of", False))
      for n in (1, 2)
      for point, name, factor in (("X", "v_pu", 100) if voltage else ("X", "f_hz", 1), ("Tms", "t_s", 1))],
    (711, "Ena", "droop_on", 1), (711, "DbOf", "droop_of_db_hz", 1), (711, "DbUf", "droop_uf_db_hz", 1),
    (711, "KOf", "droop_of_k_pu", 1), (711, "KUf", "droop_uf_k_pu", 1), (711, "RspTms", "droop_olrt_s", 1)]


def profile(name):
    lines = [line.split("#")[0].split() for line in (ROOT / f"profiles/{name}.conf").read_text().splitlines()]
    return {words[0]: float(words[1]) for words in lines if words}


def read_back(client, unit):
    """The unit, when the gateway has its grid parameters."""
    def device():
        found = Device(client, unit)
        return found if found.raw(711, "Ena") is not None else None
    return wait_for("grid parameters", device)


@pytest.mark.parametrize("unit", [SITE, 2, 3])
def test_curves_are_those_in_force(client, unit):
    device = read_back(client, unit)
    wanted = profile("ieee1547-2018-cat3")
    found = {(model, point): device.value(model, point) for model, point, *_ in CURVES}
    assert found == pytest.approx({(model, point): wanted[name] * factor
                                   for model, point, name, factor in CURVES})
    # q_mode 2: volt-var, in percent of the rated apparent power, reactive power first
    enables = (705, "Ena"), (712, "Ena"), (704, "PFWInjEna"), (704, "VarSetEna"), (704, "WSetEna")
    assert [device.raw(*each) for each in enables] == [1, 0, 0, 0, 0]
    assert (device.raw(705, "DeptRef"), device.raw(705, "Pri"), device.raw(706, "DeptRef")) == (3, 1, 0)
    assert device.value(706, "W1") == 100
    assert (device.value(704, "PFWInj.PF"), device.raw(704, "PFWInj.Ext")) == (1, 0)
    assert (device.value(704, "VarSetPct"), device.raw(704, "VarSetMod")) == (0, 3)
    # what the profile does not name has its default
    assert [device.value(712, f"W{n}") for n in (1, 2, 3)] == [20, 50, 100]
    assert [device.value(712, f"Var{n}") for n in (1, 2, 3)] == [0, 0, -44]
    assert (device.value(705, "VRef"), device.raw(705, "VRefAutoEna"), device.raw(705, "VRefAutoTms")) == (100, 0, 300)


def test_curves_have_their_index_and_their_active_points(client):
    device = read_back(client, 2)
    for model in (705, 706, 707, 708, 709, 710, 712):
        assert (device.raw(model, "NCrv"), device.raw(model, "NPt")) == (1, 4)
        assert (device.raw(model, "AdptCrvReq"), device.raw(model, "AdptCrvRslt")) == (0, 1)
    assert (device.raw(711, "NCtl"), device.raw(711, "AdptCtlReq")) == (1, 0)
    assert [device.raw(model, "ReadOnly") for model in range(705, 713)] == [1] * 8
    assert [device.raw(model, "ActPt") for model in (705, 706, 712)] == [4, 2, 3]
    for model in (707, 708, 709, 710):
        cessation = 1 if model < 709 else 0
        assert [device.raw(model, f"{curve}.ActPt") for curve in ("MustTrip", "MayTrip", "MomCess")] == [2, 0, cessation]
        assert device.raw(model, "MustTrip.X3") is None and device.raw(model, "MustTrip.Tms3") is None
    assert device.raw(706, "V3") is None and device.raw(706, "W3") is None and device.raw(712, "W4") is None


def test_another_profile_shows_in_the_curves(gateway, client):
    path = f"/inverters/{gateway.serials[1]}/commands"

    def use(name, check):
        assert gateway.api["installer"].post(path, {"command": "profile", "profile": name}).status == 202
        return wait_for(f"curves of {name}", lambda: (lambda d: d if check(d) else None)(Device(client, 3)), 60)

    # note1 has no momentary cessation, no volt-var and no droop
    device = use("note1", lambda d: d.value(707, "MustTrip.Tms1") == 1.0)
    assert [device.raw(model, "Ena") for model in (705, 706, 707, 711)] == [0, 0, 1, 0]
    assert [device.raw(model, "MomCess.ActPt") for model in (707, 708)] == [0, 0]
    assert device.raw(707, "MomCess.X1") is None and device.raw(707, "MomCess.Tms1") is None
    # the site shows what all inverters share
    site = Device(client, SITE)
    assert site.raw(711, "Ena") is None and site.raw(707, "MustTrip.Tms1") is None
    assert site.value(703, "ESVHi") is None and site.value(710, "MustTrip.Tms2") == 0.16
    use("ieee1547-2018-cat3", lambda d: d.value(707, "MustTrip.Tms1") == 21.0)


def test_grid_settings_are_the_installers_and_are_refused(gateway, client, writer):
    device = read_back(client, 2)
    for model, name, values in ((704, "PFWInjEna", 1), (704, "PFWInj.PF", [950, 0]), (704, "VarSetEna", 1),
                                (704, "VarSetPct", 100), (704, "WSetEna", 1), (704, "WSet", [0, 300]),
                                (703, "ESDlyTms", [0, 5]), (705, "Ena", 0), (705, "V1", 900),
                                (705, "AdptCrvReq", 1), (706, "W2", 500), (707, "MustTrip.Tms1", [0, 16]),
                                (711, "KOf", 30), (712, "W1", 0)):
        assert device.write(model, name, values).exception_code == 2, (model, name)
    entries = gateway.owner.get("/audit?limit=20").json["entries"]
    assert sum(e["interface"] == "modbus" and e["result"] == "not writable" for e in entries) >= 14
    assert gateway.owner.get("/limits").json["limits"] == []


def test_reads_beyond_the_map_and_unknown_units_are_exceptions(client):
    assert client.read_holding_registers(39999, count=1, slave=2).exception_code == 2
    for unit in (0, 4, 200, 247, 248, 255):
        assert client.read_holding_registers(40000, count=125, slave=unit).exception_code == 11
    assert client.read_holding_registers(50000, count=1, slave=2).exception_code == 2
    assert client.read_coils(0, count=1, slave=2).exception_code == 1


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
    assert not client.read_holding_registers(40000, count=2, slave=2).isError()
