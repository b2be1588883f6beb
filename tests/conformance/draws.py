# SPDX-License-Identifier: GPL-2.0-only
"""Monte Carlo: the procedures on boards, behind sources and at phases that a seed draws.

    draws.py [--only WORD] [--draws N] [--minutes M]   figures over the draws
    draws.py --only WORD --seed N                      one draw, every figure of it

A draw is determined by procedure and seed. Its result is kept in build/conformance/draws/ and used
again as long as simulator and procedure are the same, so that a long run can be broken off.
"""

import argparse
import concurrent.futures
import dataclasses
import fnmatch
import hashlib
import inspect
import json
import math
import os
import pathlib
import random
import re
import sys
import time

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent),
                str(pathlib.Path(__file__).resolve().parents[1])]

import figures  # noqa: E402  (the path must be set first)
import harness  # noqa: E402
from paths import BUILD  # noqa: E402

# Short-circuit ratio and reactance over resistance of a drawn source, both even in the logarithm.
RATIO = (155, 5)
X_OVER_R = (0.3, 10)
AMBIENT_C = (-40, 65)

# What is drawn for a procedure; the first pattern that matches its name counts. The board and the
# grid's phase at time 0 are always drawn. "source": a source, unless the scenario has one. "ambient": an
# ambient temperature that replaces the scenario's. "switching": the bridge is simulated with its edges.
# None: the procedure does not depend on a board.
PLANS = [
    ("plant-*", None),
    ("sim-speed", None),
    ("cost", None),
    ("island-rig", None),
    ("radio-*", None),
    ("site-*", None),
    # behind a drawn resistance the voltage would leave the range that the procedure adjusts
    ("current-range", {"switching"}),
    ("current-*", {"source", "switching"}),
    ("mppt-*", {"source"}),
    ("ride-through-*", {"source"}),
    ("trips-immunity", {"source"}),
    ("trips-accuracy", {"ambient"}),
    ("*", set()),
]

# Limits of drawn boards, where a procedure has tighter ones for the nominal board: procedure, figures,
# limit at most, from that of the nominal board.
LIMITS = [
    # the accuracy of the manual, with the sensors' full tolerance
    ("trips-accuracy", r"^[UO]V", lambda most: 2.0),
    # IEEE 1547-2018, 7.3
    ("island-weak", r"TRD$", lambda most: 5.0),
    # the unit limits what its sensors read: gain of voltage and current after calibration, 40 K from 25 C
    ("small-limits", r"mean$", lambda most: 1.005 * most),
    # 2 ms for the watchdog, the relay's longest 8 ms, and its arc until the current's next zero
    ("faults-control", r"relay open$", lambda most: 2 + 8 + 1000 / 120),
]


def plan(name):
    """What is drawn for a procedure; None if it is not."""
    return next(what for pattern, what in PLANS if fnmatch.fnmatch(name, pattern))


def between(rng, low, high):
    """Even in the logarithm."""
    return low * (high / low) ** rng.random()


@dataclasses.dataclass
class Draw:
    """One board and one source for all scenarios of a procedure."""

    procedure: str
    seed: int

    def folder(self, out):
        return out / "draws" / self.procedure / str(self.seed)

    def scenario(self, name, text):
        """The scenario @text on the drawn board; its own seed goes on to vary the rest."""
        what = plan(self.procedure)
        rng = random.Random(f"{self.procedure} {self.seed}")
        ratio, x_over_r = between(rng, *RATIO), between(rng, *X_OVER_R)
        ambient = rng.uniform(*AMBIENT_C)
        phase = random.Random(f"{self.procedure} {self.seed} {name}").uniform(0, 360)
        own = re.search(r"^seed (\d+)", text, re.M)
        head = [f"seed {1000 * self.seed + int(own[1] if own else 1)}", "board drawn",
                f"grid phase {phase:.3f}"]
        if "switching" in what:
            head.append("plant switching")
        if "source" in what and not re.search(r"^grid (impedance|scr)", text, re.M):
            head.append(f"grid scr {ratio:.3f} {x_over_r:.3f}")
        if "ambient" in what:
            text = re.sub(r"^temp .*\n", "", text, flags=re.M)
            head.append(f"temp {ambient:.2f}")
        return "\n".join([*head, re.sub(r"^seed .*\n", "", text, flags=re.M)])


