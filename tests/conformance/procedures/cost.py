# SPDX-License-Identifier: GPL-2.0-only
"""The Cortex-M4: the same bits as on the host, and what a control period costs there."""

import concurrent.futures
import re
import subprocess

from contract import CONTROL_PERIOD_INSTRUCTIONS
from harness import OUT, procedure, procedures
from paths import BUILD, ROOT
from worlds import WORLDS

# Two images that count instructions, and the delivered one; the bits of all three are compared.
IMAGES = ("cost-functions.elf", "cost-period.elf", "qs1-m4.elf")

# Procedures without a scenario: they check the plant by itself, or are a C program.
WITHOUT = {"plant-modules", "plant-losses", "plant-inputs", "plant-bridge", "plant-switching",
           "island-rig", "frequency-transient", "radio-errors", "radio-poll"}
# Procedures whose scenarios have several units, of which there is no recording.
SITES = "site-"

# Of each other procedure's scenarios EACH are replayed, cut to LENGTH_S. A longer wait before the first
# event is cut to CALM_S, which is enough for a unit to start.
EACH = 2
LENGTH_S = 10
CALM_S = 5
# Recordings are kept until they are replayed, 1 MB each second.
BATCH = 16


def end_s(text):
    return float(re.search(r"^run (\S+)", text, re.MULTILINE)[1])


def shortened(text, folder):
    """The scenario @text of @folder, without a long wait and cut to LENGTH_S."""
    events = [(float(t), what) for t, what in re.findall(r"^at (\S+) (.*)", text, re.MULTILINE)
              if not what.startswith("mark")]
    wait = max(min((t for t, _ in events), default=0) - CALM_S, 0)
    end = min(end_s(text) - wait, LENGTH_S)
    before = re.sub(r"^(at|run) .*\n?", "", text, flags=re.MULTILINE)
    kept = [f"at {t - wait:.5f} {what}" for t, what in events if t - wait < end]
    return before + re.sub(r" replay (?!/)", f" replay ../{folder}/", "\n".join(kept)) + \
        f"\nrun {end:.5f}\n"


def some_of(files):
    """EACH of a procedure's scenarios, spread over their list; uncut ones if there are any."""
    whole = [path for path in files if end_s(path.read_text()) <= LENGTH_S] or files
    return sorted({whole[(2 * k + 1) * len(whole) // (2 * EACH)] for k in range(EACH) if whole})


def of_the_others(run):
    """Name -> scenario of each procedure that simulates the unit, as it has left them."""
    texts, seen = {}, set()
    others = {other.name for other in procedures() if not other.name.startswith(SITES)}
    others -= WITHOUT | {run.name}
    for name in sorted(others):
        assert (OUT / name).is_dir(), (f"no scenarios of {name} in {OUT}: this procedure replays "
                                       "what the others leave there; run make conformance once")
        for path in some_of(sorted((OUT / name).glob("*.scn"))):
            texts[f"{name}-{path.stem}"] = shortened(path.read_text(), name)
            seen.add(name)
    run.felt("procedures whose scenarios were replayed", len(seen), f"of {len(others)}",
             at_least=len(others))
    run.note(f"Without a scenario: {', '.join(sorted(WITHOUT))}.")
    return texts


def replay(image, recordings):
    """Lines of m4-replay, which ends with an error at the first bit that differs."""
    done = subprocess.run([BUILD / "m4-replay", BUILD / "firmware" / image, *recordings],
                          capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, f"{image}: {done.stderr}"
    return done.stdout.splitlines()


def batches(run, texts, steps):
    """Record, replay on each image and delete; yields the image and the lines that it prints."""
    names = list(texts)
    for first in range(0, len(names), BATCH):
        recordings = {name: run.path(f"{name}.trace") for name in names[first:first + BATCH]}
        for name, path in recordings.items():
            run.sim(name, texts[name], "--trace", path)
        arguments = list(recordings.values())
        if not first:
            arguments += [f"random:{seed}:{steps}" for seed in (1, 2)]
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            yield from zip(IMAGES, pool.map(lambda image: replay(image, arguments), IMAGES))
        for path in recordings.values():
            path.unlink()


def most(lines, kind):
    """(name -> most instructions in any recording, the recording with the highest count)."""
    counts, worst, recording, where = {}, 0, "", ""
    for line in lines:
        words = line.split()
        if "identical" in line:
            recording = line.split(": ")[0]
        elif words[0] == kind:
            counts[words[1]] = max(counts.get(words[1], 0), int(words[2]))
            if counts[words[1]] > worst:
                worst, where = counts[words[1]], recording
    return counts, where


@procedure("cost", title="The Cortex-M4: same bits, instructions of a control period", last=True,
           source="own requirement: 20 000 periods a second on a Cortex-M4, counted by QEMU")
def cost(run):
    """Recordings of each procedure's scenarios give the same bits on the Cortex-M4 as on the host,
    in every output word; no control period takes more than 2000 instructions.
    """
    texts = WORLDS | (of_the_others(run) if run.full else {})
    steps = 250000 if run.full else 50000
    said = {image: [] for image in IMAGES}
    for image, lines in batches(run, texts, steps):
        said[image] += lines
    replayed = [int(n) for n in re.findall(r": (\d+) steps, \d+ commands, identical",
                                           "\n".join(said["qs1-m4.elf"]))]
    every = len(texts) + 2
    run.figure("recordings without the same bits", every - len(replayed), f"of {every}", at_most=0)
    run.felt("control periods in them", sum(replayed), "", at_least=2 * steps)
    periods, where = most(said["cost-period.elf"], "cost")
    slots, _ = most(said["cost-period.elf"], "slot")
    functions, _ = most(said["cost-functions.elf"], "cost")
    run.figure("worst control period", periods["core_step"], "instructions",
               at_most=CONTROL_PERIOD_INSTRUCTIONS)
    del functions["core_step"]
    for name, count in sorted(functions.items(), key=lambda item: -item[1]):
        run.figure(f"qs1_{name}", count, "instructions")
    run.felt("slots of the frame that were counted", len(slots), "", at_least=20)
    run.note(f"The worst period is in the recording {where.split('/')[-1]}. Each function by "
             "itself, with what it calls; a period runs the first six of the table in "
             "Documentation/firmware.md and one slow task.")
    axes = run.plot("slots", "slot of the frame of 1 ms", "instructions",
                    "Worst control period by its slot")
    axes.bar([int(n) for n in slots], list(slots.values()), label="worst of all recordings")
    axes.axhline(CONTROL_PERIOD_INSTRUCTIONS, color="tab:red", label="limit")
    axes.set_ylim(0, CONTROL_PERIOD_INSTRUCTIONS * 1.1)
