# SPDX-License-Identifier: GPL-2.0-only
"""Where things are."""

import pathlib

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
DATA = ROOT / "tests" / "data"
