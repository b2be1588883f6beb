# SPDX-License-Identifier: GPL-2.0-only
"""Measured figures of the documents. Documentation/figures.json holds them; make conformance and make
bench write it, with what they have measured, and then the documents.

A document shows a figure, or a table, between two comments of Markdown:

    The worst is <!--= cost {:.0f} -->1423<!--/-->, counted by QEMU.

    <!--= table plant-inputs: charges -->
    ...
    <!--/-->

The key of a figure is one of SUMMARY or OTHERS below, or "PROCEDURE: NAME" as the report of make
conformance shows it, or "bench-PROGRAM: NAME" as make bench does; the format is Python's. The table
"summary" has the rows of SUMMARY.

figures.py [RESULTS.json...]: take over results, if there are any, and write the documents.
"""

import json
import re
import sys

from paths import ROOT

STORE = ROOT / "Documentation" / "figures.json"
DOCUMENTS = sorted([ROOT / "README.md", *(ROOT / "Documentation").rglob("*.md")])
MARK = re.compile(r"<!--= (table )?(.+?) (\{[^}]*\} )?-->(.*?)<!--/-->", re.DOTALL)
LICENCE = "SPDX-License-Identifier: GPL-2.0-only"

# Rows of the table "summary". Key: label, procedure, pattern of its figures' names, and which of their
# values counts: the worst.
SUMMARY = {
    "mppt-static": ("MPPT efficiency, static, from 20 % up", "mppt-static",
                    r"(20|25|30|50|75|100) %$", min),
    "mppt-weighted": ("MPPT efficiency, European and CEC weighted", "mppt-static", "weighted$", min),
    "mppt-dynamic": ("MPPT efficiency, dynamic, each table of EN 50530", "mppt-dynamic", "total$",
                     min),
    "mppt-shade": ("MPPT efficiency, partial shade, worst pattern", "mppt-shade", "worst", min),
    "mppt-random": ("MPPT efficiency, random sun and shade, 95 % of the hours", "mppt-random",
                    "^95th percentile$", min),
    "mppt-random-worst": ("MPPT efficiency, random sun and shade, worst hour", "mppt-random",
                          "^worst of", min),
    "mppt-days": ("MPPT efficiency, days with clouds and without", "mppt-days", "harvested$", min),
    "thd": ("THD of the current from 50 % power up", "current-quality", "^THD", max),
    "trd": ("TRD of the current at every level", "current-quality", "^TRD", max),
    "thd-distorted": ("THD with 3 % third and 2 % fifth in the voltage", "current-distorted-grid",
                      "THD", max),
    "power-factor": ("power factor from 50 % power up", "current-quality",
                     "power factor at (50|75|100)", min),
    "dc": ("direct current", "current-dc", "^(plain|sensor|grid|offset|even)", max),
    "peak": ("peak current, starts and reconnections", "current-transients", "peak$", max),
    "voltage-threshold": ("voltage threshold, error", "trips-accuracy", r"^[UO]V\d: largest", max),
    "frequency-threshold": ("frequency threshold, error", "trips-accuracy", r"^[UO]F\d: largest", max),
    "clearing-fast": ("clearing time, Note 1 A, D, E and F", "trips-note1", "^[ADEF] .*longest$",
                      max),
    "clearing-slow": ("clearing time, Note 1 B and C", "trips-note1", "^[BC] .*longest$", max),
    "cessation": ("momentary cessation, current gone", "ride-through-cessation", "gone$", max),
    "cessation-return": ("momentary cessation, 80 % back", "ride-through-cessation", "back$", max),
    "island-longest": ("life of an island, longest", "island-matrix", "^longest$", max),
    "island-median": ("life of an island, median", "island-matrix", "^median$", max),
    "island-false": ("islands seen in days without one", "island-none", "false detections", max),
    "site-rise": ("voltage rise along the wiring, twelve units, over the formula's", "site-voltage-rise",
                  "^four .*over formula$", max),
    "sensor-fault": ("gates off after a sensor's fault", "faults-sensors", "gates off", max),
    "core-stopped": ("gates off after the core has stopped", "faults-control",
                     "^(crash|hang): gates off", max),
    "cost": ("control period on the Cortex-M4", "cost", "worst control period", max),
}
# Further worst values, without a row.
OTHERS = {
    "mppt-static-all": ("mppt-static", r"\d %$", min),
    "mppt-slope": ("mppt-dynamic", "W/m2/s$", min),
    "connections": ("mppt-dawn-dusk", "connections a day$", max),
    "island-exact": ("island-matrix", "exactly matched, .* gain 100 %: longest$", max),
    "source-trips": ("ride-through-source", "^trips$", max),
    "source-peak": ("ride-through-source", "^highest voltage", max),
    "island-weak": ("island-weak", "TRD$", max),
    "switching-least": ("plant-switching", "^(300|600|1200) W, .*difference", min),
    "switching-most": ("plant-switching", "^(300|600|1200) W, .*difference", max),
    "switching-1800-w": ("plant-switching", "^1800 W, .*difference", max),
    "shaded-strings": ("plant-modules", "ngspice$", max),
}


