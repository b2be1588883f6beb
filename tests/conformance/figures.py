# SPDX-License-Identifier: GPL-2.0-only
"""Print the table of figures of README.md from build/conformance.json: make conformance does."""

import json
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from paths import BUILD  # noqa: E402  (the path must be set first)

HEAD = "| figure | limit | measured | command |\n|---|---|---|---|"
# Label, procedure, which of its figures, and which value of them is shown: the worst.
ROWS = [
    ("MPPT efficiency, static, from 20 % up", "mppt-static", r"(20|25|30|50|75|100) %$", min),
    ("MPPT efficiency, European and CEC weighted", "mppt-static", "weighted$", min),
    ("MPPT efficiency, dynamic, each table of EN 50530", "mppt-dynamic", "total$", min),
    ("MPPT efficiency, partial shade, worst pattern", "mppt-shade", "worst", min),
    ("MPPT efficiency, days with clouds and without", "mppt-days", "harvested$", min),
    ("THD of the current from 50 % power up", "current-quality", "^THD", max),
    ("TRD of the current at every level", "current-quality", "^TRD", max),
    ("THD with 3 % third and 2 % fifth in the voltage", "current-distorted-grid", "THD", max),
    ("power factor from 50 % power up", "current-quality", "power factor at (50|75|100)", min),
    ("direct current", "current-dc", "", max),
    ("peak current, starts and reconnections", "current-transients", "peak$", max),
    ("voltage threshold, error", "trips-accuracy", "^[UO]V", max),
    ("frequency threshold, error", "trips-accuracy", "^[UO]F", max),
    ("clearing time, Note 1 A, D, E and F", "trips-note1", "^[ADEF] .*longest$", max),
    ("clearing time, Note 1 B and C", "trips-note1", "^[BC] .*longest$", max),
    ("momentary cessation, current gone", "ride-through-cessation", "gone$", max),
    ("momentary cessation, 80 % back", "ride-through-cessation", "back$", max),
    ("life of an island, longest", "island-matrix", "^longest$", max),
    ("life of an island, median", "island-matrix", "^median$", max),
    ("islands seen in days without one", "island-none", "false detections", max),
    ("gates off after a sensor's fault", "faults-sensors", "gates off", max),
    ("gates off after the core has stopped", "faults-control", "^(crash|hang): gates off", max),
    ("control period on the Cortex-M4", "cost", "worst control period", max),
]


def limit(figure):
    """The side of its limits that the worst value is compared with, with the unit."""
    low, high = figure["at_least"], figure["at_most"]
    words = f"at least {low:g}" if high is None else f"at most {high:g}"
    return f"{words} {figure['unit']}".strip()


def row(results, label, procedure, pattern, worst):
    """A line of the table; None if there is no such figure."""
    found = [f for f in results.get(procedure, {"figures": []})["figures"]
             if re.search(pattern, f["name"]) and f["value"] is not None]
    if not found:
        return None
    figure = worst(found, key=lambda f: f["value"])
    return (f"| {label} | {limit(figure)} | {figure['value']:.5g} {figure['unit']}".rstrip() +
            f" | `make conformance ONLY={procedure}` |")


def main():
    report = json.loads((BUILD / "conformance.json").read_text())
    results = {p["name"]: p for p in report["procedures"]}
    print(HEAD, *filter(None, (row(results, *r) for r in ROWS)), sep="\n")


if __name__ == "__main__":
    main()
