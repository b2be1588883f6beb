# SPDX-License-Identifier: GPL-2.0-only
"""The daemons' services: what they may do, as systemd counts it, and their names in the documents."""

import re
import subprocess

import pytest

from paths import ROOT

UNITS = {"qs1": ROOT / "userspace/qs1d/system/qs1d.service",
         "qs1-link": ROOT / "userspace/linkd/system/linkd.service",
         "qs1-wpan": ROOT / "userspace/wpan/system/qs1-wpan@.service",
         "qs1-ecu": ROOT / "userspace/ecud/system/ecud.service",
         "qs1-ema": ROOT / "userspace/emad/system/emad.service"}
# Gateway and monitoring service serve the network, and qs1-wpan has raw frames of one interface; the others
# have no network. The gateway has devices, too.
ON_NETWORK = {"qs1-ecu", "qs1-ema", "qs1-wpan"}
CAPABILITIES = {"qs1-wpan": "CAP_NET_ADMIN CAP_NET_RAW"}
EXPOSURE_MAX = {"qs1": 1.0, "qs1-link": 1.0, "qs1-wpan": 1.7, "qs1-ecu": 1.3, "qs1-ema": 1.1}


@pytest.mark.parametrize("user", UNITS)
def test_exposure_is_low(user):
    unit = UNITS[user]
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", unit],
                          capture_output=True, text=True)
    exposure = float(re.search(r"Overall exposure level.*: ([\d.]+)", done.stdout)[1])
    print(f"exposure {exposure}")
    assert exposure <= EXPOSURE_MAX[user], done.stdout


@pytest.mark.parametrize("user", UNITS)
def test_it_has_its_own_user_and_a_system_call_filter(user):
    unit = UNITS[user].read_text()
    lines = [f"User={user}", f"CapabilityBoundingSet={CAPABILITIES.get(user, '')}",
             "SystemCallFilter=@system-service"]
    for line in lines + ([] if user in ON_NETWORK else ["PrivateNetwork=yes"]):
        assert re.search(f"^{re.escape(line)}$", unit, re.MULTILINE), line


def test_documents_name_units_that_exist():
    units = {path.name.replace("@", "") for path in ROOT.glob("userspace/*/system/*")} | {"nginx.service"}
    command = r"systemctl (?:start|stop|restart|reload|enable --now)((?: [a-z][a-z0-9@.-]*)+)"
    folder = r"/etc/systemd/system/([a-z0-9.-]+)\.d/"
    named = [(path.name, re.sub(r"@[^.]*", "", name).rstrip("."))
             for pattern in ("Documentation/**/*.md", "Documentation/man/*", "userspace/*/system/*.conf")
             for path in ROOT.glob(pattern)
             for words in re.findall(command, path.read_text()) + re.findall(folder, path.read_text())
             for name in words.split()]
    print(f"{len(named)} names of units")
    assert len(named) >= 10
    for where, name in named:
        assert {name, f"{name}.service"} & units, f"{where}: no unit {name}"