class Missing(Exception):
    """An expected figure is missing."""


def source(key):
    """The procedure, or benchmark, that a figure comes from, pattern of its name, the worst of several."""
    if key in SUMMARY:
        return SUMMARY[key][1:]
    if key in OTHERS:
        return OTHERS[key]
    procedure, colon, name = key.partition(": ")
    if not colon:
        raise Missing(f"'{key}': expected a key of tests/figures.py, or PROCEDURE: NAME")
    return procedure, f"^{re.escape(name)}$", max


def command(procedure):
    if procedure == "draws":
        return "make conformance"
    if procedure.startswith("bench-"):
        return f"make bench ONLY={procedure.removeprefix('bench-')}"
    return f"make conformance ONLY={procedure}"


def limit(figure):
    """The side of its limits that the worst value is compared with, with the unit."""
    low, high = figure.get("at_least"), figure.get("at_most")
    if low is None and high is None:
        return ""
    words = f"at least {low:g}" if high is None else f"at most {high:g}"
    return f"{words} {figure['unit']}".strip()


def figure(result, key):
    """The worst value that a result has for a key, with its unit and its limit."""
    _, pattern, worst = source(key)
    found = [f for f in result["figures"] if re.search(pattern, f["name"]) and f["value"] is not None]
    if not found:
        return None
    shown = worst(found, key=lambda f: f["value"])
    return {"value": float(f"{shown['value']:.5g}"), "unit": shown["unit"], "limit": limit(shown)}


def table(result, key):
    """The lines of a table."""
    return result["tables"].get(key.partition(": ")[2])


def read_results(path):
    """Procedure or benchmark -> its figures and tables, from a report of make conformance or bench."""
    report = json.loads(path.read_text())
    if "bench" in report:
        return {f"bench-{part['name']}": part | {"figures": [row | {"value": row["ours"]}
                                                             for row in part["rows"]]}
                for part in report["bench"]}
    return {p["name"]: p | {"figures": p["figures"] + p["felt"]}
            for p in report["procedures"] if p["full"] and p["held"]}


def wanted(texts):
    """Keys of all figures, and of all tables, that documents show."""
    marks = [match.groups() for text in texts for match in MARK.finditer(text)]
    tables = {key for is_table, key, *_ in marks if is_table}
    figures = {key for is_table, key, *_ in marks if not is_table}
    return sorted(figures | (SUMMARY.keys() if "summary" in tables else set())), \
        sorted(tables - {"summary"})


def taken(kept, results, keys, take):
    """key -> what the results have for it, or else what was kept; nothing where there is neither."""
    new = {}
    for key in keys:
        procedure = source(key)[0]
        if procedure in results:
            new[key] = take(results[procedure], key)
            if new[key] is None:
                raise Missing(f"'{key}': {command(procedure)} gave no figure or table of that name")
        elif key in kept:
            new[key] = kept[key]
    return new


def update(store, results, texts):
    """The store with what the results have, and with nothing that no document shows."""
    figures, tables = wanted(texts)
    return {"figures": taken(store["figures"], results, figures, figure),
            "tables": taken(store["tables"], results, tables, table)}


def summary(figures):
    """The lines of the table of the worst values."""
    yield "| figure | limit | measured | command |"
    yield "|---|---|---|---|"
    for key, (label, procedure, *_) in SUMMARY.items():
        entry = figures[key]
        value = f"{entry['value']:g} {entry['unit']}".strip()
        yield f"| {label} | {entry['limit']} | {value} | `{command(procedure)}` |"


def render(text, store):
    """A document with its figures as they are in the store."""
    if text.count("<!--=") != len(MARK.findall(text)):
        raise Missing("expected <!--= KEY {FORMAT} -->...<!--/-->, found a mark that is not whole")

    def show(match):
        is_table, key, form, old = match.groups()
        try:
            if is_table:
                lines = summary(store["figures"]) if key == "summary" else store["tables"][key]
                new = "\n".join(["", *lines, ""])
            else:
                new = (form or "{:g}").strip().format(store["figures"][key]["value"])
        except KeyError:
            raise Missing(f"'{key}': not in {STORE.relative_to(ROOT)}; "
                          f"{command(source(key)[0])} measures it") from None
        return match[0][:len(match[0]) - len(old) - len("<!--/-->")] + new + "<!--/-->"

    return MARK.sub(show, text)


def read_store():
    return json.loads(STORE.read_text())


def main():
    texts = {path: path.read_text() for path in DOCUMENTS}
    results = {}
    for name in sys.argv[1:]:
        results |= read_results(ROOT / name)
    try:
        store = update(read_store(), results, texts.values())
        # Kept even where a document shows a figure that another procedure has not measured yet.
        STORE.write_text(json.dumps({"$licence": LICENCE, **store}, indent=1, sort_keys=True) + "\n")
        new = {path: render(text, store) for path, text in texts.items()}
    except Missing as problem:
        sys.exit(f"figures.py: {problem}")
    for path, text in new.items():
        if text != texts[path]:
            print(f"{path.relative_to(ROOT)}: figures changed")
            path.write_text(text)


if __name__ == "__main__":
    main()
