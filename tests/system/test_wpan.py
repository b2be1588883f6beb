# SPDX-License-Identifier: GPL-2.0-only
"""Inverter and gateway over two wpan interfaces of the guest's kernel: mac802154_hwsim and qs1-wpan.

qs1d, linkd and qs1-wpan run in the guest as services of systemd. The gateway's programs run on the host: a serial
port of the guest is connected to the terminal of its second qs1-wpan.
"""

import re
import subprocess
import sys
import time

import pytest

from board.board import Board
from board.status import PRODUCING
from paths import BUILD, ROOT
from sitesim.whole_board import label_of, write_label

sys.path.insert(0, str(ROOT / "tests/ecu"))

from gateway import Gateway, wait_for  # noqa: E402  (the path must be set first)

GATEWAY, UNIT, ADDRESS = "wpan0", "wpan1", "1234"
LABEL = label_of(1)
SERIAL = LABEL.split(":")[0]
SERIAL_PORT = "/dev/ttyS0"
UP_S = 60
# linkd has no network. qs1-wpan has raw frames of one interface; see tests/static/test_service.py.
EXPOSURE_MAX = {"linkd": 1.0, f"qs1-wpan@{UNIT}": 1.7}

pytestmark = pytest.mark.long

# The gateway's end must not take the link of the unit's modem, which only exists twice in this test.
PREPARE = f"""
mkdir -p /etc/default /run/systemd/system/qs1-wpan@{GATEWAY}.service.d
echo OPTIONS=--address=0 >/etc/default/qs1-wpan-{GATEWAY}
echo OPTIONS=--address={ADDRESS} >/etc/default/qs1-wpan-{UNIT}
printf '[Service]\\nExecStartPost=\\n' >/run/systemd/system/qs1-wpan@{GATEWAY}.service.d/gateway.conf
systemctl daemon-reload
systemctl enable qs1-wpan@{UNIT}
modprobe mac802154_hwsim
"""
CONNECT = f"""
systemctl start qs1-wpan@{GATEWAY}
stty -F {SERIAL_PORT} raw -echo clocal 115200
systemd-run --quiet sh -c 'cat {SERIAL_PORT} >/run/qs1-wpan-{GATEWAY}/radio'
systemd-run --quiet sh -c 'cat /run/qs1-wpan-{GATEWAY}/radio >{SERIAL_PORT}'
"""


class WpanGateway(Gateway):
    """ecud at a terminal, and one unit that is already on the air."""

    def __init__(self, terminal):
        super().__init__(units=1)
        self.terminal, self.labels, self.serials = terminal, [LABEL], [SERIAL]

    def start_air(self):
        (self.folder / "modem0").symlink_to(self.terminal)


def networks(agent):
    """How often linkd's modem has joined its network."""
    return agent.check("journalctl --no-pager --unit linkd").count("modem is up")


def pid(agent, unit):
    return agent.check(f"systemctl show --property MainPID --value {unit}").strip()


@pytest.fixture(scope="module")
def board():
    with Board(coproc="native", report=print, guest_args=[
            "-chardev", "pty,id=radio", "-device", "pci-serial,chardev=radio"]) as board:
        board.wait_service()
        write_label(board, LABEL)
        board.agent.check(PREPARE)
        board.wait("a radio for linkd", lambda: networks(board.agent) == 1, UP_S)
        board.agent.check(CONNECT)
        board.go()
        board.skip_enter_service()
        board.wait_state(*PRODUCING)
        yield board


@pytest.fixture
def terminal(board):
    """The host's end of the gateway's radio."""
    return re.search(r"redirected to (\S+) \(label radio\)", board.rundir.file("guest.log").read_text())[1]


def read(terminal, *kind):
    """The last of some readings."""
    done = subprocess.run([BUILD / "qs1-poll", "--port", terminal, "--rounds", "4", *kind, f"{SERIAL}:{ADDRESS}"],
                          capture_output=True, text=True, timeout=120)
    lines = [line for line in done.stdout.splitlines() if line.startswith(SERIAL)]
    assert lines, done.stdout + done.stderr
    return lines[-1]


