# SPDX-License-Identifier: GPL-2.0-or-later
"""ecud is killed at random instants; after each kill its store is judged.

The inverters count over their life, so their counters are the truth: an account is right when it has
counted just what its counter has since the first reading. An account that has lost a reading for good
lags behind its counter, and one that has counted twice is ahead of it.
"""

import random
import signal
import time

from process import Air, Gateway, clock

UNITS = 3
# Site seconds per second: the kills hit every phase of a minute.
SPEED = 20
# Life of a process, s: from before it has opened its store to some minutes of the site.
LIFE_S = (0.01, 4.0)


class Verdict:
    """Result of the kills: energy lost and counted twice."""

    def __init__(self):
        self.kills = self.counted = 0
        self.lost_mwh = self.doubled_mwh = self.fell = self.damaged = 0
        self.energy_mwh = 0

    def add(self, difference_mwh):
        self.lost_mwh += max(0, -difference_mwh)
        self.doubled_mwh += max(0, difference_mwh)


class Kills:
    """A gateway to be killed. Use it in a with statement."""

    def __init__(self, folder, seed=1, gateway=Gateway):
        self.random = random.Random(seed)
        self.air = Air(folder, UNITS, SPEED)
        self.gateway = gateway(folder)
        self.first = {}   # account: its counter when it had counted nothing
        self.totals = {}  # account: its total after the kill before
        self.verdict = Verdict()

    def __enter__(self):
        try:
            self.gateway.make_store(self.air.units)
        except BaseException:
            self.__exit__()
            raise
        self.environment = clock(SPEED)
        return self

    def __exit__(self, *_):
        if self.gateway.process:
            self.gateway.stop(signal.SIGKILL)
        self.air.process.kill()
        self.air.process.wait()

    def judge(self):
        verdict = self.verdict
        if self.gateway.query("PRAGMA quick_check") != [("ok",)]:
            verdict.damaged += 1
        for serial, channel, total, counter in self.gateway.query(
                "SELECT serial, channel, total_mwh, counter_mwh FROM account WHERE counted"):
            account = serial, channel
            first = self.first.setdefault(account, counter - total)
            verdict.add(total - (counter - first))
            verdict.fell += total < self.totals.get(account, 0)
            self.totals[account] = total
        verdict.energy_mwh = sum(total for (_, channel), total in self.totals.items() if channel == 4)
        # totals of the history never fall and are never ahead of the accounts
        for serial, energies in self.history().items():
            verdict.fell += energies != sorted(energies)
            verdict.doubled_mwh += max(0, energies[-1] - self.totals.get((serial, 4), 0))

    def history(self):
        """Total of each unit at the end of each minute that the store has."""
        energies = {}
        for _, serial, totals in self.gateway.chunks():
            energies.setdefault(serial, []).append(totals[4])
        return energies

    def live(self, life_s):
        """One life of the gateway."""
        self.gateway.start(**self.environment)
        time.sleep(life_s)
        self.gateway.stop(signal.SIGKILL)

    def kill(self, life_s):
        self.live(life_s)
        self.verdict.kills += 1
        before = sum(self.totals.values())
        self.judge()
        self.verdict.counted += sum(self.totals.values()) > before

    def run(self, kills):
        """Kill the gateway this many times, then stop it properly; return the verdict."""
        short, long = LIFE_S
        for _ in range(kills):
            # many short lives and some long ones
            self.kill(short + (long - short) * self.random.random() ** 3)
        self.gateway.start(**self.environment)
        time.sleep(long)
        assert self.gateway.stop() == 0
        self.judge()
        return self.verdict
