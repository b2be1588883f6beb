# SPDX-License-Identifier: GPL-2.0-only
"""The world of a site without a scenario file: a sunny roof on the grid that is asked for."""

# Words of the feeder, and the connections that units take in turn.
GRIDS = {
    "1": ("feeder phases one 240 60", ("L1-N",)),
    "split": ("feeder phases split 120 60", ("L1-L2",)),
    "3": ("feeder phases three 138.56 60", ("L1-L2", "L2-L3", "L3-L1")),
}
SUN_W_M2 = 850
# Modules of a roof differ: each unit has a little less light than the one before, in turns of 5.
STEP_W_M2 = 15


def text(units, phases):
    """A scenario with so many units."""
    grid, wires = GRIDS[phases]
    lines = ["profile note1", f"units {units}", grid, "skip enter-service"]
    for n in range(1, units + 1):
        lines.append(f"unit {n} phase {wires[(n - 1) % len(wires)]}")
        lines.append(f"unit {n} sun all {SUN_W_M2 - STEP_W_M2 * ((n - 1) % 5)}")
    return "\n".join(lines) + "\n"
