# SPDX-License-Identifier: GPL-2.0-only
"""Grid support of IEEE 1547-2018 Category B, against the standard's curves written down here."""

import math

from harness import procedure
from procedures.trips import CAT3, V_NOM, read, world

RATED_W = 1200


def between(x, points):
    """A piecewise linear curve, constant beyond its ends."""
    if x <= points[0][0]:
        return points[0][1]
    for (x0, y0), (x1, y1) in zip(points, points[1:]):
        if x < x1:
            return y0 + (y1 - y0) * (x - x0) / (x1 - x0)
    return points[-1][1]


# Defaults of Category B, per unit.
VOLT_VAR = [(0.92, 0.44), (0.98, 0.0), (1.02, 0.0), (1.08, -0.44)]
VOLT_WATT = [(1.06, 1.0), (1.10, 0.0)]


def droop(p_pre, f_hz, deadband=0.036, k=0.05):
    """Table 23, per unit."""
    if f_hz > 60 + deadband:
        return max(p_pre - (f_hz - 60 - deadband) / (60 * k), 0)
    if f_hz < 60 - deadband:
        return min(p_pre + (60 - deadband - f_hz) / (60 * k), 1)
    return p_pre


def steady(statement, settle, more="", seed=1, sun=900, profile=CAT3):
    return world(profile, seed, more, sun) + (f"at 4 {statement}\nat {4 + settle} mark start\n"
                                              f"run {6 + settle}\n")


def response_s(times, values, onset):
    """Time from the onset until 90 % of the way to the last value."""
    first = values[max(n for n, t in enumerate(times) if t <= onset)]
    target = first + 0.9 * (values[-1] - first)
    rising = values[-1] > first
    return next(t for t, v in zip(times, values)
                if t > onset and (v >= target if rising else v <= target)) - onset


def smooth(values, half=6):
    """Means over 0.26 s, a period of the pulses by which islands are found."""
    return [sum(part) / len(part) for part in
            (values[max(n - half, 0):n + half + 1] for n in range(len(values)))]


COLUMNS = {"p_w": "active power, W", "q_var": "reactive power, var"}


def step(run, name, statement, column, expected_s, more=""):
    """The response to a step: a figure, and a curve for the reader."""
    seconds = 3 * expected_s
    path = run.path(f"{name}.csv")
    run.sim(name, world(CAT3, 1, more, 900) + f"at 4 {statement}\nrun {4 + seconds}\n",
            "--csv", path, "--csv-rate", "50")
    times, values = read(path, "time_s", column)
    values = smooth(values)
    run.figure(f"{name}: 90 % of the step after", response_s(times, values, 4), "s",
               between=(0.9 * expected_s, 1.1 * expected_s))
    axes = run.plot(name, "time, s", COLUMNS[column], f"Response to: {statement}")
    axes.plot([t for t in times if t > 3], [v for t, v in zip(times, values) if t > 3])
    axes.axvline(4 + expected_s, color="tab:red", label="open-loop response time")


@procedure("support-volt-var", title="Volt-var",
           source="IEEE 1547-2018, 5.3.3, Table 8 (Category B); IEEE 1547.1-2020, 5.14.4")
def support_volt_var(run):
    """Reactive power follows the curve within 1 V of it, in its open-loop response time, within the
    rated apparent power; without the function there is none.
    """
    volts = [0.89, 0.91, 0.93, 0.95, 0.97, 1.0, 1.03, 1.05, 1.07, 1.09]
    seeds = range(1, 9 if run.full else 2)
    more = "set vw_on 0\nset vv_olrt_s 2"
    texts = {f"{v}-{seed}": steady(f"grid v {v}", 6, more, seed) for v in volts for seed in seeds}
    texts["off"] = steady("grid v 0.93", 6, profile="note1")
    found = run.sims(texts)
    off = found.pop("off")["ac"]
    measured = [(s["ac"]["v_rms"] / V_NOM, s["ac"]["q_var"] / RATED_W) for s in found.values()]
    # What the curve gives one volt to either side.
    worst = max(max(q - between(v - 1 / V_NOM, VOLT_VAR), between(v + 1 / V_NOM, VOLT_VAR) - q)
                for v, q in measured)
    run.felt("span of the voltage", max(v for v, _ in measured) - min(v for v, _ in measured), "pu",
             at_least=0.19)
    run.figure("furthest beyond the curve moved by 1 V", worst * 100, "% of rated", at_most=0.5)
    run.figure("largest error of the reactive power",
               max(abs(q - between(v, VOLT_VAR)) for v, q in measured) * 100, "% of rated",
               at_most=5, anchor="5 (Table 3)")
    run.figure("largest apparent power", max((s["ac"]["v_rms"] * s["ac"]["i_rms"])
                                             for s in found.values()) / RATED_W, "pu", at_most=1.01)
    run.figure("reactive power in note1, 0.93 pu", abs(off["q_var"]) / RATED_W * 100, "% of rated",
               at_most=1)
    axes = run.plot("curve", "voltage, pu", "reactive power, pu (positive: injected)",
                    "Volt-var, measured over many errors of the sensors")
    axes.plot(*zip((0.88, 0.44), *VOLT_VAR, (1.1, -0.44)), "r-", label="curve")
    axes.plot(*zip(*measured), "b.", label="measured")
    step(run, "volt-var", "grid v 0.94", "q_var", 5)


