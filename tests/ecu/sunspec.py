# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads SunSpec models with pymodbus, from layouts written down here from the SunSpec specification,
independently of the server's tables."""

from pymodbus.client import ModbusTcpClient

BASE = 40000
SIZES = {"u16": 1, "i16": 1, "e16": 1, "b16": 1, "sf": 1, "pad": 1, "u32": 2, "i32": 2, "b32": 2,
         "acc32": 2, "u64": 4, "acc64": 4}
NONE = {"u16": 0xffff, "i16": 0x8000, "e16": 0xffff, "b16": 0xffff, "sf": 0x8000, "pad": 0x8000,
        "u32": 0xffffffff, "i32": 0x80000000, "b32": 0xffffffff, "u64": (1 << 64) - 1}

# Length of each model as the specification has it, with 4 DC inputs, one curve of 4 points.
LENGTHS = {1: 66, 101: 50, 120: 26, 121: 30, 122: 44, 123: 24, 160: 8 + 20 * 4, 701: 153, 702: 50,
           703: 17, 704: 65, 705: 13 + 10 + 8, 706: 13 + 5 + 8, 707: 7 + 1 + 3 * (1 + 4 * 3),
           708: 7 + 1 + 3 * (1 + 4 * 3), 709: 7 + 1 + 3 * (1 + 4 * 4), 710: 7 + 1 + 3 * (1 + 4 * 4),
           711: 12 + 10, 712: 12 + 4 + 8, 714: 18 + 25 * 4}

# Points: offset after the length register, type, scale factor's offset.
POINTS = {
    101: {"A": (0, "u16", 4), "PhVphA": (8, "u16", 11), "W": (12, "i16", 13), "Hz": (14, "u16", 15),
          "WH": (22, "acc32", 24), "DCW": (29, "i16", 30), "TmpCab": (31, "i16", 35), "St": (36, "e16", None)},
    120: {"DERTyp": (0, "e16", None), "WRtg": (1, "u16", 2)},
    122: {"ActWh": (3, "acc64", None)},
    123: {"Conn": (2, "e16", None), "WMaxLimPct": (3, "u16", 21), "WMaxLimPct_RvrtTms": (5, "u16", None),
          "WMaxLim_Ena": (7, "e16", None)},
    701: {"InvSt": (2, "e16", None), "ConnSt": (3, "e16", None), "W": (8, "i16", 114), "VA": (9, "i16", 116),
          "PF": (11, "u16", 115), "A": (12, "i16", 111), "LNV": (14, "u16", 112), "Hz": (15, "u32", 113),
          "TotWhInj": (17, "u64", 118), "TmpCab": (34, "i16", 120)},
    702: {"WMaxRtg": (0, "u16", 43), "VNomRtg": (12, "u16", 47)},
    704: {"WMaxLimPctEna": (12, "e16", None), "WMaxLimPct": (13, "u16", 52),
          "WMaxLimPctRvrt": (14, "u16", 52), "WMaxLimPctEnaRvrt": (15, "e16", None),
          "WMaxLimPctRvrtTms": (16, "u32", None), "WMaxLimPctRvrtRem": (18, "u32", None),
          "PFWInjEna": (0, "e16", None), "WSetEna": (20, "e16", None), "WSet": (22, "i32", 53),
          "VarSetEna": (33, "e16", None), "VarSetMod": (34, "e16", None), "VarSetPri": (35, "e16", None),
          "VarSetPct": (40, "i16", 56), "PFWInj.PF": (57, "u16", 51), "PFWInj.Ext": (58, "e16", None)},
    703: {"ESVHi": (1, "u16", 15), "ESVLo": (2, "u16", 15), "ESHzHi": (3, "u32", 16), "ESHzLo": (5, "u32", 16),
          "ESDlyTms": (7, "u32", None), "ESRndTms": (9, "u32", None), "ESRmpTms": (11, "u32", None)},
    714: {"NPrt": (2, "u16", None), "DCW": (4, "i16", 15), "DCWhInj": (5, "u64", 16)},
}

# Curves: what comes before the first one, the names of its points, and where the scale factors are.
HEAD = {"Ena": (0, "e16", None), "AdptCrvReq": (1, "u16", None), "AdptCrvRslt": (2, "e16", None),
        "NPt": (3, "u16", None), "NCrv": (4, "u16", None)}
