# SPDX-License-Identifier: GPL-2.0-only
"""Random sequences of disturbances, and that their judge and their shrinking are right."""

import dataclasses
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "sequences"))

import judge  # noqa: E402  (the path must be set first)
import run  # noqa: E402
import sequence  # noqa: E402

FEW = range(1, 61)
MANY = range(1, 10001)


def check(seeds):
    judged, failures, reports = run.sweep(seeds)
    print(f"{len(seeds)} sequences, {judged} judged, {len(failures)} failed")
    assert not failures, "\n".join([f"{len(failures)} of {len(seeds)} failed:", *reports])
    assert judged > 0.8 * len(seeds)


def test_a_few_sequences_are_ridden_through():
    check(FEW)


@pytest.mark.long
def test_ten_thousand_sequences_are_ridden_through():
    check(MANY)


def test_a_seed_always_gives_the_same_sequence_and_another_a_different_one():
    assert sequence.draw(7).text() == sequence.draw(7).text() != sequence.draw(8).text()


def rows(*parts):
    """Steps of 5 ms of (seconds, per unit, amperes)."""
    found, t = [], 3.0
    for seconds, pu, amperes in parts:
        for _ in range(round(seconds * 200)):
            found.append((t, 240 * pu, amperes))
            t += 0.005
    return found


def summary(trips=(), state="producing", amperes=4):
    return {"trips": [{"code": c, "t_trip_s": 4.2} for c in trips],
            "transitions": [{"to": state}], "ac": {"i_rms": amperes}}


def verdict(table, power_moves=False, **found):
    return judge.judge(summary(**found), table, 4.0, power_moves)


DIP = rows((1, 1, 4), (0.8, 0.3, 0), (4, 1, 4))


def test_a_dip_within_the_table_must_be_ridden_through():
    assert verdict(DIP) == judge.Verdict(True, "")
    assert "TOV at 4.200" in verdict(DIP, trips=["TOV"]).failure


def test_a_unit_that_does_not_come_back_fails_unless_its_light_has_gone():
    assert "waiting at the end" in verdict(DIP, state="waiting").failure
    assert "2.00 A at the end" in verdict(DIP, amperes=2).failure
    assert not verdict(DIP, power_moves=True, amperes=2).failure


def test_a_disturbance_that_may_trip_is_not_judged():
    long = rows((1, 1, 4), (1.5, 0.3, 0), (4, 1, 4))
    high = rows((1, 1, 4), (0.1, 1.25, 0), (4, 1, 4))
    assert verdict(long, trips=["UV2"]) == verdict(high, trips=["OV2"]) == judge.Verdict(False, "")


def test_current_that_flows_after_the_clearing_time_fails():
    assert "2 s after" in verdict(rows((1, 1, 4), (3, 0.3, 4), (2, 1, 0))).failure
    assert "0.16 s after" in verdict(rows((1, 1, 4), (1, 1.25, 4), (2, 1, 0))).failure
    assert not verdict(rows((1, 1, 4), (3, 0.3, 0), (2, 1, 0)), trips=["UV2"]).failure


def test_a_failing_sequence_is_shrunk_to_its_cause():
    guilty = sequence.Event("phase", 5.0, 0, (50.0,))
    seq = dataclasses.replace(sequence.draw(3), events=(
        sequence.Event("dip", 4.5, 0.4, (0.6,)), guilty, sequence.Event("sun", 6, 0, ("1", 300, 1))))
    small = run.shrink(seq, lambda s: any(e.kind == "phase" for e in s.events))
    assert [e.kind for e in small.events] == ["phase"]
    assert not small.drawn and small.source == (155, 0.25) and small.rise_s == 0
