# SPDX-License-Identifier: GPL-2.0-only
"""make site: its ready line, its console, its summary, what it says about wrong words."""

import json
import os
import re
import socket
import ssl
import struct
import subprocess
import sys
import threading
import urllib.request

import pytest

from paths import BUILD, ROOT


TIMEOUT_S = 240


def free_ports(count):
    """Each with a free port after it: the EMA takes two."""
    ports, servers = [], []
    while len(ports) < count:
        servers.append(socket.create_server(("127.0.0.1", 0)))
        port = servers[-1].getsockname()[1]
        try:
            servers.append(socket.create_server(("127.0.0.1", port + 1)))
        except OSError:
            continue
        ports.append(port)
    for server in servers:
        server.close()
    return ports


class Running:
    """A site without terminal, up to its ready line."""

    def __init__(self, state, *options):
        # The uplink's port follows that of the EMA's pages.
        names = ("--ecu-port", "--ema-port", "--modbus-port", "--aps-port")
        ports = [word for pair in zip(names, map(str, free_ports(len(names)))) for word in pair]
        self.process = subprocess.Popen(
            ["/usr/bin/python3", "-m", "sitesim", "--state", state, *ports, *options], cwd=ROOT, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env=dict(os.environ, PYTHONPATH=str(ROOT / "scripts"), PYTHONDONTWRITEBYTECODE="1"))
        self.ready = None
        self.said = []
        # A site that does not say what a test waits for must not wait for ever.
        self.timer = threading.Timer(TIMEOUT_S, self.process.kill)
        self.timer.start()
        for line in self.process.stdout:
            self.said.append(line)
            if line.startswith("ready "):
                self.ready = json.loads(line.removeprefix("ready "))
                break

    def type(self, text):
        self.process.stdin.write(text)
        self.process.stdin.flush()

    def until(self, pattern):
        for line in self.process.stdout:
            self.said.append(line)
            if re.search(pattern, line):
                return line
        raise AssertionError("".join(self.said))

    def end(self):
        if self.process.poll() is None:
            self.process.terminate()
        out, _ = self.process.communicate(timeout=30)
        self.timer.cancel()
        return "".join(self.said) + out


@pytest.fixture
def site(tmp_path):
    running = []

    def start(*options):
        running.append(Running(tmp_path / "state", *options))
        return running[-1]

    yield start
    for one in running:
        one.end()


def registers(address, start, count):
    host, port = address.rsplit(":", 1)
    with socket.create_connection((host, int(port)), 5) as client:
        client.sendall(struct.pack(">HHHBBHH", 1, 0, 6, 1, 3, start, count))
        data = client.recv(1024)
    return struct.unpack(f">{count}H", data[9:9 + 2 * count])


def signed(value):
    return value - 65536 if value >= 32768 else value


def test_a_site_is_ready_takes_statements_and_meters_itself(site):
    run = site("--units", "3", "--phases", "3")
    assert run.ready == json.loads((BUILD / "site" / "ready.json").read_text())
    assert [unit["serial"] for unit in run.ready["units"]] == ["806000000001", "806000000002", "806000000003"]
    assert [unit["phase"] for unit in run.ready["units"]] == ["L1-L2", "L2-L3", "L3-L1"]
    assert [unit["modbus_unit"] for unit in run.ready["units"]] == [2, 3, 4]
    run.until(r"3 producing +3\d{3}\.\d W")
    run.until(r"3 producing +3[3-9]\d{2}\.\d W")
    # Model 203 follows model 1; its power is negative for export.
    assert registers(run.ready["meter"], 40000, 2) == struct.unpack(">2H", b"SunS")
    assert registers(run.ready["meter"], 40070, 2) == (203, 105)
    power = signed(registers(run.ready["meter"], 40072 + 16, 1)[0])
    assert -3600 < power < -3000
    run.type("unit 2 sun all 0\nunit 9 sun all 0\nair loss 1 5\nair loss 4 5\nfly\n")
    assert "done" in run.until(r"^unit 2 sun")
    assert "unit" in run.until(r"^unit 9 sun") and "done" not in run.said[-1]
    assert "done" in run.until(r"^air loss 1 5")
    assert "expected a unit from 1 to 3, found '4'" in run.until(r"^air loss 4 5")
    assert "unknown word 'fly'" in run.until(r"^fly")
    run.until(r"2 producing")


def api(run, path):
    ecu = run.ready["ecu"]
    with open(ecu["token_file"]) as token:
        request = urllib.request.Request(f"{ecu['url']}/api/v1{path}",
                                         headers={"Authorization": f"Bearer {token.read().strip()}"})
    context = ssl.create_default_context(cafile=ecu["ca"])
    with urllib.request.urlopen(request, timeout=10, context=context) as answer:
        return json.loads(answer.read())


