# SPDX-License-Identifier: GPL-2.0-only
"""Figures of the control core and its simulator, as rows of make bench: print them as JSON.

Run it in the top folder, after make sim m4-replay: /usr/bin/python3 tests/bench/control.py
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
BUILD = TOP / "build"
sys.path.insert(0, str(TOP / "tests"))

from contract import CONTROL_PERIOD_INSTRUCTIONS  # noqa: E402  (after the path to it)

COMMAND = "/usr/bin/python3 tests/bench/control.py"
CONTROL_HZ = 20000

WORLD = """
seed 1
sun all 900
skip enter-service
at 1.5 shade 2 1/3 0.6
at 1.8 grid v 0.45
run {seconds}
"""


def row(name, ours, unit, baseline=None):
    ratio = round(ours / baseline, 3) if baseline else None
    return {"name": name, "ours": ours, "baseline": baseline, "ratio": ratio, "unit": unit,
            "command": COMMAND}


def scenario(folder, seconds):
    path = folder / f"{seconds}.scn"
    path.write_text(WORLD.format(seconds=seconds))
    return path


def instructions(path):
    """Host instructions of a whole simulation."""
    done = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
                           BUILD / "qs1-sim", path], capture_output=True, text=True, check=True)
    return int(re.search(r"Collected : (\d+)", done.stderr)[1])


def simulator(folder):
    """Between two lengths, so that the start does not count; speed by processor time."""
    short, long = scenario(folder, 2), scenario(folder, 4)
    each = (instructions(long) - instructions(short)) / (2 * CONTROL_HZ)
    done = subprocess.run([BUILD / "qs1-sim", "--json", "-", scenario(folder, 60)],
                          capture_output=True, text=True, check=True)
    factor = json.loads(done.stdout)["realtime_factor"]
    return [row("qs1-sim: host instructions of a control period", round(each), "instructions"),
            row("qs1-sim: simulated over wall time, against real time", round(factor, 1), "",
                baseline=1)]


def cortex_m4(folder):
    """Worst control period, by QEMU's count; the limit is the baseline."""
    trace = folder / "bench.trace"
    subprocess.run([BUILD / "qs1-sim", "--trace", trace, scenario(folder, 6)], check=True,
                   capture_output=True)
    done = subprocess.run([BUILD / "m4-replay", BUILD / "firmware" / "cost-period.elf", trace],
                          capture_output=True, text=True, check=True)
    worst = int(re.search(r"^cost core_step (\d+)", done.stdout, re.MULTILINE)[1])
    return [row("Cortex-M4: worst control period, against its limit", worst, "instructions",
                CONTROL_PERIOD_INSTRUCTIONS)]


def images():
    """Memory of each firmware image; the AM57xx's has to fit into 64 KB."""
    rows = []
    for image in ("m4", "am57xx", "am62x"):
        done = subprocess.run(["arm-none-eabi-size", BUILD / "firmware" / f"qs1-{image}.elf"],
                              capture_output=True, text=True, check=True)
        text, data, bss = map(int, done.stdout.split("\n")[1].split()[:3])
        rows += [row(f"qs1-{image}.elf: code and constants", text, "byte"),
                 row(f"qs1-{image}.elf: variables and stack", data + bss, "byte")]
        if image == "am57xx":
            rows.append(row("qs1-am57xx.elf: all, against its memory", text + data + bss, "byte",
                            65536))
    return rows


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        json.dump(simulator(Path(name)) + cortex_m4(Path(name)) + images(), sys.stdout,
                  indent=1)
    print()
