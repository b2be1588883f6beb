# SPDX-License-Identifier: GPL-2.0-only
"""qs1ctl on the live unit: waveforms, the flight recorder, the walk of the manual."""

import csv
import json
import math

import pytest

from board.promises import CONTROL_HZ
from board.status import PRODUCING

LIMIT_S = 60

pytestmark = pytest.mark.usefixtures("producing_again")


def test_scope_captures_the_grid_as_the_plant_has_it(board, agent):
    capture = json.loads(agent.check("qs1ctl scope grid --time 0.2 --json"))
    assert capture["scan_hz"] == CONTROL_HZ
    assert capture["scans"] == 0.2 * CONTROL_HZ
    assert capture["lost"] == 0
    assert set(capture["channels"]) == {"grid.v", "grid.i"}
    volts = capture["channels"]["grid.v"]
    assert len(volts["values"]) == capture["scans"]
    assert volts["rms"] == pytest.approx(board.status()["truth"]["grid"]["v"], rel=0.02)
    rms = math.sqrt(sum(v * v for v in volts["values"]) / len(volts["values"]))
    assert rms == pytest.approx(volts["rms"], rel=0.001)


def test_scope_starts_at_its_trigger(agent):
    text = agent.check("qs1ctl scope grid.v --time 0.02 --trigger grid.v=100 --csv -")
    rows = list(csv.DictReader(text.splitlines()))
    assert len(rows) == 0.02 * CONTROL_HZ
    zero = [float(row["time_s"]) for row in rows].index(0)
    assert float(rows[zero - 1]["grid.v_V"]) < 100 <= float(rows[zero]["grid.v_V"])


def test_scope_draws_a_picture(agent):
    agent.check("qs1ctl scope all --plot /run/scope.png")
    assert agent.run(["/bin/cat", "/run/scope.png"]).stdout.startswith(b"\x89PNG\r\n\x1a\n")


def test_calibration_measures_channels_and_keeps_them(agent):
    """The reference is 2.048 V within the sensor's +-0.05 % and +-2 counts; a point for each call."""
    agent.check("rm -f /run/points; qs1ctl calibrate point /run/points reference.v 2.048")
    agent.check("qs1ctl calibrate point /run/points reference.v 2.048")
    line = json.loads(agent.check("qs1ctl calibrate show /run/points --json"))["reference.v"]
    assert line["points"] == 2 and line["verdict"] == "points too close"
    lines = agent.check("cat /run/points").splitlines()
    assert len(lines) == 3
    for text in lines[:2]:
        assert abs(float(text.split()[1]) - 16384) <= 16384 * 0.0005 + 2
    agent.check("sed -i s/2.048/2.049/ /run/points")
    assert agent.shell("qs1ctl calibrate show /run/points").status == 1


def test_scope_and_daemon_do_not_disturb_each_other(board, agent):
    """The daemon does not read the stream, and a reader of the stream is left alone."""
    agent.check("qs1ctl scope all --time 3 >/dev/null")
    assert board.attribute("state") in PRODUCING
    result = agent.shell("iio_readdev -u local: -b 2000 -s 40000 qs1-wave >/dev/null & sleep 1; "
                         "qs1ctl scope grid; status=$?; wait; exit $status")
    assert result.status == 1
    assert "another program reads it" in result.err
    assert board.attribute("state") in PRODUCING


def test_doctor_finds_nothing_wrong_with_a_producing_unit(agent):
    steps = json.loads(agent.check("qs1ctl doctor --json"))["steps"]
    assert {step["result"] for step in steps} == {"good"}
    assert all(step["reading"] and step["allowed"] for step in steps)


def wrong_steps(agent):
    """What doctor finds wrong: {step: (reading, advice)}."""
    found = agent.shell("qs1ctl doctor --json")
    steps = json.loads(found.out)["steps"]
    wrong = {step["step"]: (step["reading"], step["advice"]) for step in steps
             if step["result"] == "wrong"}
    assert found.status == (4 if wrong else 0)
    return wrong


def test_doctor_names_what_is_wrong_with_the_grid_and_what_to_do(board, agent):
    board.world.do("grid v 0.3")
    # The daemon reads the meter once a second; the reading is a mean of the past.
    expected = {"grid voltage", "active faults", "production"}

    def seen():
        found = wrong_steps(agent)
        if not expected <= set(found):
            return None
        settled = float(found["grid voltage"][0].split()[0]) == pytest.approx(72, rel=0.05)
        return found if settled else None
    wrong = board.wait("doctor to see the sag", seen, LIMIT_S)
    assert wrong["active faults"][0].startswith("UV")
    assert all(advice for _, advice in wrong.values())


def test_dump_shows_the_last_trip_and_what_led_to_it(board, agent):
    board.world.do("grid v 0.3")
    board.wait_state("waiting", timeout_s=LIMIT_S)

    def recorded():
        dump = json.loads(agent.check("qs1ctl dump --json"))
        return dump if dump["decisions"][-1]["saw"]["state"] == "waiting" else None
    dump = board.wait("the recorder to see it", recorded, LIMIT_S)
    trip, decisions = dump["trip"], dump["decisions"]
    assert trip["fault"] == "UV2"
    assert trip["state"] in PRODUCING
    volts = trip["wave"]["channels"]["grid.v"]["values"]
    zero = round(-trip["wave"]["first_s"] * CONTROL_HZ)
    cycle = CONTROL_HZ // 60
    before = max(abs(v) for v in volts[:cycle])
    after = max(abs(v) for v in volts[zero:zero + cycle])
    assert before == pytest.approx(339, rel=0.05), "the recording begins before the sag"
    assert after == pytest.approx(0.3 * 339, rel=0.2), "the trip is in the sag"
    assert any("UV2" in d["saw"]["faults_active"] for d in decisions)
    agent.check("qs1ctl dump --plot /run/dump.png")
    assert agent.run(["/bin/cat", "/run/dump.png"]).stdout.startswith(b"\x89PNG\r\n\x1a\n")


def test_events_can_be_followed_by_a_program(board, agent):
    """It follows events until it is killed; the limit allows for a slow machine."""
    agent.check("qs1ctl events --follow --json >/run/events 2>/dev/null & echo $! >/run/follower")
    try:
        board.wait("the follower", lambda: agent.shell("test -s /run/events").status == 0, LIMIT_S)
        agent.check("qs1ctl stop")

        def followed():
            lines = agent.check("cat /run/events").splitlines()
            events = [json.loads(line) for line in lines]
            return events if "shutdown" in {e.get("to") for e in events[-8:]} else None
        events = board.wait("the shutdown's event", followed, LIMIT_S)
    finally:
        agent.check("kill $(cat /run/follower)")
    assert [e["number"] for e in events] == sorted(e["number"] for e in events)
