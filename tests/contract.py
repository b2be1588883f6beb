# SPDX-License-Identifier: GPL-2.0-only
"""What tests know of the contract, read from its headers."""

import re

from paths import ROOT

ABI = (ROOT / "include" / "qs1" / "abi.h").read_text()
VHW = (ROOT / "include" / "qs1" / "vhw.h").read_text()

LAYOUT_VERSION = int(re.search(r"#define QS1_LAYOUT_VERSION (\d+)u", ABI)[1])

# Of the contract in the virtual board's memory, and of that memory for the coprocessor.
SHM_OFFSET = int(re.search(r"QS1_VHW_SHM_OFFSET (0x\w+)u", VHW)[1], 16)
SHM_DA = int(re.search(r"QS1_VHW_DA (0x\w+)u", VHW)[1], 16)


def offsets(structure):
    """Where members of a structure are, those of which the header asserts it."""
    return {name: int(offset, 0) for name, offset in
            re.findall(rf"offsetof\(struct {structure}, (\w+)\) == (\w+)\)", ABI)}


# The range of each parameter, in the order of their numbers.
PARAM_RANGES = [(int(low), int(high)) for low, high in re.findall(
    r'\bX\([A-Z0-9_]+, "\w+", \d+, -?\d+, (-?\d+), (-?\d+), ',
    (ROOT / "include" / "qs1" / "params.h").read_text())]

# Instructions that a control period may take on the Cortex-M4. The slowest of the boards, the AM57xx, has
# 29 us for them after its converters: 3 cycles for each at 212.8 MHz.
CONTROL_PERIOD_INSTRUCTIONS = 2000
