# SPDX-License-Identifier: GPL-2.0-only
"""Conformance procedures: simulate scenarios, compare figures with limits, keep what a report needs.

A procedure is a function in procedures/ with @procedure(...); its docstring says what must hold. It
gets a Run, through which it simulates and states its figures. All figures of a procedure are judged
at its end, so that the report is whole also when one fails.
"""

import concurrent.futures
import dataclasses
import importlib
import json
import math
import os
import pathlib
import pkgutil
import shlex
import shutil
import subprocess
import sys
import time

import matplotlib

from paths import BUILD, ROOT

matplotlib.use("svg")

import matplotlib.pyplot  # noqa: E402  (after the choice of the back end)

OUT = BUILD / "conformance"
SIMULATOR = BUILD / "qs1-sim"
# In the folder of each procedure.
RESULT = "result.json"
# A simulation may take this long before it counts as hung.
TIMEOUT_S = 3600


def number(value, digits):
    return "not measured" if value is None else f"{value:.{digits}g}"


def measured(value):
    """A number, or None for what is none."""
    return None if value is None or not math.isfinite(value) else float(value)


@dataclasses.dataclass
class Figure:
    """One measured value with its limits; either limit may be absent, a value that could not be
    measured is None and holds no limit.
    """

    name: str
    value: float
    unit: str
    at_least: float = None
    at_most: float = None
    anchor: str = ""

    @property
    def held(self):
        if self.value is None:
            return False
        above = self.at_least is None or self.value >= self.at_least
        below = self.at_most is None or self.value <= self.at_most
        return above and below

    @property
    def share(self):
        """What the figure uses of what its limit allows, 1 at the limit; None where that says
        nothing: what must be 0 or is a yes. Of a minimum just below a whole, such as an efficiency,
        it is the part that is missing.
        """
        if self.value is None or not self.at_most and not self.at_least or self.at_least == 1:
            return None
        if self.at_least is not None and self.at_most is not None:
            middle = (self.at_least + self.at_most) / 2
            return abs(self.value - middle) / (self.at_most - middle or 1)
        if self.at_most is not None:
            return max(self.value / self.at_most, 0)
        whole = 100 if self.unit.startswith("%") else 1
        if 0.9 * whole <= self.at_least < whole:
            return max((whole - self.value) / (whole - self.at_least), 0)
        return self.at_least / self.value if self.value > 0 else None

    @property
    def limit(self):
        if self.at_least is not None and self.at_most is not None:
            return f"{self.at_least:g} to {self.at_most:g}"
        if self.at_least is not None:
            return f"at least {self.at_least:g}"
        return f"at most {self.at_most:g}" if self.at_most is not None else ""


def unit_test(name):
    """The figures that a unit test prints."""
    done = subprocess.run([BUILD / "tests" / name], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


class Run:
    """What a procedure works with.

    @full: at full length, else a representative part
    @draw: draws.Draw, the board and source of all its scenarios; None for the nominal board
    """

    def __init__(self, name, full, draw=None):
        self.name = name
        self.full = full
        self.draw = draw
        self.folder = draw.folder(OUT) if draw else OUT / name
        self.figures = []
        self.disturbances = []
        self.notes = []
        self.scenarios = []
        self.tables = {}
        self.plots = {}
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)

    def path(self, name):
        """A file of this procedure's own."""
        return self.folder / name

    def sim(self, name, text, *options):
        """Simulate the scenario @text; returns the summary. The file is kept for the reader."""
        path = self.path(f"{name}.scn")
        path.write_text(self.draw.scenario(name, text) if self.draw else text)
        self.scenarios.append(shlex.join([*map(str, options), str(path.relative_to(ROOT))]))
        done = subprocess.run([SIMULATOR, *map(str, options), "--json", "-", path],
                              capture_output=True, text=True, timeout=TIMEOUT_S, cwd=ROOT)
        assert done.returncode == 0, f"{path}: {done.stderr}"
        summary = json.loads(done.stdout)
        assert not summary["errors"], f"{path}: {summary['errors']}"
        return summary

    def sims(self, texts, *options):
        """Simulate several scenarios side by side; name -> summary, in the order of @texts."""
        # Draws already run side by side.
        with concurrent.futures.ThreadPoolExecutor(1 if self.draw else os.cpu_count()) as pool:
            jobs = {name: pool.submit(self.sim, name, text, *options)
                    for name, text in texts.items()}
            return {name: job.result() for name, job in jobs.items()}

    def figure(self, name, value, unit, at_least=None, at_most=None, between=(None, None),
               anchor=""):
        """State a figure and its limit."""
        low, high = between
        self.figures.append(Figure(name, measured(value), unit,
                                   low if at_least is None else at_least,
                                   high if at_most is None else at_most, anchor))

    def felt(self, name, value, unit="", at_least=None, at_most=None):
        """State that the plant has felt the disturbance; the procedure means nothing otherwise."""
        assert at_least is not None or at_most is not None, f"felt '{name}': expected a bound"
        self.disturbances.append(Figure(name, measured(value), unit, at_least, at_most))

    def note(self, text):
        """A sentence for the report."""
        self.notes.append(text)

    def table(self, name, head, rows):
        """A table of Markdown that a document shows; @head and @rows of texts."""
        lines = [head, ["---"] * len(head), *rows]
        self.tables[name] = ["| " + " | ".join(cells) + " |" for cells in lines]

    def plot(self, name, xlabel, ylabel, title):
        """Axes of a new plot, which the report shows with @title as its caption."""
        figure, axes = matplotlib.pyplot.subplots(figsize=(7.5, 3.6), layout="constrained")
        axes.set_xlabel(xlabel)
        axes.set_ylabel(ylabel)
        axes.grid(alpha=0.3)
        self.plots[name] = (title, figure)
        return axes

    def _plot_shares(self):
        """For a procedure without its own plot: the share of its limit that each figure uses."""
        shares = {f.name: f.share for f in self.figures if f.share is not None}
        if not shares:
            return
        axes = self.plot("shares", "used of what the limit allows", "",
                         "Figures against their limits: all left of the line")
        axes.figure.set_size_inches(7.5, 1.2 + 0.24 * len(shares))
        axes.barh(list(shares), list(shares.values()))
        axes.invert_yaxis()
        axes.axvline(1, color="tab:red")
        axes.tick_params(axis="y", labelsize="small")

    def close(self):
        """Save the plots, of the nominal board."""
        if self.draw:
            for _, figure in self.plots.values():
                matplotlib.pyplot.close(figure)
            return
        if not self.plots:
            self._plot_shares()
        for name, (_, figure) in self.plots.items():
            for axes in figure.axes:
                if axes.get_legend_handles_labels()[0] and not axes.get_legend():
                    axes.legend(fontsize="small")
            figure.savefig(self.path(f"{name}.svg"))
            matplotlib.pyplot.close(figure)


