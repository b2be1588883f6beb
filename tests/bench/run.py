# SPDX-License-Identifier: GPL-2.0-only
"""Run benchmarks; write build/bench.json and print a table.

    run.py [NAME...]    those of these names, or all

A benchmark is a program beside this one that prints JSON: rows, each with name, ours, baseline, ratio,
unit and the command that measures it again, baseline and ratio null where there is none; and tables
for documents, each with its name and its lines.
"""

import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOP = HERE.parents[1]
# What is no benchmark by itself: this file.
PROGRAMS = {path.stem: path for path in sorted(HERE.glob("*.py")) if path != Path(__file__).resolve()}


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


def show(rows):
    width = max(len(row["name"]) for row in rows)
    print(f"{'figure':{width}} {'ours':>10} {'baseline':>10} {'ratio':>8}  unit")
    for row in rows:
        print(f"{row['name']:{width}} {cell(row['ours']):>10} {cell(row['baseline']):>10} "
              f"{cell(row['ratio']):>8}  {row['unit']}")


def main():
    unknown = [name for name in sys.argv[1:] if name not in PROGRAMS]
    if unknown:
        sys.exit(f"'{unknown[0]}': expected one of {' '.join(PROGRAMS)}")
    measured = {name: measure(PROGRAMS[name]) for name in sys.argv[1:] or PROGRAMS}
    report = [{"name": name, "rows": [item for item in items if "lines" not in item],
               "tables": {item["table"]: item["lines"] for item in items if "lines" in item}}
              for name, items in measured.items() if items]
    (TOP / "build" / "bench.json").write_text(json.dumps({"bench": report}, indent=1) + "\n")
    if report:
        show([row for part in report for row in part["rows"]])
    return 1 if None in measured.values() or not report else 0


if __name__ == "__main__":
    sys.exit(main())
