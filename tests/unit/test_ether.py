# SPDX-License-Identifier: GPL-2.0-only
"""The air with real pseudo terminals: qs1-ether, qs1-poll on its modem, tshark on its capture."""

import re
import subprocess

import pytest

from paths import BUILD

ETHER = BUILD / "qs1-ether"
POLL = BUILD / "qs1-poll"


class Ether:
    """A running qs1-ether and what it printed up to its ready line."""

    def __init__(self, folder, *options):
        self.pcap = folder / "air.pcap"
        self.process = subprocess.Popen(
            [ETHER, "--folder", folder, "--pcap", self.pcap, *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.units = []
        self.modem = folder / "modem0"
        for line in self.process.stdout:
            word = line.split()
            if word[0] == "unit":
                self.units.append(f"{word[1]}:{word[2]}")
            if word[0] == "ready":
                break

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def end(self):
        """Quit; return what it printed since."""
        out, _ = self.process.communicate("quit\n", timeout=20)
        assert self.process.returncode == 0
        return out


@pytest.fixture
def ether(tmp_path):
    running = []

    def start(*options):
        running.append(Ether(tmp_path, *options))
        return running[-1]

    yield start
    for one in running:
        one.process.kill()
        one.process.wait()


def poll(air, *options):
    done = subprocess.run([POLL, "--port", air.modem, *options, *air.units],
                          capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout + done.stderr


def tshark(pcap, *options):
    """A stock payload is no ZCL, which tshark takes every unknown profile for."""
    done = subprocess.run(["tshark", "-r", pcap, "--disable-protocol", "zbee_zcl", *options],
                          capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.splitlines()


@pytest.mark.parametrize("chip", ["cc2530", "cc2652"])
@pytest.mark.parametrize("kind", [[], ["--own"]])
def test_units_are_read_and_the_capture_decodes(ether, chip, kind):
    air = ether("--units", "3", "--chip", chip, "--watts", "170")
    code, out = poll(air, "--rounds", "2", "--period", "0", *kind)
    assert code == 0, out
    rows = [line for line in out.splitlines() if line.startswith("8060")]
    assert len(rows) >= 6
    reading = r"producing 240\.00 V 60\.000 Hz" if kind else r"240\.1 V .* A 34\.00 V 5\.\d+ A"
    assert re.search(reading, rows[-1]), rows[-1]
    air.end()
    frames = tshark(air.pcap)
    assert len(frames) > 20
    assert not tshark(air.pcap, "-Y", "_ws.malformed || wpan.fcs.bad || _ws.expert.severity == error")
    if not kind:
        assert len(tshark(air.pcap, "-Y", "zbee_aps.reassembled.length == 94")) >= 6


def test_a_frozen_modem_is_reset_by_the_port_and_a_dead_unit_is_named(ether):
    air = ether("--units", "2")
    air.say("modem 0 frozen on")
    air.say("unit 2 off")
    code, out = poll(air, "--rounds", "1")
    assert code == 1
    assert "806000000001 1001 240.1 V" in out
    assert re.search(r"806000000002 1002 no reply to 2 requests", out), out
    assert re.search(r"[2-9] resets of the modem", out), out


def test_bad_commands_and_options_are_named(ether):
    air = ether("--units", "1")
    for line in ["modem 1 reset", "modem 0 melted on", "unit 0 on", "unit 2 on", "level 1 loud",
                 "interfere -50 0", "dance", "foreign"]:
        air.say(line)
    out = air.end()
    for message in ["a modem from 0 to 0, found '1'", "late or garbage, found 'melted'", "dBm, from -200 to 20, found 'loud'",
                    "ms, from 1 to 1000000, found '0'", "on or off, found 'the end of the line'"]:
        assert message in out, (message, out)
    assert out.count("expected: unit N") == 2 and "dance: no such command" in out, out
    for options in [["--units", "101"], ["--speed", "0"], ["--ecu", "12"], ["more"]]:
        done = subprocess.run([ETHER, *options], capture_output=True, text=True)
        assert done.returncode == 2 and "expected" in done.stderr, done.stderr
    for unit in ["80600000001:1001", "806000000001", "80600000000x:1001", "806000000001:10G1"]:
        done = subprocess.run([POLL, "--port", "/dev/null", unit], capture_output=True, text=True)
        assert done.returncode == 2 and "expected a serial number" in done.stderr, unit


def test_a_foreign_coordinator_and_an_interferer_are_on_air(ether):
    air = ether("--units", "1")
    air.say("foreign on")
    code, out = poll(air, "--rounds", "1")
    assert code == 0, out
    air.say("interfere -40 300")
    air.say("count")
    out = air.end()
    assert re.search(r"modem 0: sent \d+ retries \d+ busy", out), out
    assert tshark(air.pcap, "-Y", "wpan.frame_type == 0 && wpan.src_pan == 0xbeef")


def test_a_link_loses_as_many_frames_as_the_console_says(ether):
    air = ether("--units", "1")
    for loss_pct, expected in [("30", (0.15, 0.45)), ("0", (0, 0.001))]:
        air.say(f"loss 1 {loss_pct}")
        air.say("count")
        before = damaged_and_received(air)
        poll(air, "--rounds", "25", "--period", "0")
        air.say("count")
        damaged, received = (b - a for a, b in zip(before, damaged_and_received(air)))
        assert expected[0] <= damaged / (damaged + received) <= expected[1], (damaged, received)


def damaged_and_received(air):
    """Frames at the modem: mostly replies, which are about 100 bytes long."""
    for line in air.process.stdout:
        if line.startswith("modem 0"):
            return (int(re.search(r"damaged (\d+)", line).group(1)),
                    int(re.search(r"received (\d+)", line).group(1)))
    raise AssertionError("no count")
