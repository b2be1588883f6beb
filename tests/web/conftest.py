# SPDX-License-Identifier: GPL-2.0-or-later
"""One Chromium for all tests, and a fresh made-up site for each."""

import pytest

from browser import DESKTOP, Browser
from mock import Server


@pytest.fixture(scope="session")
def chromium():
    browser = Browser()
    yield browser
    browser.close()


@pytest.fixture
def desktop(chromium):
    chromium.new(**DESKTOP)
    return chromium


def serve(service):
    server = Server(service).start()
    yield server
    server.shutdown()


@pytest.fixture
def ecu():
    yield from serve("ecu")


@pytest.fixture
def ema():
    yield from serve("ema")
