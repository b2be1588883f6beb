# SPDX-License-Identifier: GPL-2.0-or-later
"""All interfaces say the same at one generation of the model."""

import re

import pytest

import aps
from gateway import ECU_ID
from sunspec import Device, connect


def metrics_of(text, serial):
    found = {}
    for name, labels, value in re.findall(r"^(\w+)\{([^}]*)\} (\S+)$", text, re.M):
        if f'serial="{serial}"' in labels:
            channel = re.search(r'channel="(\d)"', labels)
            found[(name, channel and int(channel[1]))] = float(value)
    return found


def test_every_interface_has_the_same_values(gateway):
    """Ask until no reading came in between."""
    client = connect(gateway.modbus_port)
    for _ in range(50):
        before = gateway.owner.get("/inverters").json
        device = Device(client, 2)
        stock = aps.realtime(aps.command(gateway.aps_port, "0002", ECU_ID))["inverters"]
        metrics = gateway.owner.get("//metrics").body.decode()
        after = gateway.owner.get("/inverters").json
        if before["generation"] == after["generation"]:
            break
    else:
        raise AssertionError("the model changed each time")
    client.close()
    each = before["inverters"][0]
    readings = each["readings"]
    found = metrics_of(metrics, each["serial"])
    assert found["qs1_power_watts", None] == readings["power"]
    assert found["qs1_grid_voltage_volts", None] == readings["grid_voltage"]
    assert found["qs1_energy_joules_total", None] == pytest.approx(readings["energy"] * 3600, abs=400)
    assert device.value(701, "W") == pytest.approx(readings["power"], abs=0.51)
    assert device.value(101, "PhVphA") == pytest.approx(readings["grid_voltage"], abs=0.051)
    assert device.value(701, "Hz") == pytest.approx(readings["grid_frequency"], abs=0.0006)
    assert device.value(101, "WH") == pytest.approx(readings["energy"], abs=0.51)
    assert stock[each["serial"]]["volts"] == pytest.approx(readings["grid_voltage"], abs=0.51)
    for channel in each["channels"]:
        n = channel["channel"]
        assert found["qs1_dc_power_watts", n] == channel["dc_power"]
        assert stock[each["serial"]]["watts"][n - 1] == pytest.approx(channel["dc_power"], abs=0.51)
