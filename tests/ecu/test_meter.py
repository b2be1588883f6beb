# SPDX-License-Identifier: GPL-2.0-or-later
"""The meter at the grid connection, by SunSpec Modbus and by MQTT."""

import subprocess

import pytest

from gateway import Gateway, wait_for
from meter import Meter


def grid(gateway):
    readings = gateway.owner.get("/status").json["readings"]
    return [readings[name] for name in ("grid_power", "grid_power_l1", "grid_power_l2", "grid_power_l3")]


@pytest.mark.parametrize("model", [201, 202, 203, 204])
def test_power_of_each_meter_model(model):
    with Meter(model) as meter:
        meter.watts, meter.phases, meter.scale = -123, (-100, -20, 0x8000), 1
        with Gateway(units=1, config=f"meter modbus:127.0.0.1:{meter.port}\n") as gateway:
            wait_for("the meter", lambda: grid(gateway) == [-1230, -1000, -200, None])
            assert gateway.owner.get("/status").json["meter"]["ok"]


def test_a_meter_that_stops_is_lost_and_found_again():
    with Meter() as meter:
        meter.watts = 500
        with Gateway(units=1, config=f"meter modbus:127.0.0.1:{meter.port}\n") as gateway:
            wait_for("the meter", lambda: grid(gateway)[0] == 500)
            meter.mute = True
            wait_for("the loss", lambda: not gateway.owner.get("/status").json["meter"]["ok"])
            assert grid(gateway)[0] is None
            meter.mute = False
            meter.watts = 600
            wait_for("the meter again", lambda: grid(gateway)[0] == 600)
            kinds = [each["kind"] for each in gateway.owner.get("/events").json["events"]]
            assert "meter-lost" in kinds and "meter-back" in kinds


def test_what_is_no_meter_is_lost():
    with Meter(model=301) as other:
        with Gateway(units=1, config=f"meter modbus:127.0.0.1:{other.port}\n") as gateway:
            wait_for("the message", lambda: "expected a model from 201 to 204" in gateway.text_of_log())
            assert not gateway.owner.get("/status").json["meter"]["ok"]


def test_a_meter_by_topic():
    with Gateway(units=1, broker=True, config="meter mqtt:house/grid\n") as gateway:
        def publish(text):
            subprocess.run(["mosquitto_pub", "-p", str(gateway.mqtt_port), "-t", "house/grid", "-m", text],
                           check=True)
            return grid(gateway)[0]
        wait_for("a number", lambda: publish("-250.5") == -250.5)
        wait_for("a JSON object", lambda: publish('{"power": 99}') == 99)
        publish("much")
        assert grid(gateway)[0] == 99
