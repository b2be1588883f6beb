# SPDX-License-Identifier: GPL-2.0-or-later
"""Wi-Fi by REST, against python-dbusmock's NetworkManager on a separate bus."""

import json
import os
import subprocess

import pytest

from gateway import Gateway, wait_for
from paths import BUILD
from test_mdns import BUS

PSK, SAE = 0x100, 0x400
# Name of the access point, name of the network, strength, flags.
POINTS = [("ap0", "Dach", 40, PSK), ("ap1", "Garten offen", 90, 0), ("ap2", "Dach", 70, PSK), ("ap3", "Neu", 30, SAE)]
JOINED = "/org/freedesktop/NetworkManager/AccessPoint/"
KEY = "geheim und lang"


class NetworkManager:
    def __init__(self, folder):
        self.address, self.log = f"unix:path={folder}/bus", folder / "log"
        (folder / "bus.conf").write_text(BUS.replace("unix:path=/run/dbus/system_bus_socket", self.address))
        environment = {**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": self.address}
        self.bus = subprocess.Popen(["dbus-daemon", f"--config-file={folder}/bus.conf", "--nofork", "--nopidfile"])
        wait_for("the bus", (folder / "bus").exists)
        self.mock = subprocess.Popen(["/usr/bin/python3", "-m", "dbusmock", "--system", "--template", "networkmanager",
                                      "--logfile", self.log], env=environment)
        wait_for("the mock", lambda: self.call("AddWiFiDevice", "ssu", "wlan0", "wlan0", "30").returncode == 0)
        for name, ssid, strength, flags in POINTS:
            self.call("AddAccessPoint", "ssssuuuyu", "/org/freedesktop/NetworkManager/Devices/wlan0", name, ssid,
                      "00:11:22:33:44:55", "2", "2412", "5400", str(strength), str(flags)).check_returncode()

    def call(self, method, signature, *words):
        return subprocess.run(["busctl", f"--address={self.address}", "call", "org.freedesktop.NetworkManager",
                               "/org/freedesktop/NetworkManager", "org.freedesktop.DBus.Mock", method, signature, *words],
                              capture_output=True)

    def state(self, number):
        """State of the device."""
        subprocess.run(["busctl", f"--address={self.address}", "call", "org.freedesktop.NetworkManager",
                        "/org/freedesktop/NetworkManager/Devices/wlan0", "org.freedesktop.DBus.Mock", "UpdateProperties",
                        "sa{sv}", "org.freedesktop.NetworkManager.Device", "1", "State", "u", str(number)],
                       check=True, capture_output=True)

    def joined(self):
        return [line for line in self.log.read_text().splitlines() if "AddAndActivateConnection" in line]

    def stop(self):
        for process in (self.mock, self.bus):
            process.terminate()
            process.wait()


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    manager = NetworkManager(tmp_path_factory.mktemp("nm"))
    try:
        with Gateway(units=1, bus=manager.address) as own:
            own.manager = manager
            yield own
    finally:
        manager.stop()


def test_networks_are_listed_once_and_strongest_first(site):
    found = site.api["installer"].get("/wifi").json
    assert (found["device"], found["state"]) == ("wlan0", "disconnected")
    assert [(each["ssid"], each["strength"], each["secured"]) for each in found["networks"]] == [
        ("Garten offen", 90, False), ("Dach", 70, True), ("Neu", 30, True)]
    assert site.api["viewer"].get("/wifi").status == 403


@pytest.mark.parametrize("ssid, key, point, method", [
    ("Dach", KEY, "ap2", "wpa-psk"), ("Neu", KEY, "ap3", "sae"), ("Garten offen", None, "ap1", None)])
def test_a_network_is_joined_at_its_strongest_access_point(site, ssid, key, point, method):
    reply = site.owner.post("/wifi", {"ssid": ssid, **({"key": key} if key else {})})
    # the mock takes the request for SAE and then fails, because it has no word for it
    done = method != "sae"
    assert reply.status == (204 if done else 503), reply.body
    line = [each for each in site.manager.joined() if "raised" not in each][-1]
    assert JOINED + point in line and f'"id": "{ssid}"' in line
    if method:
        assert f'"802-11-wireless-security": {{"key-mgmt": "{method}", "psk": "{key}"}}' in line
    else:
        assert "security" not in line
    # who did it is in the audit log, and the key is nowhere
    entry = site.owner.get("/audit").json["entries"][0]
    assert (entry["action"], entry["target"], entry["result"]) == ("wifi", ssid, "ok" if done else "refused")
    assert KEY not in site.text_of_log()


@pytest.mark.parametrize("body, status, words", [
    ({"ssid": "Dach"}, 400, "8 to 63 characters"), ({"ssid": "Dach", "key": "kurz"}, 400, "key"),
    ({"ssid": "Garten offen", "key": KEY}, 400, "none for an open network"), ({"ssid": "fort", "key": KEY}, 404, "in range"),
    ({"ssid": ""}, 400, "ssid"), ({"ssid": "x" * 33}, 400, "ssid"), ({"key": KEY}, 400, "ssid")])
def test_wrong_requests_join_nothing(site, body, status, words):
    before = len(site.manager.joined())
    reply = site.owner.post("/wifi", body)
    assert reply.status == status and words in reply.json["error"]["message"], reply.body
    assert KEY.encode() not in reply.body and len(site.manager.joined()) == before


# The bus's own error, and that of NetworkManager where no rule of polkit allows it.
@pytest.mark.parametrize("error", ["org.freedesktop.DBus.Error.AccessDenied",
                                   "org.freedesktop.NetworkManager.PermissionDenied"])
def test_a_refusal_by_networkmanager_ends_no_session(site, error):
    site.manager.call("AddMethod", "sssss", "org.freedesktop.NetworkManager", "AddAndActivateConnection",
                      "a{sa{sv}}oo", "oo", f"raise dbus.exceptions.DBusException('no', name='{error}')").check_returncode()
    reply = site.owner.post("/wifi", {"ssid": "Dach", "key": KEY})
    assert reply.status == 403 and reply.json["error"]["message"] == "NetworkManager: no", reply.body


def test_without_networkmanager_there_is_no_device():
    with Gateway(units=1) as own:
        assert own.owner.get("/wifi").json == {"device": None, "state": "unavailable", "networks": []}
        reply = own.owner.post("/wifi", {"ssid": "Dach", "key": KEY})
        assert reply.status == 503 and "found none" in reply.json["error"]["message"]


def ecuctl(site, *words, key=""):
    return subprocess.run([BUILD / "host/bin/ecuctl", "--socket", site.state / "rest.sock", *words], text=True,
                          input=key, capture_output=True, timeout=90)


def test_ecuctl_lists_and_joins_by_the_same_requests(site):
    listed = ecuctl(site, "--json", "wifi")
    assert listed.returncode == 0, listed.stderr
    found = json.loads(listed.stdout)
    assert found["device"] == "wlan0" and [each["ssid"] for each in found["networks"]] == ["Garten offen", "Dach", "Neu"]
    before = len(site.manager.joined())
    none = ecuctl(site, "wifi", "Dach")
    assert none.returncode == 1 and "key" in none.stderr
    far = ecuctl(site, "wifi", "fort")
    assert far.returncode == 1 and "in range" in far.stderr and len(site.manager.joined()) == before
    site.manager.call("AddMethod", "sssss", "org.freedesktop.NetworkManager", "AddAndActivateConnection", "a{sa{sv}}oo",
                      "oo", f"ret = ('{JOINED}ap2', '{JOINED}ap2')").check_returncode()
    site.manager.state(100)
    done = ecuctl(site, "wifi", "Dach", key=KEY + "\n")
    assert done.returncode == 0, done.stderr
    assert f'"psk": "{KEY}"' in site.manager.joined()[-1] and KEY not in done.stdout + done.stderr
    site.manager.state(120)
    failed = ecuctl(site, "wifi", "Dach", key=KEY + "\n")
    assert failed.returncode == 1 and "failed" in failed.stderr
