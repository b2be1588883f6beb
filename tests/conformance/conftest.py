# SPDX-License-Identifier: GPL-2.0-only
"""Writes the conformance report from the procedures that ran."""

import sys
from pathlib import Path

import pytest

# Left out of make check: each takes more than two seconds on two idle cores. Names of procedures, and
# of whole files.
SLOW = {"cost", "faults-over-temperature", "island-matrix", "island-none", "mppt-dawn-dusk", "mppt-days",
        "mppt-search-cost", "plant-bridge", "plant-switching", "ride-through-cessation", "sim-speed",
        "trips-immunity", "test_draws.py", "test_sequences.py"}

sys.path.insert(0, str(Path(__file__).parent))


def pytest_collection_modifyitems(items):
    for item in items:
        parameters = getattr(item, "callspec", None)
        name = getattr(parameters and parameters.params.get("procedure"), "name", item.path.name)
        if name in SLOW:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def conformance_results():
    """Collects results; writes the report at the end."""
    import report

    results = []
    yield results
    report.write(results)
