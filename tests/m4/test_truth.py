# SPDX-License-Identifier: GPL-2.0-only
"""A reading of the meter is compared with the truth at the time of its snapshot."""

import json
import re
import struct
import threading
import time

import pytest

from contract import offsets
from fake_guest import GPIO_OUT, HEARTBEAT, SHM, Rig, until
from paths import ROOT

TELEMETRY = SHM + 0x280
AT = offsets("qs1_telemetry")
OP_SET_PARAM, OP_PROFILE_BEGIN, OP_PROFILE_COMMIT, OP_ARM = 2, 4, 5, 7
ENABLE, ESTOP_N = 4, 8
ES_DELAY_S = [name for name in re.findall(r'\bX\([A-Z0-9_]+, "(\w+)", ', (ROOT / "include/qs1/params.h")
                                          .read_text())].index("es_delay_s")

# Input 1 has a second maximum, which its tracker looks for every 4 s with a step of the voltage.
SHADED = """
sun all 900
at 0.1 shade 1 1/3 0.6
run 100
"""
PROBES_S = 13

# As scripts/board/promises.py has it for a PV voltage.
RELATIVE, LEAST_V = 0.01, 0.2


@pytest.fixture
def producing(tmp_path):
    """A board with a shaded module, without Linux, that produces."""
    scenario = tmp_path / "shaded.scn"
    scenario.write_text(SHADED)
    rig = Rig(tmp_path, "native", "--scenario", scenario, "--hold")
    guest = rig.guest
    end = threading.Event()

    def heartbeat():
        count = 0
        while not end.wait(0.1):
            count += 1
            guest.write(HEARTBEAT, count)
    thread = threading.Thread(target=heartbeat, daemon=True)
    try:
        guest.start()
        thread.start()
        guest.write(GPIO_OUT, ENABLE | ESTOP_N)
        for command in ((OP_PROFILE_BEGIN,), (OP_SET_PARAM, ES_DELAY_S, 0), (OP_PROFILE_COMMIT,),
                        (OP_ARM,)):
            assert guest.command(*command)[0] == 0, command
        # The scenario counts its time from here; the firmware goes on counting its own.
        assert rig.control.ask("go") == "ok"
        until("production",
              lambda: rig.control.status()["firmware"]["state"] == "producing", 30)
        until("the ramp to full power",
              lambda: rig.control.status()["truth"]["grid"]["p"] > 700, 30)
        yield rig
    finally:
        end.set()
        thread.join()
        rig.kill()


def snapshot(guest):
    """(ticks, V of input 1) of a whole snapshot."""
    while True:
        before = guest.read(TELEMETRY)
        ticks, = struct.unpack_from("<Q", guest.memory, TELEMETRY + AT["ticks"])
        volts = guest.read(TELEMETRY + AT["vpv_mv"]) / 1e3
        if not before & 1 and guest.read(TELEMETRY) == before:
            return ticks, volts


def share(reading, low, high):
    """The deviation as a share of what is allowed."""
    return max(low - reading, reading - high, 0) / max(RELATIVE * (low + high) / 2, LEAST_V)


def test_a_tracker_that_probes_is_no_error_of_the_meter(producing):
    same_time, now, volts = [], [], []
    begun = time.monotonic()
    while time.monotonic() - begun < PROBES_S:
        ticks, reading = snapshot(producing.guest)
        truth = producing.control.status()["truth"]["pv1"]["v"]
        bounds = json.loads(producing.control.ask(f"truth {ticks}"))
        low, high = (bounds[key]["pv1"]["v"] for key in ("low", "high"))
        volts.append(reading)
        same_time.append((share(reading, low, high), reading, low, high))
        now.append(share(reading, truth, truth))
        time.sleep(0.003)
    assert max(volts) - min(volts) > 3, "the tracker probed"
    assert max(now) > 1, "the truth of another moment is outside of what is allowed"
    assert max(same_time)[0] <= 1, max(same_time)
    steady = sorted(high - low for _, _, low, high in same_time)[len(same_time) // 2]
    assert steady < LEAST_V, "the bounds are narrow while nothing moves"


@pytest.mark.parametrize("request_text", ["truth", "truth ", "truth x", "truth -1", "truth 99999999999",
                                          "truth 1", "truth 99999999999999999999"])
def test_a_time_that_is_not_recorded_is_refused(tmp_path, request_text):
    rig = Rig(tmp_path, "native")
    try:
        rig.guest.start()
        assert rig.control.ask(request_text).startswith("error: ")
        assert rig.control.status()["truth"]
    finally:
        rig.kill()
