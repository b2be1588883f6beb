# SPDX-License-Identifier: GPL-2.0-only
"""The daemon as an owner sees it: LEDs, latches, and faults of its process.

Durations are judged in simulated time, which a busy machine does not stretch; all that is
waited for has a limit that only a fault exceeds.
"""

import json
import re

import pytest

from board.promises import LED_NOT_PRODUCING, LED_RULES, led_meaning, leds
from board.qga import AgentError
from board.status import PRODUCING, state_of

REMOTEPROC = "/sys/class/remoteproc/remoteproc0"
ARMED = "$(echo /sys/bus/pci/drivers/qs1-ivshmem/*/armed)"
TRACING = "/sys/kernel/tracing"

# "One short red, then three short green blinks, within 5 s of DC power."
STARTUP_S = 5.0
# host_timeout_s, the driver's polling of the heartbeat, and the delay of our own query.
HOST_LOST_S = 2.0 + 0.5 + 0.5
SAMPLE_S = 0.02
LIMIT_S = 90

pytestmark = pytest.mark.usefixtures("producing_again")


def pid(agent):
    return agent.check("systemctl show -P MainPID qs1d")


def restarts(agent):
    return int(agent.check("systemctl show -P NRestarts qs1d"))


def service(agent):
    return json.loads(agent.check("qs1ctl status --json"))


def wait_answer(board, agent):
    """Until a daemon answers that knows its inverter."""
    def known():
        asked = agent.shell("qs1ctl status --json")
        return asked.status == 0 and json.loads(asked.out)["inverter"] == "ok"
    board.wait("a daemon that knows its inverter", known, LIMIT_S)


def wait_done(board, agent, command):
    """Until the command succeeds."""
    board.wait(command, lambda: agent.shell(command).status == 0, LIMIT_S)


def pass_time(board, seconds):
    """Until so much simulated time has passed."""
    end = board.status()["t_s"] + seconds
    board.wait(f"{seconds:g} s of simulated time", lambda: board.status()["t_s"] >= end, LIMIT_S)


def shown(agent):
    """LED patterns in the kernel's LED class: (green, red)."""
    found = leds(agent)
    return led_meaning(found["green"]), led_meaning(found["red"])


def wait_shown(board, agent, state):
    """Until the LED class shows what it has to in @state."""
    green, red = LED_RULES.get(state, LED_NOT_PRODUCING)

    def right():
        found = shown(agent)
        return found[0] in green and found[1] in red
    board.wait(f"the LEDs of {state}", right, LIMIT_S)


def restart_firmware(agent, after=""):
    """Stop it, which needs it disarmed, and start it again, after a command in the same moment."""
    agent.check(f"{after} echo 0 >{ARMED} && echo stop >{REMOTEPROC}/state && sleep 1 && "
                f"echo start >{REMOTEPROC}/state")


def lit(trace, lines):
    """Times when an LED's line was switched on: [(s, colour)], from the kernel's trace."""
    before, rises = {}, []
    for at, line, level in re.findall(r" ([\d.]+): gpio_value: (\d+) set ([01])", trace):
        if int(line) in lines:
            if level == "1" and before.get(line) != "1":
                rises.append((float(at), lines[int(line)]))
            before[line] = level
    return rises


def test_startup_pattern_within_5_s_of_the_inverters_start(board, agent):
    """By the kernel's own record of what the LED class does with the two lines."""
    base = int(re.search(r"GPIOs (\d+)-\d+.*qs1-gpio", agent.check("cat /sys/kernel/debug/gpio"))[1])
    agent.check("qs1ctl stop")
    board.wait_state("shutdown", timeout_s=LIMIT_S)
    agent.check(f"echo stop >{REMOTEPROC}/state")
    slip_s = board.status()["slip_s"]
    agent.check(f"cd {TRACING} && echo mono >trace_clock && echo >trace && "
                "echo 1 >events/gpio/gpio_value/enable && "
                f"echo power >trace_marker && echo start >{REMOTEPROC}/state")

    def pattern():
        trace = agent.check(f"cat {TRACING}/trace")
        start, after = re.search(r" ([\d.]+): tracing_mark_write: power(.*)", trace, re.S).groups()
        # A red that happens to be lit by its former pattern is set again by the new one.
        rises = lit(after, {base: "green", base + 1: "red"})
        if [colour for _, colour in rises].count("green") == 3:
            return [(at - float(start), colour) for at, colour in rises]
        return None
    try:
        rises = board.wait("three green blinks", pattern, LIMIT_S)
    finally:
        agent.shell(f"echo 0 >{TRACING}/events/gpio/gpio_value/enable")
    slip_s = board.status()["slip_s"] - slip_s
    print(f"{rises}, {slip_s:.2f} s of them are the machine's")
    # Before the daemon has seen the start, and after the pattern, red says "not producing".
    assert re.fullmatch("r+ggg(r*)", "".join(colour[0] for _, colour in rises))
    third = [at for at, colour in rises if colour == "green"][2]
    assert third - slip_s < STARTUP_S
    wait_shown(board, agent, "shutdown")
    assert service(agent)["leds"] == {"green": "off", "red": "blink"}


