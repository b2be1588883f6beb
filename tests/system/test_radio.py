# SPDX-License-Identifier: GPL-2.0-only
"""The whole board at a modem: linkd, qs1d and the firmware answer by radio what the plant's truth says."""

import re
import subprocess

import pytest

from board.status import PRODUCING
from paths import BUILD
from sitesim.whole_board import label_of, serial_of, start_link, whole_board

ECU = "216000000001"
# Address of the second modem of qs1-ether.
ADDRESS = "1082"


def read(modem, serial, kind):
    done = subprocess.run([BUILD / "qs1-poll", "--port", modem, "--ecu", ECU, "--rounds", "3", *kind,
                           f"{serial}:{ADDRESS}"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return [line for line in done.stdout.splitlines() if line.startswith(serial)][-1]


@pytest.mark.long
def test_the_board_answers_by_radio_what_is_true(tmp_path):
    label = label_of(1)
    serial = serial_of(label)
    ether = subprocess.Popen([BUILD / "qs1-ether", "--modems", "2", "--ecu", ECU, "--folder", tmp_path],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        while ether.stdout.readline() != "ready\n":
            pass
        with whole_board((tmp_path / "modem1").resolve(), report=print) as board:
            start_link(board, label, ECU)
            board.go()
            board.skip_enter_service()
            board.wait_state(*PRODUCING)
            board.agent.check("sleep 5")
            own = read(tmp_path / "modem0", serial, ["--own"])
            stock = read(tmp_path / "modem0", serial, [])
            truth = board.status()["truth"]
            v, hz, watts = map(float, re.search(r"([\d.]+) V ([\d.]+) Hz ([\d.]+) W", own).groups())
            assert abs(v - truth["grid"]["v"]) < 1 and abs(hz - truth["grid"]["f"]) < 0.01, (own, truth)
            assert abs(watts - truth["grid"]["p"]) < 0.02 * truth["grid"]["p"], (own, truth)
            volts, amperes = map(float, re.search(r" A ([\d.]+) V ([\d.]+) A", stock).groups())
            assert abs(volts - truth["pv1"]["v"]) < 0.5 and abs(amperes - truth["pv1"]["i"]) < 0.2, \
                (stock, truth)
            # A report by radio is what "communicating with the ECU" means for the LED.
            leds = board.agent.check("qs1ctl status -j")
            assert "every-10s" in leds or "every 10 s" in leds, leds
    finally:
        ether.kill()
        ether.wait()
