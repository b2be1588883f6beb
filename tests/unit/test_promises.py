# SPDX-License-Identifier: GPL-2.0-only
"""The promises of a run about its waveform: a stall of the host breaks none, a wrong rate does."""

import sys

import pytest

from paths import ROOT

sys.path.insert(0, str(ROOT / "scripts"))

from board import promises, wave  # noqa: E402  (the path must be set first)

HZ = promises.CONTROL_HZ
SCANS = promises.CAPTURE_SCANS
# A simulation that catches up does ten control periods in the time of one.
CATCH_UP = 10


def stamps_ns(stall_s=0.0, at_s=0.0, slip_s=0.0, rate=1.0):
    """Stamps of a capture: a stall that began at @at_s and of which all but @slip_s is made up."""
    behind_s = stall_s - slip_s
    found = []
    for scan in range(SCANS):
        due_s = scan / HZ / rate
        late_s = 0.0
        if due_s >= at_s:
            late_s = slip_s + max(0.0, behind_s - (due_s - at_s) * (1 - 1 / CATCH_UP))
        found.append(round((due_s + late_s) * 1e9))
    return found


def held(stamps, slip_s=0.0, lost=0):
    """Whether each of the two promises held."""
    captured = {"scans": len(stamps), "lost": lost, "slip_s": slip_s,
                "scan_hz": (len(stamps) - 1) * 1e9 / (stamps[-1] - stamps[0]) if stamps else 0.0,
                "late_s": wave.late_s(stamps, HZ) if stamps else None}
    return [promise.held for promise in promises.wave_promises(captured)]


@pytest.mark.parametrize("at_s", [0.0, 0.5, 1.0, 1.9])
@pytest.mark.parametrize("stall_s", [0.0, 0.09, 0.125, 0.15])
def test_a_stall_that_is_made_up_breaks_no_promise(stall_s, at_s):
    assert held(stamps_ns(stall_s, at_s)) == [True, True]


def test_a_stall_just_before_the_capture_shortens_it_by_the_ends_alone():
    stamps = stamps_ns(0.125, 0.0)
    by_the_ends_s = (stamps[-1] - stamps[0]) / 1e9 - (SCANS - 1) / HZ
    assert by_the_ends_s == pytest.approx(-0.125, abs=0.001)
    assert wave.late_s(stamps, HZ) == pytest.approx(0.0, abs=0.001)


def test_a_machine_that_is_too_slow_breaks_the_promise_of_pace_alone():
    assert held(stamps_ns(rate=1 / 1.2), slip_s=0.4) == [True, True]


@pytest.mark.parametrize("rate", [0.94, 1.06])
def test_a_wrong_rate_breaks_the_promise(rate):
    assert held(stamps_ns(rate=rate)) == [True, False]


def test_stamps_that_run_ahead_are_no_slip():
    assert held(stamps_ns(rate=1.06), slip_s=0.5) == [True, False]


def test_a_lost_or_absent_scan_breaks_the_promise():
    assert held(stamps_ns(), lost=1) == [False, True]
    assert held([]) == [False, False]
