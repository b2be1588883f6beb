# SPDX-License-Identifier: GPL-2.0-only
"""The daemon as an owner sees it: LEDs, latches, and what may happen to its process."""

import json
import re
import time

import pytest

from board.promises import LED_NOT_PRODUCING, LED_RULES, led_meaning, leds
from board.status import PRODUCING, state_of

REMOTEPROC = "/sys/class/remoteproc/remoteproc0"

# "One short red, then three short green blinks, within 5 s of DC power."
STARTUP_S = 5.0
# host_timeout_s, the driver's look at the heartbeat, and the way to us.
HOST_LOST_S = 2.0 + 0.5 + 0.5
# WatchdogSec of the service, and a start of the service on a loaded machine.
WATCHDOG_S = 10.0 + 20.0
# Less than 1 % of rated power: nothing is fed.
NOTHING_W = 12.0
SAMPLE_S = 0.02

pytestmark = pytest.mark.long


@pytest.fixture(autouse=True)
def _producing_again(board):
    """Every test finds it producing, with the grid's and the sun's own values."""
    yield
    board.world.do("grid v 1")
    board.world.do("sun all 800")
    board.skip_enter_service()
    board.wait_state(*PRODUCING)


def pid(agent):
    return agent.check("systemctl show -P MainPID qs1d")


def restarts(agent):
    return int(agent.check("systemctl show -P NRestarts qs1d"))


def service(agent):
    return json.loads(agent.check("qs1ctl status --json"))


def shown(agent):
    """What the kernel's LED class shows: (green, red)."""
    found = leds(agent)
    return led_meaning(found["green"]), led_meaning(found["red"])


def wait_shown(board, agent, state, timeout_s=10):
    """Until the LED class shows what it has to in @state."""
    green, red = LED_RULES.get(state, LED_NOT_PRODUCING)

    def right():
        found = shown(agent)
        return found[0] in green and found[1] in red
    board.wait(f"the LEDs of {state}", right, timeout_s)


def watch_lines(board, seconds, end=None):
    """Times at which each LED's line rose, seen from outside Linux: [(s, colour)]."""
    before = {"green": True, "red": True}
    rises, start = [], time.monotonic()
    while time.monotonic() - start < seconds and not (end and end(rises)):
        now = board.status()["leds"]
        rises += [(time.monotonic() - start, colour) for colour in before
                  if now[colour] and not before[colour]]
        before = now
        time.sleep(SAMPLE_S)
    return rises


def wait_blinking_red(board, timeout_s):
    """Until the lines say "not producing": red blinks, no green for 1.5 s."""
    start = time.monotonic()
    while time.monotonic() - start < timeout_s:
        colours = [colour for _, colour in watch_lines(board, 1.5)]
        if "red" in colours and "green" not in colours:
            return
    pytest.fail(f"the LEDs' lines do not say 'not producing' after {timeout_s:g} s")


def test_startup_pattern_within_5_s_of_the_inverters_start(board, agent):
    agent.check("qs1ctl stop")
    agent.check(f"echo stop >{REMOTEPROC}/state")
    agent.run(["/bin/sh", "-c", f"(sleep 1; echo start >{REMOTEPROC}/state) >/dev/null 2>&1 &"])
    board.wait("the coprocessor running", lambda: board.status()["coproc"]["state"] == "running",
               20, interval_s=SAMPLE_S)
    rises = watch_lines(board, STARTUP_S, lambda found: [c for _, c in found].count("green") == 3)
    colours = [colour for _, colour in rises]
    print(rises)
    # Before the first heartbeat red says "not producing"; the pattern's own red is the last.
    assert colours[-4:] == ["red", "green", "green", "green"]
    assert colours.count("green") == 3
    assert rises[-1][0] < STARTUP_S
    wait_shown(board, agent, "shutdown")
    assert service(agent)["leds"] == {"green": "off", "red": "blink"}
    agent.check("qs1ctl start")


def test_a_trip_blinks_red_and_production_green(board, agent):
    wait_shown(board, agent, "producing")
    board.world.do("grid v 0.4")
    board.wait_state("ceased", "waiting", timeout_s=10)
    wait_shown(board, agent, "waiting")
    board.world.do("grid v 1")
    board.skip_enter_service()
    board.wait_state(*PRODUCING)
    wait_shown(board, agent, "producing")
    trips = agent.check("journalctl -q --no-pager -o cat -u qs1d QS1_EVENT=trip QS1_CAUSE=UV2")
    assert "trip UV2" in trips


def test_night_sleeps_and_blinks_red(board, agent):
    board.world.do("sun all 0")
    board.wait_state("night", timeout_s=30)
    wait_shown(board, agent, "night")
    assert service(agent)["state"] == "night"


def test_shutdown_outlives_the_daemon_and_the_firmware(board, agent):
    agent.check("qs1ctl stop")
    agent.check(f"systemctl kill -s KILL qs1d && echo stop >{REMOTEPROC}/state && "
                f"sleep 1 && echo start >{REMOTEPROC}/state")
    board.wait("the daemon", lambda: agent.shell("qs1ctl status").status == 0, 30)
    board.wait("a firmware that it knows", lambda: service(agent)["inverter"] == "ok", 30)
    time.sleep(3)
    assert state_of(board.status()) == "shutdown"
    assert service(agent)["shutdown"]
    agent.check("qs1ctl start")


def test_killed_daemon_is_started_again_and_loses_no_energy(board, agent):
    before, energy = pid(agent), service(agent)["meter"]["grid"]["energy_wh"]
    agent.check("systemctl kill -s KILL qs1d")
    board.wait("another process", lambda: pid(agent) not in ("0", before), 30)
    board.wait("the daemon's answer", lambda: agent.shell("qs1ctl status").status == 0, 30)
    board.wait("a meter", lambda: service(agent)["meter"], 30)
    assert service(agent)["meter"]["grid"]["energy_wh"] >= energy
    board.wait_state(*PRODUCING, "waiting", "connecting", timeout_s=30)