@pytest.mark.long
def test_the_ecu_of_a_site_sees_its_inverters_by_radio(site):
    run = site("--units", "2", "--cadence", "1")
    run.until(r"2 producing +2\d{3}\.\d W +ECU 2 of 2 2\d{3}")
    inverters = api(run, "/inverters")["inverters"]
    assert [unit["serial"] for unit in inverters] == ["806000000001", "806000000002"]
    assert all(unit["paired"] and unit["readings"]["power"] > 1000 for unit in inverters)
    # SunSpec: the whole site as unit 1.
    assert registers(run.ready["ecu"]["modbus"], 40000, 2) == struct.unpack(">2H", b"SunS")
    # A unit that is dark sleeps; the ECU notices by radio alone.
    run.type("unit 2 sun all 0\n")
    run.until(r"1 producing, 1 night")


def test_a_fresh_site_shows_its_first_use_code_and_has_no_owner(site):
    run = site("--units", "1", "--fresh", "1")
    assert re.fullmatch(r"[0-9A-Z]{5}-[0-9A-Z]{5}", run.ready["ecu"]["code"])
    assert re.fullmatch(r"[0-9A-Z]{5}-[0-9A-Z]{5}", run.ready["ema"]["code"])
    assert "token_file" not in run.ready["ecu"] and "token_file" not in run.ready["ema"]


def test_a_headless_site_ends_with_promises_and_a_summary(site):
    run = site("--units", "2", "--headless", "--for", "20")
    run.process.wait(60)
    said = run.end()
    assert run.process.returncode == 0, said
    assert "held   every inverter produces: 2 of 2" in said
    assert "held   every inverter reports to the ECU: 2 of 2" in said
    assert "held   the ECU's power is the true one" in said
    assert "held   the EMA stores what the ECU delivers" in said
    summary = json.loads((BUILD / "site" / "summary.json").read_text())
    assert all(promise["held"] for promise in summary["promises"])
    assert len(summary["units"]) == 2 and summary["feeder"]


def test_a_broken_promise_fails_the_run(site, tmp_path):
    scenario = tmp_path / "dark.scn"
    scenario.write_text("units 2\nfeeder phases one 240 60\nrun 3\n")
    run = site("--headless", "--scenario", str(scenario))
    run.process.wait(60)
    assert run.process.returncode == 0, run.end()
    sys.path.insert(0, str(ROOT / "scripts"))
    from board.program import publish

    promise = {"name": "p", "held": False, "figure": "1 of 2"}
    assert publish("site", {"promises": [promise]}, tmp_path / "summary.json", lambda text: None) == 1


@pytest.mark.parametrize("scenario, words", [
    ("units 2\nunit 3 sun all 1\nrun 1\n", r"wrong.scn:2: .*unit"),
    ("units 2\nfeeder phases one 240 60\nunit 1 phase L4\nrun 1\n", r"wrong.scn:3: .*L4"),
    ("units 200\nrun 1\n", r"wrong.scn:1: .*units"),
])
def test_a_wrong_scenario_is_named_with_its_line(site, tmp_path, scenario, words):
    path = tmp_path / "wrong.scn"
    path.write_text(scenario)
    run = site("--scenario", str(path))
    said = run.end()
    assert run.process.returncode == 1 and re.search(words, said), said


@pytest.mark.parametrize("options", [["--units", "0"], ["--phases", "2"], ["--speed", "fast"],
                                     ["--scenario", "/nowhere"], ["--fresh", "yes"]])
def test_a_wrong_option_is_named(site, options):
    run = site(*options)
    said = run.end()
    assert run.process.returncode == 2 and options[1] in said, said


ISLAND = """units 3
feeder phases one 240 60
profile note1
skip enter-service
sun all 800
load 1 rlc 2.97 1
at 40 grid open
run 45
"""


@pytest.mark.long
def test_a_whole_board_is_a_unit_of_the_feeder(site, tmp_path):
    path = tmp_path / "island.scn"
    path.write_text(ISLAND)
    run = site("--board", "1", "--headless", "--scenario", str(path))
    run.process.wait(TIMEOUT_S)
    said = run.end()
    assert run.process.returncode == 0, said
    assert [unit["serial"] for unit in run.ready["units"]] == ["806000000001", "806000000002", "806000000003"]
    assert "held   every inverter reports to the ECU: 3 of 3" in said
    units = json.loads((BUILD / "site" / "summary.json").read_text())["feeder"]["units"]
    volts = [unit["ac"]["v_rms"] for unit in units]
    assert max(volts) - min(volts) < 0.05, volts
    for unit in units:
        # The board is in the same island as the other two, and leaves it as they do.
        assert any(t["to"] == "producing" and t["t_s"] < 40 for t in unit["transitions"]), unit["transitions"]
        assert not [t for t in unit["trips"] if t["t_trip_s"] < 40], unit["trips"]
        assert 40 < unit["trips"][0]["t_cease_s"] < 42, unit["trips"]
