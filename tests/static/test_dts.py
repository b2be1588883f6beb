# SPDX-License-Identifier: GPL-2.0-only
"""Device trees: bindings, overlays, what they make of Debian's trees, pins in the guides."""

import json
import re
import subprocess

import libfdt
import pytest

from paths import BUILD, ROOT

DTS = ROOT / "dts"
BINDINGS = DTS / "bindings"
DT_SCHEMA = (ROOT / "scripts/reference", "dt-schema")
BOARDS = {"beaglebone-black": "am335x-pru", "beaglebone-ai": "am57xx-m4",
          "beagleplay": "am62x-m4"}


def run(*command, **kwargs):
    done = subprocess.run([str(word) for word in command], cwd=ROOT, capture_output=True,
                          text=True, **kwargs)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize("overlay", sorted(DTS.glob("*.dtso")), ids=lambda path: path.stem)
def test_overlay_compiles_without_a_warning(overlay, tmp_path):
    # The nodes that use the root's cells are outside of the overlay.
    assert run("dtc", "-@", "-W", "no-avoid_unnecessary_addr_size", "-I", "dts", "-O", "dtb",
               "-o", tmp_path / "x.dtbo", overlay) == ""


@pytest.fixture(scope="module")
def schema(tmp_path_factory):
    # The first call on a machine fetches the package, and reports that.
    run(*DT_SCHEMA, "dt-mk-schema", "--help")
    path = tmp_path_factory.mktemp("schema") / "processed.json"
    path.write_text(run(*DT_SCHEMA, "dt-mk-schema", "-j", *BINDINGS.rglob("*.yaml")))
    assert len(json.loads(path.read_text())) > 2
    return path


@pytest.mark.parametrize("binding", sorted(BINDINGS.rglob("*.yaml")), ids=lambda path: path.stem)
def test_binding_is_clean_and_so_is_its_example(binding, schema, tmp_path):
    assert run(*DT_SCHEMA, "dt-doc-validate", "-u", BINDINGS, binding) == ""
    example = run(*DT_SCHEMA, "dt-extract-example", binding)
    run("dtc", "-q", "-I", "dts", "-O", "dtb", "-o", tmp_path / "example.dtb", "-",
        input=example)
    assert run(*DT_SCHEMA, "dt-validate", "-s", schema, "-l", binding.stem, tmp_path / "example.dtb") == ""


def test_binding_refuses_unknown_properties(schema, tmp_path):
    """The check above can fail."""
    example = run(*DT_SCHEMA, "dt-extract-example", BINDINGS / "iio" / "qs1,pruss.yaml")
    wrong = example.replace("interrupt-names = ", "interrupt-name = ")
    run("dtc", "-q", "-I", "dts", "-O", "dtb", "-o", tmp_path / "wrong.dtb", "-", input=wrong)
    said = run(*DT_SCHEMA, "dt-validate", "-s", schema, "-l", "qs1,pruss", tmp_path / "wrong.dtb")
    assert "interrupt-name" in said


# Pins in an overlay: a comment after the pad names the connector's pin, the function and the use.
PIN = re.compile(r"/\* (\w+(?: \w+)?),? (\w+): ([^,*]+) \*/")


def overlay_pins(board):
    """{use: (pin, function)}"""
    pins = PIN.findall((DTS / f"qs1-{board}.dtso").read_text())
    assert len(pins) >= 10
    return {use: (pin, function) for pin, function, use in pins}


def guide_pins(board):
    """The same from the guide's table: | use | pin | function | ... |"""
    text = (ROOT / "Documentation" / "boards" / f"{board}.md").read_text()
    rows = re.findall(r"^\| ([^|]+?) \| ([^|]+?) \| `(\w+)` \|", text, re.M)
    return {use: (pin, function) for use, pin, function in rows}


@pytest.mark.parametrize("board", BOARDS)
def test_guide_has_the_pins_of_the_overlay(board):
    assert guide_pins(board) == overlay_pins(board)


