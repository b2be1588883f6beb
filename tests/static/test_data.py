# SPDX-License-Identifier: GPL-2.0-only
"""Data files that a script writes are what the script writes."""

import pathlib
import shutil
import subprocess

DATA = pathlib.Path(__file__).resolve().parents[2] / "data"


def test_synthetic_day_is_what_its_script_writes(tmp_path):
    script = shutil.copy(DATA / "synthetic_day.py", tmp_path)
    subprocess.run(["/usr/bin/python3", script], check=True)
    assert (tmp_path / "synthetic-day.csv").read_text() == (DATA / "synthetic-day.csv").read_text()
