# SPDX-License-Identifier: GPL-2.0-only
"""Read IIO devices in the guest through sysfs, and compare with the truth."""

import re

from .errors import BoardError
from .status import INPUTS

# SI value of one unit of a scaled IIO reading: mV, mA, mW, m degree C, J, Hz.
IIO_UNITS = {"voltage": 1e-3, "altvoltage": 1e-3, "current": 1e-3, "power": 1e-3,
             "temp": 1e-3, "energy": 1.0, "angl": 1.0}

_DEVICE = r"""
for d in /sys/bus/iio/devices/iio:device*; do
    if [ "$(cat "$d/name")" = "%s" ]; then
        grep -s '' "$d"/in_* && exit 0
    fi
done
echo "no IIO device is named %s" >&2
exit 1
"""

_LINE = re.compile(r"/in_([a-z]+)(\d*)_(\w+):(.*)\Z")


class Channel:
    """One IIO channel's attributes, e.g. raw, scale, label, frequency."""

    def __init__(self, kind):
        self.kind = kind
        self.attributes = {}

    @property
    def label(self):
        """The channel's label, empty without one."""
        return self.attributes.get("label", "")

    @property
    def value(self):
        """The reading in V, A, W, degree Celsius or J."""
        number = self.attributes
        if "raw" not in number or "scale" not in number:
            raise BoardError(f"{self.kind} '{self.label}': its raw value or scale can not be read")
        scaled = (float(number["raw"]) + float(number.get("offset", 0))) * float(number["scale"])
        return scaled * IIO_UNITS[self.kind]


def parse_channels(text):
    """Channels from "path:value" lines of grep; type-wide attributes are shared.

    Returns a dict {(type, index): Channel}.
    """
    channels, shared = {}, {}
    for line in text.splitlines():
        match = _LINE.search(line)
        if not match:
            continue
        kind, index, attribute, value = match.groups()
        if index:
            channel = channels.setdefault((kind, int(index)), Channel(kind))
            channel.attributes[attribute] = value
        else:
            shared[(kind, attribute)] = value
    for (kind, _), channel in channels.items():
        for (shared_kind, attribute), value in shared.items():
            if shared_kind == kind:
                channel.attributes.setdefault(attribute, value)
    return channels


def read_device(agent, name):
    """All channels of the IIO device @name, read in the guest."""
    return parse_channels(agent.check(_DEVICE % (name, name)))


def read_quantities(agent):
    """What qs1-meter says, with the members of the summary's "meter"."""
    channels = {(channel.kind, channel.label): channel
                for channel in read_device(agent, "qs1-meter").values()}

    def reading(kind, label):
        if (kind, label) not in channels:
            raise BoardError(f"qs1-meter: no {kind} channel is labelled '{label}', found "
                             f"{', '.join(f'{k} {l}' for k, l in sorted(channels))}")
        return channels[(kind, label)]
    quantities = {f"pv{n}": {"v": reading("voltage", f"pv{n}").value,
                             "i": reading("current", f"pv{n}").value,
                             "p": reading("power", f"pv{n}").value}
                  for n in range(1, INPUTS + 1)}
    grid = reading("altvoltage", "grid-rms")
    quantities["grid"] = {"v": grid.value,
                          "i": reading("current", "grid-rms").value,
                          "f": float(grid.attributes["frequency"]),
                          "p": reading("power", "grid").value,
                          "energy_wh": reading("energy", "grid").value / 3600}
    quantities["temp_c"] = reading("temp", "case").value
    return quantities