def header(board):
    return (ROOT / "firmware" / "hal" / BOARDS[board] / "regs.h").read_text()


def hal_map(board):
    return (ROOT / "firmware" / "hal" / BOARDS[board] / "map.c").read_text()


LINES = {"estop_n": "ESTOP", "relay": "RELAY", "alive": "ALIVE", "convst": "CONVST",
         "busy": "BUSY", "led_green": "LED green", "led_red": "LED red"}


@pytest.mark.parametrize("board", BOARDS)
def test_firmware_uses_the_lines_of_the_overlay(board):
    """Lines of the HAL's map, by GPIO bank and number, against the overlay's comments."""
    pins = overlay_pins(board)
    found = re.findall(r"\.(\w+) = QS1_LINE_\w+\(\w+_GPIO(\d), (\d+)\)", hal_map(board))
    assert found
    for name, bank, number in found:
        assert pins[LINES[name]][1].lower() == f"gpio{bank}_{number}"


# --- applied to Debian's own trees --------------------------------------------

class Tree:
    """A flattened device tree with the queries of these tests."""

    def __init__(self, path):
        self.fdt = libfdt.FdtRo(path.read_bytes())
        self.nodes = {}
        depths, depth, node = [], 0, 0
        # Behind the last node the depth is negative.
        while node >= 0 and depth >= 0:
            depths[depth:] = [self.fdt.get_name(node)]
            self.nodes["/".join(depths) or "/"] = dict(self._properties(node))
            node, depth = self.fdt.next_node(node, depth, quiet=(libfdt.NOTFOUND,))

    def _properties(self, node):
        at = self.fdt.first_property_offset(node, quiet=(libfdt.NOTFOUND,))
        while at >= 0:
            found = self.fdt.get_property_by_offset(at)
            yield found.name, bytes(found)
            at = self.fdt.next_property_offset(at, quiet=(libfdt.NOTFOUND,))

    def raw(self, path, name):
        return self.nodes[path].get(name)

    def cells(self, path, name):
        data = self.raw(path, name) or b""
        return [int.from_bytes(data[i:i + 4], "big") for i in range(0, len(data), 4)]

    def text(self, path, name):
        data = self.raw(path, name)
        return data and data.decode().rstrip("\0").split("\0")

    def by_phandle(self, phandle):
        return next(path for path in self.nodes if self.cells(path, "phandle") == [phandle])

    def is_on(self, path):
        return (self.text(path, "status") or ["okay"])[0] in ("okay", "ok")

    def is_reached(self, path):
        """On, and so are all nodes that it is in."""
        parts = path.split("/")
        return all(self.is_on("/".join(parts[:n]) or "/") for n in range(1, len(parts) + 1))


@pytest.fixture(scope="module")
def trees():
    run("make", "DEPS=true", "board-dtbs")
    return {board: Tree(BUILD / "dts" / f"qs1-{board}.dtb") for board in BOARDS}


@pytest.mark.long
@pytest.mark.parametrize("board", BOARDS)
def test_applied_inverter_meets_its_binding(board, trees, schema):
    compatible = trees[board].text("/inverter", "compatible")[0]
    assert run(*DT_SCHEMA, "dt-validate", "-s", schema, "-l", compatible,
               BUILD / "dts" / f"qs1-{board}.dtb") == ""


