# SPDX-License-Identifier: GPL-2.0-only
"""Capture the waveform stream in the guest, as any user of libiio would."""

import re
import statistics
from dataclasses import dataclass

from .errors import BoardError
from .meter import IIO_UNITS, read_device

CAPTURE = "/run/qs1-wave.bin"

_LAYOUT = r"""
for d in /sys/bus/iio/devices/iio:device*; do
    [ "$(cat "$d/name")" = qs1-wave ] || continue
    grep -s '' "$d"/scan_elements/* && exit 0
done
echo "no IIO device is named qs1-wave" >&2
exit 1
"""

_ELEMENT = re.compile(r"/([^/]+)_(index|type):(.*)\Z")
# endianness : sign bits / storage bits >> shift
_TYPE = re.compile(r"(le|be):([su])(\d+)/(\d+)(?:X\d+)?>>(\d+)\Z")


@dataclass
class Element:
    """Where a channel is in a scan of all channels."""

    name: str
    offset: int
    size: int
    signed: bool
    order: str

    def of(self, scan):
        """The channel's raw value in one scan's bytes."""
        return int.from_bytes(scan[self.offset:self.offset + self.size],
                              "little" if self.order == "le" else "big", signed=self.signed)


def parse_layout(text):
    """Elements by name, and the size of a scan, from "path:value" lines.

    Each element is aligned to its own size and the scan to the largest
    (Documentation/iio/iio_devbuf.rst).
    """
    found = {}
    for line in text.splitlines():
        match = _ELEMENT.search(line)
        if match:
            name, attribute, value = match.groups()
            found.setdefault(name, {})[attribute] = value
    elements, offset, largest = {}, 0, 1
    for name, attributes in sorted(found.items(), key=lambda item: int(item[1]["index"])):
        match = _TYPE.match(attributes["type"])
        if not match:
            raise BoardError(f"{name}: cannot read the scan type '{attributes['type']}'")
        order, sign, _, storage, _ = match.groups()
        size = int(storage) // 8
        offset = -(-offset // size) * size
        elements[name] = Element(name, offset, size, sign == "s", order)
        offset += size
        largest = max(largest, size)
    return elements, -(-offset // largest) * largest


@dataclass
class Wave:
    """A capture: the layout and the scans' bytes."""

    elements: dict
    scans: list

    def column(self, name):
        """One channel's raw values."""
        element = self.elements[name]
        return [element.of(scan) for scan in self.scans]

    def quantity(self, agent, label, kind):
        """The channel of @kind with @label, in V or A."""
        for (found, index), channel in read_device(agent, "qs1-wave").items():
            if found == kind and channel.label == label:
                scale = float(channel.attributes["scale"]) * IIO_UNITS[kind]
                return [raw * scale for raw in self.column(f"in_{kind}{index}")]
        raise BoardError(f"qs1-wave: no {kind} channel is labelled '{label}'")

    def scan_hz(self):
        """Mean rate by the timestamps, in ns."""
        stamps = self.column("in_timestamp")
        if len(stamps) < 2 or stamps[-1] <= stamps[0]:
            return 0.0
        return (len(stamps) - 1) * 1e9 / (stamps[-1] - stamps[0])

    def late_s(self, control_hz):
        """How much longer than its control periods the capture took, by the timestamps."""
        return late_s(self.column("in_timestamp"), control_hz)


def late_s(stamps_ns, control_hz):
    """How much longer than their control periods scans with these timestamps took.

    A host that stalls delays the simulation, which then catches up, so that some stamps are late.
    The median over all pairs of scans half a capture apart does not depend on those (Theil and
    Sen's estimate of a slope, by pairs of one distance).
    """
    half = len(stamps_ns) // 2
    if not half:
        return float("inf")
    spans_ns = [end - begin for begin, end in zip(stamps_ns, stamps_ns[half:])]
    return (statistics.median(spans_ns) / 1e9 - half / control_hz) * (len(stamps_ns) - 1) / half


def lost(agent):
    """Scans that the driver has counted as lost so far."""
    return int(agent.check("cat /sys/bus/pci/drivers/qs1-ivshmem/*/wave_lost"))


def capture(agent, scans, timeout_s=60):
    """Record @scans scans of all channels with iio_readdev; returns a Wave."""
    elements, size = parse_layout(agent.check(_LAYOUT))
    agent.check(f"timeout {timeout_s} iio_readdev -u local: -b 2000 -s {scans} qs1-wave "
                f"> {CAPTURE}", timeout_s + 10)
    data = agent.run(["/bin/cat", CAPTURE]).stdout
    agent.check(f"rm -f {CAPTURE}")
    return Wave(elements, [data[at:at + size] for at in range(0, len(data) - size + 1, size)])
