# SPDX-License-Identifier: GPL-2.0-only
"""A fixed few of the Monte-Carlo draws, and that the driver is right."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import draws  # noqa: E402  (the path must be set first)
import harness  # noqa: E402

# Procedure and seed.
FEW = [("current-quality", 1), ("current-dc", 2), ("trips-note1", 3), ("mppt-modules", 4)]


@pytest.mark.parametrize("name, seed", FEW)
def test_a_drawn_board_holds(name, seed):
    result = draws.by_name(name).carry_out(False, draws.Draw(name, seed))
    assert not harness.missed(result), "\n".join(harness.missed(result))


def test_a_draw_is_determined_by_procedure_and_seed():
    text = "seed 4\nsun all 800\nrun 5\n"
    first = draws.Draw("mppt-static", 1).scenario("a", text)
    assert first == draws.Draw("mppt-static", 1).scenario("a", text)
    assert "seed 1004\nboard drawn\n" in first and "grid scr" in first
    assert first.count("seed") == 1
    assert first != draws.Draw("mppt-static", 2).scenario("a", text)
    # one source for a draw, a phase for each scenario
    other = draws.Draw("mppt-static", 1).scenario("b", text)
    assert [a == b for a, b in zip(first.splitlines(), other.splitlines())][2:4] == [False, True]


def test_an_ambient_temperature_takes_the_place_of_the_scenarios():
    text = draws.Draw("trips-accuracy", 1).scenario("a", "temp 25\nrun 1\n")
    assert text.count("temp ") == 1 and "temp 25\n" not in text


def test_drawn_boards_have_limits_of_their_own():
    figure = result(1, 1.5)["figures"][0] | {"name": "UV1: largest error", "at_most": 1, "held": False}
    assert draws.limited("trips-accuracy", figure)["held"]
    assert not draws.limited("trips-cat3", figure)["held"]


def test_a_scenario_keeps_its_own_source():
    text = draws.Draw("current-range", 1).scenario("a", "grid impedance 1 1e-3\nrun 1\n")
    assert "grid scr" not in text


def result(seed, value, held=True):
    return {"seed": seed, "error": "", "felt": [], "figures": [
        {"name": "x", "value": value, "unit": "s", "limit": "at most 2", "at_least": None,
         "at_most": 2, "held": held}]}


def test_the_spread_names_the_worst_and_its_seed():
    found = [result(seed, seed / 10) for seed in range(1, 101)]
    row, = draws.spread("any", found)
    assert (row["median"], row["p95"], row["worst"], row["seed"]) == (5.0, 9.5, 10.0, 100)


def test_a_figure_that_was_not_measured_is_the_worst():
    row, = draws.spread("any", [result(1, 0.1), result(2, None, False), result(3, 0.3)])
    assert row["seed"] == 2 and row["missed"] == 1


def test_a_procedure_measured_alone_replaces_its_own_rows_of_the_table():
    head = ["| figure | limit |", "|---|---|"]
    old = [*head, "| peak | 1 |", "| power | 2 |"]
    assert draws.merged(old, [*head, "| power | 3 |", "| trips | 4 |"]) == \
        [*head, "| peak | 1 |", "| power | 3 |", "| trips | 4 |"]
