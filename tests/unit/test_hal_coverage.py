# SPDX-License-Identifier: GPL-2.0-only
"""The tests of real boards' register code, on register models, run nearly every line of it."""

import collections
import json
import os
import re
import shlex
import subprocess

import pytest

from paths import ROOT

HAL = ROOT / "firmware" / "hal"
SHARE_MIN = 0.95


def make_command(test):
    """What make compiles a test with, without compiling it."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    done = subprocess.run(["make", "--dry-run", "--always-make", "V=1", "DEPS=true",
                           f"build/tests/{test}"], cwd=ROOT, env=env, check=True,
                          capture_output=True, text=True)
    text = done.stdout.replace("\\\n", " ")
    return shlex.split(next(line for line in text.splitlines() if f"tests/unit/{test}.c" in line))


def covered(test, folder):
    """Runs a test compiled for gcov: pairs of file and line, and how often they ran."""
    command = make_command(test)
    command[command.index("-o") + 1] = str(folder / test)
    command = [word for word in command if word not in ("-MMD", "-MP", "-O2")]
    subprocess.run([*command, "-O0", "--coverage"], cwd=ROOT, check=True)
    subprocess.run([folder / test], cwd=ROOT, check=True, capture_output=True)
    for data in folder.glob(f"{test}-*.gcda"):
        done = subprocess.run(["gcov", "--json-format", "--stdout", data], cwd=ROOT, check=True,
                              capture_output=True, text=True)
        for file in json.loads(done.stdout)["files"]:
            path = (ROOT / file["file"]).resolve()
            if HAL in path.parents:
                for line in file["lines"]:
                    yield (str(path.relative_to(HAL)), line["line_number"]), line["count"]


@pytest.fixture(scope="module")
def lines(tmp_path_factory):
    folder = tmp_path_factory.mktemp("coverage")
    counts = collections.Counter()
    for source in sorted((ROOT / "tests" / "unit").glob("test_hal_*.c")):
        for line, count in covered(source.stem, folder):
            counts[line] += count
    return counts


def test_register_models_run_nearly_every_line(lines):
    missed = sorted(line for line, count in lines.items() if not count)
    share = 1 - len(missed) / len(lines)
    print(f"{100 * share:.1f} % of {len(lines)} lines")
    assert len(lines) > 200
    assert share >= SHARE_MIN, missed


def test_every_file_of_register_code_is_among_them(lines):
    """All that boards have for themselves; what makes tables of constants has no lines."""
    files = {file for file, _ in lines}
    boards = [path for folder in HAL.iterdir() if re.match(r"ti$|am", folder.name)
              for path in folder.glob("*.c")]
    without_code = {"am57xx-m4/resources.c"}
    # What only runs as instructions of a PRU: on the model of the chip, tests/pru.
    on_the_chip = {f"am335x-pru/{name}.c" for name in ("overlay", "pru0", "pru1")}
    assert {str(path.relative_to(HAL)) for path in boards} - without_code - on_the_chip <= files
