# SPDX-License-Identifier: GPL-2.0-only
"""What the daemons' services may do, as systemd counts it."""

import re
import subprocess

import pytest

from paths import ROOT

UNITS = {"qs1": ROOT / "userspace/qs1d/system/qs1d.service",
         "qs1-link": ROOT / "userspace/linkd/system/linkd.service"}
EXPOSURE_MAX = 1.0


@pytest.mark.parametrize("unit", UNITS.values(), ids=UNITS)
def test_exposure_is_low(unit):
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", unit],
                          capture_output=True, text=True)
    exposure = float(re.search(r"Overall exposure level.*: ([\d.]+)", done.stdout)[1])
    print(f"exposure {exposure}")
    assert exposure <= EXPOSURE_MAX, done.stdout


@pytest.mark.parametrize("user", UNITS)
def test_it_has_its_own_user_and_a_system_call_filter(user):
    unit = UNITS[user].read_text()
    for line in (f"User={user}", "CapabilityBoundingSet=", "SystemCallFilter=@system-service",
                 "PrivateNetwork=yes"):
        assert re.search(f"^{re.escape(line)}$", unit, re.MULTILINE), line