@procedure("support-power-factor", title="Constant power factor",
           source="IEEE 1547-2018, 5.3.2; IEEE 1547.1-2020, 5.14.3")
def support_power_factor(run):
    """The power factor holds at any power, injecting and absorbing."""
    texts = {}
    for absorb in (0, 1):
        for pf in (0.9, 0.95):
            for sun in (250, 500, 900):
                more = f"set q_mode 1\nset pf {pf}\nset pf_absorb {absorb}\nset vv_olrt_s 2"
                texts[f"{pf}-{absorb}-{sun}"] = steady("grid v 1", 6, more, 1, sun)
    worst, wrong, least = 0, 0, RATED_W
    axes = run.plot("power", "active power, W", "reactive power, var (positive: injected)",
                    "Constant power factor: lines as set, dots measured")
    for pf in (0.9, 0.95):
        for sign in (-1, 1):
            axes.plot([0, RATED_W * pf], [0, sign * RATED_W * (1 - pf ** 2) ** 0.5], "r-")
    for name, s in run.sims(texts).items():
        pf, absorb, _ = name.split("-")
        axes.plot(s["ac"]["p_w"], s["ac"]["q_var"], "bo")
        wrong += (s["ac"]["q_var"] < 0) != (absorb == "1")
        worst = max(worst, abs(s["ac"]["pf"] - float(pf)))
        least = min(least, abs(s["ac"]["q_var"]))
    run.felt("least reactive power", least, "var", at_least=50)
    run.figure("largest error of the power factor", worst, "", at_most=0.01)
    run.figure("runs with the wrong sign", wrong, "", at_most=0)


# Defaults of Category B, Table 9, per unit of rated power.
WATT_VAR = [(0.5, 0.0), (1.0, -0.44)]


@procedure("support-reactive", title="Constant reactive power; active power-reactive power",
           source="IEEE 1547-2018, 5.3.5 and 5.3.4, Table 9; 4.6.3; IEEE 1547.1-2020, 5.14.5 and 5.14.8")
def support_reactive(run):
    """Reactive power is the setting's at every power, or the curve's; a change of the setting takes
    5 to 300 s, without a step.
    """
    off = "set vw_on 0\nset droop_on 0\n"
    suns = (250, 500, 750, 1000)
    texts = {f"const {q:+.2f} {sun}": steady("grid v 1", 12, f"{off}set q_mode 3\nset const_q_pu {q}", 1, sun)
             for q in (-0.44, -0.2, 0.3, 0.44) for sun in suns}
    texts |= {f"curve {sun}": steady("grid v 1", 12, f"{off}set q_mode 4", 1, sun)
              for sun in (*suns, 600, 900)}
    worst, spread, curve = 0, [], []
    for name, s in run.sims(texts).items():
        p, q = s["ac"]["p_w"] / RATED_W, s["ac"]["q_var"] / RATED_W
        if name.startswith("const"):
            worst = max(worst, abs(q - float(name.split()[1])))
            spread.append(q)
        else:
            curve.append((p, q, abs(q - between(p, WATT_VAR))))
    run.felt("span of the constant reactive power", max(spread) - min(spread), "pu", at_least=0.8)
    run.felt("span of the power on the curve", max(c[0] for c in curve) - min(c[0] for c in curve),
             "pu", at_least=0.5)
    run.figure("constant: largest error", worst * 100, "% of rated", at_most=1, anchor="5 (Table 3)")
    run.figure("by active power: largest error", max(c[2] for c in curve) * 100, "% of rated",
               at_most=1, anchor="5 (Table 3)")
    path = run.path("change.csv")
    run.sim("change", world(CAT3, 1, f"{off}set q_mode 0\nset const_q_pu 0.44", 700) +
            "at 5 set q_mode 3\nrun 30\n", "--csv", path, "--csv-rate", "50")
    times, values = read(path, "time_s", "q_var")
    values = smooth(values)
    run.figure("change of the setting: 90 % after", response_s(times, values, 5), "s",
               between=(5, 300))
    per_s = [abs(b - a) for a, b in zip(values, values[50:])]
    run.figure("change of the setting: most in a second", max(per_s) / RATED_W * 100, "% of rated",
               at_most=10)
    axes = run.plot("power", "active power, pu", "reactive power, pu (positive: injected)",
                    "Active power-reactive power: line as set, dots measured")
    axes.plot(*zip((0.1, 0.0), *WATT_VAR), "r-")
    axes.plot([c[0] for c in curve], [c[1] for c in curve], "bo")


