# SPDX-License-Identifier: GPL-2.0-or-later
"""ecuctl on a running gateway: by its socket and by HTTPS, as text and as JSON."""

import json
import subprocess
import time

import pytest

from gateway import Gateway, wait_for
from paths import BUILD, ROOT
from test_scan import QR, photo

REFUSED, USAGE, UNREACHABLE, FOUND = 1, 2, 3, 4


def run(gateway, *words, socket=True, **more):
    where = ["--socket", gateway.state / "rest.sock"] if socket else []
    return subprocess.run([BUILD / "host/bin/ecuctl", *where, *words], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=90, **more)


def ask(gateway, *words):
    done = run(gateway, "--json", *words)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_status_and_inverters(gateway):
    assert ask(gateway, "status")["id"] == "216000000001"
    text = run(gateway, "status").stdout
    assert "216000000001" in text and "2 of 2" in text
    serials = [each["serial"] for each in ask(gateway, "inverters")["inverters"]]
    assert serials == gateway.serials
    assert "power=" in run(gateway, "--output", "kv", "status").stdout


def test_by_https_with_a_token(gateway, tmp_path):
    (tmp_path / "token").write_text(gateway.owner.token + "\n")
    where = ["--url", f"https://127.0.0.1:{gateway.port}", "--ca", gateway.state / "tls/ca.pem"]
    done = run(gateway, *where, "--token-file", tmp_path / "token", "--json", "status", socket=False)
    assert done.returncode == 0 and json.loads(done.stdout)["id"] == "216000000001"
    done = run(gateway, *where, "status", socket=False)
    assert done.returncode == REFUSED and "expected a login or a valid token" in done.stderr
    done = run(gateway, "--url", f"https://127.0.0.1:{gateway.port}", "status", socket=False)
    assert done.returncode == UNREACHABLE and "certificate" in done.stderr.lower()


def test_limits(gateway):
    serial = gateway.serials[0]
    order = ask(gateway, "limit", serial, "300", "--lease", "600", "--reason", "quiet")["orders"][0]
    assert order["state"] == "confirmed"
    limit = ask(gateway, "limits")["limits"][0]
    assert (limit["owner"], limit["w"], limit["reason"]) == ("owner", 300, "quiet")
    assert ask(gateway, "limit", serial, "none")["orders"][0]["state"] == "confirmed"
    assert ask(gateway, "stop", serial)["orders"][0]["state"] == "confirmed"
    wait_for("0 W", lambda: gateway.owner.get(f"/inverters/{serial}").json["limit"]["desired_w"] == 0)
    assert ask(gateway, "start", serial)["orders"][0]["state"] == "confirmed"
    wait_for("full power",
             lambda: gateway.owner.get(f"/inverters/{serial}").json["readings"]["power"] > 700)


def test_phase_and_history(gateway):
    assert ask(gateway, "phases", gateway.serials[0], "L1-L2")["orders"][0]["state"] == "confirmed"
    assert gateway.owner.get(f"/inverters/{gateway.serials[0]}").json["phase"] == "L1-L2"
    assert "history" in ask(gateway, "history", "--step", "60")
    assert "history" in ask(gateway, "history", gateway.serials[0], "--from", "2026-01-01T00:00:00+01:00",
                            "--step", "day")


def test_scan(gateway, tmp_path):
    (tmp_path / "photo.jpg").write_bytes(photo(tmp_path, QR, gateway.labels[1], 30))
    label, = ask(gateway, "scan", tmp_path / "photo.jpg")["labels"]
    assert label["serial"] == gateway.serials[1] and label["known"]
    (tmp_path / "none.jpg").write_bytes(b"no picture")
    done = run(gateway, "scan", tmp_path / "none.jpg")
    assert done.returncode == REFUSED and "JPEG" in done.stderr


def test_backup_and_export(gateway, tmp_path):
    assert run(gateway, "backup", tmp_path / "ecu.db").returncode == 0
    assert (tmp_path / "ecu.db").read_bytes().startswith(b"SQLite format 3")
    done = run(gateway, "backup", tmp_path / "ecu.db")
    assert done.returncode == REFUSED and "exists" in done.stderr
    assert run(gateway, "export", tmp_path / "readings.csv").returncode == 0
    assert "time" in (tmp_path / "readings.csv").read_text().splitlines()[0]


def test_label(gateway):
    label = ask(gateway, "label")
    assert len(label["fingerprint"]) == 64 and label["code"] is None
    assert "\u2588" in run(gateway, "label").stdout


def test_first_use_code_is_on_the_label():
    with Gateway(units=0, pair=False) as own:
        code = ask(own, "label")["code"]
        assert own.nobody.post("/setup", {"code": code.lower().replace("-", ""), "name": "b",
                                          "password": "long enough, this"}).status == 200
        assert own.nobody.post("/setup", {"code": code, "name": "c",
                                          "password": "long enough, this"}).status == 409


def test_doctor(gateway):
    done = run(gateway, "doctor")
    assert done.returncode == 0 and "found no problem" in done.stdout, done.stdout + done.stderr


def test_doctor_asks_for_the_led_of_a_silent_inverter():
    with Gateway(units=2) as own:
        own.air.stdin.write("link 806000000002 off\n")
        own.air.stdin.flush()
        own.owner.post("/pairing", {"labels": ["806000000077"]})
        time.sleep(1)
        done = run(own, "doctor", "806000000077", "green-2s")
        assert done.returncode == FOUND
        assert "the link is the problem" in done.stdout, done.stdout


@pytest.mark.parametrize("words", [[], ["explode"], ["status", "now"], ["limit", "site"], ["pair"],
                                   ["clear", "806000000001"], ["doctor", "806000000001"],
                                   ["--output", "xml", "status"]])
def test_wrong_command_lines(gateway, words):
    done = run(gateway, *words)
    assert done.returncode == USAGE and "expected" in done.stderr


@pytest.mark.parametrize("words, message", [
    (["limit", "site", "much"], "expected a number"), (["limit", "806099999999", "5"], "of this site"),
    (["pair", "12"], "label: expected"), (["clear", "806000000001", "uv1"], "expected gfdi"),
    (["history", "--step", "7"], "step: expected"), (["scan", "/nonexistent"], "No such file")])
def test_refusals_say_why(gateway, words, message):
    done = run(gateway, *words)
    assert done.returncode == REFUSED and message in done.stderr


def test_no_gateway():
    done = subprocess.run([BUILD / "host/bin/ecuctl", "--socket", "/nonexistent", "status"],
                          capture_output=True, text=True)
    assert done.returncode == UNREACHABLE


def test_manual_page_and_completions_name_each_command():
    table = subprocess.run([BUILD / "host/bin/ecuctl", "--help"], capture_output=True, text=True).stdout
    names = {line.split()[1] for line in table.splitlines() if line.startswith("  ecuctl ")}
    assert len(names) >= 20
    for path in ("Documentation/man/ecuctl.1", "userspace/ecuctl/ecuctl.bash", "userspace/ecuctl/ecuctl.zsh"):
        text = (ROOT / path).read_text()
        assert not [name for name in names if name not in text], path
