# SPDX-License-Identifier: GPL-2.0-only
"""Where things are."""

import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
DATA = pathlib.Path(os.environ.get("QS1_DATA", ROOT / ".." / "shared" / "data"))