@procedure("support-reference", title="Reference voltage of volt-var",
           source="IEEE 1547-2018, 5.3.3: autonomously adjusted, 300 to 5000 s, 0.95 to 1.05")
def support_reference(run):
    """The reference voltage follows the grid with its time constant, or is a setting: reactive power
    returns to 0 at a voltage that lasts, and comes with a step.
    """
    follow = "set vw_on 0\nset droop_on 0\nset vv_vref_auto 1\nset vv_vref_t_s 300\nset vv_olrt_s 1"
    end = 1600 if run.full else 330
    path = run.path("follows.csv")
    run.sim("follows", world(CAT3, 1, follow, 500) + f"at 5 grid v 1.045\nrun {end}\n",
            "--csv", path, "--csv-rate", "2")
    times, values = read(path, "time_s", "q_var")
    first = -min(v for t, v in zip(times, values) if 8 < t < 12) / RATED_W
    run.felt("reactive power just after the step", first, "pu", at_least=0.1)
    # The first-order lag covers 1 - 1/e of the step in its time constant: the curve's slope is 7.33.
    expected = max(0.44 / 0.06 * (0.045 * math.exp(-1) - 0.02), 0)
    late = -values[next(n for n, t in enumerate(times) if t >= 305)] / RATED_W
    run.figure("reactive power after one time constant, error", abs(late - expected) * 100,
               "% of rated", at_most=2)
    if run.full:
        run.figure("reactive power after five time constants", abs(values[-1]) / RATED_W * 100,
                   "% of rated", at_most=1)
    found = run.sims({f"{ref}": steady("grid v 1.02", 6, f"set vw_on 0\nset vv_olrt_s 2\nset vv_vref_pu {ref}",
                                       1, 500) for ref in (0.95, 0.98, 1.0, 1.05)})
    worst = max(abs(s["ac"]["q_var"] / RATED_W -
                    between(s["ac"]["v_rms"] / V_NOM + 1 - float(ref), VOLT_VAR))
                for ref, s in found.items())
    run.figure("as a setting: largest error", worst * 100, "% of rated", at_most=5,
               anchor="5 (Table 3)")


@procedure("support-volt-watt", title="Volt-watt",
           source="IEEE 1547-2018, 5.4.2, Table 10; IEEE 1547.1-2020, 5.14.9")
def support_volt_watt(run):
    """Active power is limited along the curve within 1 V of it, in its open-loop response time."""
    volts = [1.05, 1.065, 1.07, 1.08, 1.09, 1.095]
    seeds = range(1, 9 if run.full else 2)
    more = "set q_mode 0\nset vw_olrt_s 2"
    texts = {f"{v}-{seed}": steady(f"grid v {v}", 6, more, seed) for v in volts for seed in seeds}
    texts["off"] = steady("grid v 1.08", 6, profile="note1")
    texts["full"] = steady("grid v 1", 6, more)
    found = run.sims(texts)
    off, full = found.pop("off")["ac"]["p_w"], found.pop("full")["ac"]["p_w"]
    measured = [(s["ac"]["v_rms"] / V_NOM, s["ac"]["p_w"] / RATED_W) for s in found.values()]
    worst = 0
    for v, p in measured:
        # The power's place on the curve, where it is below what the modules give.
        if p < 0.98 * full / RATED_W:
            worst = max(worst, abs(1.10 - 0.04 * p - v) * V_NOM)
    run.felt("lowest power", min(p for _, p in measured), "pu", at_most=0.25)
    run.figure("largest distance from the curve in voltage", worst, "V", at_most=1,
               anchor="2.4 (Table 3, 1 %)")
    run.figure("power in note1 at 1.08 pu, of that at nominal", off / full, "", at_least=0.99)
    axes = run.plot("curve", "voltage, pu", "active power, pu",
                    "Volt-watt, measured over many errors of the sensors")
    axes.plot(*zip((1.04, 1), *VOLT_WATT), "r-", label="curve")
    axes.plot(*zip(*measured), "b.", label="measured")
    step(run, "volt-watt", "grid v 1.09", "p_w", 10, "set q_mode 0")


