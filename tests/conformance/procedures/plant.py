# SPDX-License-Identifier: GPL-2.0-only
"""The plant itself, checked against exact curves, a published loss model, and ngspice.

Netlists are made of the plant's own component values, which build/tests/averaged prints.
"""

import bisect
import concurrent.futures
import json
import math
import os
import re
import subprocess

from harness import procedure, unit_test
from paths import BUILD

# ngspice's thermal voltage at its default temperature of 27 C.
SPICE_VT = 1.380649e-23 * 300.15 / 1.602176634e-19
# A switch of the bridge: part of the plant's filter resistance, see Documentation/power-stage.md.
BRIDGE_SWITCH_OHM = 0.08
RATED_A = 5.0
# Rated power of the CEC table.
RATED_W = 1230
# Operating points of an input: module voltage, duty, link voltage, control periods from rest that
# are skipped and counted. The fifth is at the boundary of discontinuous conduction (0.73), the last
# where the control ends, 5 % below the boundary, with a link that is still charging.
INPUT_POINTS = [(37.5, 0.20, 400, 2, 2), (37.5, 0.41, 400, 2, 2), (48, 0.32, 400, 2, 2),
                (27, 0.57, 400, 2, 2), (22, 0.72, 400, 2, 2), (30, 0.475, 200, 2, 2)]


def averaged(*words):
    """Results of the averaged plant."""
    done = subprocess.run([BUILD / "tests" / "averaged", *map(str, words)], capture_output=True,
                          text=True, check=True)
    return json.loads(done.stdout)


def spice(run, name, lines):
    """Simulate a netlist; returns what ngspice prints."""
    path = run.path(f"{name}.cir")
    path.write_text("\n".join([name, *lines, ".end"]) + "\n")
    done = subprocess.run(["ngspice", "-b", path], capture_output=True, text=True, cwd=run.folder,
                          timeout=300)
    return done.stdout


def table(path):
    """Rows of numbers that wrdata wrote."""
    return [[float(word) for word in line.split()] for line in path.read_text().splitlines()]


@procedure("plant-modules", title="Photovoltaic modules",
           source="pvlib's arbitrary-precision curves; EN 50530:2010 Annex C; ngspice")
def plant_modules(run):
    """Currents agree with exact curves, and shaded strings with a netlist of their diodes."""
    said = unit_test("test_plant_pv")
    exact = re.search(r"(\d+) curves, worst error (\S+) A", said)
    run.figure(f"single diode, worst point of {exact[1]} exact curves", float(exact[2]), "A",
               at_most=1e-9)
    check = re.search(r"power within (\S+), voltage within (\S+)", said)
    run.figure("EN 50530 check values, power", float(check[1]), "of Pmpp", at_most=1.5e-5)
    run.figure("EN 50530 check values, voltage", float(check[2]), "of Vmpp", at_most=1e-3)
    plot = run.plot("curves", "voltage, V", "current, A", "I-V curves; dots: ngspice")
    for shaded, fraction in ((0, 0), (1, 0.5), (2, 0.8)):
        name = f"shade-{shaded}of3-{fraction:g}"
        ours = averaged("curve", shaded, fraction)
        theirs = curve_by_spice(run, name, ours, shaded, fraction)
        # Where the current is positive: below that only a longer string would drive it.
        points = [(v, i, s) for (v, i), s in zip(ours["curve"], theirs) if i > 0]
        plot.plot([p[0] for p in points], [p[1] for p in points],
                  label=f"{shaded} of 3 sections lose {fraction:.0%}")
        plot.plot([p[0] for p in points[::4]], [p[2] for p in points[::4]], "k.", ms=4)
        run.figure(f"{name}: worst difference from ngspice", max(abs(p[1] - p[2]) for p in points),
                   "A", at_most=1e-3)


