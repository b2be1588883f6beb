# SPDX-License-Identifier: GPL-2.0-only
"""Run all benchmarks; write build/bench.json and print a table.

A benchmark is a program beside this one that prints rows as JSON, each with name, ours, baseline,
ratio, unit and the command that measures it again. Baseline and ratio are null where there is none.
"""

import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOP = HERE.parents[1]


def measure(program):
    """Rows of one benchmark; its messages go to the terminal."""
    print(f"{program.stem} ...", file=sys.stderr, flush=True)
    done = subprocess.run(["/usr/bin/python3", program], cwd=TOP, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        print(f"{program.stem}: failed with status {done.returncode}", file=sys.stderr)
        return None
    return json.loads(done.stdout)


def cell(value):
    return "" if value is None else f"{value:g}"


def main():
    measured = [measure(p) for p in sorted(HERE.glob("*.py")) if p != Path(__file__).resolve()]
    rows = [row for part in measured if part is not None for row in part]
    (TOP / "build" / "bench.json").write_text(json.dumps(rows, indent=1) + "\n")
    if not rows:
        return 1
    width = max(len(row["name"]) for row in rows)
    print(f"{'figure':{width}} {'ours':>10} {'baseline':>10} {'ratio':>8}  unit")
    for row in rows:
        print(f"{row['name']:{width}} {cell(row['ours']):>10} {cell(row['baseline']):>10} "
              f"{cell(row['ratio']):>8}  {row['unit']}")
    return 1 if None in measured else 0


if __name__ == "__main__":
    sys.exit(main())
