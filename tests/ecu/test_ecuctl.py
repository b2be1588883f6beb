# SPDX-License-Identifier: GPL-2.0-or-later
"""ecuctl on a running gateway: by its socket and by HTTPS, as text and as JSON."""

import contextlib
import copy
import http.server
import json
import os
import pty
import socketserver
import subprocess
import threading
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


class Fake(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """A gateway that answers with what a test wants."""
    daemon_threads = True

    class RequestHandlerClass(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = json.dumps(self.server.replies[self.path.removeprefix("/api/v1")]).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    def __init__(self, path, status, inverters):
        super().__init__(str(path), self.RequestHandlerClass)
        self.replies = {"/status": status, "/inverters": {"generation": 1, "inverters": inverters}}


@contextlib.contextmanager
def ill(gateway, tmp_path, change):
    """The socket of a site of four inverters, of which the first one, or the site, is changed."""
    status, healthy = gateway.owner.get("/status").json, gateway.owner.get("/inverters").json["inverters"][0]
    inverters = [copy.deepcopy(healthy) for _ in range(4)]
    for n, inverter in enumerate(inverters):
        inverter["serial"] = f"80600000010{n}"
        inverter["link"].update(state="live", polls=100, timeouts=1)
        inverter["limit"].update(desired_w=None, confirm="unknown")
        inverter["faults"] = []
        for channel in inverter["channels"]:
            channel["dc_power"] = 200
    change(status, inverters[0])
    with Fake(tmp_path / "fake.sock", status, inverters) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield tmp_path / "fake.sock"
        server.shutdown()


def put(**values):
    """A change of the first inverter by path, as link__state="lost"."""
    def change(_, inverter):
        for path, value in values.items():
            place = inverter
            *folders, name = path.split("__")
            for folder in folders:
                place = place[int(folder) if folder.isdigit() else folder]
            place[name] = value
    return change


def put_status(**values):
    return lambda status, _: [status[path.split("__")[0]].update({path.split("__")[1]: value})
                              for path, value in values.items()]


GROUND = {"name": "gfdi", "active": True, "latched": True, "text": "ground fault", "advice": "measure the insulation"}
# Chapter 6.2 of the manual: no data, erratic data, 0 or 2 W, data unlike the neighbours'.
PICTURES = [
    (put(link__state="lost"), [], "no data: look at the LED"),
    (put(link__state="new"), [], "no data: look at the LED"),
    (put(link__state="lost"), ["off"], "the inverter has no power"),
    (put(link__state="lost"), ["red"], "ground fault"),
    (put(link__state="lost"), ["red-flashing"], "no grid at the inverter"),
    (put(link__state="lost"), ["green-10s"], "hears a gateway: check that it is paired"),
    (put(link__state="lost"), ["green-2s"], "the link is the problem"),
    (put(link__timeouts=20), [], "20 % of the requests have no answer; the link is the problem"),
    (put(channels__1__dc_power=0), [], "input 2 gives 0 W where others give 200 W"),
    (put(channels__1__dc_power=2), [], "input 2 gives 2 W where others give 200 W"),
    (put(channels__3__dc_power=90), [], "input 4 gives 90 W, the median of all modules is 200 W"),
    (put(faults=[GROUND]), [], "ground fault: measure the insulation"),
    (put(limit__confirm="unconfirmed", limit__desired_w=100), [], "its limit is not confirmed"),
    (put_status(radio__up=False), [], "the radio does not answer"),
    (put_status(store__ok=False), [], "the database does not work"),
    (put_status(radio__foreign_pan=4660), [], "another gateway is on this channel"),
]
# What is no fault.
HEALTHY = [put(), put(link__timeouts=19), put(link__polls=19, link__timeouts=19), put(channels__3__dc_power=101),
           put(channels__1__dc_power=0, limit__desired_w=0), put(link__state="asleep")]


@pytest.mark.parametrize("change, led, words", PICTURES, ids=range(len(PICTURES)))
def test_doctor_names_what_is_wrong(gateway, tmp_path, change, led, words):
    with ill(gateway, tmp_path, change) as path:
        done = run(gateway, "--socket", path, "doctor", *(["806000000100", *led] if led else []), socket=False)
    assert done.returncode == FOUND, done.stdout + done.stderr
    assert words in done.stdout and done.stdout.count(":") >= 1
    # one finding, of the inverter that is ill or of the gateway
    assert "80600000010" not in done.stdout.replace("806000000100", ""), done.stdout


@pytest.mark.parametrize("change", HEALTHY, ids=range(len(HEALTHY)))
def test_doctor_finds_nothing_in_a_healthy_site(gateway, tmp_path, change):
    with ill(gateway, tmp_path, change) as path:
        done = run(gateway, "--socket", path, "doctor", socket=False)
    assert done.returncode == 0 and "found no problem" in done.stdout, done.stdout


@pytest.mark.parametrize("answer, words", [("green-2s", "the link is the problem"), ("off", "the inverter has no power"),
                                           ("blue", "look at the LED")])
def test_doctor_asks_for_the_led_on_a_terminal(gateway, tmp_path, answer, words):
    with ill(gateway, tmp_path, put(link__state="lost")) as path:
        terminal, end = pty.openpty()
        process = subprocess.Popen([BUILD / "host/bin/ecuctl", "--socket", path, "doctor"], stdin=end, stderr=end,
                                   stdout=subprocess.PIPE, text=True)
        os.close(end)
        asked = b""
        while b"? " not in asked:
            asked += os.read(terminal, 1000)
        assert b"806000000100: no data. What does its LED show" in asked
        os.write(terminal, answer.encode() + b"\n")
        found, _ = process.communicate(timeout=20)
        os.close(terminal)
    assert process.returncode == FOUND and words in found, found


def restore(own, path):
    folders = f"{BUILD}/host/bin:{os.environ['PATH']}"
    return run(own, "restore", path, env={**os.environ, "PATH": folders, "STATE_DIRECTORY": str(own.state)})


def test_restore_brings_a_backup_back(tmp_path):
    with Gateway(units=1) as own:
        path = f"/inverters/{own.serials[0]}"

        def rename(name):
            assert own.owner.put(path, {"name": name}).status == 202
            wait_for(name, lambda: own.owner.get(path).json["name"] == name)

        rename("south")
        assert run(own, "backup", tmp_path / "ecu.db").returncode == 0
        rename("north")
        done = restore(own, tmp_path / "ecu.db")
        assert done.returncode == REFUSED and "runs" in done.stderr, done.stderr
        assert own.owner.get(path).json["name"] == "north"
        own.ecud.terminate()
        own.ecud.wait(10)
        (tmp_path / "none.db").write_bytes(b"no database")
        for wrong in ("none.db", "absent.db"):
            done = restore(own, tmp_path / wrong)
            assert done.returncode == REFUSED and wrong in done.stderr, done.stderr
        done = restore(own, tmp_path / "ecu.db")
        assert done.returncode == 0, done.stderr
        (own.state / "rest.sock").unlink()
        own.start()
        wait_for("the restored name", lambda: own.owner.get(path).json["name"] == "south")
        # its key is there too: an order with a seal is confirmed
        assert ask(own, "limit", own.serials[0], "300", "--lease", "60")["orders"][0]["state"] == "confirmed"


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
