# SPDX-License-Identifier: GPL-2.0-only
"""What the daemon's service may do, as systemd counts it."""

import re
import subprocess

from paths import ROOT

UNIT = ROOT / "userspace" / "qs1d" / "system" / "qs1d.service"
EXPOSURE_MAX = 1.0


def test_exposure_is_low():
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", UNIT],
                          capture_output=True, text=True)
    exposure = float(re.search(r"Overall exposure level.*: ([\d.]+)", done.stdout)[1])
    print(f"exposure {exposure}")
    assert exposure <= EXPOSURE_MAX, done.stdout


def test_it_has_a_user_of_its_own_and_a_filter_of_calls():
    unit = UNIT.read_text()
    for line in ("User=qs1", "CapabilityBoundingSet=", "SystemCallFilter=@system-service",
                 "PrivateNetwork=yes"):
        assert re.search(f"^{re.escape(line)}$", unit, re.MULTILINE), line
