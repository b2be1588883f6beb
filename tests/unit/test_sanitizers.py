# SPDX-License-Identifier: GPL-2.0-only
"""The unit tests of daemon, tool and library once more, under the watch of two sanitizers and of
valgrind: no access beyond an object, nothing undefined, nothing lost."""

import re
import subprocess

import pytest

from paths import BUILD, ROOT
from sanitized import build_library, run_test

FOLDERS = ("lib", "policy", "link", "qs1d")
SOURCES = sorted(p for folder in FOLDERS
                 for p in (ROOT / "userspace" / folder).glob("*.c") if p.name != "main.c")
TESTS = ["test_command", "test_energy", "test_policy", "test_policy_walk", "test_profile",
         "test_persist", "test_store", "test_daemon", "test_recorder", "test_writer"]
# Under valgrind the random walk and the cuts take most of an hour.
VALGRIND_TESTS = [t for t in TESTS if t not in ("test_policy_walk", "test_store")]

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """What the tests link, built with the sanitizers."""
    return build_library(tmp_path_factory.mktemp("sanitized"), SOURCES, FOLDERS)


@pytest.mark.parametrize("test", TESTS)
def test_sanitizers_find_nothing(library, test, tmp_path):
    run_test(test, library, tmp_path / test, FOLDERS,
             ["-lcmocka", "-ljson-c", "-lsystemd", "-lsodium", "-lm"], 900)


@pytest.mark.parametrize("test", VALGRIND_TESTS)
def test_valgrind_finds_nothing(test):
    done = subprocess.run(["valgrind", "--error-exitcode=99", "--leak-check=full",
                           "--errors-for-leak-kinds=definite", BUILD / "tests" / test],
                          cwd=ROOT, capture_output=True, text=True, timeout=1800)
    assert re.search(r"ERROR SUMMARY: 0 errors", done.stderr), done.stderr[-4000:]
    assert done.returncode == 0, done.stdout[-2000:]
