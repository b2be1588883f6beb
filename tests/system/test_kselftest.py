# SPDX-License-Identifier: GPL-2.0-only
"""The driver's own suites, tests/kselftest, run where they belong: in the guest."""

import re
from pathlib import Path

import pytest

# These take minutes on a busy machine.
LONG = {"gpio.sh", "hwmon.sh", "load.sh", "pm.sh", "pwm.sh", "remoteproc.sh"}
SUITES = [pytest.param(path.name, marks=[pytest.mark.long] * (path.name in LONG))
          for path in sorted((Path(__file__).parents[1] / "kselftest").glob("*.sh"))]
NOT_OK = re.compile(r"^not ok .*(?:\n#.*)*", re.MULTILINE)


@pytest.mark.parametrize("suite", SUITES)
def test_every_case_of_the_suite_passes(agent, suite):
    agent.check("systemctl stop qs1d")
    result = agent.run([f"/usr/lib/qs1/kselftest/{suite}"], timeout_s=500)
    print(result.out, result.err)
    assert NOT_OK.findall(result.out) == []
    assert re.findall(r"^ok .*# SKIP.*", result.out, re.MULTILINE) == []
    assert result.status == 0
    assert re.search(r"^ok \d+", result.out, re.MULTILINE), "it ran some cases"
