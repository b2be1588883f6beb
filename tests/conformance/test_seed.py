# SPDX-License-Identifier: GPL-2.0-only
"""A simulation is determined by its scenario and its seed."""

TEXT = """
seed {seed}
sun all 700
skip enter-service
at 3 shade 2 1/3 0.5
run 6
"""


def world(sim, seed):
    summary = sim(TEXT.format(seed=seed))
    for member in ("wall_s", "realtime_factor", "scenario", "seed"):
        del summary[member]
    return summary


def test_same_seed_same_result(sim):
    assert world(sim, 1) == world(sim, 1)


def test_another_seed_another_result(sim):
    assert world(sim, 1) != world(sim, 2)
