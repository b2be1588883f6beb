# SPDX-License-Identifier: GPL-2.0-only
"""Shared by all system tests: a virtual board that boots once for each module."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

from board.board import Board  # noqa: E402  (the path must be set first)


# Four modules at 800 W/m2 give 1190 W, less the losses.
FULL_POWER_W = 1100


@pytest.fixture(scope="module")
def board():
    """The default world, producing."""
    with Board(report=print) as running:
        running.go()
        running.wait_state("producing")
        running.wait("the ramp to full power",
                     lambda: running.status()["truth"]["grid"]["p"] > FULL_POWER_W, 30)
        yield running


@pytest.fixture(scope="module")
def agent(board):
    """Commands in the guest."""
    return board.agent
