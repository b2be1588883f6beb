# SPDX-License-Identifier: GPL-2.0-or-later
"""Hours of abuse leak neither memory nor descriptors; make bench ONLY=ecu_abuse runs 72 hours."""

import pytest

from abuse import Abuse

SPEED = 60
WARM_UP_H, HOURS = 0.4, 0.8
# What the allocator's arenas may gain by chance.
GROWTH_KB = 1024
RESIDENT_KB = 32 * 1024


@pytest.mark.long
def test_abuse_for_hours_leaves_nothing(tmp_path):
    with Abuse(tmp_path, SPEED) as abuse:
        abuse.run(WARM_UP_H)
        memory, descriptors = abuse.measure()
        abuse.run(HOURS)
        memory_after, descriptors_after = abuse.measure()
        print(f"{memory} to {memory_after} kB, {descriptors} to {descriptors_after} descriptors; "
              f"{abuse.rounds()}")
        assert not abuse.failures()
        assert all(count > 0 for count in abuse.rounds().values())
        assert memory_after <= memory + GROWTH_KB
        assert memory_after <= RESIDENT_KB
        assert descriptors_after <= descriptors
        assert abuse.gateway.all_live()
