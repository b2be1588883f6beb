# SPDX-License-Identifier: GPL-2.0-only
"""Data files: scripts write them again as they are, and what their scripts promise of them holds."""

import csv
import shutil
import statistics
import subprocess
import sys

import pytest

from paths import DATA, ROOT

sys.path += [str(ROOT / "data"), str(DATA)]

from synthetic import DECLINATION  # noqa: E402  (the path must be set first)
from synthetic_day import FIRST_H, clear_sky  # noqa: E402

SCRIPTS = {"data/synthetic_day.py": ["data/synthetic-day.csv"],
           "tests/data/synthetic.py": ["tests/data/day-clouds.csv",
                                       "tests/data/frequency-large-grid.csv",
                                       "tests/data/frequency-small-grid.csv"]}


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_writes_the_committed_files_again(script, tmp_path):
    for name in SCRIPTS:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    subprocess.run(["/usr/bin/python3", tmp_path / script], check=True)
    for name in SCRIPTS[script]:
        assert (tmp_path / name).read_text() == (ROOT / name).read_text(), name


def column(name, quantity):
    with open(DATA / name, newline="") as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        return [float(row[quantity]) for row in rows]


def steps(values):
    return [abs(after - before) for before, after in zip(values, values[1:])]


# Standard deviation in mHz and how far an hour's may be off it, least and largest step in mHz/s.
@pytest.mark.parametrize("name, sigma_mhz, off_mhz, step_mhz", [("large", 22.8, 8, (5, 8)),
                                                               ("small", 45.7, 12, (14, 15.1))])
def test_grid_frequencies_have_their_published_statistics(name, sigma_mhz, off_mhz, step_mhz):
    hertz = column(f"frequency-{name}-grid.csv", "f_hz")
    assert len(hertz) == 3600
    assert 1000 * statistics.pstdev(hertz) == pytest.approx(sigma_mhz, abs=off_mhz)
    assert max(abs(f - 60) for f in hertz) <= 0.12
    assert step_mhz[0] <= 1000 * max(steps(hertz)) <= step_mhz[1]


def test_the_cloudy_day_has_two_kinds_of_light_and_violent_edges():
    seconds, light = column("day-clouds.csv", "time_s"), column("day-clouds.csv", "ghi_w_m2")
    clear = [clear_sky(FIRST_H + s / 3600, DECLINATION) for s in seconds]
    index = [x / c for x, c in zip(light, clear) if c > 100]
    shadow, between, sun = (sum(low <= k < high for k in index) / len(index)
                            for low, high in ((0, 0.55), (0.55, 0.95), (0.95, 2)))
    assert shadow > 2 * between and sun > 2 * between
    assert 1.4 < max(index) <= 1.5
    minutes = light[::6]
    assert max(step / max(minutes) for step in steps(minutes)) > 0.8


def test_every_data_file_has_its_source_in_the_readme():
    text = (DATA / "README.md").read_text()
    files = sorted(path.name for path in DATA.iterdir() if path.suffix in (".csv", ".json"))
    assert len(files) >= 6
    assert [name for name in files if f"`{name}`" not in text] == []
