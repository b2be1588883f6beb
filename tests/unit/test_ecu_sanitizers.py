# SPDX-License-Identifier: GPL-2.0-or-later
"""The tests of the gateway's core, built with two sanitizers."""

import pytest

from paths import ROOT
from sanitized import build_library, run_test

# What the core consists of; its interfaces have fuzzers.
CORE = {"account.c", "commands.c", "commission.c", "config.c", "control.c", "core.c", "epoch.c", "export.c",
        "model.c", "orders.c", "params.c", "phase_search.c", "phases.c", "plan.c", "power_limits.c", "radio.c",
        "readings.c", "store.c", "store_chunks.c", "store_damage.c", "store_history.c", "store_read.c", "uplink.c"}
# The air and the inverters that the tests talk to.
AIR = {"air.c", "inverter.c", "medium.c", "modem.c", "node.c", "pcap.c", "stack.c", "steady.c"}
PARTS = {"ecud": CORE, "site": AIR, "service": None, "link": None, "lib": None, "policy": None}
LIBRARIES = ["-lcmocka", "-lmicrohttpd", "-lgnutls", "-lsqlite3", "-ljson-c", "-lsodium", "-lzstd",
             "-lsystemd", "-lcurl", "-lm", "-lpthread"]
TESTS = sorted(f"test_ecu_{name}" for name in ("account", "cuts", "export", "limits", "minutes", "phases", "plan",
                                             "radio", "store"))

pytestmark = pytest.mark.long


def sources():
    for folder, names in PARTS.items():
        for path in sorted((ROOT / "userspace" / folder).glob("*.c")):
            if names is None or path.name in names:
                yield path


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """All that the tests link, built with the sanitizers."""
    return build_library(tmp_path_factory.mktemp("sanitized"), sources(), PARTS)


@pytest.mark.parametrize("test", TESTS)
def test_sanitizers_find_nothing(library, test, tmp_path):
    run_test(test, library, tmp_path / test, PARTS, LIBRARIES, 300)