@dataclasses.dataclass
class Procedure:
    """A registered procedure.

    @source: standard and clause, paper or product sheet
    """

    name: str
    title: str
    source: str
    function: object
    last: bool

    @property
    def text(self):
        return " ".join((self.function.__doc__ or "").split())

    def carry_out(self, full, draw=None):
        """Run it; returns its result, as it stands in build/conformance.json."""
        run = Run(self.name, full, draw)
        begin = time.monotonic()
        error = ""
        try:
            self.function(run)
        except Exception as problem:  # whatever it was, the report shows it
            error = f"{type(problem).__name__}: {problem}"
        run.close()
        judged = run.disturbances + run.figures
        if not error and not run.figures:
            error = "it stated no figure"
        if not error and run.scenarios and not run.disturbances:
            error = "it did not state that the plant felt anything"
        result = {
            "name": self.name, "title": self.title, "source": self.source, "text": self.text,
            "area": sys.modules[self.function.__module__].__doc__.splitlines()[0].rstrip("."),
            "full": full, "held": not error and all(figure.held for figure in judged),
            "error": error, "seconds": round(time.monotonic() - begin, 1),
            "figures": [_as_dict(figure) for figure in run.figures],
            "felt": [_as_dict(figure) for figure in run.disturbances],
            "notes": run.notes, "tables": run.tables, "scenarios": sorted(run.scenarios),
            "plots": [{"title": title, "file": f"{name}.svg"}
                      for name, (title, _) in run.plots.items()],
        }
        (run.folder / RESULT).write_text(json.dumps(result, indent=1) + "\n")
        return result

    def result(self):
        """The result of its last run on the nominal board."""
        return json.loads((OUT / self.name / RESULT).read_text())


def _as_dict(figure):
    return dataclasses.asdict(figure) | {"limit": figure.limit, "held": figure.held,
                                         "share": figure.share}


def missed(result):
    """What did not hold, a line each."""
    lines = [result["error"]] if result["error"] else []
    lines += [f"not felt: {f['name']}: {number(f['value'], 6)} {f['unit']} ({f['limit']})"
              for f in result["felt"] if not f["held"]]
    return lines + [f"{f['name']}: {number(f['value'], 6)} {f['unit']}, expected {f['limit']}"
                    for f in result["figures"] if not f["held"]]


_registered = []


def procedure(name, title, source, last=False):
    """Register the function as the procedure @name; @last: it uses what the others left."""
    def register(function):
        _registered.append(Procedure(name, title, source, function, last))
        return function
    return register


def procedures():
    """All procedures, by file and place in it; those that use the others' scenarios last."""
    folder = pathlib.Path(__file__).parent / "procedures"
    for module in sorted(pkgutil.iter_modules([str(folder)]), key=lambda m: m.name):
        importlib.import_module(f"procedures.{module.name}")
    return sorted(_registered, key=lambda p: p.last)
