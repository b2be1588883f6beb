# SPDX-License-Identifier: GPL-2.0-only
"""Small powers: dim light, short darkness, low limits, and modules that are too cold to run."""

from harness import procedure

HEAD = "profile note1\nskip enter-service\n"
LIMITS_W = [5, 12, 24, 48, 96, 240, 600]


def causes(summary, state):
    """Causes with which the unit entered a state."""
    return [t["cause"] for t in summary["transitions"] if t["to"] == state]


@procedure("small-limits", title="A power limit is held without hunting",
           source="own requirement; no standard sets a limit")
def small_limits(run):
    """Any limit is held within 2 W, between any two half cycles."""
    limits = LIMITS_W if run.full else [5, 24]
    lights = (900, 200) if run.full else (900,)
    texts = {f"{limit}-at-{sun}": f"{HEAD}sun all {sun}\nat 6 set power_limit_w {limit}\n"
             f"at 14 mark start\nrun 34\n" for limit in limits for sun in lights}
    for name, text in texts.items():
        path = run.path(f"{name}.csv")
        summary = run.sim(name, text, "--csv", path, "--csv-rate", 120)
        header, *rows = path.read_text().splitlines()
        column = header.split(",").index("p_w")
        powers = [float(row.split(",")[column]) for row in rows[15 * 120:]]
        limit, sun = map(int, name.split("-at-"))
        title = f"{limit} W at {sun} W/m2"
        if sum(summary["mppt"]["available_j"]) / 20 < limit:
            run.figure(f"{title}: trips", len(summary["trips"]), "", at_most=0)
            continue
        run.felt(f"{title}: power available",
                 sum(summary["mppt"]["available_j"]) / 20, "W", at_least=limit)
        run.figure(f"{title}: mean", summary["ac"]["p_w"], "W", between=(0.995 * limit - 2, limit))
        run.figure(f"{title}: swing", max(powers) - min(powers), "W", at_most=max(2, 0.01 * limit))


@procedure("small-light", title="Dim light, darkness, and modules too cold to run",
           source="own requirement; no standard sets a limit")
def small_light(run):
    """Attempts become less frequent, more light ends the wait, and events name the cause of a stop."""
    seconds = 1800 if run.full else 300
    found = run.sims({
        "dim": f"{HEAD}sun all 3\ncell all 5\nrun {seconds}\n",
        "brighter": f"{HEAD}sun all 3\ncell all 5\nset es_delay_s 0\nat 200 sun all 40\nrun 215\n",
        "dark": f"{HEAD}sun all 600\nset es_delay_s 0\nat 20 sun all 0\nat 23 sun all 600\nrun 40\n",
        "cold": f"{HEAD}temp -30\ncell all -27\nsun all 600\nat 20 sun all 60\nrun 40\n",
    })
    attempts = [t["t_s"] for t in found["dim"]["transitions"] if t["to"] == "connecting"]
    gaps = [b - a for a, b in zip(attempts, attempts[1:])]
    run.felt("3 W/m2: attempts", len(attempts), "", at_least=4)
    run.figure("3 W/m2: attempts", len(attempts), "", at_most=12)
    run.figure("3 W/m2: shortest growth of a gap after the fourth",
               min(b / a for a, b in zip(gaps[3:], gaps[4:])), "", at_least=1.5)
    back = [t["t_s"] for t in found["brighter"]["transitions"] if t["to"] == "producing"]
    run.figure("3 to 40 W/m2: producing after", back[0] - 200 if back else None, "s", at_most=10)
    # A board whose sensors read a little power in darkness has not gone to sleep after 3 s.
    last = found["dark"]["transitions"][-1]
    run.figure("3 s of darkness: producing after",
               max(0, last["t_s"] - 23) if last["to"] == "producing" else None, "s", at_most=3)
    run.felt("cold modules: open voltage", found["cold"]["dc"]["v"][0], "V", 40, 60)
    run.figure("all inputs above 55 V: cause", causes(found["cold"], "fault") == ["PV_OV"], "",
               at_least=1)
    run.figure("all inputs above 55 V: nights", len(causes(found["cold"], "night")), "", at_most=0)
    run.figure("below 55 V again: producing", len(causes(found["cold"], "producing")), "",
               at_least=1)