def curve_by_spice(run, name, module, shaded, fraction):
    """Currents of the netlist of a module at the voltages of its curve."""
    sections = module["sections"]
    lines = [f".model cell D(IS={module['i0']:.12g} N={module['a'] / sections / SPICE_VT:.12g})",
             f".model bypass D(IS={module['bypass_i0']} N={module['bypass_a'] / SPICE_VT:.12g})"]
    for n in range(sections):
        light = 1 - fraction if n < shaded else 1
        low, high = f"n{n}", f"n{n + 1}"
        lines += [f"I{n} {low} j{n} {module['il'] * light:.12g}", f"Dc{n} j{n} {low} cell",
                  f"Rp{n} j{n} {low} {1 / (module['gsh'] * light * sections):.12g}",
                  f"Rs{n} j{n} {high} {module['rs'] / sections:.12g}",
                  f"Db{n} {low} {high} bypass"]
    step, last = module["curve"][1][0], module["curve"][-1][0]
    spice(run, name, [*lines, "Rn n0 0 1u", f"V1 n{sections} 0 0",
                      ".options reltol=1e-6 abstol=1e-9 gmin=1e-15",
                      ".control", f"dc V1 0 {last + step / 2:g} {step:g}", "set wr_singlescale",
                      f"wrdata {name}.dat i(V1)", "quit", ".endc"])
    return [row[1] for row in table(run.path(f"{name}.dat"))]


@procedure("plant-losses", title="Conversion losses",
           source="CEC inverter table, QS1 [240V] (Sandia model)")
def plant_losses(run):
    """The unit's efficiency follows the product's own within 0.3 percentage points."""
    rows = re.findall(r"# +([\d.]+) V +([\d.]+) W: ([\d.]+), CEC ([\d.]+)",
                      unit_test("test_plant"))
    plot = run.plot("efficiency", "AC power, W", "efficiency, %", "Lines: plant; dots: CEC")
    cells = []
    for volts in sorted({row[0] for row in rows}, key=float):
        points = [[float(x) for x in row] for row in rows if row[0] == volts]
        cells.append([f"{float(volts):g}", *(f"{p[2]:.2f} ({p[3]:.2f})" for p in points)])
        plot.plot([p[1] for p in points], [p[2] for p in points], label=f"{volts} V")
        plot.plot([p[1] for p in points], [p[3] for p in points], "k.", ms=4)
        for volts_v, watts, ours, cec in points:
            run.figure(f"{volts_v:g} V, {100 * watts / RATED_W:.0f} %: efficiency", ours, "%",
                       between=(cec - 0.3, cec + 0.3), anchor=f"{cec:.2f} (CEC)")
    run.table("efficiency", ["V", *(f"{100 * p[1] / RATED_W:.0f} %" for p in points)], cells)
    run.figure("worst difference from the CEC table",
               max(abs(float(ours) - float(cec)) for _, _, ours, cec in rows), "points", at_most=0.3)
    run.felt("operating points", len(rows), "", at_least=18)


def input_netlist(values, v, duty, vlink, skip, count):
    """One phase of an input: flyback with an ideal source and link, from rest."""
    period, each = 1 / values["fsw"], values["fsw"] // values["control_hz"]
    start, stop = skip * each * period, (skip + count) * each * period
    return [f"Vin in 0 {v}", f"Lp in sw {values['lp']:g} ic=0", "S1 sw 0 gate 0 on",
            f".model on SW(Ron={values['pri_ohm']} Roff=1e6 Vt=0.5 Vh=0.1)",
            f"Vg gate 0 PULSE(0 1 0 2n 2n {duty * period - 2e-9:.7g} {period:g})",
            f"Ls 0 sec {values['lp'] * values['turns'] ** 2:.9g} ic=0", "K1 Lp Ls 0.99999",
            f"Rs sec a {values['sec_ohm']}", "D1 a b rect", ".model rect D(IS=1e-12 N=0.1)",
            f"Vd b c {values['rectifier_v']}", f"Vlink c 0 {vlink}",
            ".options method=gear reltol=1e-4", f".tran 5n {stop:.9g} 0 10n uic",
            f".meas tran drawn INTEG i(Vin) FROM={start:.9g} TO={stop:.9g}",
            f".meas tran given INTEG i(Vlink) FROM={start:.9g} TO={stop:.9g}"]


@procedure("plant-inputs", title="Averaged input stage against a switching simulation",
           source="ngspice 39, netlist of the same component values")
