# SPDX-License-Identifier: GPL-2.0-or-later
"""Command lines of all programs that packages install."""

import re
import subprocess

import pytest

from paths import BUILD, ROOT

COLUMNS = 80
PROGRAMS = {"qs1ctl": 1, "qs1d": 8, "linkd": 8, "ecuctl": 1, "ecud": 8, "emactl": 8, "emad": 8,
            "qs1-wpan": 8}

pytestmark = pytest.mark.parametrize("program", PROGRAMS)


def say(program, option):
    done = subprocess.run([BUILD / "host/bin" / program, option], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_help_fits_into_a_terminal(program):
    text = say(program, "--help")
    assert max(map(len, text.splitlines())) < COLUMNS
    commands = text.partition("\nCommands:\n")[2].splitlines()
    assert not [line for line in commands if not line.startswith("  ")]


def test_version_is_that_of_the_packages(program):
    version = re.search(r"\(([0-9.]+)", (ROOT / "debian/changelog").read_text()).group(1)
    assert say(program, "--version") == f"{program} {version}\n"


def test_manual_page_has_each_option(program):
    options = set(re.findall(r"--([a-z-]+)", say(program, "--help").partition("\nCommands:\n")[0]))
    page = (ROOT / f"Documentation/man/{program}.{PROGRAMS[program]}").read_text().replace("\\-", "-")
    for option in options - {"help", "usage"}:
        assert f"-{option}" in page, option
