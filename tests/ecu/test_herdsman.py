# SPDX-License-Identifier: GPL-2.0-or-later
"""A ZNP host that is not ours at the simulated modem: zigbee-herdsman."""

import json
import pathlib
import subprocess

import pytest

from paths import BUILD, ROOT

HOST = pathlib.Path(__file__).with_name("herdsman")
ECU = bytes.fromhex("D8A3011B9780")
# join.h: PAN and channel of the stock system
PAN = f"{int.from_bytes(ECU[:2], 'little'):04X}"
CHANNEL = "10"
POLL = ECU[::-1].hex() + "FBFB06BB000000000000C1FEFE"
REPLY_CLUSTER = 0x0106


@pytest.fixture
def unit(tmp_path):
    """Serial number and short address of a simulated unit, and the port of its site's modem."""
    air = subprocess.Popen([BUILD / "qs1-ether", "--folder", tmp_path, "--units", "1", "--chip", "cc2652"],
                           stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    found = None
    for line in air.stdout:
        word = line.split()
        if word[0] == "unit":
            found = word[1], word[2], tmp_path / "modem0"
        if word[0] == "ready":
            break
    yield found
    air.communicate("quit\n", timeout=20)


@pytest.mark.long
def test_zigbee_herdsman_starts_the_modem_and_polls_a_unit(unit):
    serial, address, port = unit
    modules = subprocess.run(["scripts/npm", HOST.relative_to(ROOT)], cwd=ROOT, check=True, text=True,
                             stdout=subprocess.PIPE).stdout.strip()
    done = subprocess.run(["node", HOST / "host.cjs", modules, port, PAN, CHANNEL, address, POLL],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    got = json.loads(done.stdout)
    # Z-Stack 3.x.0: product 1, with the revision of its build
    assert got["version"]["product"] == 1 and got["version"]["revision"] > 20000000
    assert (got["source"], got["cluster"]) == (int(address, 16), REPLY_CLUSTER)
    # the serial number, then a stock frame of telemetry: its length, its kind, its end
    assert got["data"].startswith(f"{serial}fbfb51b1") and got["data"].endswith("fefe")
