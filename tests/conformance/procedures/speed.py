# SPDX-License-Identifier: GPL-2.0-only
"""Speed of the simulator, on which every other procedure depends."""

import resource

from harness import procedure

WORLD = """
seed 1
module all LG400N2W-A5
sun all 700
skip enter-service
{more}
run {seconds}
"""


def cpu_s():
    """Processor time of all simulations so far: it does not depend on what else runs."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


# The same for the plant with each edge of the bridge.
SWITCHING = 5


@procedure("sim-speed", title="Speed of qs1-sim",
           source="own requirement: 100 times real time, 5 times with each edge of the bridge")
def sim_speed(run):
    """One core simulates at least a hundred times faster than real time, and five times with a
    switching bridge.
    """
    seconds = 600 if run.full else 120
    worlds = {"steady light": "", "light and grid that move":
              f"ramp sun all 200 over {seconds}\nat 5 ramp grid f 60.2 over {seconds}\n"
              "at 6 grid thd 3:3,5:2",
              "shaded modules in light that moves": f"ramp sun all 200 over {seconds}\n"
              "at 5 shade all 1/3 0.4"}
    for name, more in worlds.items():
        before = cpu_s()
        text = WORLD.format(more="at 4 " + more if more else "", seconds=seconds)
        summary = run.sim(name.replace(" ", "-"), text)
        run.figure(f"{name}: simulated over processor time", seconds / (cpu_s() - before), "",
                   at_least=100)
        run.felt(f"{name}: harvest", sum(summary["mppt"]["harvested_j"]) / 1e3, "kJ", at_least=30)
    for board in ("nominal", "drawn"):
        before = cpu_s()
        text = WORLD.format(more=f"plant switching\nboard {board}", seconds=seconds / 10)
        summary = run.sim(f"switching-{board}", text)
        run.figure(f"switching plant, {board} board: simulated over processor time",
                   seconds / 10 / (cpu_s() - before), "", at_least=SWITCHING)
        run.felt(f"switching, {board} board: energy", summary["ac"]["energy_j"] / 1e3, "kJ",
                 at_least=1)
