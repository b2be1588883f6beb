# SPDX-License-Identifier: GPL-2.0-only
"""What a program gets from the IIO devices: events with their labels, and stamps of true times."""

import subprocess
from pathlib import Path

import pytest

from paths import BUILD

WATCH = "/run/stream"
FOUND = "/run/stream.found"

pytestmark = pytest.mark.long

EXPECTED = {"grid out of range", "PLL lost its lock", "PLL locked"}

LOOK_S = 20
# driver/clock.c: a doorbell that comes at once, once in 100 ms, and crystals that differ by 100 ppm.
BOUND_US = 110
# From where on the driver takes it that a simulated board has left real time.
JUMP_US = 20000


@pytest.fixture(scope="module", autouse=True)
def _watch(agent):
    """The program in the guest."""
    program = BUILD / "tests" / "stream"
    program.parent.mkdir(exist_ok=True)
    subprocess.run(["arm-linux-gnueabihf-gcc", "-std=gnu17", "-O2", "-Wall", "-Wextra", "-Werror",
                    "-static", "-o", program, Path(__file__).with_name("stream.c")], check=True)
    agent.write_file(WATCH, program.read_bytes(), mode=0o755)


def device(agent, name):
    """An IIO device's folder."""
    return agent.check(f"grep -lx {name} /sys/bus/iio/devices/iio:*/name").removesuffix("/name")


def test_events_arrive_with_their_labels(board, agent):
    meter = device(agent, "qs1-meter")
    agent.check(f"for e in {meter}/events/*_en; do echo 1 >$e; done")
    agent.check(f"timeout 120 {WATCH} events /dev/{meter.rpartition('/')[2]} 100 "
                f">{FOUND} 2>&1 </dev/null &")

    def labels():
        lines = agent.check(f"cat {FOUND}").split("\n")
        assert lines[0] in ("", "ready"), lines
        return {agent.check(f"cat {meter}/events/{name}_label") for name in set(lines[1:])}

    board.wait("the program's event file", lambda: agent.check(f"cat {FOUND}"), 30)
    try:
        board.world.do("grid open")
        board.wait("events of a lost grid",
                   lambda: labels() >= {"grid out of range", "PLL lost its lock"}, 60)
    finally:
        board.world.do("grid close")
    board.wait("the event of its return", lambda: labels() >= EXPECTED, 60)
    assert labels() == EXPECTED
    agent.check(f"for e in {meter}/events/*_en; do echo 0 >$e; done")


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