def test_stopped_daemon_ends_production_and_the_leds_say_so(board, agent):
    """SIGSTOP: the pattern goes on in the LED class, the driver overrules it."""
    count = restarts(agent)
    agent.check("systemctl kill -s STOP qs1d")
    board.wait("nothing is fed", lambda: board.status()["truth"]["grid"]["p"] < NOTHING_W,
               HOST_LOST_S)
    assert "HOST_LOST" in board.status()["firmware"]["faults_active"]
    wait_blinking_red(board, 4)
    assert shown(agent)[0] == "every 10 s", "it is not the daemon that shows it"
    # systemd's watchdog, which only a fresh sample and a decision on it feed.
    board.wait("the watchdog", lambda: restarts(agent) > count, WATCHDOG_S)
    board.skip_enter_service()
    board.wait_state(*PRODUCING)
    wait_shown(board, agent, "producing")


def test_a_stray_reader_of_the_waveform_does_not_blind_it(board, agent):
    """iio_readdev takes the buffer, and iio_info every attribute: policy needs neither."""
    before = pid(agent)
    for _ in range(2):
        agent.check("iio_readdev -b 2000 -s 20000 qs1-wave >/dev/null 2>&1; "
                    "iio_info >/dev/null 2>&1", timeout_s=60)
        status = board.status()
        assert status["firmware"]["host_alive"] and state_of(status) in PRODUCING
        assert service(agent)["inverter"] == "ok"
    assert pid(agent) == before


def test_a_broken_sensor_is_a_fault_and_heals(board, agent):
    board.world.do("fault sensor vref zero")
    try:
        board.wait("the fault", lambda: "SENSOR" in service(agent)["faults"]["active"], 10)
        board.wait("nothing is fed", lambda: board.status()["truth"]["grid"]["p"] < NOTHING_W, 10)
        wait_shown(board, agent, "fault")
    finally:
        board.world.do("fault sensor vref off")


def test_it_runs_with_nothing_but_its_group(agent):
    status = agent.check(f"cat /proc/{pid(agent)}/status")
    assert re.search(r"^Seccomp:\s*2$", status, re.MULTILINE), "the filter is on"
    assert re.search(r"^NoNewPrivs:\s*1$", status, re.MULTILINE)
    assert re.search(r"^Cap(Eff|Prm|Bnd):\s*0+$", status, re.MULTILINE)
    assert agent.check(f"ps -o user= -p {pid(agent)}") == "qs1"
    # A call outside the filter, from within the same sandbox.
    exposure = agent.check("systemd-analyze security --no-pager qs1d | tail -n 1")
    assert float(re.search(r": ([\d.]+)", exposure)[1]) <= 1.0


def test_the_socket_is_the_groups(agent):
    ids = "--clear-groups --reuid=nobody"
    assert agent.shell(f"setpriv {ids} --regid=nogroup qs1ctl status").status != 0
    assert agent.shell(f"setpriv {ids} --regid=qs1 qs1ctl status").status == 0


def test_a_wrong_configuration_is_refused_at_reload(board, agent):
    before = pid(agent)
    agent.check("cp /etc/qs1/qs1d.conf /run/qs1d.conf && echo 'colour red' >>/etc/qs1/qs1d.conf")
    try:
        assert agent.shell("systemctl reload qs1d").status != 0, "its check refuses it"
    finally:
        agent.check("cp /run/qs1d.conf /etc/qs1/qs1d.conf")
    agent.check("echo 'metrics /run/qs1/qs1.prom' >>/etc/qs1/qs1d.conf && systemctl reload qs1d")
    board.wait("metrics", lambda: agent.shell("grep -q '^qs1_up 1' /run/qs1/qs1.prom").status == 0,
               20)
    assert pid(agent) == before


def test_full_disk_makes_no_difference(board, agent):
    agent.shell("fallocate -l 10G /var/fill; dd if=/dev/zero of=/var/fill2 bs=1M 2>/dev/null")
    try:
        assert agent.shell("dd if=/dev/zero of=/var/fill3 bs=64k count=1 conv=fsync").status != 0
        agent.check("qs1ctl stop")
        board.wait_state("shutdown", timeout_s=10)
        agent.check("qs1ctl start")
    finally:
        agent.check("rm -f /var/fill /var/fill2 /var/fill3")


@pytest.mark.parametrize("date", ["2001-01-01", "2036-01-01"])
def test_the_clock_may_jump_by_years(board, agent, date):
    before, now = pid(agent), agent.check("date +%s")
    uptime = service(agent)["uptime_s"]
    agent.check(f"date -s '{date} 12:00'")
    try:
        time.sleep(3)
        assert board.status()["firmware"]["host_alive"]
        assert state_of(board.status()) in PRODUCING
        assert 2 < service(agent)["uptime_s"] - uptime < 60
        agent.check("qs1ctl set power_limit_w 1150 && qs1ctl set power_limit_w 1200")
        assert date[:4] in agent.check("qs1ctl events | tail -n 1")
    finally:
        agent.check(f"date -s @{now}")
    time.sleep(2)
    assert pid(agent) == before
    assert state_of(board.status()) in PRODUCING


def test_out_of_memory_kills_others_first(board, agent):
    before = pid(agent)
    agent.shell("head -c 2000M /dev/zero | tail -n 1 >/dev/null", timeout_s=300)
    assert "Out of memory: Killed process" in agent.check("dmesg")
    assert pid(agent) == before
    assert board.status()["firmware"]["host_alive"]
