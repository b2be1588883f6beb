# SPDX-License-Identifier: GPL-2.0-or-later
"""One Chromium for all tests, and a fresh made-up site for each."""

import pytest

from browser import Browser
from mock import Server


@pytest.fixture(scope="session")
def chromium():
    browser = Browser()
    yield browser
    browser.close()


@pytest.fixture
def ecu():
    server = Server("ecu").start()
    yield server
    server.shutdown()
