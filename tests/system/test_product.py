# SPDX-License-Identifier: GPL-2.0-only
"""What the product does, row by row, on the whole board: a row, its scenario, the stated outcome.

Each scenario runs once. Times are the plant's own; the LEDs are those of the kernel's LED class.
"""

import json
import time

import pytest

from board.board import Board
from board.promises import LED_NOT_PRODUCING, LED_RULES, led_meaning, leds
from board.status import PRODUCING, state_of
from paths import ROOT

# After this time in a state the LEDs show it: the daemon updates them ten times a second.
SHOWN_S = 2.0
# A busy machine may stop the guest for longer than host_timeout_s. Unless a scenario tests that
# timeout, it gets its highest value.
HOST_TIMEOUT_S = 10
POLL_S = 0.1

pytestmark = pytest.mark.long


def starting_up(agent):
    """The daemon shows the pattern of the firmware's start, whatever the state."""
    asked = agent.shell("qs1ctl status --json")
    return asked.status != 0 or json.loads(asked.out)["leds"]["red"] == "startup"


class Outcome:
    """Result of a scenario.

    @trips: {code: seconds from the disturbance until nothing was fed}
    @path: [(seconds, state, cause)], as the firmware reports it
    @leds: {state: set of (green, red)}
    @summary: the simulator's
    """

    def __init__(self, scenario):
        self.leds = {}
        path = ROOT / "scenarios" / scenario
        with Board(scenario=path, report=print) as board:
            board.wait_service()
            if "host lost" not in path.read_text():
                board.agent.check(f"qs1ctl set host_timeout_s {HOST_TIMEOUT_S}")
            board.go()
            self._follow(board)
            self.summary = board.world.summary()
            assert not board.policy.errors
        self.trips = {trip["code"]: trip["t_cease_s"] - trip["t_onset_s"]
                      for trip in self.summary["trips"]}
        self.path = [(step["t_s"], step["to"], step["cause"])
                     for step in self.summary["transitions"]]
        print(self.trips, self.path, self.leds)

    def _follow(self, board):
        since, before = 0.0, None
        while not (status := board.status())["ended"]:
            board.check()
            state = state_of(status)
            if state != before:
                since, before = status["t_s"], state
            elif status["t_s"] - since > SHOWN_S and not starting_up(board.agent):
                found = leds(board.agent)
                if state_of(board.status()) == state:
                    self.leds.setdefault(state, set()).add(
                        (led_meaning(found["green"]), led_meaning(found["red"])))
            time.sleep(POLL_S)

    def went(self, *states):
        """These states came after one another, others perhaps between; returns their times."""
        times, rest = [], list(self.path)
        for wanted in states:
            while rest and rest[0][1] != wanted:
                rest.pop(0)
            assert rest, f"no {wanted} after {states[:len(times)]} in {self.path}"
            times.append(rest.pop(0)[0])
        return times


@pytest.fixture(scope="module")
def outcome():
    """The outcome of a scenario by its name; each runs once."""
    kept = {}

    def get(scenario):
        if scenario not in kept:
            kept[scenario] = Outcome(scenario)
        return kept[scenario]
    return get


# Note 1: condition, code, "cease within".
TRIPS = {"A": ("UV2", 0.160), "B": ("UV1", 1.000), "C": ("OV1", 1.000), "D": ("OV2", 0.160),
         "E": ("OF1", 0.160), "F": ("UF1", 0.160)}


@pytest.mark.parametrize("row", TRIPS)
def test_utility_interconnection_trip(outcome, row):
    code, limit_s = TRIPS[row]
    assert outcome("note1-trips.scn").trips[code] <= limit_s


def test_after_each_trip_it_waits_and_produces_again(outcome):
    path = [state for _, state, _ in outcome("note1-trips.scn").path]
    assert path.count("waiting") == path.count("producing") == 1 + len(TRIPS)
    assert path[-1] == "producing"


def test_anti_islanding_is_on(outcome):
    found = outcome("island.scn")
    assert found.trips["ISLAND"] < 2.0, "IEEE 1547-2018 8.1.1"
    assert found.path[-1][1] == "waiting"


def test_it_waits_two_minutes_with_the_grid_in_range(outcome):
    waiting, connecting = outcome("enter-service.scn").went("waiting", "connecting")
    # The sag from 30 s to 35 s restarts the delay.
    assert waiting < 30 and 120 <= connecting - 35 < 121


def test_it_tests_itself_waits_connects_and_tracks(outcome):
    found = outcome("first-light.scn")
    found.went("self-test", "waiting", "connecting", "producing")
    assert found.summary["mppt"]["total"] > 0.995
    assert found.summary["ac"]["p_w"] > 1000


def test_a_sag_that_ends_in_time_is_ridden_through_and_the_next_trips(outcome):
    found = outcome("grid-sag.scn")
    tripped = found.went("producing", "waiting", "producing")[1]
    assert 15 < tripped < 15.2 and len(found.summary["trips"]) == 1


def test_ground_fault_latches_until_cleared_by_command(outcome):
    found = outcome("ground-fault.scn")
    latched, waiting = found.went("ground-fault", "waiting", "producing")[:2]
    assert 10 < latched < 11 and waiting >= 25, "the cause went at 20 s, the command came at 25 s"


def test_shutdown_and_start_by_command(outcome):
    found = outcome("shutdown.scn")
    stopped, waiting = found.went("producing", "shutdown", "waiting", "producing")[1:3]
    # Linux carries them out, in its own time.
    assert 10 <= stopped < 20 <= waiting


def test_night_opens_the_relay_sleeps_and_wakes(outcome):
    found = outcome("night.scn")
    found.went("producing", "night", "waiting", "producing")


def test_a_fault_of_the_unit_stops_it_with_a_code_and_it_comes_back(outcome):
    found = outcome("faults.scn")
    causes = [cause for _, state, cause in found.path if state == "fault"]
    assert causes[:2] == ["SENSOR", "HOST_LOST"]
    # After a crash the firmware restarts and is permitted to produce.
    found.went("fault", "producing", "fault", "producing", "self-test", "producing")


def test_each_limit_stops_it_with_a_code_and_a_failed_relay_for_good(outcome):
    found = outcome("limits.scn")
    assert [cause for _, state, cause in found.path if state == "fault"] == ["PV_OV", "OVERTEMP",
                                                                             "RELAY"]
    found.went("fault", "producing", "derating", "fault", "producing", "fault")
    assert found.path[-1][1] == "fault"


@pytest.mark.parametrize("state, scenario", [
    ("producing", "note1-trips.scn"), ("waiting", "enter-service.scn"),
    ("ground-fault", "ground-fault.scn"), ("shutdown", "shutdown.scn"), ("night", "night.scn"),
    ("fault", "faults.scn")])
def test_leds_show_the_state(outcome, state, scenario):
    green, red = LED_RULES.get(state, LED_NOT_PRODUCING)
    shown = outcome(scenario).leds[state]
    assert shown and all(found[0] in green and found[1] in red for found in shown)


def test_no_scenario_ends_with_the_unit_off_for_no_reason(outcome):
    """All but the island, whose grid stays open, and the limits, whose relay does not close."""
    for scenario in ("note1-trips.scn", "first-light.scn", "grid-sag.scn", "ground-fault.scn",
                     "shutdown.scn", "night.scn", "faults.scn", "enter-service.scn"):
        assert outcome(scenario).path[-1][1] in PRODUCING, scenario
