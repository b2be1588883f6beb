# SPDX-License-Identifier: GPL-2.0-only
"""A random sequence of disturbances, and the scenario that plays it."""

import dataclasses
import random

# Events begin here, and all are over by the second; the run ends at the last.
FIRST_S, OVER_S, END_S = 4.0, 8.0, 11.0
RATED_W = 1200
HARMONICS = (2, 3, 4, 5, 7, 9, 11, 13)


@dataclasses.dataclass(frozen=True)
class Event:
    """One disturbance.

    @kind: dip, swell, phase, frequency, harmonics, tone, sun, shade or load
    @t: beginning, s
    @seconds: how long, 0 where it has no end
    @values: of the kind, see text()
    """

    kind: str
    t: float
    seconds: float
    values: tuple


@dataclasses.dataclass(frozen=True)
class Sequence:
    """A board, a source, light and events.

    @source: short-circuit ratio and reactance over resistance
    @rise_s: time that a change of the voltage takes
    """

    seed: int
    drawn: bool
    source: tuple
    rise_s: float
    phase_deg: float
    sun: tuple
    events: tuple

    @property
    def power_moves(self):
        """Something asks for another power than before: light, or the droop's frequency."""
        return any(e.kind in ("sun", "shade", "frequency") for e in self.events)

    def text(self):
        """The scenario."""
        head = [f"seed {self.seed}", f"board {'drawn' if self.drawn else 'nominal'}",
                "profile ieee1547-2018-cat3", "set es_ramp_s 1",
                f"grid scr {self.source[0]:g} {self.source[1]:g}", f"grid rise {self.rise_s:g}",
                f"grid phase {self.phase_deg:g}",
                *(f"sun {n} {w:g}" for n, w in enumerate(self.sun, 1)), "skip enter-service"]
        timed = voltage(self.events)
        for event in self.events:
            timed += STATEMENTS[event.kind](event) if event.kind in STATEMENTS else []
        timed.sort(key=lambda pair: pair[0])
        return "\n".join([*head, *(f"at {t:.5f} {what}" for t, what in timed),
                          f"at {END_S - 1:g} mark start", f"run {END_S:g}", ""])


def voltage(events):
    """Statements of the source's voltage: the deepest dip that lasts, else the highest swell."""
    edges = sorted({t for e in events if e.kind in ("dip", "swell")
                    for t in (e.t, e.t + e.seconds)})
    found = []
    for t in edges:
        now = [e.values[0] for e in events
               if e.kind in ("dip", "swell") and e.t <= t < e.t + e.seconds]
        low = min(now, default=1)
        found.append((t, f"grid v {low if low < 1 else max(now, default=1):g}"))
    return found


def frequency(event):
    """To a frequency at a rate, and back at the same rate."""
    hertz, rate = event.values
    over = max(abs(hertz - 60) / rate, 1e-3)
    return [(event.t, f"ramp grid f {hertz:g} over {over:.5f}"),
            (event.t + event.seconds, f"ramp grid f 60 over {over:.5f}")]


STATEMENTS = {
    "phase": lambda e: [(e.t, f"grid phase {e.values[0]:g}")],
    "frequency": frequency,
    "harmonics": lambda e: [
        (e.t, "grid thd " + ",".join(f"{h}:{p:g}" for h, p in e.values)),
        (e.t + e.seconds, "grid thd none")],
    "tone": lambda e: [(e.t, "grid tone {:g} {:g}".format(*e.values)),
                       (e.t + e.seconds, "grid tone 0 0")],
    "sun": lambda e: [(e.t, "ramp sun {} {:g} over {:g}".format(*e.values))],
    "shade": lambda e: [(e.t, "shade {} {}/3 {:g}".format(*e.values))],
    "load": lambda e: [(e.t, "load 1 rl {:g} {:g}".format(*e.values)),
                       (e.t + e.seconds, "load 1 none")],
}


def round_to(x, digits=3):
    """A number that its scenario shows whole."""
    return float(f"{x:.{digits}g}")


def draw_event(rng, kind, last_s):
    """An event of a kind between FIRST_S and @last_s."""
    t = round(rng.uniform(FIRST_S, last_s - 0.3), 5)
    room = last_s - t
    seconds = round(min(rng.choice((0.05, 0.2, 1, 2)) * rng.uniform(0.3, 1.2), room), 5)
    if kind == "dip":
        # below 0.5 pu Category III has to stay for a second
        depth = rng.uniform(0, 0.87)
        seconds = min(seconds, 0.9) if depth < 0.52 else seconds
        return Event(kind, t, seconds, (round_to(depth),))
    if kind == "swell":
        return Event(kind, t, seconds, (round_to(rng.uniform(1.02, 1.18)),))
    if kind == "phase":
        return Event(kind, t, 0, (round_to(rng.uniform(-60, 60)),))
    if kind == "frequency":
        rate = rng.choice((0.5, 1, 2, 3))
        # There and back before all is over.
        reach = rate * (OVER_S - FIRST_S) / 2
        hertz = rng.uniform(max(57.1, 60 - reach), min(61.7, 60 + reach))
        over = abs(hertz - 60) / rate
        t = min(t, max(FIRST_S, last_s - 2 * over))
        return Event(kind, round(t, 5), round(max(over, min(seconds, last_s - t - over)), 5),
                     (round_to(hertz, 4), rate))
    if kind == "harmonics":
        orders = rng.sample(HARMONICS, rng.randint(1, 3))
        return Event(kind, t, seconds, tuple((h, round_to(rng.uniform(0.3, 8 / h + 1)))
                                             for h in sorted(orders)))
    if kind == "tone":
        return Event(kind, t, seconds, (round_to(rng.uniform(90, 2000)), round_to(rng.uniform(0.2, 2))))
    if kind == "sun":
        return Event(kind, t, 0, (rng.choice(("1", "2", "3", "4", "all")),
                                  round_to(rng.uniform(50, 1100)), round_to(rng.uniform(0.01, 2))))
    if kind == "shade":
        return Event(kind, t, 0, (rng.randint(1, 4), rng.randint(0, 3), round_to(rng.random(), 2)))
    return Event(kind, t, seconds, (round_to(rng.uniform(0.1, 1.5)), round_to(rng.uniform(0.8, 1))))


KINDS = ("dip", "dip", "dip", "swell", "phase", "frequency", "harmonics", "tone", "sun", "shade",
         "load")


def draw(seed):
    """The sequence of a seed."""
    rng = random.Random(f"sequence {seed}")
    kinds = [rng.choice(KINDS) for _ in range(rng.randint(1, 5))]
    # One frequency at a time, so that no ramp is faster than it says.
    kinds = [k for n, k in enumerate(kinds) if k not in ("frequency", "load") or k not in kinds[:n]]
    last_s = FIRST_S + rng.choice((0.5, 2, OVER_S - FIRST_S))
    light = round(rng.uniform(100, 1100))
    return Sequence(
        seed, True, (round_to(155 * (7 / 155) ** rng.random()), round_to(0.3 * (10 / 0.3) ** rng.random())),
        round_to(rng.choice((0, 1e-4 * 50 ** rng.random()))), round_to(rng.uniform(0, 360)),
        (light,) * 4 if rng.random() < 0.7 else tuple(round(rng.uniform(50, 1100)) for _ in range(4)),
        tuple(draw_event(rng, kind, last_s if kind != "frequency" else OVER_S) for kind in kinds))
