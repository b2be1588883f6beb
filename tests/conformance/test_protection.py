# SPDX-License-Identifier: GPL-2.0-only
"""What latches, what commands do, inputs out of range, night."""

START = """
seed 1
module all LG400N2W-A5
temp 25
sun all 800
skip enter-service
"""


def codes(summary):
    return [t["code"] for t in summary["trips"]]


def states(summary):
    return [t["to"] for t in summary["transitions"]]


def test_ground_fault_stops_latches_and_needs_clearing(sim):
    summary = sim(START + """
at 6 fault gfdi on
at 8 cmd clear gfdi
at 9 fault gfdi off
at 20 cmd clear gfdi
run 30
""")
    assert codes(summary)[0] == "GFDI"
    assert len(summary["errors"]) == 1 and "refused" in summary["errors"][0]
    trip = summary["trips"][0]
    print(f"ground fault: ceased in {(trip['t_cease_s'] - 6) * 1000:.1f} ms")
    assert trip["t_cease_s"] - 6 < 0.1
    left = [t for t in summary["transitions"] if t["from"] == "ground-fault"]
    assert len(left) == 1 and 20 <= left[0]["t_s"] < 20.1, "cleared only once the fault was gone"


def test_ground_fault_that_lasts_can_not_be_cleared(sim):
    summary = sim(START + "at 6 fault gfdi on\nat 8 cmd clear gfdi\nrun 12\n")
    assert states(summary)[-1] == "ground-fault"


def test_shutdown_and_start_by_command(sim):
    summary = sim(START + "at 6 cmd shutdown\nat 8 cmd start\nat 8 set es_delay_s 0\nrun 14\n")
    assert "shutdown" in states(summary)
    assert states(summary)[-1] == "producing"


def test_input_above_55_v_rests_and_the_others_go_on(sim):
    # 45 V at the maximum power point is 56 V open, between 55 and 60 V
    summary = sim("""
seed 1
module all LG400N2W-A5
module 1 en50530 300 45 csi
cell all 25
sun all 1000
skip enter-service
at 6 mark start
run 10
""")
    assert "producing" in states(summary)
    assert codes(summary) == []
    assert summary["dc"]["p"][0] < 1
    assert min(summary["dc"]["p"][1:]) > 200


def test_too_hot_stops_and_comes_back_once_cooler(sim):
    summary = sim(START + "set es_delay_s 1\nat 6 sensor offset tcase 40\n"
                  "at 10 sensor offset tcase 0\nrun 25\n")
    assert codes(summary) == ["OVERTEMP"]
    assert summary["trips"][0]["t_cease_s"] - 6 < 0.1
    assert states(summary)[-1] == "producing"


def test_grid_above_the_link_is_no_night(sim):
    # its crest, 451 V, is above the link, which the bridge's diodes then charge
    summary = sim(START + "set es_delay_s 1\nat 6 grid v 1.33\nat 7 grid v 1\nrun 14\n")
    assert states(summary)[-4:] == ["producing", "waiting", "connecting", "producing"]
    assert summary["transitions"][-3]["cause"] == "grid-out-of-range"
    assert 6 < summary["transitions"][-3]["t_s"] < 6.16


def test_night_and_dawn(sim):
    summary = sim(START + "at 6 ramp sun all 0 over 20\nat 60 ramp sun all 500 over 60\n"
                  "run 260\n")
    assert "night" in states(summary)
    assert states(summary)[-1] == "producing"
    assert states(summary).count("producing") <= 3, "no chatter at dawn and dusk"
