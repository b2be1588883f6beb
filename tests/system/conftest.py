# SPDX-License-Identifier: GPL-2.0-only
"""Shared by all system tests: virtual boards, one at a time."""

import contextlib
import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

from board.board import Board  # noqa: E402  (the path must be set first)
from board.errors import BoardError  # noqa: E402
from board.status import PRODUCING  # noqa: E402


# Four modules at 800 W/m2 give 1190 W, less the losses.
FULL_POWER_W = 1100

# The default world, whatever a test has made of it.
WORLD = ("grid close", "grid f 60", "grid v 1", "sun all 800", "fault gfdi off",
         "fault sensor vref off")
# Driver, firmware and service at work, whatever a test has stopped.
HEAL = """
systemctl service-watchdogs yes
[ -e /sys/module/qs1_iio ] || {
	modprobe qs1_ivshmem
	udevadm trigger --subsystem-match=auxiliary --action=add && udevadm settle
}
grep -q running /sys/class/remoteproc/*/state ||
	echo start >"$(echo /sys/class/remoteproc/*/state)"
systemctl kill -s CONT qs1d
systemctl start qs1d || { systemctl reset-failed qs1d; systemctl start qs1d; }
"""
HEALED_S = 120


@contextlib.contextmanager
def booted():
    """The default world, producing at full power."""
    with Board(report=print) as board:
        board.go()
        board.wait_state("producing")
        wait_full_power(board)
        yield board


def wait_full_power(board):
    board.wait("the ramp to full power",
               lambda: board.status()["truth"]["grid"]["p"] > FULL_POWER_W, 30)


class SharedBoard:
    """The board of all modules that use the fixture board and do not define another one. It boots for
    the first of them.
    """

    def __init__(self):
        self.board = None
        self.running = contextlib.ExitStack()

    def get(self):
        """The board as booted() gives it: healed if that is possible, else another one."""
        if self.board:
            try:
                heal(self.board)
                wait_full_power(self.board)
                return self.board
            except BoardError as error:
                print(f"the shared board does not recover, another one boots: {error}")
                self.stop()
        self.board = self.running.enter_context(booted())
        return self.board

    def stop(self):
        self.board = None
        self.running.close()


def shares(item):
    return "shared_board" in getattr(item, "fixturenames", ())


def pytest_collection_modifyitems(items):
    """First the modules that share the board, so that it boots once."""
    ours = [item for item in items if item.path.parent == Path(__file__).parent]
    sharing = {item.path for item in ours if shares(item)}
    ordered = iter(sorted(ours, key=lambda item: item.path not in sharing))
    items[:] = [next(ordered) if item in ours else item for item in items]


@pytest.fixture(scope="session", name="the_board")
def _the_board():
    shared = SharedBoard()
    yield shared
    shared.stop()


@pytest.fixture(scope="module", autouse=True)
def _one_board_at_a_time(request, the_board):
    """Two boards would not both run in real time."""
    if not any(shares(item) for item in request.session.items if item.path == request.path):
        the_board.stop()


@pytest.fixture(scope="module")
def shared_board(the_board):
    return the_board.get()


@pytest.fixture(scope="module")
def own_board():
    """For a module that changes more than heal() repairs."""
    with booted() as board:
        yield board


@pytest.fixture(scope="module")
def board(shared_board):
    """The default world, producing. A module may define another board under this name."""
    return shared_board


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


def heal(board):
    """Make the board produce in the default world, whatever has become of both."""
    for statement in WORLD:
        board.world.do(statement)
    board.agent.shell(HEAL)
    board.wait("a daemon that may produce", lambda: released(board.agent), HEALED_S)
    board.skip_enter_service()
    board.wait_state(*PRODUCING)


@pytest.fixture
def producing_again(board):
    """After the test it produces in the default world, also when the test has failed."""
    yield
    heal(board)
