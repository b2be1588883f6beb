# SPDX-License-Identifier: GPL-2.0-only
"""Writes the conformance report from the procedures that ran."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def conformance_results():
    """Collects results; writes the report at the end."""
    import report

    results = []
    yield results
    report.write(results)
