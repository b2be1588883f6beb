# SPDX-License-Identifier: GPL-2.0-only
"""Read IIO devices in the guest through sysfs."""

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

_LINE = re.compile(r"(.*/in_([a-z]+)(\d*)_(\w+)):(.*)\Z")

# Each file's value, with the time of the firmware's snapshot that it comes from: the same before and
# after, so the value belongs to no other one. A snapshot holds for 10 ms.
_READ_STAMPED = """
set -- /sys/bus/pci/drivers/qs1-ivshmem/*/telemetry_ticks %s
ticks=$1
shift
for file; do
    tries=0
    while read -r before <"$ticks"; read -r value <"$file"; read -r after <"$ticks"
            [ "$before" != "$after" ]; do
        tries=$((tries + 1))
        [ $tries -lt 100 ] || { echo "$file: no reading within one snapshot" >&2; exit 1; }
    done
    echo "$value $before"
done
"""

# What of qs1-meter is compared with the truth: (IIO type, label, attribute) of each member of the
# summary's "meter".
QUANTITIES = {
    **{(f"pv{n}", key): (kind, f"pv{n}", "raw") for n in range(1, INPUTS + 1)
       for key, kind in (("v", "voltage"), ("i", "current"), ("p", "power"))},
    ("grid", "v"): ("altvoltage", "grid-rms", "raw"),
    ("grid", "i"): ("current", "grid-rms", "raw"),
    ("grid", "f"): ("altvoltage", "grid-rms", "frequency"),
    ("grid", "p"): ("power", "grid", "raw"),
    ("temp_c",): ("temp", "case", "raw"),
}


class Channel:
    """One IIO channel's attributes, e.g. raw, scale, label, frequency, and their files."""

    def __init__(self, kind):
        self.kind = kind
        self.attributes = {}
        self.files = {}

    @property
    def label(self):
        """The channel's label, empty without one."""
        return self.attributes.get("label", "")

    def scaled(self, raw):
        """A raw value in V, A, W, degree Celsius or J."""
        if "scale" not in self.attributes:
            raise BoardError(f"{self.kind} '{self.label}': cannot read its scale")
        return ((float(raw) + float(self.attributes.get("offset", 0))) *
                float(self.attributes["scale"]) * IIO_UNITS[self.kind])


def parse_channels(text):
    """Channels from "path:value" lines of grep; type-wide attributes are shared.

    Returns a dict {(type, index): Channel}.
    """
    channels, shared = {}, {}
    for line in text.splitlines():
        match = _LINE.search(line)
        if not match:
            continue
        file, kind, index, attribute, value = match.groups()
        if index:
            channel = channels.setdefault((kind, int(index)), Channel(kind))
            channel.attributes[attribute] = value
            channel.files[attribute] = file
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


class Meter:
    """qs1-meter in the guest."""

    def __init__(self, agent):
        self._agent = agent
        self._channels = {(channel.kind, channel.label): channel
                          for channel in read_device(agent, "qs1-meter").values()}

    def _channel(self, kind, label):
        if (kind, label) not in self._channels:
            raise BoardError(f"qs1-meter: no {kind} channel is labelled '{label}', found "
                             f"{', '.join(f'{k} {l}' for k, l in sorted(self._channels))}")
        return self._channels[(kind, label)]

    def energy_wh(self):
        """Energy into the grid since the firmware started."""
        channel = self._channel("energy", "grid")
        return channel.scaled(self._agent.check(f"cat {channel.files['raw']}")) / 3600

    def read(self):
        """{name: (value, ticks)}: each of QUANTITIES, and the time of its snapshot."""
        channels = [self._channel(kind, label) for kind, label, _ in QUANTITIES.values()]
        files = [channel.files[attribute]
                 for channel, (_, _, attribute) in zip(channels, QUANTITIES.values())]
        lines = self._agent.check(_READ_STAMPED % " ".join(files)).splitlines()
        readings = {}
        for name, channel, line in zip(QUANTITIES, channels, lines):
            value, ticks = line.split()
            is_raw = QUANTITIES[name][2] == "raw"
            readings[name] = (channel.scaled(value) if is_raw else float(value), int(ticks))
        return readings
