# SPDX-License-Identifier: GPL-2.0-or-later
"""A ZNP host that is not ours at the simulated modem: zigbee-herdsman."""

import json
import pathlib
import subprocess

import pytest

from paths import ROOT
from process import RADIO_ID, Air

HOST = pathlib.Path(__file__).with_name("herdsman")
ECU = bytes.fromhex(RADIO_ID)
# join.h: PAN and channel of the stock system
PAN = f"{int.from_bytes(ECU[:2], 'little'):04X}"
CHANNEL = "10"
POLL = ECU[::-1].hex() + "FBFB06BB000000000000C1FEFE"
REPLY_CLUSTER = 0x0106


@pytest.fixture
def air(tmp_path):
    """One simulated unit, and the modem of its site."""
    one = Air(tmp_path, 1, options=["--chip", "cc2652"])
    yield one
    one.process.communicate("quit\n", timeout=20)


@pytest.mark.long
def test_zigbee_herdsman_starts_the_modem_and_polls_a_unit(air, tmp_path):
    (serial, address), = air.units
    modules = subprocess.run(["scripts/npm", HOST.relative_to(ROOT)], cwd=ROOT, check=True, text=True,
                             stdout=subprocess.PIPE).stdout.strip()
    done = subprocess.run(["node", HOST / "host.cjs", modules, tmp_path / "modem0", PAN, CHANNEL, f"{address:04X}", POLL],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    got = json.loads(done.stdout)
    # Z-Stack 3.x.0: product 1, with the revision of its build
    assert got["version"]["product"] == 1 and got["version"]["revision"] > 20000000
    assert (got["source"], got["cluster"]) == (address, REPLY_CLUSTER)
    # the serial number, then a stock frame of telemetry: its length, its kind, its end
    assert got["data"].startswith(f"{serial}fbfb51b1") and got["data"].endswith("fefe")
