# SPDX-License-Identifier: GPL-2.0-only
"""What a program gets from the IIO devices: events with their labels, energies of 64 bits, and stamps
of true times."""

import mmap
import struct
import subprocess
import threading
from pathlib import Path

import pytest

from contract import SHM_OFFSET, offsets
from paths import BUILD, ROOT

INVERTER = "/sys/bus/pci/drivers/qs1-ivshmem/*"
WATCH = "/run/stream"
FOUND = "/run/stream.found"

pytestmark = pytest.mark.long

# Disturbance, events that it causes, statement that ends it, events of that. Full scale of the case's
# temperature is 328 degrees.
EVENTS = [
    ("grid open", {"grid out of range", "PLL lost its lock"}, "grid close", {"PLL locked"}),
    ("sensor offset tcase 30", {"over-temperature"}, "sensor offset tcase 0", set()),
]
EVENT_S = 60

# The upper word of an energy: 5 * 2^32 mJ are 6 kWh.
UPPER = 5
ENERGY = SHM_OFFSET + offsets("qs1_shm")["telemetry"] + offsets("qs1_telemetry")["epv_mj"]
# The firmware writes its own each 10 ms.
REWRITE_S = 0.0005

LOOK_S = 20
# driver/clock.c: a doorbell without delay at least every 100 ms, and clocks that differ by 100 ppm.
BOUND_US = 110
# Deviation from which the driver assumes that a simulated board does not run in real time.
JUMP_US = 20000


@pytest.fixture(scope="module", autouse=True)
def _watch(agent):
    """The program in the guest."""
    program = BUILD / "tests" / "stream"
    program.parent.mkdir(exist_ok=True)
    subprocess.run([ROOT / "scripts/guest-cc", "-std=gnu17", "-O2", "-Wall", "-Wextra", "-Werror",
                    "-static", "-o", program, Path(__file__).with_name("stream.c")], check=True)
    agent.write_file(WATCH, program.read_bytes(), mode=0o755)


def device(agent, name):
    """An IIO device's folder."""
    return agent.check(f"grep -lx {name} /sys/bus/iio/devices/iio:*/name").removesuffix("/name")


def test_events_arrive_with_their_labels(board, agent):
    meter = device(agent, "qs1-meter")
    agent.check(f"for e in {meter}/events/*_en; do echo 1 >$e; done")
    agent.check(f"timeout 300 {WATCH} events /dev/{meter.rpartition('/')[2]} 100 "
                f">{FOUND} 2>&1 </dev/null &")

    def labels():
        lines = agent.check(f"cat {FOUND}").split("\n")
        assert lines[0] in ("", "ready"), lines
        return {agent.check(f"cat {meter}/events/{name}_label") for name in set(lines[1:])}

    board.wait("the program's event file", lambda: agent.check(f"cat {FOUND}"), 30)
    expected = set()
    for happens, events, ends, events_then in EVENTS:
        assert labels() == expected
        expected |= events
        try:
            board.world.do(happens)
            board.wait(f"events of '{happens}'", lambda: labels() >= expected, EVENT_S)
        finally:
            board.world.do(ends)
        expected |= events_then
        board.wait(f"events of '{ends}'", lambda: labels() >= expected, EVENT_S)
    assert labels() == expected
    agent.check(f"for e in {meter}/events/*_en; do echo 0 >$e; done")


def test_a_hot_power_stage_is_no_alarm_of_the_case(board, agent):
    """Only the case has a limit: a hot power stage shows neither a fault nor an alarm in IIO and hwmon."""
    meter = device(agent, "qs1-meter")
    limit_mc = int(agent.check(f"cat {meter}/events/in_temp0_thresh_rising_value"))
    before = agent.check(f"cat {INVERTER}/fault_count/OVERTEMP")
    try:
        board.world.do("sensor offset tstage 30")
        board.wait("a power stage above the case's limit", lambda: int(
            agent.check(f"cat {meter}/in_temp1_raw")) > limit_mc, EVENT_S)
        assert agent.check(f"cat {INVERTER}/qs1.hwmon.*/hwmon/hwmon*/temp1_crit_alarm") == "0"
        assert agent.check(f"cat {INVERTER}/fault_count/OVERTEMP") == before
    finally:
        board.world.do("sensor offset tstage 0")


def test_an_energy_of_more_than_32_bits_is_read_whole(board, agent):
    path = f"{device(agent, 'qs1-meter')}/in_energy0_raw"
    stopped = threading.Event()

    def energy():
        return int(agent.check(f"cat {path}"))

    def large():
        value = energy()
        return value if value >> 32 else 0

    def rewrite():
        with open(board.rundir.file("shm"), "r+b") as file, mmap.mmap(file.fileno(), 0) as memory:
            while not stopped.wait(REWRITE_S):
                struct.pack_into("<I", memory, ENERGY + 4, UPPER)

    before = energy()
    thread = threading.Thread(target=rewrite)
    thread.start()
    try:
        seen = board.wait("an energy with its upper word", large, EVENT_S)
    finally:
        stopped.set()
        thread.join()
    board.wait("the firmware's own", lambda: not large(), EVENT_S)
    assert seen >> 32 == UPPER
    assert before <= seen & 0xffffffff <= energy()


def test_stamps_lie_between_the_end_of_a_period_and_the_documented_bound(agent):
    wave = device(agent, "qs1-wave")
    agent.check(f"cd {wave}; echo monotonic >current_timestamp_clock; "
                "for e in scan_elements/*_en; do echo 0 >$e; done; "
                "echo 1 >scan_elements/in_phase0_en; echo 1 >scan_elements/in_timestamp_en; "
                "echo 8192 >buffer/length; echo 100 >buffer/watermark; echo 1 >buffer/enable")
    try:
        out = agent.check(f"{WATCH} stamps /dev/{wave.rpartition('/')[2]} {wave}/in_phase0_raw "
                          f"{LOOK_S}", timeout_s=LOOK_S + 120)
    finally:
        agent.check(f"cd {wave}; echo 0 >buffer/enable; echo realtime >current_timestamp_clock")
    pairs = [tuple(int(word) / 1e3 for word in line.split()) for line in out.splitlines()]
    late = sorted(pair[0] for pair in pairs)
    early = sorted(pair[1] for pair in pairs)
    print(f"{len(pairs)} looks; late by at least, us: median {late[len(late) // 2]:.0f}, 90 % "
          f"{late[len(late) * 9 // 10]:.0f}, 99 % {late[len(late) * 99 // 100]:.0f}, maximum "
          f"{late[-1]:.0f}; late by at most: minimum {early[0]:.0f}, 1 % "
          f"{early[len(early) // 100]:.0f}, 10 % {early[len(early) // 10]:.0f}, median "
          f"{early[len(early) // 2]:.0f}")
    assert len(pairs) > LOOK_S * 10
    # A processor that stops for a while between two looks makes some of them wrong.
    assert late[len(late) * 9 // 10] <= BOUND_US
    assert early[len(early) // 10] >= -JUMP_US