def check_reading(board, line):
    truth = board.status()["truth"]["grid"]
    v, hz, watts = map(float, re.search(r"([\d.]+) V ([\d.]+) Hz ([\d.]+) W", line).groups())
    assert abs(v - truth["v"]) < 1 and abs(hz - truth["f"]) < 0.01, (line, truth)
    assert abs(watts - truth["p"]) < 0.02 * truth["p"], (line, truth)


def test_the_services_are_valid_and_have_little_exposure(board, agent):
    print(agent.check("systemd-analyze verify --man=no " + " ".join(f"{unit}.service" for unit in EXPOSURE_MAX)))
    for unit, most in EXPOSURE_MAX.items():
        line = agent.check(f"systemd-analyze security --no-pager {unit} | tail -n 1")
        assert float(re.search(r": ([\d.]+)", line)[1]) <= most, line


def test_the_interface_starts_its_modem_and_the_modem_linkd(agent):
    """In this order: each has started before the next one begins."""
    times = [agent.check(f"systemctl show --property {name} --value {unit}").strip()
             for unit, name in ((f"sys-subsystem-net-devices-{UNIT}.device", "ActiveEnterTimestampMonotonic"),
                                (f"qs1-wpan@{UNIT}", "InactiveExitTimestampMonotonic"),
                                (f"qs1-wpan@{UNIT}", "ActiveEnterTimestampMonotonic"),
                                ("linkd", "InactiveExitTimestampMonotonic"))]
    print(times)
    assert list(map(int, times)) == sorted(map(int, times))
    # Nobody has asked for it, so only the modem can have started it.
    assert agent.check("systemctl show --property UnitFileState --value linkd").strip() == "static"


def test_a_reader_gets_the_truth_in_both_dialects(board, terminal):
    check_reading(board, read(terminal, "--own"))
    # The reply to a stock poll is of two APS fragments, each acknowledged.
    truth = board.status()["truth"]["pv4"]
    volts, amperes = map(float, re.search(r" D ([\d.]+) V ([\d.]+) A", read(terminal)).groups())
    assert abs(volts - truth["v"]) < 0.5 and abs(amperes - truth["i"]) < 0.2, truth


def test_ecud_pairs_reads_and_limits_the_inverter(board, terminal):
    with WpanGateway(terminal) as gateway:
        power = board.status()["truth"]["grid"]["p"]
        inverter = gateway.owner.get(f"/inverters/{SERIAL}").json
        print(inverter["link"])
        shown = inverter["readings"]["power"]
        assert abs(shown - power) < 0.03 * power, (inverter["readings"], power)
        # Sealed, so that only a gateway with the key can do it.
        reply = gateway.owner.put("/limits/owner", {"w": 300, "serial": SERIAL, "lease_s": 600})
        assert reply.status == 202, reply.body
        wait_for("the limit", lambda: board.status()["truth"]["grid"]["p"] < 310, UP_S)
        assert gateway.owner.put("/limits/owner", {"w": None, "serial": SERIAL}).status == 202
        wait_for("no limit", lambda: board.status()["truth"]["grid"]["p"] > 0.9 * power, UP_S)


def test_linkd_survives_the_end_of_its_modem(board, agent, terminal):
    before, up = pid(agent, "linkd"), networks(agent)
    agent.check(f"systemctl kill --signal KILL qs1-wpan@{UNIT}")
    board.wait("another modem", lambda: networks(agent) > up, UP_S)
    check_reading(board, read(terminal, "--own"))
    assert pid(agent, "linkd") == before


def test_an_interface_may_disappear_and_come_back(board, agent):
    before, up = pid(agent, "linkd"), networks(agent)
    agent.check("modprobe --remove mac802154_hwsim")
    board.wait("the end of its modem", lambda: agent.shell(f"systemctl is-active qs1-wpan@{UNIT}").status != 0, UP_S)
    time.sleep(3)
    assert agent.shell(f"systemctl is-failed qs1-wpan@{UNIT}").status != 0
    agent.check("modprobe mac802154_hwsim")
    board.wait("its modem", lambda: networks(agent) > up, UP_S)
    assert pid(agent, "linkd") == before
