# SPDX-License-Identifier: GPL-2.0-only
"""Policy decides what an inverter may do: its tests take every branch of it."""

import json
import subprocess

import pytest

from paths import BUILD, ROOT

TESTS = ["test_policy", "test_policy_walk"]


def cc(*arguments):
    subprocess.run(["gcc", "-std=gnu17", "-D_GNU_SOURCE", "-Iinclude", "-Iuserspace/lib",
                    "-Iuserspace/policy", *map(str, arguments)], cwd=ROOT, check=True)


@pytest.fixture(scope="module")
def lines(tmp_path_factory):
    """Each line of policy.c that holds code, as gcov counted it."""
    folder = tmp_path_factory.mktemp("coverage")
    cc("-O0", "--coverage", "-c", "-o", folder / "policy.o", "userspace/policy/policy.c")
    for test in TESTS:
        cc("-O2", "--coverage", "-fprofile-dir=" + str(folder), "-o", folder / test,
           f"tests/unit/{test}.c", folder / "policy.o", BUILD / "host" / "libqs1user.a",
           "-lcmocka", "-ljson-c", "-lm")
        subprocess.run([folder / test], cwd=ROOT, check=True, capture_output=True)
    done = subprocess.run(["gcov", "--json-format", "--stdout", "--branch-probabilities",
                           folder / "policy.gcda"], cwd=folder, check=True, capture_output=True)
    files = json.loads(done.stdout)["files"]
    return next(f["lines"] for f in files if f["file"].endswith("policy.c"))


def test_every_line_of_policy_is_run(lines):
    assert len(lines) > 200
    assert [line["line_number"] for line in lines if not line["count"]] == []


def test_every_branch_of_policy_is_taken(lines):
    branches = [(line["line_number"], branch["count"]) for line in lines
                for branch in line["branches"] if not branch["throw"]]
    print(f"{sum(count > 0 for _, count in branches)} of {len(branches)} branches taken")
    assert len(branches) > 150
    assert [line for line, count in branches if not count] == []