def origin(procedure):
    """What a result depends on."""
    parts = [harness.SIMULATOR.read_bytes(), pathlib.Path(__file__).read_bytes(),
             inspect.getsource(sys.modules[procedure.function.__module__]).encode()]
    return hashlib.sha256(b"".join(parts)).hexdigest()


def by_name(name):
    return next(p for p in harness.procedures() if p.name == name)


def one(name, seed):
    """The result of one draw, from an earlier run where there is one."""
    procedure, draw = by_name(name), Draw(name, seed)
    path = draw.folder(harness.OUT) / "draw.json"
    now = origin(procedure)
    try:
        kept = json.loads(path.read_text())
    except (OSError, ValueError):
        kept = {}
    if kept.get("origin") == now:
        return kept
    result = procedure.carry_out(False, draw) | {"origin": now, "seed": seed}
    part = path.with_suffix(".part")
    part.write_text(json.dumps(result) + "\n")
    part.replace(path)
    return result


def badness(figure):
    """Larger is worse; a figure without a limit has none."""
    value, low, high = figure["value"], figure["at_least"], figure["at_most"]
    if value is None:
        return math.inf
    if low is not None and high is not None:
        return abs(value - (low + high) / 2)
    return -value if low is not None else value


def limited(procedure, figure):
    """A figure with the limit of drawn boards."""
    for name, pattern, of_drawn in LIMITS:
        if name == procedure and re.search(pattern, figure["name"]) and figure["at_most"] is not None:
            low, most = figure["at_least"], of_drawn(figure["at_most"])
            held = figure["value"] is not None and (low or -math.inf) <= figure["value"] <= most
            words = f"at most {most:.4g}" if low is None else f"{low:.4g} to {most:.4g}"
            return figure | {"at_most": most, "limit": words, "held": held}
    return figure


