# SPDX-License-Identifier: GPL-2.0-or-later
"""The report of the commissioning, as a person reads it."""

import json
import subprocess

import pytest

from gateway import wait_for
from paths import BUILD

PATH = "/commissioning/report"


def text(gateway, folder, role="installer"):
    reply = gateway.api[role].get(PATH)
    assert reply.status == 200 and reply.headers["Content-Type"] == "application/pdf"
    (folder / "report.pdf").write_bytes(reply.body)
    return subprocess.run(["pdftotext", "-layout", folder / "report.pdf", "-"], check=True, capture_output=True,
                          text=True).stdout


def row(words, serial):
    """The words of an inverter's row."""
    found, = [line.split() for line in words.splitlines() if serial in line]
    return found


def test_the_report_has_each_check_of_each_inverter(gateway, tmp_path):
    installer, serial = gateway.api["installer"], gateway.serials[0]
    installer.put(f"/inverters/{serial}", {"name": "Süd", "phase": "L1"})
    installer.post(f"/inverters/{serial}/commands", {"command": "profile", "profile": "ieee1547-2018-cat3"})
    each = wait_for("profile and name", lambda: (
        lambda e: e if e["profile"]["actual"] and e["name"] == "Süd" else None)(installer.get(f"/inverters/{serial}").json))
    wait_for("producing", lambda: installer.get("/commissioning").json["complete"])
    words = text(gateway, tmp_path)
    assert "Commissioning report" in words and "216000000001" in words and "token installer" in words
    assert "complete: every inverter passes every check" in words and "NOT" not in words
    found = row(words, serial)
    assert found[:5] == [serial, "Süd", "L1", "yes", "yes"] and found[6] == found[8] == found[10] == "yes", found
    assert abs(float(found[5]) - each["readings"]["power"]) < 50
    assert abs(float(found[7]) - each["readings"]["grid_voltage"]) < 2
    assert abs(float(found[9]) - 60) < 0.1 and found[11] == "ieee1547-2018-cat3"
    # what nobody wants is not judged, and what nobody knows is not shown
    other = installer.get(f"/inverters/{gateway.serials[1]}").json["profile"]
    assert row(words, gateway.serials[1])[-2:] == ["yes" if other["wanted"] else "unknown", other["actual"] or "-"]


def test_a_check_that_fails_is_in_the_report(gateway, tmp_path):
    serial = gateway.serials[0]
    gateway.owner.post(f"/inverters/{serial}/commands", {"command": "stop", "lease_s": 60})
    wait_for("0 W", lambda: gateway.owner.get(f"/inverters/{serial}").json["readings"]["power"] == 0)
    words = text(gateway, tmp_path)
    gateway.owner.post(f"/inverters/{serial}/commands", {"command": "start"})
    assert "NOT complete" in words and "NO" in row(words, serial)
    wait_for("production", lambda: gateway.owner.get(f"/inverters/{serial}").json["readings"]["power"] > 500)


@pytest.mark.parametrize("more", [
    {}, {"commissioning": {"units": [1, 2]}, "inverters": 5}, {"commissioning": {"units": 5, "complete": True}},
    {"commissioning": {"units": [{}], "complete": True}, "inverters": {"inverters": {"a": 1}}},
    {"commissioning": {"units": [[]], "complete": True}, "inverters": {"inverters": [7]}}])
def test_a_report_of_something_else_has_no_rows_that_pass(more):
    done = subprocess.run([BUILD / "host/bin/qs1-document"], capture_output=True, check=True,
                          input=json.dumps({"kind": "commissioning-report", **more}).encode())
    words = subprocess.run(["pdftotext", "-layout", "-", "-"], input=done.stdout, capture_output=True, check=True)
    assert b"Commissioning report" in words.stdout and b"yes" not in words.stdout
