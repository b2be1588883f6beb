# SPDX-License-Identifier: GPL-2.0-only
"""The Makefile's promises that no build shows."""

import subprocess

import pytest

from paths import ROOT


def make(*args):
    return subprocess.run(["make", *args], cwd=ROOT, capture_output=True, text=True)


@pytest.mark.parametrize("args", [["run"], ["test"], ["run", "HEADLESS=1"], ["-k", "test"]])
def test_packages_are_asked_for_before_anything_is_built(args):
    done = make(*args, "DEPS=false")
    assert done.returncode == 2 and "missing Debian packages" in done.stderr, done.stderr
    assert not done.stdout


@pytest.mark.parametrize("args", [["help"], ["--dry-run", "clean"], ["--dry-run", "sim"]])
def test_what_builds_nothing_needs_no_package(args):
    done = make(*args, "DEPS=false")
    assert done.returncode == 0, done.stderr