def test_a_trip_blinks_red_and_production_green(board, agent):
    wait_shown(board, agent, "producing")
    board.world.do("grid v 0.4")
    board.wait_state("ceased", "waiting", timeout_s=LIMIT_S)
    wait_shown(board, agent, "waiting")
    board.world.do("grid v 1")
    board.skip_enter_service()
    board.wait_state(*PRODUCING)
    wait_shown(board, agent, "producing")
    trips = agent.check("journalctl -q --no-pager -o cat -u qs1d QS1_EVENT=trip QS1_CAUSE=UV2")
    assert "trip UV2" in trips


@pytest.mark.long
def test_night_sleeps_and_blinks_red(board, agent):
    board.world.do("sun all 0")
    board.wait_state("night", timeout_s=LIMIT_S)
    wait_shown(board, agent, "night")
    assert service(agent)["state"] == "night"


def test_ground_fault_latches_until_it_is_cleared_by_command(board, agent):
    board.world.do("fault gfdi on")
    board.wait_state("ground-fault", timeout_s=LIMIT_S)
    wait_shown(board, agent, "ground-fault")
    board.wait("red, steadily", lambda: board.status()["leds"] == {"green": False, "red": True},
               LIMIT_S)
    assert agent.shell("qs1ctl start").status != 0
    refused = agent.shell("qs1ctl clear gfdi")
    assert refused.status != 0 and "the cause of the fault is present" in refused.err + refused.out

    # Neither the daemon's death nor the firmware's forgets it, nor does the cause's end.
    restart_firmware(agent, "systemctl kill -s KILL qs1d &&")
    board.world.do("fault gfdi off")
    wait_answer(board, agent)
    board.wait_state("ground-fault", timeout_s=LIMIT_S)
    pass_time(board, 2)
    assert state_of(board.status()) == "ground-fault"
    wait_shown(board, agent, "ground-fault")
    wait_done(board, agent, "qs1ctl clear gfdi")
    board.wait_state("waiting", *PRODUCING, timeout_s=LIMIT_S)


def test_shutdown_outlives_the_daemon_and_the_firmware(board, agent):
    agent.check("qs1ctl stop")
    restart_firmware(agent, "systemctl kill -s KILL qs1d &&")
    wait_answer(board, agent)
    board.wait_state("shutdown", timeout_s=LIMIT_S)
    pass_time(board, 3)
    assert state_of(board.status()) == "shutdown"
    assert service(agent)["shutdown"]


def test_killed_daemon_is_started_again_and_loses_no_energy(board, agent):
    before, energy = pid(agent), service(agent)["meter"]["grid"]["energy_wh"]
    agent.check("systemctl kill -s KILL qs1d")
    board.wait("another process", lambda: pid(agent) not in ("0", before), LIMIT_S)
    wait_answer(board, agent)
    board.wait("a meter", lambda: service(agent)["meter"], LIMIT_S)
    assert service(agent)["meter"]["grid"]["energy_wh"] >= energy


def test_stopped_daemon_ends_production_and_the_leds_say_so(board, agent):
    """SIGSTOP: the pattern goes on in the LED class, the driver overrules it."""
    # systemd would start another one.
    agent.check("systemctl service-watchdogs no")
    agent.check("systemctl kill -s STOP qs1d")
    start = board.status()["t_s"]
    board.wait_nothing_fed(LIMIT_S)
    assert board.status()["t_s"] - start < HOST_LOST_S
    board.wait("the fault", lambda: "HOST_LOST" in board.status()["firmware"]["faults_active"],
               LIMIT_S)
    # Seen from outside Linux, where it is red for half a second and dark for half a second.
    for level in (False, True, False, True):
        board.wait("the red LED's blink", lambda: board.status()["leds"]["red"] == level, LIMIT_S,
                   SAMPLE_S)
        assert not board.status()["leds"]["green"]
    assert shown(agent)[0] == "every 2 s", "the pattern of the stopped daemon, without an ECU"