POINTS[705] = {**HEAD, "ActPt": (13, "u16", None), "DeptRef": (14, "e16", None), "Pri": (15, "e16", None),
               "VRef": (16, "u16", 10), "VRefAuto": (17, "u16", 10), "VRefAutoEna": (18, "e16", None),
               "VRefAutoTms": (19, "u16", None), "RspTms": (20, "u32", 12), "ReadOnly": (22, "e16", None)}
POINTS[706] = {**HEAD, "ActPt": (13, "u16", None), "DeptRef": (14, "e16", None), "RspTms": (15, "u32", 12),
               "ReadOnly": (17, "e16", None)}
POINTS[712] = {**HEAD, "ActPt": (12, "u16", None), "DeptRef": (13, "e16", None), "Pri": (14, "e16", None),
               "ReadOnly": (15, "e16", None)}
POINTS[711] = {"Ena": (0, "e16", None), "AdptCtlReq": (1, "u16", None), "AdptCtlRslt": (2, "e16", None),
               "NCtl": (3, "u16", None), "DbOf": (12, "u32", 9), "DbUf": (14, "u32", 9), "KOf": (16, "u16", 10),
               "KUf": (17, "u16", 10), "RspTms": (18, "u32", 11), "PMin": (20, "i16", None),
               "ReadOnly": (21, "e16", None)}
for each, start, x, x_kind, y in ((705, 23, "V", "u16", "Var"), (706, 18, "V", "u16", "W"),
                                  (712, 16, "W", "i16", "Var")):
    for n in range(4):
        POINTS[each][f"{x}{n + 1}"] = (start + 2 * n, x_kind, 10)
        POINTS[each][f"{y}{n + 1}"] = (start + 2 * n + 1, "i16", 11)
for each in (707, 708, 709, 710):
    kind = "u16" if each < 709 else "u32"
    POINTS[each] = {**HEAD, "ReadOnly": (7, "e16", None)}
    for c, curve in enumerate(("MustTrip", "MayTrip", "MomCess")):
        width = SIZES[kind] + 2
        start = 8 + c * (1 + 4 * width)
        POINTS[each][f"{curve}.ActPt"] = (start, "u16", None)
        for n in range(4):
            POINTS[each][f"{curve}.X{n + 1}"] = (start + 1 + n * width, kind, 5)
            POINTS[each][f"{curve}.Tms{n + 1}"] = (start + 1 + n * width + SIZES[kind], "u32", 6)


def number(registers, kind):
    value = 0
    for register in registers:
        value = value << 16 | register
    if value == NONE.get(kind):
        return None
    if kind in ("i16", "i32", "sf"):
        bits = 16 * SIZES[kind]
        value -= (value >> (bits - 1)) << bits
    return value


class Device:
    """All models of one unit."""

    def __init__(self, client, unit):
        self.client, self.unit = client, unit
        self.read()

    def registers(self, address, count):
        found = []
        while count:
            part = min(count, 125)
            reply = self.client.read_holding_registers(address, count=part, slave=self.unit)
            assert not reply.isError(), f"unit {self.unit}, {address}: {reply}"
            assert len(reply.registers) == part
            found += reply.registers
            address, count = address + part, count - part
        return found

    def read(self):
        """Walk the models from the marker to the end."""
        assert self.registers(BASE, 2) == [0x5375, 0x6e53]
        self.models, self.at = {}, {}
        address = BASE + 2
        while True:
            model, length = self.registers(address, 2)
            if model == 0xffff:
                assert length == 0
                return
            self.models[model] = self.registers(address + 2, length)
            self.at[model] = address + 2
            address += 2 + length

    def raw(self, model, name):
        offset, kind, _ = POINTS[model][name]
        return number(self.models[model][offset:offset + SIZES[kind]], kind)

    def value(self, model, name):
        offset, kind, scale = POINTS[model][name]
        value = self.raw(model, name)
        if value is None or scale is None:
            return value
        factor = number(self.models[model][scale:scale + 1], "sf")
        assert factor is not None and -10 <= factor <= 10, f"{model} {name}: scale factor {factor}"
        return value * 10.0 ** factor

    def text(self, model, offset, count):
        raw = b"".join(r.to_bytes(2, "big") for r in self.models[model][offset:offset + count])
        return raw.rstrip(b"\0").decode()

    def write(self, model, name, values):
        values = values if isinstance(values, list) else [values]
        return self.client.write_registers(self.at[model] + POINTS[model][name][0], values,
                                           slave=self.unit)


def connect(port):
    client = ModbusTcpClient("127.0.0.1", port=port, timeout=5, retries=0)
    assert client.connect()
    return client
