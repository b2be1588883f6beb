# SPDX-License-Identifier: GPL-2.0-only
import pytest

from service import Service


@pytest.fixture
def service(tmp_path):
    """A service that has an owner."""
    service = Service(tmp_path).start().set_up()
    yield service
    service.stop()