def test_stopped_daemon_is_replaced(board, agent):
    """By systemd's watchdog, which only a fresh sample and a decision on it feed."""
    count = restarts(agent)
    agent.check("systemctl kill -s STOP qs1d")
    board.wait("the watchdog", lambda: restarts(agent) > count, LIMIT_S)
    wait_answer(board, agent)
    board.skip_enter_service()
    board.wait_state(*PRODUCING)
    wait_shown(board, agent, "producing")


@pytest.mark.long
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


@pytest.mark.long
def test_a_broken_sensor_is_a_fault_and_heals(board, agent):
    board.world.do("fault sensor vref zero")
    board.wait("the fault", lambda: "SENSOR" in service(agent)["faults"]["active"], LIMIT_S)
    board.wait_nothing_fed(LIMIT_S)
    wait_shown(board, agent, "fault")


@pytest.mark.long
def test_a_lost_store_keeps_it_stopped_until_a_command_clears_it(board, agent):
    agent.check("systemctl stop qs1d && rm /var/lib/qs1/state.? && systemctl start qs1d")
    wait_answer(board, agent)
    assert "STORE_LOST" in service(agent)["faults"]["latched"]
    assert agent.shell("qs1ctl start").status != 0
    pass_time(board, 3)
    assert state_of(board.status()) == "shutdown"
    agent.check("qs1ctl clear store-lost")


def test_without_its_socket_the_service_stays_stopped(agent):
    units = ("qs1d.service", "qs1d.socket", "qs1d-radio.socket")

    def states():
        return agent.shell(f"systemctl is-active {' '.join(units)}").out.split()
    agent.check("systemctl stop qs1d.socket")
    assert states() == ["inactive"] * len(units)
    assert agent.shell("qs1ctl status").status == 3  # unreachable
    assert states() == ["inactive"] * len(units)
    agent.check("systemctl start qs1d")
    assert states() == ["active"] * len(units)


def test_it_runs_with_nothing_but_its_group(agent):
    status = agent.check(f"cat /proc/{pid(agent)}/status")
    assert re.search(r"^Seccomp:\s*2$", status, re.MULTILINE), "the filter is on"
    assert re.search(r"^NoNewPrivs:\s*1$", status, re.MULTILINE)
    assert re.search(r"^Cap(Eff|Prm|Bnd):\s*0+$", status, re.MULTILINE)
    assert agent.check(f"ps -o user= -p {pid(agent)}") == "qs1"
    exposure = agent.check("systemd-analyze security --no-pager qs1d | tail -n 1")
    assert float(re.search(r": ([\d.]+)", exposure)[1]) <= 1.0


def test_only_the_group_may_use_the_control_socket(agent):
    ids = "--clear-groups --reuid=nobody"
    assert agent.shell(f"setpriv {ids} --regid=nogroup qs1ctl status").status != 0
    assert agent.shell(f"setpriv {ids} --regid=qs1 qs1ctl status").status == 0


def test_the_radio_socket_allows_reading_but_no_commands(agent):
    ids = "setpriv --clear-groups --reuid=nobody --regid=qs1-read"
    assert agent.shell(f"{ids} qs1ctl status").status != 0
    assert agent.shell(f"{ids} qs1ctl --socket=/run/qs1/radio.sock status").status == 0
    refused = agent.shell(f"{ids} qs1ctl --socket=/run/qs1/radio.sock stop")
    assert refused.status != 0 and "not allowed" in refused.err + refused.out


@pytest.mark.long
def test_a_wrong_configuration_is_refused_at_reload(board, agent):
    before = pid(agent)
    agent.check("cp /etc/qs1/qs1d.conf /run/qs1d.conf && echo 'colour red' >>/etc/qs1/qs1d.conf")
    try:
        assert agent.shell("systemctl reload qs1d").status != 0, "its check refuses it"
    finally:
        agent.check("cp /run/qs1d.conf /etc/qs1/qs1d.conf")
    agent.check("echo 'metrics /run/qs1/qs1.prom' >>/etc/qs1/qs1d.conf && systemctl reload qs1d")
    wait_done(board, agent, "grep -q '^qs1_up 1' /run/qs1/qs1.prom")
    assert pid(agent) == before


