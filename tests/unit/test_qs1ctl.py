# SPDX-License-Identifier: GPL-2.0-only
"""The manual page and the completions of qs1ctl match its commands and options; its command line."""

import json
import re
import socket
import subprocess
import threading

import pytest

from paths import BUILD, ROOT

PROGRAM = BUILD / "host/bin/qs1ctl"
MANUAL = ROOT / "Documentation/man/qs1ctl.1"
COMPLETIONS = [ROOT / f"userspace/qs1ctl/qs1ctl.{shell}" for shell in ("bash", "zsh")]


def help_text():
    return subprocess.run([PROGRAM, "--help"], capture_output=True, text=True, check=True).stdout


def options():
    """Long options but for argp's own."""
    return set(re.findall(r"--([a-z]+)", help_text().split("Commands:")[0])) - {"help", "usage"}


def usages():
    return [line.split("  ")[0].split() for line in
            re.findall(r"^  qs1ctl (.*)$", help_text(), re.M)]


def commands():
    return {words[0] for words in usages()}


def bash_completes(*words):
    """What bash offers for the last of some words."""
    script = (f". {COMPLETIONS[0]}; COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); _qs1ctl; "
              "printf '%s\\n' \"${COMPREPLY[@]}\"")
    done = subprocess.run(["bash", "-c", script, "bash", "qs1ctl", *words], capture_output=True,
                          text=True, check=True)
    return set(done.stdout.split())


def test_the_manual_has_every_command_and_option():
    text = MANUAL.read_text()
    for usage in usages():
        words = [word for word in usage if word.islower() and word.isalpha()]
        assert f".It Cm {' '.join(words)}" in text, usage
    for option in options():
        assert re.search(rf"Fl -{option}\b", text), option


def test_the_manual_has_nothing_else():
    text = MANUAL.read_text()
    assert set(re.findall(r"^\.It Cm (\w+)", text, re.M)) == commands()
    assert set(re.findall(r"Fl -([a-z]+)", text)) == options()


def test_bash_completes_commands_and_options():
    assert bash_completes("") == commands()
    assert bash_completes("--") == {f"--{name}" for name in options() | {"help"}}
    assert bash_completes("-o", "json", "sc") == {"scope"}
    assert bash_completes("profile", "") == {w[1] for w in usages() if w[0] == "profile"}
    assert bash_completes("--output", "") == {"text", "kv", "json"}


def test_zsh_completion_has_every_command_and_option():
    text = COMPLETIONS[1].read_text()
    offered = re.search(r"1:command:\(([^)]*)\)", text)[1].split()
    assert set(offered) == commands()
    assert set(re.findall(r"\{-\w,--([a-z]+)=?\}", text)) == options()


@pytest.mark.parametrize("words", [["scope"], ["dump", "now"], ["doctor", "x"], ["calibrate", "show"],
                                   ["fly"], []])
def test_a_wrong_command_line_is_answered_with_the_usage(words):
    done = subprocess.run([PROGRAM, *words], capture_output=True, text=True)
    assert done.returncode == 2
    assert "qs1ctl " in done.stderr and "expected" in done.stderr


@pytest.mark.parametrize("words", [["--fly"], ["-o", "xml", "status"], ["scope", "-t"]])
def test_a_wrong_option_is_answered_with_where_to_read(words):
    done = subprocess.run([PROGRAM, *words], capture_output=True, text=True)
    assert done.returncode == 2
    assert "qs1ctl --help" in done.stderr


class Daemon:
    """Answers each command with the test's answer, and records the requests."""

    def __init__(self, path, **results):
        self.path = path
        self.results = results
        self.requests = []
        self.listener = socket.create_server(str(path), family=socket.AF_UNIX)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            connection, _ = self.listener.accept()
            with connection, connection.makefile("rw") as stream:
                request = json.loads(stream.readline())
                self.requests.append(request)
                answer = ({"ok": True, "result": self.results[request["cmd"]]}
                          if request["cmd"] in self.results
                          else {"ok": False, "error": {"message": "not allowed now"}})
                stream.write(json.dumps({"v": 1, **answer}) + "\n")
                stream.flush()

    def ask(self, *words, **options):
        return subprocess.run([PROGRAM, "-s", self.path, *words], text=True,
                              **{"capture_output": True, **options})


