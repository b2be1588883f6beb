# SPDX-License-Identifier: GPL-2.0-only
"""The whole chain in its ordinary world: plant, firmware, driver, daemon, tool."""

import json

import pytest

from board import promises, wave
from board.promises import led_meaning, leds
from board.status import INPUTS, PRODUCING, state_of


def test_the_plant_the_firmware_and_linux_agree_that_it_produces(board, agent):
    truth = board.status()["truth"]
    assert board.attribute("state") in PRODUCING
    assert truth["relay"]
    assert truth["grid"]["p"] > 100, "the unit feeds the grid"


def test_the_kernel_is_debians_unmodified_armmp(agent):
    assert agent.check("uname -r").endswith("-armmp")
    assert agent.check("uname -m") == "armv7l"


def test_modules_were_loaded_by_their_device_tables(agent):
    loaded = agent.check("lsmod")
    for module in ("qs1_core", "qs1_iio", "qs1_gpio", "qs1_ivshmem"):
        assert f"{module} " in loaded


def test_the_meter_agrees_with_the_plants_truth_within_the_stated_accuracy(board):
    found = promises.deviations(promises.compare(board))
    assert set(found) == set(promises.ACCURACY), "every class of quantity was compared"
    outside = [figure for share, figure in found.values() if share > 1]
    assert not outside


def power_of_inputs(board):
    """By the meter, {input: W}."""
    found = promises.compare(board, 2)
    return {n: found[(f"pv{n}", "p")].meter for n in range(1, INPUTS + 1)}


def test_a_step_of_the_sun_is_felt_by_the_meter(board):
    before = power_of_inputs(board)
    board.world.do("sun 2 300")
    try:
        board.wait(f"input 2 under {before[2] * 0.6:.0f} W in the plant",
                   lambda: board.status()["truth"]["pv2"]["p"] < before[2] * 0.6, 20)
        after = power_of_inputs(board)
        assert after[2] < before[2] * 0.6
        assert after[1] == pytest.approx(before[1], rel=0.05)
    finally:
        board.world.do("sun 2 800")


def test_the_waveform_comes_without_loss_at_the_control_rate(board):
    for promise in promises.wave_promises(promises.capture(board)):
        assert promise.held, promise


def test_the_grid_voltage_of_the_waveform_is_a_sine_of_the_grids_amplitude(board, agent):
    capture = wave.capture(agent, 4000)
    volts = capture.quantity(agent, "grid", "voltage")
    rms = (sum(v * v for v in volts[:4000 - 4000 % 333]) / (4000 - 4000 % 333)) ** 0.5
    assert rms == pytest.approx(board.status()["truth"]["grid"]["v"], rel=0.02)


def test_the_leds_show_producing(agent):
    shown = leds(agent)
    assert led_meaning(shown["green"]) == "every 2 s", "no ECU has asked for a report"
    assert led_meaning(shown["red"]) == "off"


def test_qs1ctl_status_is_json_with_the_inverters_quantities(agent):
    status = json.loads(agent.check("qs1ctl status --json"))
    for key in ("state", "profile", "faults"):
        assert key in status
    assert status["state"] in PRODUCING
    assert status["profile"] == "note1"


def test_qs1ctl_status_shows_the_same_state_to_a_person(board, agent):
    assert state_of(board.status()) in agent.check("qs1ctl status")


def test_iio_tools_find_both_devices_and_read_every_attribute(agent):
    listing = agent.shell("iio_info 2>&1").out
    assert "qs1-wave" in listing and "qs1-meter" in listing
    assert "ERROR" not in listing


def test_scenario_words_work_in_the_guests_shell(board, agent):
    agent.check("sun 1 700")
    assert board.status()["truth"]["pv1"]["sun"] == pytest.approx(700)
    agent.check("sun 1 800")
    result = agent.shell("sun 1 bright")
    assert result.status == 1
    assert "bright" in result.err


def test_shutdown_and_start_by_command(board, agent):
    agent.check("qs1ctl stop")
    board.wait_state("shutdown", timeout_s=10)
    board.wait_nothing_fed()
    agent.check("qs1ctl start")
    board.skip_enter_service()
    board.wait_state(*PRODUCING)


def test_the_kernel_log_holds_no_warning(agent):
    assert promises.kernel_splats(agent) == []
