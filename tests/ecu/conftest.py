# SPDX-License-Identifier: GPL-2.0-or-later
"""One gateway with two inverters for the tests that only look at it."""

import pytest

from gateway import Gateway


@pytest.fixture(scope="session")
def gateway():
    with Gateway(units=2, broker=True) as running:
        yield running
