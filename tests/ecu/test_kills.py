# SPDX-License-Identifier: GPL-2.0-or-later
"""SIGKILL at random instants; make bench ONLY=ecu_kills has 1,000 of them."""

import pytest

from kills import Kills

KILLS = 30


@pytest.mark.long
def test_kills_lose_no_energy_and_double_none(tmp_path):
    with Kills(tmp_path) as kills:
        verdict = kills.run(KILLS)
    print(f"{verdict.kills} kills, {verdict.counted} of them after new energy was stored, "
          f"{verdict.energy_mwh / 1000:.1f} Wh counted")
    assert verdict.damaged == 0
    assert verdict.fell == 0
    assert (verdict.lost_mwh, verdict.doubled_mwh) == (0, 0)
    assert verdict.counted > KILLS / 4