@pytest.mark.long
def test_beaglebone_black_has_what_the_driver_asks_for(trees):
    tree = trees["beaglebone-black"]
    prus = [tree.by_phandle(p) for p in tree.cells("/inverter", "ti,prus")]
    assert [tree.text(p, "compatible") for p in prus] == [["ti,am3356-pru"]] * 2
    assert [p.rsplit("@")[-1] for p in prus] == ["34000", "38000"]
    parent = tree.by_phandle(tree.cells("/inverter", "interrupt-parent")[0])
    assert tree.text(parent, "compatible") == ["ti,pruss-intc"]
    assert len(tree.cells("/inverter", "interrupts")) == 2 * tree.cells(
        parent, "#interrupt-cells")[0]
    events = tree.cells("/inverter", "interrupts")[::3]
    assert events == [int(re.search(rf"AM335X_EVENT_{name} (\d+)", header("beaglebone-black"))[1])
                      for name in ("FIRMWARE", "MAILBOX")]
    memory = tree.by_phandle(tree.cells("/inverter", "memory-region")[0])
    named = int(re.search(r"_CONTRACT (0x\w+)u", header("beaglebone-black"))[1], 16)
    assert tree.cells(memory, "reg") == [named, 0x80000] and tree.raw(memory, "no-map") == b""
    assert tree.text("/inverter", "firmware-name") == [
        f"qs1-am335x-pru{n}.elf" for n in range(2)]
    clocks = [tree.by_phandle(p) for p in tree.cells("/inverter", "clocks")]
    assert [tree.text(c, "clock-output-names") for c in clocks] == [
        [f"ehrpwm{n}_tbclk"] for n in range(3)]


@pytest.mark.long
@pytest.mark.parametrize("board", ["beaglebone-ai", "beagleplay"])
def test_m4_boards_have_what_the_driver_asks_for(board, trees):
    tree = trees[board]
    rproc = tree.by_phandle(tree.cells("/inverter", "ti,rproc")[0])
    image = tree.text(rproc, "firmware-name")[0]
    assert tree.is_reached(rproc) and image in (ROOT / "firmware/firmware.mk").read_text()
    memory = tree.by_phandle(tree.cells("/inverter", "memory-region")[0])
    _, address, _, size = tree.cells(memory, "reg")
    assert tree.raw(memory, "no-map") == b""
    named = int(re.search(r"_SHM_PA (0x\w+)u", header(board))[1], 16)
    assert (address, size) == (named, 0x80000)
    mailbox, sub = [tree.by_phandle(p) for p in tree.cells("/inverter", "mboxes")]
    assert sub.startswith(mailbox + "/") and tree.is_reached(sub)
    # What Linux sends into is what the firmware takes out of, and the other way round.
    fifo = re.search(r"\.to_linux = \{ \w+, (\d) \}.*?\.from_linux = \{ \{ \w+, (\d) \}",
                     hal_map(board), re.S)
    assert tree.cells(sub, "ti,mbox-rx")[0] == int(fifo[1])
    assert tree.cells(sub, "ti,mbox-tx")[0] == int(fifo[2])
    others = [p for p in tree.nodes if p.startswith(mailbox + "/") and p != sub]
    for name in ("ti,mbox-rx", "ti,mbox-tx"):
        for other in others:
            assert tree.cells(other, name)[0] not in (int(fifo[1]), int(fifo[2]))


@pytest.mark.long
@pytest.mark.parametrize("board", BOARDS)
def test_contract_overlaps_no_other_reserved_memory(board, trees):
    tree = trees[board]
    regions = []
    for path in tree.nodes:
        if re.fullmatch(r"/reserved-memory/[^/]+", path) and tree.cells(path, "reg"):
            cells = tree.cells("/reserved-memory", "#address-cells")[0]
            begin, size = tree.cells(path, "reg")[cells - 1::cells]
            regions.append((begin, begin + size, path))
    regions.sort()
    for (_, end, path), (begin, _, other) in zip(regions, regions[1:]):
        assert end <= begin, (path, other)


def pads(tree, path):
    """Pads that a node's default pin groups claim: (pin controller, offset)."""
    for state in range(4):
        for phandle in tree.cells(path, f"pinctrl-{state}"):
            group = tree.by_phandle(phandle)
            controller = group.rsplit("/", 1)[0]
            step = 1 + (tree.cells(controller, "#pinctrl-cells") or [1])[0]
            for offset in tree.cells(group, "pinctrl-single,pins")[::step]:
                yield controller, offset


