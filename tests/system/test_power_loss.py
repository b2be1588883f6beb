# SPDX-License-Identifier: GPL-2.0-only
"""The store on a separate disk: power is lost and returns, or the disk hangs."""

import contextlib
import json
import subprocess

import pytest

from board.board import Board
from board.status import PRODUCING, state_of

STORE = "/var/lib/qs1"
# The mark of the first start must survive, too.
MARK = "/var/lib/qs1-mark"
DISK_MB = 8
LIMIT_S = 180
# What a loss of power may cost: qs1d(8).
LOSS_WH = 10
# How long the disk hangs.
HANG_S = 10

pytestmark = pytest.mark.long


@pytest.fixture
def disk(tmp_path):
    """A file system with a journal, as a real board has it."""
    image = tmp_path / "store.ext4"
    subprocess.run(["mke2fs", "-q", "-t", "ext4", image, f"{DISK_MB}M"], check=True)
    return image


@contextlib.contextmanager
def powered(disk, lost=False):
    """A board whose daemon keeps its state on @disk; the scenario has not started.

    At the end the board stops. With @lost all its processes are killed at once, so that data not
    synced to the disk is lost.
    """
    with Board(report=print, guest_args=[
            "-drive", f"file={disk},format=raw,if=none,id=store",
            "-device", "virtio-blk-pci,drive=store"]) as board:
        board.wait_agent().check(
            f"systemctl stop qs1d && mount /dev/vdb {STORE} && mkdir -p {STORE}/mark && "
            f"mount --bind {STORE}/mark {MARK} && chown qs1:qs1 {STORE} {MARK} && "
            f"chmod 700 {STORE} {MARK} && systemctl start qs1d")
        try:
            yield board
        finally:
            if lost:
                for child in board.children:
                    child.process.kill()


def service(board):
    return json.loads(board.agent.check("qs1ctl status --json"))


def energy_wh(status):
    """Of the inputs and the grid; None before the daemon has its first sample."""
    meter = status["meter"]
    if not meter:
        return None
    return [meter[name]["energy_wh"] for name in ("pv1", "pv2", "pv3", "pv4", "grid")]


def test_latch_shutdown_and_energy_outlive_a_loss_of_power(disk):
    with powered(disk, lost=True) as board:
        board.go()
        board.wait_state(*PRODUCING)
        board.wait("energy", lambda: (energy_wh(service(board)) or [0])[-1] > 0.5, LIMIT_S)
        board.world.do("fault gfdi on")
        board.wait("the latch in the daemon",
                   lambda: "GFDI" in service(board)["faults"]["latched"], LIMIT_S)
        board.agent.check("qs1ctl stop && qs1ctl set power_limit_w 900")
        before = service(board)
        fed_wh = board.status()["truth"]["grid"]["energy_wh"]

    with powered(disk) as board:
        board.go()
        # The new world has no ground fault, but no command has cleared the latch.
        board.wait_state("ground-fault", timeout_s=LIMIT_S)
        board.wait("the meter", lambda: service(board)["meter"], LIMIT_S)
        after = service(board)
        assert after["faults"]["latched"] == ["GFDI"] and after["shutdown"]
        assert after["set"] == before["set"] == {"power_limit_w": "900"}
        energies = list(zip(energy_wh(before), energy_wh(after)))
        print(f"energy before and after, Wh: {energies}; {fed_wh:.3f} Wh were fed in truth")
        assert all(was <= now for was, now in energies)
        assert fed_wh - LOSS_WH < energies[-1][1] < fed_wh * 1.02 + 0.01, "neither lost nor doubled"
        events = board.agent.check("qs1ctl events")
        assert "producing -> ground-fault (GFDI)" in events, "the log of the former life"

        board.agent.check("qs1ctl clear gfdi")
        board.wait_state("shutdown", timeout_s=LIMIT_S)
        board.agent.check("qs1ctl start")
        board.skip_enter_service()
        board.wait_state(*PRODUCING)


def test_an_acknowledged_command_survives_an_immediate_loss_of_power(disk):
    with powered(disk, lost=True) as board:
        board.go()
        board.wait_state(*PRODUCING)
        board.agent.check("qs1ctl stop")
    with powered(disk) as board:
        board.go()
        board.wait_state("shutdown", timeout_s=LIMIT_S)
        assert service(board)["shutdown"]
        assert state_of(board.status()) == "shutdown"


def test_a_disk_and_a_journal_that_hang_stop_neither_production_nor_a_stop(disk):
    """fsfreeze(8) blocks every write and fsync in the kernel, like a disk that hangs.
    host_timeout_s is the shortest that the firmware allows."""
    with powered(disk) as board:
        agent = board.agent
        board.go()
        board.skip_enter_service()
        board.wait_state(*PRODUCING)
        agent.check("qs1ctl set host_timeout_s 0.5")
        agent.check(f"systemctl kill -s STOP systemd-journald && fsfreeze --freeze {STORE}")
        try:
            agent.check("qs1ctl set power_limit_w 1190 >/run/set.log 2>&1 & echo $! >/run/set.pid")
            end = board.status()["t_s"] + HANG_S
            while board.status()["t_s"] < end:
                status = board.status()
                assert status["firmware"]["host_alive"], "the heartbeat goes on"
                assert state_of(status) in PRODUCING
            agent.check("kill -0 $(cat /run/set.pid)")  # it waits for the disk
            agent.check("qs1ctl stop >/run/stop.log 2>&1 & echo $! >/run/stop.pid")
            board.wait_state("shutdown", timeout_s=LIMIT_S)
        finally:
            agent.check(f"fsfreeze --unfreeze {STORE}; systemctl kill -s CONT systemd-journald")
        board.wait("the answers", lambda: agent.shell(
            "kill -0 $(cat /run/stop.pid) || kill -0 $(cat /run/set.pid)").status, LIMIT_S)
        assert not agent.check("cat /run/set.log /run/stop.log"), "both have succeeded"
        assert "HOST_LOST" not in agent.check("qs1ctl events")
        assert service(board)["set"] == {"host_timeout_s": "0.5", "power_limit_w": "1190"}