def plant_inputs(run):
    """Charge drawn from the module and given to the link agree at each operating point."""
    values = averaged("values")
    plot = run.plot("charges", "operating point", "averaged less switching, %",
                    "Charge of a control period")
    errors = {"drawn": [], "given": []}
    for point in INPUT_POINTS:
        v, duty, vlink = point[:3]
        name = f"{v:g}V-{duty:g}-{vlink}V"
        ours = averaged("input", *point)
        said = spice(run, name, input_netlist(values, *point))
        theirs = {k: abs(float(x)) for k, x in re.findall(r"^(drawn|given)\s*=\s*(\S+)", said, re.M)}
        for kind, key, limit in (("drawn", "in_c", 2), ("given", "out_c", 3)):
            error = 100 * (ours[key] / theirs[kind] - 1)
            errors[kind].append(error)
            run.figure(f"{v:g} V, D {duty:g}, link {vlink} V: charge {kind}", error, "%",
                       between=(-limit, limit))
        run.felt(f"{name}: charge drawn in the netlist", theirs["drawn"] * 1e6, "uC", at_least=1)
    run.table("charges", ["V", "D", "link", "drawn from the module", "given to the link"],
              [[f"{v:g}", f"{duty:g}", f"{vlink} V", f"{drawn:+.2f} %", f"{given:+.2f} %"]
               for (v, duty, vlink, *_), drawn, given in
               zip(INPUT_POINTS, errors["drawn"], errors["given"])])
    for kind, values_pct in errors.items():
        plot.plot(values_pct, marker="o", label=f"charge {kind}")
    for limit, color in ((2, "tab:blue"), (3, "tab:orange")):
        plot.axhline(limit, color=color, ls="--")
        plot.axhline(-limit, color=color, ls="--", label="limits" if limit == 3 else None)
    plot.set_xticks(range(len(INPUT_POINTS)), [f"{p[0]:g} V\nD {p[1]:g}" for p in INPUT_POINTS])
    run.note("The averaged current leaves out that the primary's 34 milliohm slow its rise, so it is "
             "up to 1 % high; continuous conduction, which the control avoids, is checked by a unit "
             "test in steps of 10 ns.")


def gate(edges, dead, inverted):
    """Points of a gate signal; the edge that turns on comes later by the dead time."""
    rise = 1e-8
    points = [(0, 1 if inverted else 0)]
    for on, off in edges:
        if inverted:
            points += [(on, 1), (on + rise, 0), (off + dead, 0), (off + dead + rise, 1)]
        else:
            points += [(on + dead, 0), (on + dead + rise, 1), (off, 1), (off + rise, 0)]
    return " ".join(f"{t:.10g} {v}" for t, v in points)


def saturating(values, start):
    """L1 as the switching plant has it: its current follows from its flux, here in mWb."""
    knee = 1000 * values["l1"] * values["saturation_a"]
    return ["Gf 0 flux a x 1000", f"Cf flux 0 1 ic={1000 * values['l1'] * start['il1']:.9g}",
            "Rf flux 0 1e9",
            f"Bl a x I=V(flux)/{1000 * values['l1']:.9g}*(1+(V(flux)/{knee:.9g})^8)"]


def bridge_netlist(values, start, data, dead, saturates):
    """Full bridge, unipolar modulation with dead time, filter, grid; begins at @start's state."""
    period = 1 / values["control_hz"]
    lines = [f"Vl p 0 {start['vlink']}", ".model d D(IS=1e-12 N=0.5 RS=0.02)",
             f".model sw SW(Ron={BRIDGE_SWITCH_OHM} Roff=1e6 Vt=0.5 Vh=0.1)"]
    for leg, sign in (("a", 1), ("b", -1)):
        edges = [((k + 0.5) * period - (1 + sign * m[0]) / 4 * period,
                  (k + 0.5) * period + (1 + sign * m[0]) / 4 * period)
                 for k, m in enumerate(start["m"])]
        # Output capacitance of the two switches.
        lines += [f"Vh{leg} h{leg} 0 PWL({gate(edges, dead, False)})",
                  f"Vo{leg} o{leg} 0 PWL({gate(edges, dead, True)})",
                  f"Sh{leg} p {leg} h{leg} 0 sw", f"So{leg} {leg} 0 o{leg} 0 sw",
                  f"Dh{leg} {leg} p d", f"Do{leg} 0 {leg} d", f"C{leg} {leg} 0 {values['leg_f']}"]
    peak = values["grid_v"] * math.sqrt(2)
    lines += (saturating(values, start) if saturates else
              [f"L1 a x {values['l1']} ic={start['il1']}"])
    return lines + [
        f"R1 x vc {values['r1'] - 2 * BRIDGE_SWITCH_OHM:g}",
        f"C vc b {values['c']} ic={start['vc']}", f"Rd vc y {values['rd']}",
        f"Cd y b {values['cd']} ic={start['vcd']}", f"Rb vc b {values['rb']}",
        f"L2 vc z {values['l2'] + values['lg']:g} ic={start['i2']}",
        f"R2 z g {values['r2'] + values['rg']:g}",
        f"Vg g b SIN(0 {peak:.9g} {values['grid_hz']} 0 0 {math.degrees(start['phase']):.9g})",
        ".options method=gear reltol=1e-4",
        f".tran 1u {len(start['m']) * period:.9g} 0 2u uic",
        ".control", "run", "linearize i(L2)", "set wr_singlescale",
        f"wrdata {data} i(L2)", "quit", ".endc"]


