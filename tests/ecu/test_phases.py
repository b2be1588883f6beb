# SPDX-License-Identifier: GPL-2.0-or-later
"""Finding phases: ecud, and inverters with the real control core on a three-phase feeder, by a lossy radio."""

import json
import subprocess
import threading

import pytest

from gateway import Gateway, wait_for
from paths import BUILD
from test_ecuctl import ask, run

# The second three have swapped wires.
WIRES = ["L1-L2", "L2-L3", "L3-L1", "L2-L1", "L3-L2", "L1-L3"]
FOUND = ["L1-L2", "L2-L3", "L3-L1"] * 2
LOSS_PCT = 10
THREE = "feeder phases three 138.56 60"


class SiteGateway(Gateway):
    """A gateway whose inverters are on a feeder."""

    def __init__(self, grid, wires):
        super().__init__(units=len(wires))
        self.grid, self.wires = grid, wires

    def start_air(self):
        lines = ["profile note1", f"units {self.units}", self.grid, "skip enter-service"]
        for n, wires in enumerate(self.wires, 1):
            lines += [f"unit {n} phase {wires}", f"unit {n} sun all 800"]
        (self.folder / "scenario").write_text("\n".join(lines) + "\n")
        self.air = self.spawn(BUILD / "qs1-site", "--ecu", "D8A3011B9780", "--folder", self.folder,
                              self.folder / "scenario", stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              text=True)
        first = self.air.stdout.readline()
        assert first, self.text_of_log()
        self.labels = [unit["label"] for unit in json.loads(first)["units"]]
        self.serials = [label[:12] for label in self.labels]
        threading.Thread(target=self.air.stdout.read, daemon=True).start()

    def say(self, line):
        self.air.stdin.write(line + "\n")
        self.air.stdin.flush()

    def phases(self):
        """Of each unit in turn: phase, source, group."""
        known = {each["serial"]: each for each in self.owner.get("/topology").json["phases"]}
        return [tuple(known[serial][name] for name in ("phase", "source", "group"))
                for serial in self.serials]


def check_found(site):
    count = site.units // 3
    order = ask(site, "phases")["orders"][0]
    assert order["state"] == "confirmed", order
    assert order["message"] == f"3 groups: {count} at L1-L2, {count} at L2-L3, {count} at L3-L1"
    assert site.phases() == [(name, "found", FOUND.index(name) + 1) for name in FOUND[:site.units]]


def test_a_unit_on_each_phase_is_found():
    with SiteGateway(THREE, WIRES[3:]) as site:
        check_found(site)


@pytest.fixture(scope="module")
def site():
    with SiteGateway(THREE, WIRES) as running:
        yield running


@pytest.mark.long
def test_phases_are_found_with_losses_and_named_by_the_installer(site):
    assert site.phases() == [("unknown", "unknown", None)] * len(WIRES)
    for n in range(1, len(WIRES) + 1):
        site.say(f"air loss {n} {LOSS_PCT}")
    check_found(site)

    assert run(site, "phases", site.serials[1], "L1").returncode == 0
    assert [phase for phase, _, _ in site.phases()] == ["L3", "L1", "L2"] * 2
    assert site.phases()[1] == ("L1", "named", 2)
    status = wait_for("sums of the phases", lambda: site.owner.get("/status").json["phases"])
    assert {each["phase"]: each["units"] for each in status} == {"L1": 2, "L2": 2, "L3": 2}


@pytest.mark.long
def test_a_split_phase_has_nothing_to_find():
    with SiteGateway("feeder phases split 120 60", ["L1-L2", "L2-L1"]) as split:
        order = ask(split, "phases")["orders"][0]
        assert order["state"] == "confirmed"
        assert order["message"] == "one group: single or split phase, nothing to find"
        assert split.phases() == [("unknown", "unknown", None)] * 2
