# SPDX-License-Identifier: GPL-2.0-only
"""What tests know of the contract, read from its header."""

import re

from paths import ROOT

LAYOUT_VERSION = int(re.search(r"#define QS1_LAYOUT_VERSION (\d+)u",
                               (ROOT / "include" / "qs1" / "abi.h").read_text())[1])

# The range of each parameter, in the order of their numbers.
PARAM_RANGES = [(int(low), int(high)) for low, high in re.findall(
    r'\bX\([A-Z0-9_]+, "\w+", \d+, -?\d+, (-?\d+), (-?\d+), ',
    (ROOT / "include" / "qs1" / "params.h").read_text())]
