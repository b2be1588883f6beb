# SPDX-License-Identifier: GPL-2.0-only
"""The simulated air against the formulas of its standard, and many units read through it."""

import re

from harness import procedure, unit_test


@procedure("radio-errors", title="Radio: frame errors and collisions",
           source="IEEE 802.15.4-2006, E.4.1.8 (bit error rate), 7.5.1.4 (CSMA-CA); pure ALOHA")
def radio_errors(run):
    """Frame error rates follow from the published bit error rate, and frames of nodes that do not
    hear each other collide as in pure ALOHA."""
    said = unit_test("test_air")
    rates = [tuple(map(float, found)) for found in
             re.findall(r"(-?\d+) dB: frame error rate (\S+), expected (\S+)", said)]
    run.felt("ratios of signal to noise", len(rates), "", at_least=5)
    run.figure("largest difference of the frame error rate, 20 bytes, -3 to 1 dB",
               max(abs(measured - expected) for _, measured, expected in rates) * 100, "% points",
               at_most=3)
    hidden, aloha, heard = map(float, re.search(
        r"hidden (\S+), by the formula (\S+); within hearing (\S+)", said).groups())
    run.felt("frames lost to a hidden node", hidden * 100, "%", at_least=10)
    run.figure("hidden node: difference to the formula", abs(hidden - aloha) * 100, "% points",
               at_most=2)
    run.figure("nodes that hear each other: frames lost", heard * 100, "%", at_most=5)


@procedure("radio-poll", title="Radio: fifty units through one modem",
           source="own requirements; OpenDTU issue 547 (dead units starve the others)")
def radio_poll(run):
    """The gateway reads fifty units in time at five per cent loss, and a dead one costs the others little."""
    said = unit_test("test_ecu_radio")
    loss, p95 = map(float, re.search(
        r"loss of frames (\S+) %, age of a reading: median \S+ s, 95th percentile (\S+) s", said).groups())
    run.felt("frames damaged", loss, "%", at_least=4)
    run.figure("95th percentile of the age of a reading", p95, "s", at_most=5)
    all_alive, one_dead = map(float, re.search(
        r"replies of the others: (\S+) a second, with a dead unit (\S+)", said).groups())
    run.figure("a dead unit: fewer replies of the others", (1 - one_dead / all_alive) * 100, "%",
               at_most=5)
