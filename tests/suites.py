# SPDX-License-Identifier: GPL-2.0-only
"""The table of test suites."""

# Tests that run in one process, one after the other: those that need a machine in real time, those of a
# file, which share its fixtures, or one test.
REAL_TIME, FILE, TEST = "real time", "file", "test"
# A suite is a folder. The order is that in which they start: first what takes the longest.
SUITES = {"system": REAL_TIME, "m4": REAL_TIME, "site": REAL_TIME, "ecu": FILE, "static": FILE,
          "unit": FILE, "pru": FILE, "deb": FILE, "driver": FILE, "web": FILE, "ema": FILE,
          "fuzz": TEST, "conformance": TEST}
