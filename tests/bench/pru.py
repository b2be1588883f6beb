# SPDX-License-Identifier: GPL-2.0-only
"""Figures of the PRUs of the AM335x, as rows and tables of make bench: print them as JSON.

Times are those of scripts/pru-wcet's longest way through the code and of the chip's model; nothing
without the PRU's toolchain. Run it in the top folder, after make pru-programs sim:
/usr/bin/python3 tests/bench/pru.py
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from control import BUILD, TOP, row

sys.path.insert(0, str(TOP / "tests"))

from worlds import WORLDS  # noqa: E402  (the path must be set first)

COMMAND = "/usr/bin/python3 tests/bench/pru.py"
PRU = BUILD / "pru"
IMAGES = [PRU / f"qs1-am335x-pru{n}.elf" for n in range(2)]
LIMIT_CYCLES = 4000
CODE_BYTES = 8192

# Functions of PRU0's control period and of PRU1, which share a row where one turn runs both.
PERIOD = ["qs1_core_step", "qs1_current_step", "qs1_meter_step", "qs1_protect_step",
          "qs1_input_step", "qs1_pll_predict", "qs1_pll_step"]
SLOTS = re.findall(r"^slot \d+\t(.*)$", (TOP / "scripts/pru-turns").read_text(), re.M)
TURNS = [*dict.fromkeys(SLOTS), "qs1_core_command", "qs1_core_telemetry"]
ARITHMETIC = ["qs1_pru_mulq30", "qs1_div", "__pruabi_divi"]
# Cycles that a word takes to the neighbour's instruction memory.
WRITES = [2, 4, 8, 16]
SCENARIO = "start-shade-trip"


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd=TOP).stdout


def longest(target, *functions):
    """Function -> cycles, as a target of make prints them."""
    said = run("make", "--silent", target, *([f"ONLY={' '.join(functions)}"] if functions else []))
    return {name: int(cycles) for name, cycles in re.findall(r"^(\w+) +\d+ +\d+ +(\d+)", said, re.M)}


def table(name, head, rows):
    """A table of a document, in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return {"table": name, "lines": ["| " + " | ".join(map(str, c)) + " |" for c in lines]}


def names(functions):
    return " and ".join(f"`{name}`" for name in functions.split())


def functions():
    """Times of the control period, of the turns, of the arithmetic, and of PRU0's own work."""
    found = longest("pru-wcet", *" ".join(PERIOD + TURNS + ARITHMETIC + ["qs1_slot"]).split())
    own = longest("pru-wcet-pru0")
    samples = own["qs1_lanes_convert"] + own["qs1_lanes_wait"]
    control = samples + own["qs1_lanes_read"] + own["qs1_calibrate"] + own["qs1_core_step"] + \
        own["qs1_pwm_apply"]
    yield table("turns", ["function", "cycles"],
                [[names(f), sum(found[name] for name in f.split())] for f in PERIOD + TURNS])
    yield table("pru0", ["function", "cycles"],
                [["`qs1_lanes_convert`, `qs1_lanes_wait`: conversion", samples],
                 *([f"`{name}`", own[name]] for name in
                   ("qs1_lanes_read", "qs1_calibrate", "qs1_pwm_apply", "search_step"))])
    yield from (row(f"{name}: longest on the PRU", found[name], "cycles") for name in ARITHMETIC)
    yield row("PRU0: control without slow task and port", control, "cycles", 10000)
    yield row("PRU0: worst control period, against its limit", found["qs1_core_step"], "cycles",
              LIMIT_CYCLES)
    yield row("PRU1: worst slow task, against the same", found["qs1_slot"], "cycles", LIMIT_CYCLES)


def code_bytes(image):
    """Of the segment of code; the PRU's own tools are not where others' are."""
    text = run("readelf", "--segments", "--wide", image)
    return int(re.search(r"LOAD +0x\w+ 0x20000000 0x\w+ (0x\w+)", text)[1], 16)


def memory():
    """Code of PRU0, and of PRU1 in its parts."""
    placed = (PRU / "overlays.txt").read_text(encoding="utf-8")
    everything, most, resident = map(int, re.search(
        r"^PRU1: (\d+) bytes .* at the most (\d+) in one turn; (\d+) are resident", placed,
        re.MULTILINE).groups())
    loaded = int(re.search(r"a millisecond (\d+) words", placed)[1])
    yield row("PRU0: code, against its memory", code_bytes(IMAGES[0]), "byte", CODE_BYTES)
    yield row("PRU1: all of its code", everything, "byte")
    yield row("PRU1: resident code", resident, "byte")
    yield row("PRU1: code of a turn at the most, against its memory", most, "byte", CODE_BYTES)
    yield row("PRU1: bytes loaded in a millisecond", 4 * loaded, "byte")


def chip(trace, cycles, *fault):
    with open(trace, "rb") as recorded:
        return subprocess.run([PRU / "chip", *IMAGES, str(cycles), *fault], stdin=recorded,
                              capture_output=True, text=True, check=True).stdout


def interconnect(trace):
    """Times of samples and outputs over what a word takes, on the model of the chip."""
    rows = []
    for cycles in WRITES:
        said = chip(trace, cycles)
        slots = [tuple(map(int, line.split())) for line in said.splitlines()
                 if re.fullmatch(r" *\d+( +\d+){4}", line)]
        held, made_up = map(int, re.search(r"held (\d+), made up for (\d+)", said).groups())
        # The average is 0 where a slot had no output: its task always ran as the second one of a period.
        averages = [slot[2] for slot in slots if slot[2]]
        rows.append([cycles, max(slot[1] for slot in slots), f"{min(averages)} to {max(averages)}",
                     max(slot[3] for slot in slots), held, made_up])
    yield table("interconnect", ["a word takes", "samples, at the latest",
                                 "outputs, on average, slots 0 to 19", "outputs, at the latest",
                                 "periods without a slow task", "of these made up for"], rows)


def faults(trace):
    """How long PRU0 takes to stop after a fault of the chip."""
    for fault in ("memory", "hang"):
        stopped = int(re.search(r"stopped (\d+) cycles", chip(trace, 8, fault))[1])
        yield row(f"PRU0: stopped after the fault {fault}", stopped, "cycles")


def measure():
    if not (PRU / "chip").exists():
        return []
    with tempfile.TemporaryDirectory() as folder:
        world, trace = Path(folder) / "world.scn", Path(folder) / "world.trace"
        world.write_text(WORLDS[SCENARIO])
        run(BUILD / "qs1-sim", "--trace", trace, world)
        return [*functions(), *memory(), *interconnect(trace), *faults(trace)]


if __name__ == "__main__":
    json.dump([{**each, "command": COMMAND} for each in measure()], sys.stdout, indent=1)
    print()
