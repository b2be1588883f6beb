# SPDX-License-Identifier: GPL-2.0-only
"""Images of real boards: where they load, where they start, what they ask of remoteproc."""

import re
import struct
import zlib

import pytest

from paths import BUILD, ROOT

RSC_CARVEOUT, RSC_DEVMEM, RSC_TRACE = 0, 1, 2
# Memory that Linux's drivers load into: omap_remoteproc.c (and a carveout at 0), ti_k3_m4_remoteproc.c.
MEMORY = {"am57xx": [(0, 0x1000), (0x20000000, 0x20010000)],
          "am62x": [(0, 0x30000), (0x40000, 0x50000)]}


class Image:
    def __init__(self, name):
        self.data = (BUILD / "firmware" / f"qs1-{name}.elf").read_bytes()
        assert self.data[:5] == b"\x7fELF\x01"
        phoff, shoff = struct.unpack_from("<II", self.data, 28)
        phnum, = struct.unpack_from("<H", self.data, 44)
        shnum, names = struct.unpack_from("<HH", self.data, 48)
        self.segments = [struct.unpack_from("<8I", self.data, phoff + 32 * i)
                         for i in range(phnum)]
        headers = [struct.unpack_from("<10I", self.data, shoff + 40 * i) for i in range(shnum)]
        strings = headers[names][4]
        self.sections = {
            self.data[strings + h[0]:self.data.index(b"\0", strings + h[0])].decode(): h
            for h in headers}

    def section(self, name):
        _, _, _, _, offset, size = self.sections[name][:6]
        return self.data[offset:offset + size]

    def at(self, address, size):
        for kind, offset, _, begin, filled, *_ in self.segments:
            if kind == 1 and begin <= address and address + size <= begin + filled:
                return self.data[offset + address - begin:offset + address - begin + size]
        raise AssertionError(hex(address))


@pytest.fixture(scope="module", params=MEMORY)
def image(request):
    loaded = Image(request.param)
    loaded.name = request.param
    return loaded


def test_it_loads_into_the_processors_own_memory(image):
    loads = [(s[3], s[3] + s[5]) for s in image.segments if s[0] == 1 and s[5]]
    assert len(loads) >= 2
    for begin, end in loads:
        assert any(low <= begin and end <= high for low, high in MEMORY[image.name]), hex(begin)


def test_it_starts_at_address_zero(image):
    """Stack and reset vector, as ARMv7-M takes them there after reset."""
    stack, reset = struct.unpack("<II", image.at(0, 8))
    assert any(low < stack <= high for low, high in MEMORY[image.name])
    assert reset & 1 and len(image.at(reset & ~1, 4)) == 4


def test_the_stamp_matches_the_code(image):
    begin, end, crc = struct.unpack("<III", image.section(".stamp"))
    assert end - begin > 20000
    assert zlib.crc32(image.at(begin, end - begin)) == crc


def test_a_built_image_has_no_calibration(image):
    assert image.section(".calibration") == bytes(72)
    begin, end, _ = struct.unpack("<III", image.section(".stamp"))
    assert not begin <= image.sections[".calibration"][3] < end


def resources(image):
    table = image.section(".resource_table")
    version, count, *_ = struct.unpack_from("<4I", table)
    assert version == 1
    for offset in struct.unpack_from(f"<{count}I", table, 16):
        kind, *rest = struct.unpack_from("<6I", table, offset)
        yield kind, rest, table[offset:]


def test_its_log_is_in_its_memory(image):
    traces = [rest for kind, rest, _ in resources(image) if kind == RSC_TRACE]
    assert len(traces) == 1
    address, size = traces[0][:2]
    assert any(low <= address and address + size <= high for low, high in MEMORY[image.name])


def test_the_mmu_of_the_am57xx_has_every_address_it_uses():
    image = Image("am57xx")
    header = (ROOT / "firmware/hal/am57xx-m4/regs.h").read_text()
    maps = [rest[:3] for kind, rest, _ in resources(image) if kind == RSC_DEVMEM]
    used = [(int(a, 16) + 0x20000000, int(a, 16))
            for a in re.findall(r"AM57XX_L4 \+ 0x(\w+)u", header)]
    used.append(tuple(int(re.search(rf"define AM57XX_{name} 0x(\w+)u", header)[1], 16)
                      for name in ("SHM", "SHM_PA")))
    assert len(used) >= 9
    for address, physical in used:
        assert any(da <= address < da + size and address - da == physical - pa
                   for da, pa, size in maps), hex(address)
    for da, pa, size in maps:
        assert da % 0x1000 == pa % 0x1000 == size % 0x1000 == 0
    carveouts = [rest for kind, rest, _ in resources(image) if kind == RSC_CARVEOUT]
    assert [c[0] for c in carveouts] == [0]
