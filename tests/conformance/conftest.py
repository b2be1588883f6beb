# SPDX-License-Identifier: GPL-2.0-only
"""Writes the conformance report from the procedures that ran."""

import sys
from pathlib import Path

import pytest

# Left out of make check: each takes more than two seconds on two idle cores. Names of procedures, and
# of whole files.
SLOW = {"cost", "faults-drift", "faults-over-temperature", "faults-sensors-quiet", "island-matrix",
        "island-none", "island-rig", "mppt-dawn-dusk", "mppt-days", "mppt-morning-shade", "mppt-random",
        "mppt-search-cost", "plant-bridge", "plant-switching", "ride-through-cessation", "sim-speed",
        "site-dips", "site-frequency-shift", "site-islands-three-phase", "site-voltage-rise",
        "site-weak-grid", "site-wires", "trips-immunity", "test_draws.py", "test_sequences.py"}

sys.path.insert(0, str(Path(__file__).parent))

# Names of the procedures that have run.
RAN = set()


def pytest_collection_modifyitems(items):
    for item in items:
        parameters = getattr(item, "callspec", None)
        name = getattr(parameters and parameters.params.get("procedure"), "name", item.path.name)
        if name in SLOW:
            item.add_marker(pytest.mark.slow)


def pytest_runtest_logreport(report):
    """Note each procedure that has run, also when another process ran it."""
    if report.when == "call":
        RAN.update(value for name, value in report.user_properties if name == "procedure")


def pytest_sessionfinish(session):
    """Write the report, in the process that all results have reached."""
    if RAN and not hasattr(session.config, "workerinput"):
        import harness
        import report

        report.write([each.result() for each in harness.procedures() if each.name in RAN])