@procedure("support-droop", title="Frequency droop",
           source="IEEE 1547-2018, 6.5.2.7, Tables 23 and 24; IEEE 1547.1-2020, 5.15")
def support_droop(run):
    """Active power follows the droop from the power before, down from full power and up from a
    limited one, and comes back.
    """
    above, below = [60.03, 60.2, 60.5, 61, 61.5], [59.97, 59.8, 59.5, 59.0, 58.7]
    more = "set droop_olrt_s 2"
    texts = {f"above-{f}": steady(f"grid f {f}", 6, more) for f in above}
    texts |= {f"below-{f}": steady(f"grid f {f}", 6, more + "\nset power_limit_w 600")
              for f in below}
    texts["free"] = steady("grid f 59", 6, more)
    texts["back"] = (world(CAT3, 1, more, 900) + "at 4 grid f 61\nat 10 grid f 60\n"
                     "at 16 mark start\nrun 18\n")
    texts["off"] = steady("grid f 60.4", 6, profile="note1")
    texts["full"] = steady("grid f 60", 6, more)
    found = {name: s["ac"]["p_w"] / RATED_W for name, s in run.sims(texts).items()}
    full, errors, points = found["full"], [], []
    for side, start in (("above", full), ("below", 0.5)):
        for f in above if side == "above" else below:
            p = found[f"{side}-{f}"]
            points.append((f, p))
            errors.append(abs(p - min(droop(start, f), full)))
    run.felt("lowest power", found["above-61.5"], "pu", at_most=0.6)
    run.figure("largest error of the power", max(errors) * 100, "% of rated", at_most=1,
               anchor="5 (Table 3)")
    run.figure("power at 59 Hz of a unit that nothing holds back", found["free"] / full, "of full",
               at_least=0.99)
    run.figure("power after the return to 60 Hz", found["back"] / full, "of full", at_least=0.99)
    run.figure("power in note1 at 60.4 Hz", found["off"] / full, "of full", at_least=0.99)
    axes = run.plot("curve", "frequency, Hz", "active power, pu",
                    "Droop from full power (above) and from a limit of 50 % (below)")
    for start, low, high in ((full, 60, 61.6), (0.5, 58.6, 60)):
        line = [low + (high - low) * n / 100 for n in range(101)]
        axes.plot(line, [min(droop(start, f), full) for f in line], "r-")
    axes.plot(*zip(*points), "bo", label="measured")
    step(run, "droop", "grid f 60.8", "p_w", 5)


@procedure("support-power-limit", title="Active power limit",
           source="IEEE 1547-2018, 4.6.2; IEEE 1547.1-2020, 6.4 (30 s)")
def support_power_limit(run):
    """A limit holds within 1 % of rated, and is reached in far less than 30 s both ways."""
    limits = [0, 120, 300, 600, 900]
    texts = {f"{w}W": steady(f"set power_limit_w {w}", 4) for w in limits}
    found = run.sims(texts)
    run.figure("largest error", max(abs(found[f"{w}W"]["ac"]["p_w"] - w) for w in limits) / 12,
               "% of rated", at_most=1, anchor="5 (Table 3)")
    path = run.path("steps.csv")
    run.sim("steps", world(CAT3, 1, "", 900) + "at 4 set power_limit_w 400\n"
            "at 8 set power_limit_w 1200\nrun 14\n", "--csv", path, "--csv-rate", "100")
    times, powers = read(path, "time_s", "p_w")
    down = [n for n, t in enumerate(times) if t < 8]
    run.felt("power before the limit", max(powers[n] for n in down), "W", at_least=1000)
    run.figure("time to fall from full to 400 W", response_s(
        [times[n] for n in down], [powers[n] for n in down], 4), "s", at_most=2)
    run.figure("time to rise again", response_s(times, powers, 8), "s", at_most=5)
    axes = run.plot("steps", "time, s", "power, W", "Limit of 400 W from 4 s to 8 s")
    axes.plot(times, powers)