def bridge_by_spice(run, plant, dead, watts):
    """One cycle of the grid: the plant's values and its course, and the rows of the netlist's."""
    name = f"{watts}W-{dead * 1e9:.0f}ns"
    values, start = averaged("values"), averaged("bridge", plant, dead, watts, 1)
    spice(run, name, bridge_netlist(values, start, f"{name}.dat", dead, plant == "switching"))
    return values, start, table(run.path(f"{name}.dat"))


def bridges_against_spice(run, plant, points, plot):
    """Compare the grid's current at @points of dead time, power and limit, netlists side by side."""
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        cycles = list(pool.map(lambda point: bridge_by_spice(run, plant, *point[:2]), points))
    for point, cycle in zip(points, cycles):
        compare_cycle(run, *point, *cycle, plot)


def compare_cycle(run, dead, watts, limit, values, start, rows, plot):
    """The grid current of one cycle, RMS of its difference from the netlist's."""
    name = f"{watts}W-{dead * 1e9:.0f}ns"
    times = [row[0] for row in rows]
    pairs = []
    for k, (_, _, ours) in enumerate(start["m"]):
        at = (k + 1) / values["control_hz"]
        row = rows[min(bisect.bisect_left(times, at), len(rows) - 1)]
        pairs.append((1000 * at, ours, row[1]))
    difference = math.sqrt(sum((p[1] - p[2]) ** 2 for p in pairs) / len(pairs))
    rms = math.sqrt(sum(p[2] ** 2 for p in pairs) / len(pairs))
    run.felt(f"{watts} W, {dead * 1e9:.0f} ns: current in the netlist", rms, "A",
             at_least=0.5 * watts / 240)
    run.figure(f"{watts} W, {dead * 1e9:.0f} ns: RMS difference over a grid cycle",
               100 * difference / RATED_A, "% of rated current", at_most=limit)
    plot.plot([p[0] for p in pairs], [p[1] for p in pairs], label=name)
    plot.plot([p[0] for p in pairs[::8]], [p[2] for p in pairs[::8]], "k.", ms=3)


@procedure("plant-bridge", title="Averaged bridge and filter against a switching simulation",
           source="ngspice 39, netlist of the same component values")
def plant_bridge(run):
    """With the same compare values the current into the grid follows the switching bridge's."""
    plot = run.plot("bridge", "time, ms", "grid current, A", "Lines: averaged; dots: ngspice")
    powers = (1200, 900, 600, 300) if run.full else (1200, 300)
    bridges_against_spice(run, "averaged", [(150e-9, watts, 3) for watts in powers], plot)
    run.note("Open loop: only 1.7 ohm at 60 Hz are between bridge and grid, so that 0.1 A are 0.2 V "
             "of 400 V, a question of the dead time at small current, which the control takes out.")


@procedure("plant-switching", title="Switching bridge and filter against a switching simulation",
           source="ngspice 39, netlist of the same component values")
def plant_switching(run):
    """With the same edges the current into the grid is that of the netlist: dead time by current,
    the legs' capacitance, diodes, saturation.
    """
    plot = run.plot("bridge", "time, ms", "grid current, A", "Lines: plant; dots: ngspice")
    points = ([(dead, watts) for dead in (150e-9, 300e-9) for watts in (1800, 1200, 600, 300)]
              if run.full else [(150e-9, 1200), (300e-9, 300)])
    bridges_against_spice(run, "switching", [(dead, watts, 0.5 if watts <= 1200 else 1)
                                             for dead, watts in points], plot)
    run.note("At 1800 W the peak is 11 A, where L1 has lost half of its inductance.")
