# SPDX-License-Identifier: GPL-2.0-or-later
"""linkd as a process: a modem on a pseudo terminal, a simulated qs1d, an ECU that polls."""

import json
import re
import signal
import socket
import subprocess
import threading
import time

import pytest

from paths import BUILD

STATUS = {
    "state": "producing", "profile_applied": True, "armed": True, "shutdown": False,
    "faults": {"active": [], "latched": []},
    "meter": {**{f"pv{n}": {"v": 30.0 + n, "i": 4.0 + n, "p": 100, "energy_wh": 50.0}
                 for n in range(1, 5)},
              "grid": {"v": 239.5, "i": 3.1, "f": 59.98, "p": 742.5, "q": -3, "energy_wh": 900.5},
              "temp_c": 44.0, "dc_link_v": 401.0},
    "enter_service_s": None, "power_limit_w": 1200, "firmware": "1.2.3", "uptime_s": 100.0,
    "seal": {"serial": "806000000007", "boot": "0123456789abcdef", "counter": 3, "paired": False},
}


class Qs1d(threading.Thread):
    """Answers every request with the status, and keeps what it was asked."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen()
        self.asked = []

    def run(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            with client, client.makefile("rw", buffering=1) as stream:
                for line in stream:
                    request = json.loads(line)
                    self.asked.append(request["cmd"])
                    stream.write(json.dumps({"v": 1, "id": request["id"], "ok": True,
                                             "result": STATUS}) + "\n")


@pytest.fixture
def link(tmp_path):
    """An air with the ECU's modem and the unit's, linkd on the latter, and its qs1d."""
    air = subprocess.Popen([BUILD / "qs1-ether", "--modems", "2", "--folder", tmp_path],
                           stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    address = {}
    for line in air.stdout:
        word = line.split()
        if word[0] == "modem":
            address[word[1]] = word[3]
        if word[0] == "ready":
            break
    daemon = Qs1d(tmp_path / "radio.sock")
    daemon.start()
    (tmp_path / "linkd.conf").write_text(
        f"port {tmp_path}/modem1\nsocket {tmp_path}/radio.sock\n")
    process = subprocess.Popen([BUILD / "host/bin/linkd", "--config", tmp_path / "linkd.conf"],
                               stderr=subprocess.PIPE, text=True)
    link.air, link.daemon, link.process = air, daemon, process
    # it asks for the serial number as soon as its modem is up
    deadline = time.monotonic() + 30
    while "status" not in daemon.asked and time.monotonic() < deadline:
        time.sleep(0.05)
    link.modem, link.address = tmp_path / "modem0", address["1"]
    yield link
    for one in (process, air):
        one.kill()
        one.wait()
    daemon.listener.close()


def poll(link, *options):
    done = subprocess.run([BUILD / "qs1-poll", "--port", link.modem, *options,
                           f"806000000007:{link.address}"],
                          capture_output=True, text=True, timeout=90)
    return done.returncode, done.stdout + done.stderr


def say(link, line):
    link.air.stdin.write(line + "\n")
    link.air.stdin.flush()


def test_both_kinds_of_poll_show_what_qs1d_says(link):
    code, out = poll(link, "--rounds", "3")
    assert code == 0, out
    assert re.search(r"239\.\d V 59\.980 Hz 4[34]\.\d C  A 31\.0\d V 5\.00\d A", out), out
    code, out = poll(link, "--rounds", "3", "--own")
    assert code == 0, out
    assert "producing 239.50 V 59.980 Hz 742.5 W -3.0 var 44.0 C 900.500 Wh" in out, out
    assert "report" in link.daemon.asked


@pytest.mark.long
def test_a_modem_that_hangs_is_reset_and_the_end_is_logged(link):
    assert poll(link, "--rounds", "3")[0] == 0
    say(link, "modem 1 frozen on")
    # 30 s of silence, a ping, a reset by command, one by the line, and the start
    deadline = time.monotonic() + 60
    code = 1
    while code and time.monotonic() < deadline:
        code, out = poll(link, "--rounds", "3")
    assert code == 0, out
    link.process.send_signal(signal.SIGTERM)
    _, log = link.process.communicate(timeout=20)
    assert link.process.returncode == 0
    assert "modem does not answer: reset" in log and "requests by radio" in log, log
    assert re.search(r"resets of the modem: [3-9]", log), log
