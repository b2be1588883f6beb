# SPDX-License-Identifier: GPL-2.0-or-later
"""MQTT: values, discovery for Home Assistant, birth and will, commands."""

import json
import subprocess
import time

import pytest

from gateway import ECU_ID, Gateway, wait_for

BASE = f"qs1/{ECU_ID}"


def subscribe(port, topics, seconds=4, count=10000):
    """Messages as (topic, text, retained) within some seconds."""
    words = [word for topic in topics for word in ("-t", topic)]
    done = subprocess.run(["mosquitto_sub", "-p", str(port), "-W", str(seconds), "-C", str(count), "-F",
                           "%r %t %p", *words], capture_output=True, text=True)
    return [(line.split(" ", 2)[1], line.split(" ", 2)[2], line[0] == "1")
            for line in done.stdout.splitlines() if line.count(" ") >= 2]


def publish(port, topic, text, *more):
    subprocess.run(["mosquitto_pub", "-p", str(port), "-t", topic, "-m", text, *more], check=True)


@pytest.fixture
def commands(gateway):
    assert gateway.owner.put("/settings", {"mqtt_commands": True}).status == 200
    yield
    assert gateway.owner.put("/settings", {"mqtt_commands": False}).status == 200


def test_every_reading_has_its_topic(gateway):
    found = {topic: text for topic, text, _ in subscribe(gateway.mqtt_port, [f"{BASE}/#"])}
    each = gateway.owner.get(f"/inverters/{gateway.serials[0]}").json
    base = f"{BASE}/{gateway.serials[0]}"
    for name, value in each["readings"].items():
        if value is not None:
            assert float(found[f"{base}/{name}"]) == pytest.approx(value, rel=0.2, abs=100), name
    for channel in each["channels"]:
        for name in ("dc_voltage", "dc_current", "dc_power", "dc_energy"):
            assert f"{base}/{channel['channel']}/{name}" in found
    assert found[f"{base}/link"] == "live" and found[f"{base}/state"] == "producing"
    assert f"{BASE}/site/power" in found
    assert found[f"{BASE}/status"] == "online"


def test_discovery_is_complete_and_expires_by_the_cadence(gateway):
    found = {topic: (json.loads(text), retained) for topic, text, retained in
             subscribe(gateway.mqtt_port, ["homeassistant/device/+/config"], seconds=2)}
    message, retained = found[f"homeassistant/device/qs1_{gateway.serials[0]}/config"]
    assert retained and message["device"]["serial_number"] == gateway.serials[0]
    assert message["availability_topic"] == f"{BASE}/status"
    components = message["components"]
    power = components[f"qs1_{gateway.serials[0]}_power"]
    assert power["device_class"] == "power" and power["unit_of_measurement"] == "W"
    assert power["expire_after"] == 15 and power["state_topic"] == f"{BASE}/{gateway.serials[0]}/power"
    energy = components[f"qs1_{gateway.serials[0]}_energy"]
    assert energy["state_class"] == "total_increasing" and "expire_after" not in energy
    assert len({each["unique_id"] for each in components.values()}) == len(components)
    assert f"homeassistant/device/qs1_{ECU_ID}/config" in found


def test_commands_are_off_at_the_start(gateway):
    publish(gateway.mqtt_port, f"{BASE}/{gateway.serials[0]}/set/limit", "100")
    wait_for("the audit line", lambda: any("does not allow" in e["result"] for e in
                                           gateway.owner.get("/audit").json["entries"]))
    assert gateway.owner.get("/limits").json["limits"] == []


def test_a_limit_by_topic_is_confirmed_in_a_topic(gateway, commands):
    topic = f"{BASE}/{gateway.serials[0]}"
    publish(gateway.mqtt_port, f"{topic}/set/limit", json.dumps({"w": 250, "lease_s": 60, "reason": "sun"}))
    limit = wait_for("the limit", lambda: gateway.owner.get("/limits").json["limits"])[0]
    assert limit["owner"] == "mqtt" and limit["w"] == 250 and limit["reason"] == "sun"
    wait_for("its confirmation", lambda: gateway.owner.get(
        f"/inverters/{gateway.serials[0]}").json["limit"]["confirm"] == "confirmed")
    publish(gateway.mqtt_port, f"{topic}/set/start", "")
    wait_for("no limit", lambda: not gateway.owner.get("/limits").json["limits"])


def test_retained_commands_are_ignored():
    """A gateway that starts again gets the retained message once more."""
    with Gateway(units=1, broker=True) as own:
        assert own.owner.put("/settings", {"mqtt_commands": True}).status == 200
        topic = f"{BASE}/{own.serials[0]}/set"
        publish(own.mqtt_port, f"{topic}/limit", "150", "-r")
        wait_for("the limit", lambda: own.owner.get("/limits").json["limits"])
        publish(own.mqtt_port, f"{topic}/start", "")
        wait_for("no limit", lambda: not own.owner.get("/limits").json["limits"])
        own.ecud.terminate()
        own.ecud.wait(20)
        (own.state / "rest.sock").unlink(missing_ok=True)
        own.start()
        wait_for("the broker", lambda: own.text_of_log().count("127.0.0.1: connected") >= 2)

        def stopped():
            # the connection carries this one after the retained one
            publish(own.mqtt_port, f"{topic}/stop", "")
            return any(each["command"] == "stop" for each in own.owner.get("/orders").json["orders"])
        wait_for("the order", stopped)
        assert "limit" not in [each["command"] for each in own.owner.get("/orders").json["orders"]]


@pytest.mark.parametrize("topic, text", [
    ("{serial}/set/limit", "much"), ("{serial}/set/limit", "-5"), ("{serial}/set/limit", "{\"w\":"),
    ("{serial}/set/limit", "99999"), ("806099999999/set/limit", "5"), ("x/set/limit", "5"),
    ("{serial}/set/explode", "5"), ("{serial}/set/profile", "note1"), ("{serial}/set/limit", "x" * 1000),
    ("site/set/identify", "")])
def test_wrong_commands_change_nothing_and_are_logged(gateway, commands, topic, text):
    before = gateway.owner.get("/audit").json["entries"][0]["id"]
    publish(gateway.mqtt_port, f"{BASE}/{topic.replace('{serial}', gateway.serials[0])}", text)
    wait_for("the audit line", lambda: any(
        e["interface"] == "mqtt" and e["id"] > before for e in
        gateway.owner.get("/audit").json["entries"]))
    assert gateway.owner.get("/limits").json["limits"] == []


def test_birth_and_will():
    with Gateway(units=1, broker=True) as own:
        assert ("online" in [text for _, text, _ in
                             subscribe(own.mqtt_port, [f"{BASE}/status"], 1, 1)])
        own.ecud.kill()
        time.sleep(0.5)
        assert subscribe(own.mqtt_port, [f"{BASE}/status"], 1, 1)[0][1] == "offline"
