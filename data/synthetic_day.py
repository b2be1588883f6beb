#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Writes synthetic-day.csv: a made-up day in the form that `replay` reads.

Clear sky by Haurwitz (1945), 1098 W/m2 cos z exp(-0.057 / cos z), for 40 degrees
north on 20 April. A clear morning until 10:00, broken clouds with edges of
10 to 40 s until 14:00, thin overcast until 16:00, a clear evening. The clouds
come from a congruential generator (Park and Miller's), so that every machine
writes the same bytes. Ambient temperature: a sine from 6 C at 05:00 to 18 C at
15:00.
"""

import math
import pathlib

LATITUDE = math.radians(40)
DECLINATION = math.radians(11.5)
FIRST_H, LAST_H = 5, 19
STEP_S = 10


class Random:
    """Park and Miller's minimal standard generator."""

    def __init__(self, seed):
        self.state = seed

    def uniform(self, low, high):
        self.state = self.state * 48271 % 2147483647
        return low + (high - low) * self.state / 2147483647


def clear_sky(hour, declination=DECLINATION):
    """Global horizontal irradiance without clouds, W/m2, at a solar hour; declination in radians."""
    angle = math.radians(15 * (hour - 12))
    cos_z = (math.sin(LATITUDE) * math.sin(declination)
             + math.cos(LATITUDE) * math.cos(declination) * math.cos(angle))
    return 1098 * cos_z * math.exp(-0.057 / cos_z) if cos_z > 0.01 else 0.0


def broken_clouds(random, rows):
    """Transmission of a sky of cumulus: gaps and clouds of 40 s to 6 minutes."""
    values, now, cloudy = [], 1.0, False
    while len(values) < rows:
        cloudy = not cloudy
        target = random.uniform(0.25, 0.55) if cloudy else random.uniform(0.98, 1.12)
        edge = max(1, round(random.uniform(10, 40) / STEP_S))
        hold = round(random.uniform(40, 360) / STEP_S)
        values += [now + (target - now) * (k + 1) / edge for k in range(edge)]
        values += [target] * hold
        now = target
    return values[:rows]


def main():
    random = Random(20160420)
    cumulus = broken_clouds(random, 4 * 3600 // STEP_S)
    lines = ["# SPDX-License-Identifier: GPL-2.0-only",
             "# synthetic, written by synthetic_day.py: 40 N, 20 April, solar time from 05:00",
             "time_s,ghi_w_m2,t_amb_c"]
    for row in range((LAST_H - FIRST_H) * 3600 // STEP_S + 1):
        hour = FIRST_H + row * STEP_S / 3600
        sky = 1.0
        if 10 <= hour < 14:
            sky = cumulus[round((hour - 10) * 3600 / STEP_S)]
        elif 14 <= hour < 16:
            sky = 0.32 + 0.06 * math.sin((hour - 14) * 9)
        ambient = 12 - 6 * math.cos(math.pi * (hour - 5) / 10)
        lines.append(f"{row * STEP_S},{clear_sky(hour) * sky:.1f},{ambient:.1f}")
    path = pathlib.Path(__file__).with_name("synthetic-day.csv")
    path.write_text("\n".join(lines) + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
