# SPDX-License-Identifier: GPL-2.0-only
"""Quality of the current into the grid."""

from harness import procedure

RATED_W = 1200
# Irradiance for a level: four modules of the default kind give 1 600 W at 1000 W/m2, and the unit
# keeps about 96 % of it. The levels that are named are those of the result, which is checked.
W_PER_SUN = 1.535

WORLD = """
seed {seed}
cell all 25
sun all {sun:.0f}
skip enter-service
{more}
at 8 mark start
run 16
"""

# IEEE 1547-2018 Table 26 (odd) and 27 (even), in percent of rated current: first order of the band.
ODD_PCT = [(3, 4.0), (11, 2.0), (17, 1.5), (23, 0.6), (35, 0.3)]
EVEN_PCT = [(2, 1.0), (4, 2.0), (6, 3.0), (8, 4.0), (12, 2.0), (18, 1.5), (24, 0.6), (36, 0.3)]


def limit_pct(order):
    """The highest share of rated current that a harmonic may have."""
    bands = EVEN_PCT if order % 2 == 0 else ODD_PCT
    return [limit for first, limit in bands if first <= order][-1]


def world(level, more="", seed=1):
    """A steady world in which the unit gives about @level of its rated power."""
    return WORLD.format(seed=seed, sun=level * RATED_W / W_PER_SUN, more=more)


def level_of(summary):
    return summary["ac"]["p_w"] / RATED_W


def rated_share_pct(summary, order):
    """A harmonic in percent of rated current."""
    ac = summary["ac"]
    fundamental = ac["i_rms"] / (1 + (ac["thd_pct"] / 100) ** 2) ** 0.5
    return ac["harmonics_pct"][order] * fundamental / (RATED_W / 240)


@procedure("current-quality", title="Distortion and power factor by power",
           source="IEEE 1547-2018, 7.3, Tables 26 and 27; product sheet: THD < 3 %, PF > 0.99")
def current_quality(run):
    """On a clean grid the current is sinusoidal and in phase at every level of power."""
    levels = [0.1, 0.2, 0.3, 0.5, 0.75, 1.0]
    found = run.sims({f"{level * 100:.0f}pct": world(level) for level in levels})
    measured = [level_of(s) * 100 for s in found.values()]
    for level, (name, s) in zip(levels, found.items()):
        ac = s["ac"]
        run.felt(f"power at {level:.0%}", level_of(s) * 100, "%", level * 90, level * 110)
        run.figure(f"TRD at {level:.0%}", ac["trd_pct"], "%", at_most=1.5, anchor="5 (7.3)")
        if level >= 0.5:
            run.figure(f"THD at {level:.0%}", ac["thd_pct"], "%", at_most=1.0,
                       anchor="3 (product sheet)")
        if level >= 0.2:
            run.figure(f"power factor at {level:.0%}", ac["pf"], "",
                       at_least=0.999 if level >= 0.5 else 0.99, anchor="0.99 (product sheet)")
    axes = run.plot("thd", "power, % of rated", "%", "Distortion against power")
    axes.plot(measured, [s["ac"]["thd_pct"] for s in found.values()], "o-",
              label="THD, of the fundamental")
    axes.plot(measured, [s["ac"]["trd_pct"] for s in found.values()], "s-",
              label="TRD, of rated current")
    worst = {order: max(rated_share_pct(s, order) for s in found.values())
             for order in range(2, 51)}
    share = max(worst[order] / limit_pct(order) for order in worst)
    run.figure("largest harmonic against its limit", share * 100, "%", at_most=100)
    axes = run.plot("spectrum", "harmonic", "% of rated current",
                    "Largest harmonics over all levels, and their limits")
    axes.bar(worst.keys(), worst.values(), label="largest of all levels")
    axes.step(worst.keys(), [limit_pct(o) for o in worst], where="mid", color="tab:red",
              label="limit")
    axes.set_yscale("log")


@procedure("current-distorted-grid", title="Distortion on a distorted grid",
           source="IEEE 1547-2018, 7.3; voltage with 3 % third and 2 % fifth harmonic")
def current_distorted_grid(run):
    """The current stays sinusoidal when the voltage is not."""
    more = "at 2 grid thd 3:3,5:2"
    found = run.sims({f"{level * 100:.0f}pct": world(level, more) for level in (0.5, 1.0)})
    clean = run.sim("clean", world(1.0))
    for name, s in found.items():
        run.figure(f"THD at {name}", s["ac"]["thd_pct"], "%", at_most=2.0)
    run.felt("RMS voltage above the clean grid's",
             found["100pct"]["ac"]["v_rms"] / clean["ac"]["v_rms"] * 100 - 100, "%", at_least=0.03)
