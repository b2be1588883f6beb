# SPDX-License-Identifier: GPL-2.0-only
"""Marks on the air of a site: each unit answers the angle of its PLL at the end of the same frame."""

import math
import subprocess
import sys

import pytest

from paths import BUILD, ROOT

sys.path.insert(0, str(ROOT / "scripts"))

from sitesim.scenario import text  # noqa: E402  (the path must be set first)
from sitesim.world import World, clock  # noqa: E402

ECU = "216000000001"
FIRST_ADDRESS = 0x1001
UNITS, MARKS = 4, 8
# Noise of the PLL.
TOLERANCE_DEG = 1.0


@pytest.fixture
def world(tmp_path):
    scenario = tmp_path / "three.scn"
    scenario.write_text(text(UNITS, "3"))
    one = World(scenario, tmp_path, ECU, clock(1))
    yield one
    one.close()


def poll(world, *options):
    units = [f"{unit['serial']}:{FIRST_ADDRESS + n:04X}" for n, unit in enumerate(world.start["units"])]
    return subprocess.run([BUILD / "qs1-poll", "--port", world.start["modems"][0], "--ecu", ECU, *options, *units],
                          capture_output=True, text=True, timeout=60)


def test_angles_at_a_mark_show_the_phases(world):
    done = poll(world, "--own", "--rounds", "2", "--marks", str(MARKS))
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [list(map(float, line.split(":")[1].split())) for line in done.stdout.splitlines()
            if line.startswith("mark ")]
    print(rows)
    assert len(rows) == MARKS
    # Nobody acknowledges a broadcast: a unit may miss one. Its angle is then NaN, or all if it is the first unit.
    heard = [row for row in rows if not any(map(math.isnan, row))]
    assert len(heard) >= MARKS / 2
    for row in heard:
        # L1-L2, L2-L3, L3-L1 and L1-L2 again.
        assert row == pytest.approx([0, -120, 120, 0], abs=TOLERANCE_DEG)


def test_stock_polls_have_no_angles(world):
    done = poll(world, "--rounds", "1", "--marks", str(MARKS))
    assert done.returncode == 2 and "--marks needs --own" in done.stderr, done.stderr