SOUND = {"inverter": "ok", "shutdown": False, "state": "producing", "enter_service_s": 0,
         "faults": {"latched": [], "active": []},
         "meter": {"grid": {"v": 240, "f": 60}, "temp_c": 40,
                   **{f"pv{n}": {"v": 36} for n in range(1, 5)}}}
LIMITS = {"v_nom_v": 240, "es_v_min_pu": 0.92, "es_v_max_pu": 1.05, "es_f_min_hz": 59.5,
          "es_f_max_hz": 60.5, "pv_min_v": 16, "pv_max_v": 55, "derate_start_c": 70}


def test_the_version_is_the_packages():
    done = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, check=True)
    changelog = (ROOT / "debian/changelog").read_text()
    dkms = (ROOT / "dkms.conf").read_text()
    version = re.match(r"qs1 \(([^)]+)\)", changelog)[1]
    assert done.stdout == f"qs1ctl {version}\n"
    assert f'PACKAGE_VERSION="{version}"' in dkms


def test_exit_statuses_are_distinct(tmp_path):
    daemon = Daemon(tmp_path / "socket", get=LIMITS, status=SOUND)
    assert daemon.ask("doctor").returncode == 0
    assert daemon.ask("start").returncode == 1, "refused"
    assert daemon.ask("start", "now").returncode == 2, "wrong command line"
    daemon.results["status"] = {**SOUND, "shutdown": True}
    assert daemon.ask("doctor").returncode == 4, "a problem"
    absent = subprocess.run([PROGRAM, "-s", tmp_path / "absent", "status"], capture_output=True,
                            text=True)
    assert absent.returncode == 3
    assert "qs1d does not run, see 'systemctl status qs1d'" in absent.stderr


def test_doctor_prints_a_table_with_advice_below_what_failed(tmp_path):
    sag = {**SOUND["meter"], "grid": {"v": 116.2, "f": 60}}
    daemon = Daemon(tmp_path / "socket", get=LIMITS, status={**SOUND, "meter": sag})
    done = daemon.ask("doctor")
    lines = done.stdout.splitlines()
    row = next(i for i, line in enumerate(lines) if "grid voltage" in line)
    assert lines[row].split() == "FAILED grid voltage 116.20 V 220.80 to 252.00 V".split()
    assert lines[row + 1].strip() == "-> wait; if it lasts, call the utility or check the profile"
    assert sum(line.startswith("FAILED") for line in lines) == 1
    assert lines[0].index("allowed") == lines[row].index("220.80"), done.stdout
    assert "1 check failed" in done.stderr


def test_status_shows_each_limit_with_owner_and_lease(tmp_path):
    limits = [{"owner": "utility", "w": 600, "lease_s": 900, "then": 1200},
              {"owner": "owner", "w": 900, "lease_s": None, "then": None}]
    daemon = Daemon(tmp_path / "socket", status={**SOUND, "stored": True, "limits": limits})
    assert json.loads(daemon.ask("-j", "status").stdout)["limits"] == limits
    text = daemon.ask("status").stdout
    assert re.search(r"utility +600 W +900 s left +1200 W then", text), text
    assert "limits.0.owner=utility" in daemon.ask("-o", "kv", "status").stdout


def test_a_full_disk_is_named_in_the_message(tmp_path):
    daemon = Daemon(tmp_path / "socket", get=LIMITS, status=SOUND)
    with open("/dev/full", "w", encoding="utf-8") as full:
        for words in (["get"], ["-j", "get"], ["doctor"]):
            done = daemon.ask(*words, capture_output=False, stdout=full, stderr=subprocess.PIPE)
            assert done.returncode == 1 and "No space left on device" in done.stderr, words


@pytest.mark.parametrize("words", [["set", "vv_q4_pu", "-0.44"], ["set", "--", "vv_q4_pu", "-.44"],
                                   ["-j", "set", "vv_q4_pu", "-0.44"],
                                   ["set", "vv_q4_pu", "-0.44", "-j"],
                                   ["set", "vv_q4_pu", "-.44", "--output", "kv"]])
def test_a_negative_number_is_no_option(words, tmp_path):
    daemon = Daemon(tmp_path / "socket", set=None)
    assert daemon.ask(*words).returncode == 0
    request = daemon.requests[0]
    assert (request["name"], float(request["value"])) == ("vv_q4_pu", -0.44)
