# SPDX-License-Identifier: GPL-2.0-only
"""Figures in the documents are the measured ones of Documentation/figures.json."""

import json
import re
import sys

import pytest

import figures
from paths import ROOT

sys.path.insert(0, str(ROOT / "tests" / "conformance"))

import harness  # noqa: E402  (the path must be set first)


@pytest.fixture(scope="module")
def store():
    return figures.read_store()


@pytest.mark.parametrize("path", figures.DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_document_shows_the_measured_figures(path, store):
    text = path.read_text()
    differing = [f"found '{found}', expected '{expected}'" for found, expected in
                 zip(text.splitlines(), figures.render(text, store).splitlines())
                 if found != expected]
    assert not differing, "make figures writes them:\n" + "\n".join(differing)


def test_the_store_holds_what_documents_show_and_nothing_else(store):
    shown = figures.wanted([path.read_text() for path in figures.DOCUMENTS])
    assert (sorted(store["figures"]), sorted(store["tables"])) == shown
    assert len(shown[0]) > 30


def test_each_figure_comes_from_a_procedure_that_exists(store):
    names = {procedure.name for procedure in harness.procedures()} | {"draws"} | \
        {f"bench-{path.stem}" for path in (ROOT / "tests" / "bench").glob("*.py")}
    for key in [*store["figures"], *store["tables"], *figures.OTHERS]:
        assert figures.source(key)[0] in names, key


def test_each_figure_of_the_summary_is_within_its_limit(store):
    for key in figures.SUMMARY:
        entry = store["figures"][key]
        side, bound = re.match(r"at (least|most) (\S+)", entry["limit"]).groups()
        value = entry["value"]
        assert value >= float(bound) if side == "least" else value <= float(bound), key


TEXT = "worst <!--= cost {:.0f} -->1423<!--/-->\n<!--= table part: t -->\n| a |\n<!--/-->\n"
STORE = {"figures": {"cost": {"value": 1423, "unit": "instructions", "limit": ""}},
         "tables": {"part: t": ["| a |"]}}


def test_a_document_that_shows_the_store_stays_as_it_is():
    assert figures.render(TEXT, STORE) == TEXT


def test_a_stale_figure_and_a_stale_table_are_written_again():
    stale = TEXT.replace("1423", "1485").replace("| a |", "| b |\n| c |")
    assert figures.render(stale, STORE) == TEXT


@pytest.mark.parametrize("text, message", [
    (TEXT.replace("= cost", "= nothing: at all"), "'nothing: at all'.*make conformance ONLY=nothing"),
    (TEXT.replace("= cost", "= unknown"), "'unknown': expected a key"),
    (TEXT.replace("1423<!--/-->", "1423"), "not whole"),
])
def test_a_mark_that_means_nothing_is_an_error(text, message):
    with pytest.raises(figures.Missing, match=message):
        figures.render(text, STORE)


def result(value, full=True, held=True):
    return {"name": "cost", "full": full, "held": held, "felt": [], "tables": {}, "figures": [
        {"name": name, "value": v, "unit": "instructions", "at_least": None, "at_most": 1500}
        for name, v in (("worst control period", value), ("qs1_pll_step", 144))]}


def read(tmp_path, *results):
    path = tmp_path / "report.json"
    path.write_text(json.dumps({"procedures": results}))
    return figures.read_results(path)


def test_results_of_a_part_replace_their_figures_and_no_others(tmp_path):
    texts = [TEXT, "<!--= dc {} -->0<!--/-->"]
    before = {"figures": STORE["figures"] | {"dc": "kept", "gone": "no document shows it"},
              "tables": STORE["tables"]}
    after = figures.update(before, read(tmp_path, result(1485)), texts)
    assert after["figures"]["cost"] == {"value": 1485, "unit": "instructions",
                                        "limit": "at most 1500 instructions"}
    assert after["figures"]["dc"] == "kept" and "gone" not in after["figures"]


@pytest.mark.parametrize("how", [{"full": False}, {"held": False}])
def test_a_shortened_or_missed_procedure_gives_no_figure(tmp_path, how):
    assert read(tmp_path, result(1485, **how)) == {}


def test_a_figure_that_its_procedure_no_longer_has_is_an_error(tmp_path):
    renamed = result(1485)
    renamed["figures"] = renamed["figures"][1:]
    with pytest.raises(figures.Missing, match="'cost': make conformance ONLY=cost gave no figure"):
        figures.update(STORE, read(tmp_path, renamed), [TEXT])