def spread(procedure, results):
    """Median, 95th percentile and worst of each figure with a limit, over the draws."""
    by_figure = {}
    for result in results:
        for figure in result["figures"]:
            if figure["limit"]:
                by_figure.setdefault(figure["name"], []).append((limited(procedure, figure),
                                                                 result["seed"]))
    rows = []
    for name, found in by_figure.items():
        found.sort(key=lambda pair: badness(pair[0]))
        last = len(found) - 1
        rows.append({
            "name": name, "unit": found[0][0]["unit"], "limit": found[0][0]["limit"],
            "draws": len(found), "missed": sum(not f["held"] for f, _ in found),
            "median": found[last // 2][0]["value"],
            "p95": found[math.ceil(0.95 * len(found)) - 1][0]["value"],
            "p95_held": found[math.ceil(0.95 * len(found)) - 1][0]["held"],
            "worst": found[last][0]["value"], "seed": found[last][1]})
    return rows


def summary(name, results):
    """What the draws of one procedure gave."""
    broken = [r["seed"] for r in results if r["error"] or not all(f["held"] for f in r["felt"])]
    return {"name": name, "draws": len(results), "drawn": sorted(plan(name) | {"board", "phase"}),
            "not_felt": broken, "figures": spread(name, results),
            "errors": {r["seed"]: r["error"] for r in results if r["error"]}}


def cell(value):
    return harness.number(value, 5)


def plant(what):
    return "switching" if "switching" in what else "averaged"


def worst_of_draw(key, result):
    """The figure of a row of the published table in one draw, as figures.py takes it; None if there
    is none.
    """
    procedure, pattern, worst = figures.source(key)
    found = [limited(procedure, f) for f in result["figures"] if re.search(pattern, f["name"])]
    return max(found, key=badness, default=None)


def published(results):
    """Lines of the published table: each row of figures.py's over the draws."""
    yield "| figure | plant | limit | median | 95 % | worst | draws | repeat the worst draw |"
    yield "|---|---|---|---|---|---|---|---|"
    for key, (label, procedure, *_) in figures.SUMMARY.items():
        found = [(worst_of_draw(key, r) | {"name": label}, r["seed"])
                 for r in results.get(procedure, []) if worst_of_draw(key, r)]
        if not found:
            continue
        row, = spread(procedure, [{"figures": [f], "seed": seed} for f, seed in found])
        values = " | ".join(f"{cell(row[k])} {row['unit']}".strip()
                            for k in ("median", "p95", "worst"))
        yield (f"| {label} | {plant(plan(procedure))} | {figures.limit(found[0][0])} | {values} | "
               f"{row['draws']} | `make conformance ONLY={procedure} SEED={row['seed']}` |")


def merged(old, new):
    """Lines of the table @old, in which rows of @new take the place of those with their label."""
    rows = {line.split("|")[1]: line for line in new}
    return [rows.pop(line.split("|")[1], line) for line in old] + list(rows.values())


def show(part, everything):
    """Print one procedure's figures: all, or those that some draw missed and the first."""
    print(f"\n{part['name']}: {part['draws']} draws of {', '.join(part['drawn'])}; simulated, "
          f"{plant(part['drawn'])} plant")
    rows = [row for row in part["figures"] if everything or row["missed"]] or part["figures"][:1]
    if rows:
        print(f"  {'figure':58} {'limit':>18} {'median':>10} {'95 %':>10} {'worst':>10} {'seed':>6}")
    for row in rows:
        print(f"  {row['name'][:58]:58} {row['limit']:>18} {cell(row['median']):>10} "
              f"{cell(row['p95']):>10} {cell(row['worst']):>10} {row['seed']:>6}"
              + (f"  missed {row['missed']} of {row['draws']}" if row["missed"] else ""))
    for seed, error in list(part["errors"].items())[:5]:
        print(f"  seed {seed}: {error.splitlines()[0]}")
    if part["not_felt"]:
        print(f"  not measured: seeds {' '.join(map(str, part['not_felt'][:20]))}")


def replay(names, seed):
    """One draw of each; prints every figure and where the scenarios are."""
    held = True
    for name in names:
        result = by_name(name).carry_out(False, Draw(name, seed))
        checked = result["felt"] + [limited(name, figure) for figure in result["figures"]]
        all_held = not result["error"] and all(figure["held"] for figure in checked)
        held &= all_held
        print(f"\n{name}, seed {seed}: {'held' if all_held else 'missed'}")
        for figure in checked:
            print(f"  {figure['name'][:70]:70} {cell(figure['value']):>10} {figure['unit']} "
                  f"({figure['limit'] or 'no limit'})" + ("" if figure["held"] else "  missed"))
        for scenario in result["scenarios"]:
            print(f"  build/qs1-sim --json - {scenario}")
        if result["error"]:
            print(f"  {result['error']}")
    return held


def run(names, draws, seconds):
    """All procedures with seed 1, then all with seed 2 and so on: results by procedure."""
    end = time.monotonic() + seconds
    results = {name: [] for name in names}
    with concurrent.futures.ProcessPoolExecutor(os.cpu_count()) as pool:
        for seed in range(1, draws + 1):
            if time.monotonic() > end:
                print(f"time is over: {seed - 1} of {draws} draws", file=sys.stderr)
                break
            jobs = {name: pool.submit(one, name, seed) for name in names}
            for name, job in jobs.items():
                results[name].append(job.result())
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="procedures whose name contains this")
    parser.add_argument("--draws", type=int, default=200, help="seeds 1 to N (default: 200)")
    parser.add_argument("--minutes", type=float, default=1e6,
                        help="begin no further seed after this time")
    parser.add_argument("--seed", type=int, help="this draw alone, every figure of it")
    args = parser.parse_args()
    known = [p.name for p in harness.procedures() if args.only in p.name]
    names = [name for name in known if plan(name) is not None]
    if not known:
        sys.exit(f"--only {args.only}: expected a part of the name of a procedure")
    if not names:
        print(f"{', '.join(known)}: without draws")
        return 0
    if args.seed is not None:
        return 0 if replay(names, args.seed) else 1
    results = {name: found for name, found in
               run(names, args.draws, 60 * args.minutes).items() if found}
    parts = [summary(name, found) for name, found in results.items()]
    for part in parts:
        show(part, everything=bool(args.only))
    # For the documents, as figures.py reads it: one procedure with a table. Each row has its own number
    # of draws, so that some procedures can be measured again alone.
    lines = list(published(results))
    if args.only:
        lines = merged(figures.read_store()["tables"].get("draws: summary", []), lines)
    table = {"name": "draws", "full": True, "held": True, "figures": [], "felt": [],
             "tables": {"summary": lines}}
    (BUILD / "draws.json").write_text(
        json.dumps({"draws": parts, "procedures": [table]}, indent=1) + "\n")
    missed = [row for part in parts for row in part["figures"] if not row["p95_held"]]
    print(f"\n{sum(len(p['figures']) for p in parts)} figures of {len(parts)} procedures; of "
          f"{len(missed)} the 95th percentile misses its limit; all in build/draws.json")
    return 1 if missed or any(part["not_felt"] for part in parts) else 0


if __name__ == "__main__":
    sys.exit(main())
