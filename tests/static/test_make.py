# SPDX-License-Identifier: GPL-2.0-only
"""The Makefile's promises that no build shows."""

import os
import subprocess

import pytest

from paths import ROOT


def make(*args):
    """As a person would call it, not as a part of the make that runs the tests."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(["make", *args], cwd=ROOT, env=env, capture_output=True, text=True)


@pytest.mark.parametrize("args", [["run"], ["test"], ["run", "HEADLESS=1"], ["-k", "test"]])
def test_packages_are_asked_for_before_anything_is_built(args):
    done = make(*args, "DEPS=false")
    assert done.returncode == 2 and "missing Debian packages" in done.stderr, done.stderr
    assert not done.stdout


@pytest.mark.parametrize("args", [["help"], ["--dry-run", "clean"], ["--dry-run", "sim"]])
def test_what_builds_nothing_needs_no_package(args):
    done = make(*args, "DEPS=false")
    assert done.returncode == 0, done.stderr
