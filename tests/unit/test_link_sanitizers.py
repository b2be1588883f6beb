# SPDX-License-Identifier: GPL-2.0-or-later
"""The tests of the radio link, built with two sanitizers."""

import pytest

from paths import ROOT
from sanitized import build_library, run_test

FOLDERS = ("link", "lib", "linkd", "site")
# The simulated site has programs and parts of others beside the air.
AIR = {"air.c", "modem.c", "node.c", "pcap.c", "stack.c"}
TESTS = sorted(p.stem for p in (ROOT / "tests/unit").glob("test_*.c")
               if p.stem.startswith(("test_link", "test_air")))

pytestmark = pytest.mark.long


def sources():
    for folder in FOLDERS:
        for path in sorted((ROOT / "userspace" / folder).glob("*.c")):
            if path.name in AIR if folder == "site" else path.name != "main.c":
                yield path


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """All that the tests link, built with the sanitizers."""
    return build_library(tmp_path_factory.mktemp("sanitized"), sources(), FOLDERS)


@pytest.mark.parametrize("test", TESTS)
def test_sanitizers_find_nothing(library, test, tmp_path):
    run_test(test, library, tmp_path / test, FOLDERS,
             ["-lcmocka", "-ljson-c", "-lsodium", "-lm"], 300)
