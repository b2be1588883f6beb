# SPDX-License-Identifier: GPL-2.0-only
"""Unintentional islanding with passive units: where the active method still works."""

from harness import procedure
from procedures.island import cease_s

# The island's quality factor and our units' share of its power.
QUALITY = (0.05, 0.5, 1, 1.5, 2, 2.5, 3, 4, 5, 6)
SHARES = (1, 1 / 2, 1 / 3, 1 / 4, 1 / 6, 1 / 8)
LIMIT_S = 2.0
# The breaker opens; islands are watched for so long.
OPEN_S = 6
WATCHED_S = 4.0

WORLD = """
seed {seed}
profile ieee1547-2018-cat3
module all en50530 340 37 csi
cell all 25
sun all 1000
skip enter-service
set es_ramp_s 1
set power_limit_w 1200
set q_mode 0
set vw_on 0
set droop_on 0
grid phase {phase}
load rlc 1 {quality:.4f}
at {open} grid open
run {end}
"""


def life_s(summaries):
    """The longest of some lives; what lived on counts as long as it was watched."""
    return max(cease_s(s, OPEN_S) or WATCHED_S for s in summaries)


@procedure("island-map", title="Islands with passive units",
           source="IEEE 1547-2018, 8.1.1: 2 s; IEEE 1547.1-2020, 5.10.2; goal: 1 s for one active "
                  "unit of eight at Qf 1 and two of eight at Qf 2.5")
def island_map(run):
    """Alone, the unit lets go of every matched load up to Qf 2.5 in time; the map shows how far
    passive units beside it stretch that.
    """
    wanted = ({(q, s) for q in QUALITY for s in SHARES} if run.full else
              {(1, 1), (2.5, 1), (1, 1 / 8), (2.5, 1 / 4)})
    phases = (0, 37, 71, 128) if run.full else (37,)
    texts = {f"{quality:g}-{share:.3f}-{phase}":
             WORLD.format(seed=1 + n, phase=phase, quality=quality / share, open=OPEN_S, end=OPEN_S + WATCHED_S)
             for quality, share in sorted(wanted) for n, phase in enumerate(phases)}
    found = run.sims(texts)
    lives = {(quality, share): life_s([found[f"{quality:g}-{share:.3f}-{phase}"]
                                       for phase in phases]) for quality, share in sorted(wanted)}
    run.felt("islands fed when the breaker opened",
             sum(any(t["to"] == "producing" for t in s["transitions"]) for s in found.values()), "",
             at_least=len(found))
    for quality in (1, 2.5):
        run.figure(f"alone, Qf {quality:g}: longest", lives[quality, 1], "s", at_most=LIMIT_S)
    for quality, share, words in ((1, 1 / 8, "one of eight"), (2.5, 1 / 4, "two of eight")):
        run.figure(f"{words}, Qf {quality:g}: longest, watched for {WATCHED_S:g} s",
                   lives[quality, share], "s", anchor="1 (goal)")
    run.note("Passive units are taken to hold their current in phase with the voltage and in "
             "proportion to it: they take their power off the load's resistance and leave its "
             "inductance and capacitance, so that the active unit sees the quality factor over its "
             "share.")
    if run.full:
        draw_map(run, lives)


def draw_map(run, lives):
    """Lives over quality factor and share, with the border of the limit."""
    axes = run.plot("map", "quality factor of the island", "share of active units, %",
                    "Longest life of an island, s; red: the border of 2 s")
    shares = sorted(SHARES)
    grid = [[lives[q, s] for q in QUALITY] for s in shares]
    heights = [100 * s for s in shares]
    filled = axes.contourf(QUALITY, heights, grid, levels=[0, 0.25, 0.5, 1, 2, WATCHED_S],
                           cmap="viridis", extend="max")
    axes.figure.colorbar(filled, ax=axes)
    if max(map(max, grid)) > LIMIT_S > min(map(min, grid)):
        axes.contour(QUALITY, heights, grid, levels=[LIMIT_S], colors="tab:red")
    axes.set_yscale("log")
    axes.minorticks_off()
    axes.set_yticks(heights, [f"{h:.0f}" for h in heights])
    run.table("lives", ["share", *(f"Qf {q:g}" for q in QUALITY)],
              [[f"{100 * s:.0f} %", *(f"{lives[q, s]:.2f}" if lives[q, s] < WATCHED_S else "on"
                                      for q in QUALITY)] for s in SHARES])
    run.figure(f"points of {len(lives)} that are gone within {LIMIT_S:g} s",
               sum(life <= LIMIT_S for life in lives.values()), "")
