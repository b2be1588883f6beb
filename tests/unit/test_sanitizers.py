# SPDX-License-Identifier: GPL-2.0-only
"""The unit tests of daemon, tool and library once more, under the watch of two sanitizers and of
valgrind: no access beyond an object, nothing undefined, nothing lost."""

import re
import subprocess

import pytest

from paths import BUILD, ROOT

SANITIZE = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"]
SOURCES = sorted(p.relative_to(ROOT) for folder in ("lib", "qs1d")
                 for p in (ROOT / "userspace" / folder).glob("*.c") if p.name != "main.c")
TESTS = ["test_policy", "test_policy_walk", "test_profile", "test_persist", "test_store",
         "test_daemon", "test_recorder", "test_writer"]
# Under valgrind the random walk and the cuts take most of an hour.
VALGRIND_TESTS = [t for t in TESTS if t not in ("test_policy_walk", "test_store")]

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """What the tests link, built with the sanitizers."""
    folder = tmp_path_factory.mktemp("sanitized")
    subprocess.run(["gcc", "-std=gnu17", "-O1", "-g", "-D_GNU_SOURCE", f"-I{ROOT}/include",
                    *SANITIZE, "-c", *(ROOT / s for s in SOURCES)], cwd=folder, check=True)
    archive = folder / "libqs1.a"
    subprocess.run(["ar", "rcs", archive, *folder.glob("*.o")], check=True)
    return archive


@pytest.mark.parametrize("test", TESTS)
def test_sanitizers_find_nothing(library, test, tmp_path):
    program = tmp_path / test
    subprocess.run(["gcc", "-std=gnu17", "-O1", "-g", "-D_GNU_SOURCE", "-Iinclude",
                    "-Iuserspace/lib", "-Iuserspace/qs1d", *SANITIZE, "-o", program,
                    f"tests/unit/{test}.c", library, "-lcmocka", "-ljson-c", "-lsystemd", "-lm"],
                   cwd=ROOT, check=True)
    done = subprocess.run([program], cwd=ROOT, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]


@pytest.mark.parametrize("test", VALGRIND_TESTS)
def test_valgrind_finds_nothing(test):
    done = subprocess.run(["valgrind", "--error-exitcode=99", "--leak-check=full",
                           "--errors-for-leak-kinds=definite", BUILD / "tests" / test],
                          cwd=ROOT, capture_output=True, text=True, timeout=1800)
    assert re.search(r"ERROR SUMMARY: 0 errors", done.stderr), done.stderr[-4000:]
    assert done.returncode == 0, done.stdout[-2000:]
