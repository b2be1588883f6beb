# SPDX-License-Identifier: GPL-2.0-or-later
"""One gateway with two inverters for the tests that only look at it."""

import pytest

from gateway import Gateway


def pytest_collection_modifyitems(items):
    """They measure real time and use little processor time."""
    for item in items:
        if item.path.parent.name == "ecu":
            item.add_marker(pytest.mark.real_time)


@pytest.fixture(scope="session")
def gateway():
    with Gateway(units=2, broker=True) as running:
        yield running
