# SPDX-License-Identifier: GPL-2.0-only
"""The table of figures in README.md is the one that make conformance prints, with a command each."""

import re
import sys

from paths import ROOT

sys.path.insert(0, str(ROOT / "tests" / "conformance"))

import figures  # noqa: E402  (the path must be set first)
import harness  # noqa: E402


def table():
    """Cells of the rows."""
    text = (ROOT / "README.md").read_text()
    assert figures.HEAD in text, "README.md: expected the table of figures"
    rows = text.split(figures.HEAD, 1)[1].strip().split("\n\n")[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in rows]


def test_figures_are_those_of_the_script_and_each_has_its_command():
    expected = [[label, f"`make conformance ONLY={procedure}`"]
                for label, procedure, *_ in figures.ROWS]
    assert [[row[0], row[3]] for row in table()] == expected


def test_commands_name_a_procedure_and_each_figure_is_within_its_limit():
    names = {procedure.name for procedure in harness.procedures()}
    for label, limit, measured, command in table():
        assert re.search(r"ONLY=(\S+)`", command)[1] in names, label
        low = limit.startswith("at least")
        bound, value = float(limit.split()[2]), float(measured.split()[0])
        assert value >= bound if low else value <= bound, f"{label}: {measured}, {limit}"
