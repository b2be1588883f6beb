# SPDX-License-Identifier: GPL-2.0-only
"""What each of the control core's functions costs on the Cortex-M4 and on the PRU, beside the host.

Rows of make bench: print them as JSON. The Cortex-M4 and the host run the same world; the host's
figure is the mean of a call, the Cortex-M4's the longest call, the PRU's the longest way through
the code. Run it in the top folder, after make sim m4-replay: /usr/bin/python3 tests/bench/functions.py
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from control import BUILD, TOP, row, scenario

COMMAND = "/usr/bin/python3 tests/bench/functions.py"


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd=TOP).stdout


def on_the_cortex_m4(trace):
    """Instructions of the longest call of each function; of the whole period without the counting."""
    longest = {}
    for image in ("cost-functions.elf", "cost-period.elf"):
        said = run(BUILD / "m4-replay", BUILD / "firmware" / image, trace)
        longest |= {f"qs1_{name}": int(cost)
                    for name, cost in re.findall(r"^cost (\w+) (\d+)", said, re.M) if int(cost)}
    return longest


def on_the_host(world, folder):
    """Instructions of a call, mean; a function that the compiler put into another has none."""
    out = folder / "callgrind.out"
    run("valgrind", "--tool=callgrind", "--compress-strings=no", "--compress-pos=no",
        f"--callgrind-out-file={out}", BUILD / "qs1-sim", world)
    calls, cost = {}, {}
    for name, n, each in re.findall(r"^cfn=(\w+)\ncalls=(\d+) .*\n\S+ (\d+)", out.read_text(), re.M):
        calls[name] = calls.get(name, 0) + int(n)
        cost[name] = cost.get(name, 0) + int(each)
    return {name: round(cost[name] / calls[name], 1) for name in calls}


def on_the_pru(names):
    """(own bytes, cycles) of each function; empty without the PRU's toolchain."""
    if not (BUILD / "pru" / "replay.elf").exists():
        return {}
    table = run("make", "--silent", "pru-wcet", "ONLY=" + " ".join(names))
    return {words[0]: (int(words[2]), int(words[3]))
            for words in (line.split() for line in table.splitlines()) if words[0] in names}


def sizes():
    """Bytes of each function in the image for the Cortex-M4."""
    table = run("arm-none-eabi-nm", "-S", BUILD / "firmware" / "qs1-m4.elf")
    return {name: int(size, 16) for size, name in re.findall(r"^\w+ (\w+) [Tt] (\w+)$", table, re.M)}


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        world, trace = scenario(folder, 4), folder / "functions.trace"
        run(BUILD / "qs1-sim", "--trace", trace, world)
        longest = on_the_cortex_m4(trace)
        host = on_the_host(world, folder)
    pru, size = on_the_pru(list(longest)), sizes()
    rows = []
    for name, instructions in longest.items():
        rows.append(row(f"{name}: longest on the Cortex-M4, mean on the host", instructions,
                        "instructions", host.get(name)))
        if name in pru:
            own, cycles = pru[name]
            rows += [row(f"{name}: longest on the PRU, mean on the host", cycles, "cycles",
                         host.get(name)),
                     row(f"{name}: code on the PRU, on the Cortex-M4", own, "byte", size.get(name))]
    json.dump([{**each, "command": COMMAND} for each in rows], sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
