# SPDX-License-Identifier: GPL-2.0-only
"""The firmware stops, starts, crashes, and the driver goes and comes back."""

import pytest

from board.promises import kernel_splats
from board.status import PRODUCING, state_of

REMOTEPROC = "/sys/class/remoteproc/remoteproc0"


pytestmark = pytest.mark.usefixtures("producing_again")


def starts(board):
    """Times that the coprocessor left reset."""
    return board.status()["coproc"]["starts"]


def test_remoteproc_carries_the_boards_name(agent):
    assert agent.check(f"cat {REMOTEPROC}/name") == "qs1-coproc"
    assert agent.check(f"cat {REMOTEPROC}/state") == "running"


def test_a_stray_stop_is_refused_while_it_produces(board, agent):
    before = starts(board)
    refused = agent.shell(f"env printf stop >{REMOTEPROC}/state")
    assert refused.status != 0 and "Device or resource busy" in refused.err
    assert state_of(board.status()) in PRODUCING
    assert starts(board) == before


def test_stop_holds_the_coprocessor_in_reset_and_start_brings_it_back(board, agent):
    before = starts(board)
    agent.check("qs1ctl stop")
    board.wait_state("shutdown", timeout_s=30)
    agent.check(f"echo stop >{REMOTEPROC}/state")
    assert board.status()["coproc"]["state"] == "reset"
    board.wait_nothing_fed()
    agent.check(f"echo start >{REMOTEPROC}/state")
    assert board.status()["coproc"]["state"] == "running"
    assert starts(board) == before + 1
    agent.check("qs1ctl start")


@pytest.mark.parametrize("fault", ["crash", "hang"])
def test_a_crashed_coprocessor_is_recovered_and_produces_again(board, agent, fault):
    crashes = int(board.attribute("coproc_crashes"))
    before = starts(board)
    board.world.do(f"fault coproc {fault}")
    board.wait("a crash counted by the driver",
               lambda: int(board.attribute("coproc_crashes")) > crashes, 30)
    board.wait("the firmware started again", lambda: starts(board) > before, 30)
    assert "firmware crashed" in agent.check("dmesg")


def test_only_the_policy_arms_a_recovered_firmware(board, agent):
    agent.check("qs1ctl stop")
    board.wait_state("shutdown", timeout_s=10)
    before = starts(board)
    board.world.do("fault coproc crash")
    board.wait("the firmware started again", lambda: starts(board) > before, 30)
    board.wait("telemetry of the new firmware", lambda: board.status()["firmware"], 10)
    assert not board.status()["firmware"]["armed"]
    agent.check("qs1ctl start")


def test_modules_unload_and_load_again(board, agent):
    agent.check("systemctl stop qs1d")
    agent.check("modprobe -r qs1_ivshmem qs1_iio qs1_gpio qs1_pwm qs1_hwmon")
    assert board.status()["coproc"]["state"] == "reset"
    assert "qs1" not in agent.check("lsmod | cut -d' ' -f1")
    assert agent.shell("ls /sys/bus/iio/devices").out == ""
    agent.check("modprobe qs1_ivshmem && udevadm trigger --subsystem-match=auxiliary "
                "--action=add && udevadm settle")
    board.wait("the coprocessor running", lambda: board.status()["coproc"]["state"] == "running",
               20)
    agent.check("systemctl start qs1d")


def test_the_kernel_log_holds_no_warning_after_all_this(agent):
    assert kernel_splats(agent) == []