@pytest.mark.long
@pytest.mark.parametrize("board", BOARDS)
def test_no_other_device_has_the_inverters_pads(board, trees):
    tree = trees[board]
    ours = list(pads(tree, "/inverter"))
    assert len(ours) == len(set(ours))
    for path in tree.nodes:
        if path != "/inverter" and tree.is_reached(path):
            assert not set(ours) & set(pads(tree, path)), path


# The serial port of the radio modem: its node, and the alias that gives its name in Linux.
RADIOS = {"beaglebone-black": ("target-module@a8000/serial@0", "serial4"),
          "beaglebone-ai": ("target-module@66000/serial@0", "serial4"),
          "beagleplay": ("serial@2860000", "serial1")}


@pytest.mark.long
@pytest.mark.parametrize("board", BOARDS)
def test_the_radio_has_a_serial_port_and_its_own_pads(board, trees):
    tree = Tree(BUILD / "dts" / f"qs1-{board}-radio.dtb")
    node, alias = RADIOS[board]
    path = tree.text("/aliases", alias)[0]
    assert path.endswith(node) and tree.is_reached(path)
    # Linux makes no serial port where a driver has the device at its other end.
    assert not [p for p in tree.nodes if p.startswith(path + "/") and tree.is_on(p)]
    own = list(pads(tree, path))
    assert len(own) >= 2
    for other in tree.nodes:
        if other != path and tree.is_reached(other):
            assert not set(own) & set(pads(tree, other)), other
    port = f"/dev/ttyS{alias.removeprefix('serial')}"
    assert port in (ROOT / "Documentation" / "boards" / f"{board}.md").read_text()


def absolute(tree, path):
    """Address of a node on the processor's bus, through the ranges of the buses that it is in."""
    def size(node, name):
        return (tree.cells(node, name) or [2 if name == "#address-cells" else 1])[0]

    def number(cells):
        value = 0
        for cell in cells:
            value = value << 32 | cell
        return value

    parent = path.rsplit("/", 1)[0] or "/"
    address = number(tree.cells(path, "reg")[:size(parent, "#address-cells")]) \
        if tree.cells(path, "reg") else 0
    while parent != "/":
        outer = parent.rsplit("/", 1)[0] or "/"
        child, up, length = (size(parent, "#address-cells"), size(outer, "#address-cells"),
                             size(parent, "#size-cells"))
        ranges = tree.cells(parent, "ranges")
        row = child + up + length
        for i in range(0, len(ranges), row):
            begin = number(ranges[i:i + child])
            if begin <= address < begin + number(ranges[i + child + up:i + row]):
                address = address - begin + number(ranges[i + child:i + child + up])
                break
        parent = outer
    return address


# What each base address of a board's header is in Debian's tree.
COMPATIBLE = {"GPIO": "gpio", "PWMSS": "pwmss", "MCSPI": "mcspi", "TIMER": "timer",
              "MAILBOX": "mailbox", "MCU_RTI": "rti"}


@pytest.mark.long
@pytest.mark.parametrize("board", BOARDS)
def test_addresses_of_the_firmware_are_those_of_debians_tree(board, trees):
    tree = trees[board]
    there = {}
    for path in tree.nodes:
        if tree.cells(path, "reg") and tree.text(path, "compatible"):
            there.setdefault(absolute(tree, path), []).append(
                f"{path} " + " ".join(tree.text(path, "compatible")))
    found = re.findall(r"#define \w+?X_((?:MCU_)?[A-Z]{3,})\d (?:\(\w+ \+ )?0x(\w{8})u.*?(\S+@\w+)",
                       header(board))
    assert len(found) >= 4
    for kind, address, node in found:
        nodes = there.get(int(address, 16), [])
        assert any(COMPATIBLE[kind] in text and f"/{node}" in text for text in nodes), \
            (kind, address, nodes)