@pytest.mark.long
def test_full_disk_makes_no_difference(board, agent):
    agent.shell("fallocate -l 10G /var/fill; dd if=/dev/zero of=/var/fill2 bs=1M 2>/dev/null")
    try:
        assert agent.shell("dd if=/dev/zero of=/var/fill3 bs=64k count=1 conv=fsync").status != 0
        agent.check("qs1ctl stop")
        board.wait_state("shutdown", timeout_s=LIMIT_S)
        agent.check("qs1ctl start")
    finally:
        agent.check("rm -f /var/fill /var/fill2 /var/fill3")


@pytest.mark.long
def test_read_only_disk_refuses_what_must_be_kept_and_stops_all_the_same(board, agent):
    """As a system finds it that has started from a disk which has become unreliable: the file
    system is read-only, not the mount, of which the service has a copy in its sandbox."""
    store = "/var/lib/qs1"
    agent.check("systemctl stop qs1d && "
                f"cp -a {store} /run/store && mount -t tmpfs -o size=4m store {store} && "
                f"cp -a /run/store/. {store} && chown qs1:qs1 {store} && chmod 700 {store} && "
                f"mount -o remount,ro {store} && mount -o remount,bind,rw {store} && "
                "systemctl start qs1d")
    try:
        wait_answer(board, agent)
        board.skip_enter_service()
        board.wait_state(*PRODUCING)
        before = pid(agent)
        refused = agent.shell("qs1ctl set power_limit_w 1100")
        assert refused.status != 0 and "ead-only" in refused.err + refused.out
        refused = agent.shell("qs1ctl stop")
        assert refused.status != 0 and "ead-only" in refused.err + refused.out
        board.wait_state("shutdown", timeout_s=LIMIT_S)
        # A start that is refused has no effect, then or later.
        refused = agent.shell("qs1ctl start")
        assert refused.status != 0 and "ead-only" in refused.err + refused.out
        pass_time(board, 4)
        assert state_of(board.status()) == "shutdown"
        assert service(agent)["shutdown"] and not service(agent)["armed"]
        # Once it can be written again it is.
        agent.check(f"mount -o remount,rw {store}")
        wait_done(board, agent, "qs1ctl start")
        agent.check("qs1ctl set power_limit_w 1200")
        assert pid(agent) == before
    finally:
        agent.check(f"systemctl stop qs1d; umount {store} && rm -rf /run/store")


@pytest.mark.long
@pytest.mark.parametrize("date", ["2001-01-01", "2036-01-01"])
def test_the_clock_may_jump_by_years(board, agent, date):
    before, now = pid(agent), agent.check("date +%s")
    uptime = service(agent)["uptime_s"]
    agent.check(f"date -s '{date} 12:00'")
    try:
        pass_time(board, 3)
        assert board.status()["firmware"]["host_alive"]
        assert state_of(board.status()) in PRODUCING
        assert 2 < service(agent)["uptime_s"] - uptime < LIMIT_S
        agent.check("qs1ctl set power_limit_w 1150 && qs1ctl set power_limit_w 1200")
        assert date[:4] in agent.check("qs1ctl events | tail -n 1")
    finally:
        agent.check(f"date -s @{now}")
    pass_time(board, 2)
    assert pid(agent) == before
    assert state_of(board.status()) in PRODUCING


@pytest.mark.long
def test_the_oom_killer_spares_the_daemon(board, agent):
    """The daemon's memory is locked, so the OOM killer takes another process. If the kernel blocks the
    daemon for longer than host_timeout_s, production ends; for longer than its watchdog, systemd
    restarts it. In both cases production starts again."""
    locked = agent.check(f"sed -n 's/^VmLck:[^0-9]*//p' /proc/{pid(agent)}/status")
    assert int(locked.split()[0]) > 1000, "kB"
    killed = "dmesg | grep -c 'Out of memory: Killed process .*({})' || true"
    count = int(agent.check(killed.format("tail")))

    def victim():
        try:
            return int(agent.check(killed.format("tail"))) > count
        except AgentError:
            return False
    # Without memory, and on a machine that has other work, it may take longer than the 20 s that are
    # a soft lockup, which ends the guest.
    agent.check("sysctl -q kernel.watchdog_thresh=60")
    try:
        # A separate unit: systemd ends a unit if one of its processes is killed.
        agent.check("systemd-run --quiet sh -c 'head -c 2000M /dev/zero | tail -n 1 >/dev/null'")
        board.wait("a victim", victim, 4 * LIMIT_S)
        assert agent.check(killed.format("qs1d")) == "0"
        wait_answer(board, agent)
        board.skip_enter_service()
        board.wait_state(*PRODUCING)
    finally:
        agent.shell("sysctl -q kernel.watchdog_thresh=10")
