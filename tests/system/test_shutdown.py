# SPDX-License-Identifier: GPL-2.0-only
"""A shutdown of Linux leaves the power stage off and the coprocessor in reset."""

import re
import struct

import pytest

from contract import VHW

# What the driver last asked of the board, in the first page of its memory.
RUN = int(re.search(r"offsetof\(struct qs1_vhw, run\) == (\d+)\)", VHW)[1])
DOWN_S = 120

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def board(own_board):
    return own_board


def asked_to_run(board):
    memory = board.rundir.file("shm").read_bytes()[:4096]
    return struct.unpack_from("<I", memory, RUN)[0]


def test_shutdown_stops_production_and_the_coprocessor(board):
    assert asked_to_run(board) == 1
    guest = next(child for child in board.children if child.name == "guest")
    # Without qs1d, which disarms when it is stopped.
    board.agent.check("systemctl mask --runtime qs1d && systemctl kill -s KILL qs1d")
    board.agent.check("systemd-run --on-active=2 systemctl poweroff")
    guest.process.wait(DOWN_S)
    assert asked_to_run(board) == 0
    assert board.status()["coproc"]["state"] == "reset"
