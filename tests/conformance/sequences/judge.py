# SPDX-License-Identifier: GPL-2.0-only
"""Whether a unit of Category III may, must or must not have tripped: by IEEE 1547-2018's tables alone.

The voltage that counts is the true RMS voltage at the unit's terminals, each grid cycle; the frequency
is the source's. A value within the measurement accuracy of a table's edge is not judged.
"""

import dataclasses

V_NOM = 240.0
# Accuracy of a transient measurement, Table 3: 2 % of nominal, and 5 cycles for its window.
V_EDGE = 0.02
WINDOW_S = 5 / 60

# Table 16, ride-through of Category III: from, to in per unit, seconds to stay.
STAY_V = [(0, 0.5, 1), (0.5, 0.7, 10), (0.7, 0.88, 20), (1.1, 1.2, 12)]
# Table 19: a frequency in it has to be ridden through, for longer than any sequence lasts.
STAY_HZ = (57.0, 61.8)
# Tables 13 and 18, default trip settings: beyond them the unit has to be gone after the clearing time.
LEAVE_V = [(0, 0.5, 2), (1.2, 9, 0.16)]
# 6.4.2.7: 80 % of the current before.
RESTORED = 0.8
CEASED_A = 0.05 * 5


@dataclasses.dataclass
class Verdict:
    """@judged: the tables say something; @failure: what was wrong, "" for nothing."""

    judged: bool
    failure: str


def seconds_in(rows, low, high):
    """Time that the voltage spent in a band, widened by the accuracy; rows of (t, V, A)."""
    inside = [low - V_EDGE < v / V_NOM < high + V_EDGE for _, v, _ in rows]
    return sum(inside) * (rows[1][0] - rows[0][0])


def longest_in(rows, low, high):
    """Begin and length of the longest stay in a band, narrowed by the accuracy."""
    best, begin = (0, 0), None
    for t, v, _ in rows:
        if low + (V_EDGE if low else 0) <= v / V_NOM <= high - V_EDGE:
            begin = t if begin is None else begin
            best = max(best, (t - begin, begin))
        else:
            begin = None
    return best[1], best[0]


def must_stay(rows):
    """Every band within its time, and none beyond the table."""
    if any(v / V_NOM > 1.2 - V_EDGE for _, v, _ in rows):
        return False
    return all(seconds_in(rows, low, high) <= seconds for low, high, seconds in STAY_V)


def overdue(rows):
    """What should have been left and was not; "" for nothing."""
    for low, high, seconds in LEAVE_V:
        begin, stay = longest_in(rows, low, high)
        late = begin + seconds + WINDOW_S
        if stay > seconds + WINDOW_S and any(
                a > CEASED_A for t, _, a in rows if late + WINDOW_S < t <= begin + stay):
            return f"current flows {seconds} s after the voltage left {low} to {high} pu"
    return ""


def judge(summary, rows, first_s, power_moves):
    """The verdict on one run.

    @summary: of qs1-sim, whose interval is the last second
    @rows: (t, RMS voltage, RMS current) in equal steps
    @first_s: beginning of the first event
    """
    before = [row for row in rows if first_s - 0.5 < row[0] < first_s]
    after = [row for row in rows if row[0] >= first_s]
    failure = overdue(after)
    if failure:
        return Verdict(True, failure)
    if not must_stay(after):
        return Verdict(False, "")
    trips = summary["trips"]
    if trips:
        return Verdict(True, f"{trips[0]['code']} at {trips[0]['t_trip_s']:.3f} s, where it has to "
                             "ride through")
    if summary["transitions"][-1]["to"] not in ("producing", "derating"):
        return Verdict(True, f"{summary['transitions'][-1]['to']} at the end")
    current = sum(a for _, _, a in before) / len(before)
    if not power_moves and summary["ac"]["i_rms"] < RESTORED * current:
        return Verdict(True, f"{summary['ac']['i_rms']:.2f} A at the end, {current:.2f} A before")
    return Verdict(True, "")
