# SPDX-License-Identifier: GPL-2.0-only
"""Shared by all system tests: a virtual board that boots once for each module."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

from board.board import Board  # noqa: E402  (the path must be set first)


@pytest.fixture(scope="module")
def board():
    """The default world, producing."""
    with Board(report=print) as running:
        running.go()
        running.wait_state("producing")
        yield running


@pytest.fixture(scope="module")
def agent(board):
    """Commands in the guest."""
    return board.agent
