# SPDX-License-Identifier: GPL-2.0-only
"""The tests of the policy run every line and every branch of it."""

import json
import subprocess
from pathlib import Path

import pytest

from paths import BUILD, ROOT

TESTS = ["test_policy", "test_policy_walk", "test_command", "test_energy"]


def cc(*arguments):
    subprocess.run(["gcc", "-std=gnu17", "-D_GNU_SOURCE", "-Iinclude", "-Iuserspace/lib",
                    "-Iuserspace/policy", *map(str, arguments)], cwd=ROOT, check=True)


SOURCES = sorted((ROOT / "userspace" / "policy").glob("*.c"))


@pytest.fixture(scope="module")
def lines(tmp_path_factory):
    """Each line of policy that holds code, as gcov counted it: [(file, line)]."""
    folder = tmp_path_factory.mktemp("coverage")
    objects = [folder / f"{source.stem}.o" for source in SOURCES]
    for source, target in zip(SOURCES, objects):
        cc("-O0", "--coverage", "-c", "-o", target, source.relative_to(ROOT))
    for test in TESTS:
        # A tenth of the walk takes every branch.
        cc("-O2", "-DMOVES=200000", "--coverage", "-fprofile-dir=" + str(folder), "-o", folder / test,
           f"tests/unit/{test}.c", *objects, BUILD / "host" / "libqs1user.a",
           "-lcmocka", "-ljson-c", "-lm")
        subprocess.run([folder / test], cwd=ROOT, check=True, capture_output=True)
    done = subprocess.run(["gcov", "--json-format", "--stdout", "--branch-probabilities",
                           *(target.with_suffix(".gcda") for target in objects)],
                          cwd=folder, check=True, capture_output=True, text=True)
    names = {source.name for source in SOURCES}
    found = [(Path(f["file"]).name, line) for report in done.stdout.splitlines()
             for f in json.loads(report)["files"] if Path(f["file"]).name in names
             for line in f["lines"]]
    assert {name for name, _ in found} == names
    return found


def test_every_line_of_policy_is_run(lines):
    assert len(lines) > 400
    assert [(name, line["line_number"]) for name, line in lines if not line["count"]] == []


def test_every_branch_of_policy_is_taken(lines):
    branches = [(name, line["line_number"], branch["count"]) for name, line in lines
                for branch in line["branches"] if not branch["throw"]]
    print(f"{sum(count > 0 for _, _, count in branches)} of {len(branches)} branches taken")
    assert len(branches) > 300
    assert [(name, line) for name, line, count in branches if not count] == []
