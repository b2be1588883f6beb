# SPDX-License-Identifier: GPL-2.0-only
"""What qs1ctl offers is what its manual page and its completions know."""

import re
import subprocess

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


@pytest.mark.parametrize("words", [["set", "vv_q4_pu", "-0.44"], ["set", "--", "vv_q4_pu", "-.44"],
                                   ["-j", "set", "vv_q4_pu", "-0.44"]])
def test_a_negative_number_is_no_option(words, tmp_path):
    socket = tmp_path / "none"
    done = subprocess.run([PROGRAM, "-s", socket, *words], capture_output=True, text=True)
    assert done.returncode == 1
    assert str(socket) in done.stderr, "it has come to ask the daemon"
