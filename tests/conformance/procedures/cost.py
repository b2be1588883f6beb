# SPDX-License-Identifier: GPL-2.0-only
"""What a control period costs on the Cortex-M4."""

import subprocess

from harness import procedure
from paths import BUILD, ROOT

LIMIT = 1500
WORLDS = {
    "start-shade-trip": """
        seed 11
        sun all 900
        skip enter-service
        at 1.5 shade 2 1/3 0.6
        at 2 sun 3 150
        at 3 grid v 0.45
        at 3.5 grid v 1.0
        run 5
    """,
    "category-3": """
        seed 12
        profile ieee1547-2018-cat3
        set es_ramp_s 1
        sun all 900
        skip enter-service
        at 2 grid v 0.3
        at 2.6 grid v 1
        at 4 grid v 1.08
        at 5 grid f 60.6
        at 6 grid phase 60
        run 8
    """,
    "distorted-weak-hot": """
        seed 13
        grid impedance 0.5 0.0254
        temp 65
        sun all 1100
        skip enter-service
        at 1 grid thd 3:5,5:4,7:3
        at 3 set power_limit_w 300
        at 4 set power_limit_w 1200
        run 6
    """,
    "faults": """
        seed 14
        sun all 800
        skip enter-service
        set es_delay_s 1
        at 2 fault gfdi on
        at 3 fault gfdi off
        at 4 cmd clear gfdi
        at 7 fault sensor vgrid noise
        at 8 fault sensor vgrid off
        at 9 host lost
        run 11
    """,
    "island": """
        seed 15
        sun all 800
        load rlc 0.95 1.0
        skip enter-service
        at 3 grid open
        run 5
    """,
}


def replay(image, recordings):
    done = subprocess.run([BUILD / "m4-replay", BUILD / "firmware" / image, *recordings],
                          capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return [line.split() for line in done.stdout.splitlines()]


def largest(lines, kind):
    """name -> most instructions of all recordings."""
    most = {}
    for line in lines:
        if line[0] == kind:
            most[line[1]] = max(most.get(line[1], 0), int(line[2]))
    return most


@procedure("cost", title="Instructions of a control period",
           source="own requirement: 20 000 periods a second on a Cortex-M4, counted by QEMU")
def cost(run):
    """No period takes more than 1500 instructions, whatever happens in it; the same recordings
    give the same bits on the Cortex-M4 as on the host.
    """
    for name, text in WORLDS.items():
        run.sim(name, text, "--trace", run.path(f"{name}.trace"))
    recordings = [run.path(f"{name}.trace") for name in WORLDS]
    steps = 500000 if run.full else 50000
    recordings += [f"random:{seed}:{steps}" for seed in (1, 2)]
    whole = replay("cost-period.elf", recordings)
    slots = largest(whole, "slot")
    functions = largest(replay("cost-functions.elf", recordings), "cost")
    run.figure("worst control period", largest(whole, "cost")["core_step"], "instructions",
               at_most=LIMIT)
    del functions["core_step"]
    for name, count in sorted(functions.items(), key=lambda item: -item[1]):
        run.figure(f"qs1_{name}", count, "instructions")
    run.felt("slots of the frame that were counted", len(slots), "", at_least=20)
    run.note("Each function by itself, with what it calls; a period runs the first six of the "
             "table in Documentation/firmware.md and one slow task.")
    axes = run.plot("slots", "slot of the frame of 1 ms", "instructions",
                    "Worst control period by its slot")
    axes.bar([int(n) for n in slots], list(slots.values()), label="worst of all recordings")
    axes.axhline(LIMIT, color="tab:red", label="limit")
    axes.set_ylim(0, LIMIT * 1.1)
    for recording in run.folder.glob("*.trace"):
        recording.unlink()
