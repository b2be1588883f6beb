#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Writes the synthetic files of this folder: a day of violent clouds and two grid frequencies.

Each is a stochastic process whose parameters come from published statistics. The generator of random
numbers is data/synthetic_day.py's, so that every machine writes the same bytes.

day-clouds.csv: broken cumulus from sunrise to sunset, 40 degrees north on 14 October, when the sun is
low enough for a module of 260 W to stay below the rated power of its input at every enhancement.

- The sky has two states, sun and shadow, which makes the clearness index bimodal: Suehrcke and
  McCormick, Solar Energy 40 (1988), 413-422; for cumulus over a dense network of sensors He et al.,
  Atmospheric Chemistry and Physics 24 (2024), 11391-11408.
- Lengths of clouds follow a power law with the exponent 1.66: Wood and Field, Journal of Climate 24
  (2011), 4800-4816; those of shadows too, over orders of magnitude: Mol et al., Journal of Geophysical
  Research: Atmospheres 128 (2023), e2022JD037894. Here from 200 m to 10 km at a wind of 10 m/s.
- Sun beside a cloud is stronger than without one, by up to 1.5: Yordanov et al., IEEE Journal of
  Photovoltaics 3 (2013), 271-277; that is as frequent as shadows: Mol et al.
- Four fifths of the light may come or go within a minute: Mills et al., Understanding Variability and
  Uncertainty of Photovoltaics, LBNL-2855E (2009). Here a cloud's edge takes 10 to 60 s.

frequency-large-grid.csv, frequency-small-grid.csv: an hour of each in steps of 1 s, deviations of 50 Hz
grids applied to 60 Hz.

- An Ornstein-Uhlenbeck process: Schaefer et al., Nature Energy 3 (2018), 119-126.
- A standard deviation from the quality targets of Regulation (EU) 2017/1485, Annex III: at most
  15 000 minutes a year, 2.85 %, outside +-50 mHz in the large grid of Continental Europe and outside
  +-100 mHz in the smaller Nordic one. That is 2.19 standard deviations of a normal distribution.
- Correlation times are ours: with 300 s and 150 s the frequency changes by up to some 7 and 20 mHz in
  a second. The small grid is held within 0.12 Hz and 15 mHz/s.
"""

import math
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "data"))

from synthetic_day import FIRST_H, LAST_H, Random, STEP_S, clear_sky  # noqa: E402

DECLINATION = math.radians(-8.5)
WIND_M_S = 10
CLOUD_M = (200, 10_000)
CLOUD_EXPONENT = 1.66
SHADOW_INDEX = (0.2, 0.5)
SUN_INDEX = (1.0, 1.25)
ENHANCED_INDEX_MAX = 1.5
EDGE_S = (10, 60)
# Of the gaps between clouds, those that have an enhancement of more than SUN_INDEX.
ENHANCED_SHARE = 0.2

HOUR_S = 3600
NOMINAL_HZ = 60
OUTSIDE_SHARE_SIGMAS = 2.19
# Name: standard deviation in Hz, correlation time in s, limits in Hz and Hz/s, seed.
GRIDS = {"large": (0.05 / OUTSIDE_SHARE_SIGMAS, 300, 0.12, 0.015, 1),
         "small": (0.10 / OUTSIDE_SHARE_SIGMAS, 150, 0.12, 0.015, 2)}


def power_law(random, low, high, exponent):
    """A number whose density falls with the exponent, by inversion."""
    a, b = low ** (1 - exponent), high ** (1 - exponent)
    return random.uniform(a, b) ** (1 / (1 - exponent))


def normal(random):
    """A normal number, as the sum of twelve uniform ones."""
    return sum(random.uniform(0, 1) for _ in range(12)) - 6


def index_of_state(random, shadow):
    """Light relative to the clear sky in a shadow or between two of them."""
    if shadow:
        return random.uniform(*SHADOW_INDEX)
    if random.uniform(0, 1) < ENHANCED_SHARE:
        return random.uniform(SUN_INDEX[1], ENHANCED_INDEX_MAX)
    return random.uniform(*SUN_INDEX)


def cumulus(random, rows):
    """Light relative to the clear sky, a value each STEP_S."""
    values, now, shadow = [], 1.0, False
    while len(values) < rows:
        shadow = not shadow
        target = index_of_state(random, shadow)
        edge = max(1, round(random.uniform(*EDGE_S) / STEP_S))
        seconds = power_law(random, *CLOUD_M, CLOUD_EXPONENT) / WIND_M_S
        values += [now + (target - now) * (k + 1) / edge for k in range(edge)]
        values += [target] * round(seconds / STEP_S)
        now = target
    return values[:rows]


def day():
    """Rows of the day: time in s, irradiance in W/m2, ambient temperature in degrees C."""
    rows = (LAST_H - FIRST_H) * 3600 // STEP_S + 1
    for row, sky in enumerate(cumulus(Random(1847), rows)):
        hour = FIRST_H + row * STEP_S / 3600
        ambient = 12 - 6 * math.cos(math.pi * (hour - 5) / 10)
        yield f"{row * STEP_S},{clear_sky(hour, DECLINATION) * sky:.1f},{ambient:.1f}"


def frequency(sigma_hz, correlation_s, most_hz, most_hz_per_s, seed):
    """Rows of the hour: time in s, frequency in Hz."""
    random = Random(seed)
    keep = math.exp(-1 / correlation_s)
    kick_hz = sigma_hz * math.sqrt(1 - keep * keep)
    off_hz = 0.0
    for second in range(HOUR_S):
        step = (keep - 1) * off_hz + kick_hz * normal(random)
        off_hz += max(-most_hz_per_s, min(most_hz_per_s, step))
        off_hz = max(-most_hz, min(most_hz, off_hz))
        yield f"{second},{NOMINAL_HZ + off_hz:.5f}"


def write(name, what, header, rows):
    lines = ["# SPDX-License-Identifier: GPL-2.0-only", f"# synthetic, by synthetic.py: {what}", header]
    (HERE / name).write_text("\n".join([*lines, *rows]) + "\n", encoding="ascii")


def main():
    write("day-clouds.csv", "violent clouds, 40 N, 14 October, solar time from 05:00",
          "time_s,ghi_w_m2,t_amb_c", day())
    for name, parameters in GRIDS.items():
        write(f"frequency-{name}-grid.csv", f"an hour of a {name} grid", "time_s,f_hz",
              frequency(*parameters))


if __name__ == "__main__":
    main()
