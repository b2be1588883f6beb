# SPDX-License-Identifier: GPL-2.0-only
"""Shared by all system tests: a virtual board that boots once for each module."""

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

from board.board import Board  # noqa: E402  (the path must be set first)
from board.status import PRODUCING  # noqa: E402


# Four modules at 800 W/m2 give 1190 W, less the losses.
FULL_POWER_W = 1100

# The default world, whatever a test has made of it.
WORLD = ("grid close", "grid f 60", "grid v 1", "sun all 800", "fault gfdi off",
         "fault sensor vref off")
# Service and firmware at work, whatever a test has stopped.
HEAL = """
systemctl service-watchdogs yes
systemctl kill -s CONT qs1d
systemctl start qs1d
grep -q running /sys/class/remoteproc/remoteproc0/state ||
	echo start >/sys/class/remoteproc/remoteproc0/state
"""
HEALED_S = 120


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


def released(agent):
    """True when nothing that outlives power keeps it from producing; a person's part of it."""
    asked = agent.shell("qs1ctl status --json")
    if asked.status:
        return False
    status = json.loads(asked.out)
    if "GFDI" in status["faults"]["latched"]:
        agent.shell("qs1ctl clear gfdi")
    elif status["shutdown"]:
        agent.shell("qs1ctl start")
    else:
        return status["inverter"] == "ok"
    return False


@pytest.fixture
def producing_again(board):
    """After the test it produces in the default world, also when the test has failed."""
    yield
    for statement in WORLD:
        board.world.do(statement)
    board.agent.shell(HEAL)
    board.wait("a daemon that may produce", lambda: released(board.agent), HEALED_S)
    board.skip_enter_service()
    board.wait_state(*PRODUCING)
