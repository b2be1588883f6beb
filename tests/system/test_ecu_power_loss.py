# SPDX-License-Identifier: GPL-2.0-only
"""The power of a guest that runs ecud is cut at random instants. QS1_POWER_CUTS=100 for more of them."""

import os
import statistics

import pytest

from ecu_power import POWER_W, Cuts  # sets the path of kills
from kills import SPEED, UNITS

CUTS = int(os.environ.get("QS1_POWER_CUTS", 8))
# A cut may lose 60 s of readings, and a reading waits 4 s for the next one, s of the site.
READINGS_S = 60 + 4


@pytest.mark.long
def test_cuts_of_power_lose_no_energy_and_double_none(tmp_path):
    """ecud starts after each cut without help, or the guest ends and the next cut fails.

    The emulated guest takes up to the time of a boot to start its clock, or to commit and fsync.
    """
    with Cuts(tmp_path) as cuts:
        verdict = cuts.run(CUTS)
    boot_s = cuts.slowest_boot_s
    print(f"{verdict.kills} cuts, {cuts.booting} of them before ecud had started; {verdict.counted} after new energy "
          f"was stored. {verdict.energy_mwh / 1000:.1f} Wh counted, {verdict.lost_mwh} mWh lost, {verdict.doubled_mwh} "
          f"mWh doubled. Age of the newest stored reading after long lives at {SPEED} times the speed: median "
          f"{statistics.median(age for age, _ in cuts.ages):.0f} s of the site, at most {max(cuts.ages)[0]:.0f} s. "
          f"Energy of the accounts beyond {POWER_W} W: {[f'{error:.0f}' for error in cuts.errors_s]} s of production. "
          f"Slowest boot: {boot_s:.1f} s")
    assert verdict.damaged == 0
    assert verdict.fell == 0
    assert (verdict.lost_mwh, verdict.doubled_mwh) == (0, 0)
    assert verdict.counted >= CUTS / 4
    assert all(age <= READINGS_S + boot * SPEED for age, boot in cuts.ages)
    assert len(cuts.errors_s) == UNITS
    assert all(abs(error) < boot_s * SPEED for error in cuts.errors_s), "the energy that the inverters have made"
