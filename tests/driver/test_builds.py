# SPDX-License-Identifier: GPL-2.0-only
"""The driver outside the board: its unit tests, the kernel's own tools, other kernels, DKMS, and
the kernel that looks for faults, which runs the driver's suites of the board once more."""

import os
import subprocess

import pytest

from paths import ROOT

pytestmark = pytest.mark.long

# Kernels are built once, then kept in the cache.
KERNEL_BUILD_S = 4 * 3600


def make(*arguments, timeout_s=KERNEL_BUILD_S, **environment):
    done = subprocess.run(["make", *arguments], cwd=ROOT, capture_output=True, text=True,
                          timeout=timeout_s, env=dict(os.environ, **environment))
    print(done.stdout, done.stderr)
    return done


def test_kunit_suites_pass_under_kasan():
    done = make("kunit")
    assert done.returncode == 0
    assert "Testing complete. Ran" in done.stdout


def test_the_kernels_own_tools_report_nothing():
    assert make("driver-check").returncode == 0


def test_patches_for_the_kernel_apply_build_and_work():
    assert make("upstream-check").returncode == 0


def test_driver_builds_for_all_kernels_and_with_dkms():
    assert make("driver-matrix").returncode == 0


@pytest.mark.parametrize("kernel", ["debug", "kasan"])
def test_suites_pass_on_a_kernel_that_looks_for_faults(kernel):
    assert make(f"driver-{kernel}-test").returncode == 0
