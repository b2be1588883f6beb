# SPDX-License-Identifier: GPL-2.0-only
"""The driver's own suites, tests/kselftest, run where they belong: in the guest."""

from pathlib import Path

import pytest

import suite

# These take minutes on a busy machine.
LONG = {"gpio.sh", "hwmon.sh", "load.sh", "pm.sh", "pwm.sh", "remoteproc.sh"}
SUITES = [pytest.param(path.name, marks=[pytest.mark.long] * (path.name in LONG))
          for path in sorted((Path(__file__).parents[1] / "kselftest").glob("*.sh"))]


@pytest.mark.parametrize("name", SUITES)
def test_every_case_of_the_suite_passes(agent, name):
    suite.run(agent, f"/usr/lib/qs1/kselftest/{name}")
