# SPDX-License-Identifier: GPL-2.0-only
"""Faults of the unit: each is detected, stated by a code, and safe within a stated time."""

import csv
import re

from harness import procedure

RATED_W = 1200
# With the gates off only the filter capacitors' 0.12 A flow until the relay is open.
GATES_OFF_A = 0.3
CEASED_A = 0.01 * RATED_W / 240 * 2 ** 0.5

START = """
seed {seed}
module all LG400N2W-A5
cell all 25
sun all 800
skip enter-service
{text}
"""

CHANNELS = ("vpv1 vpv2 vpv3 vpv4 ipv1 ipv2 ipv3 ipv4 vlink vgrid igrid ignd vinv vref "
            "tcase tstage").split()
KINDS = ("stuck", "zero", "full", "noise")
# Faults that no single channel shows: the reference has its window, temperatures move too slowly to
# be missed, and an input whose voltage reads zero rests like one in the dark.
UNSEEN = {"vref-stuck", "tcase-stuck", "tcase-zero", "tstage-stuck", "tstage-zero",
          "vpv1-zero", "vpv2-zero", "vpv3-zero", "vpv4-zero"}
# Channels that neither the bridge's loop nor the meter uses are judged in 100 ms, and those of an
# input only while its tracker moves it.
SLOW = ("vpv", "ipv", "ignd")
NOISES = ("counts 0.4", "counts 0.55", "off")
LOOP = ("vlink", "vgrid", "igrid", "vinv")
# Light in which no input is curtailed.
TRACKED = "sun all 600\n"
# An instant at which neither voltage nor current is zero.
ONSET_S = 6.003


def world(text, seed=1):
    return START.format(text=text, seed=seed)


def states(summary):
    return [t["to"] for t in summary["transitions"]]


def first_trip(summary, onset_s):
    """Code and delays in ms of the first trip, and of the end of the current."""
    trip = summary["trips"][0]
    cease = min(t["t_cease_s"] for t in summary["trips"] if t["t_cease_s"] is not None)
    return trip["code"], (trip["t_trip_s"] - onset_s) * 1e3, (cease - onset_s) * 1e3


@procedure("faults-sensors", title="Every ADC channel stuck, zero, full-scale or noisy",
           source="IEC 62109-1, 4.4 single fault; IEC 60730-1, Annex H: plausibility of inputs")
def faults_sensors(run):
    """What a converter's channel does is named, with the gates off in 10 ms if the bridge needs it."""
    seeds = (1, 2, 3) if run.full else (1,)
    texts = {
        f"{channel}-{kind}-{seed}":
            world(f"{TRACKED}at {ONSET_S} mark start\nat {ONSET_S} fault sensor {channel} {kind}\n"
                  "run 6.6", seed)
        for channel in CHANNELS for kind in KINDS for seed in seeds}
    found = run.sims(texts)
    healthy = run.sim("healthy", world(f"{TRACKED}at 6 mark start\nrun 7"))
    run.felt("healthy unit: power", healthy["ac"]["p_w"], "W", at_least=900)
    run.felt("healthy unit: trips", len(healthy["trips"]), "", at_most=0)
    seen = {n: s for n, s in found.items() if n.rpartition("-")[0] not in UNSEEN}
    missed = [n for n, s in seen.items() if not s["trips"]]
    unnamed = [n for n, s in seen.items() if "SENSOR" not in [t["code"] for t in s["trips"]]]
    run.figure("faults that were not detected", len(missed), f"of {len(seen)}", at_most=0)
    run.figure("faults without the code SENSOR", len(unnamed), f"of {len(seen)}", at_most=0)
    run.note("No check sees " + ", ".join(sorted(UNSEEN)) + ".")
    if missed:
        run.note("not detected: " + " ".join(missed))
        return
    first = {n: first_trip(s, ONSET_S) for n, s in seen.items()}
    still = {n for n in first if n.startswith(SLOW) and n.split("-")[1] in ("stuck", "zero")}
    run.figure("gates off, longest", max(first[n][1] for n in first if n not in still), "ms",
               at_most=10)
    run.figure("gates off for a still input or ground current, longest",
               max(first[n][1] for n in still), "ms", at_most=500)
    run.figure("current ended, longest", max(first[n][2] for n in first if n not in still), "ms",
               at_most=25)
    for name in ("igrid", "vlink", "vgrid"):
        peak = max(s["ac"]["i_peak_a"] for n, s in found.items() if n.startswith(name))
        run.figure(f"highest current by a fault of {name}", peak, "A", at_most=25)
    run.figure("ground-fault latches set by a sensor",
               sum("ground-fault" in states(s) for s in found.values()), "", at_most=0)
    unseen = ("no sign", 0.0, 0.0)
    worst = [[max((first.get(f"{c}-{k}-{seed}", unseen) for seed in seeds), key=lambda f: f[1])
              for k in KINDS] for c in CHANNELS]
    table(run, "First code, and ms from the fault until the gates are off (worst seed)",
          KINDS, [[ms for _, ms, _ in row] for row in worst],
          [[f"{code} {ms:.1f}" if ms else code for code, ms, _ in row] for row in worst])


@procedure("faults-sensors-quiet", title="Converters with little noise, or none",
           source="IEC 60730-1, Annex H: plausibility of inputs; noise of a quiet 16-bit converter")
def faults_sensors_quiet(run):
    """No healthy channel is stuck at full and low power, dusk, dark and dawn, in a sag."""
    seeds = range(1, 7 if run.full else 4)
    day = ("at 20 ramp sun all 40 over 3\nat 30 ramp sun all 0 over 3\n"
           "at 36 ramp sun all 60 over 3\nat 44 grid v 0\nat 44.1 grid v 1\n"
           "at 45 ramp sun all 5 over 3\nat 50 ramp sun all 900 over 5\nrun 65")
    found = run.sims({
        f"{board}-{noise.replace(' ', '-')}-{seed}":
            world(f"board {board}\nnoise {noise}\nset es_delay_s 0\n{day}", seed)
        for board in ("nominal", "drawn") for noise in NOISES
        for seed in seeds})
    codes = {n: [t["code"] for t in s["trips"]] for n, s in found.items()}
    run.felt("mean power, least", min(s["ac"]["p_w"] for s in found.values()), "W", at_least=100)
    run.figure("units with a false SENSOR", sum("SENSOR" in c for c in codes.values()),
               f"of {len(found)}", at_most=0)
    run.figure("units that produce at the end",
               sum(states(s)[-1] == "producing" for s in found.values()), f"of {len(found)}",
               at_least=len(found))


def table(run, title, kinds, values, texts):
    """A plot that is a table: a row for each channel, a column for each kind of fault."""
    axes = run.plot("table", "fault", "channel", title)
    axes.grid(False)
    axes.figure.set_size_inches(7.5, 6)
    axes.imshow(values, aspect="auto", cmap="YlOrRd", vmin=0, vmax=20)
    axes.set_xticks(range(len(kinds)), kinds)
    axes.set_yticks(range(len(CHANNELS)), CHANNELS)
    for y, row in enumerate(texts):
        for x, text in enumerate(row):
            axes.text(x, y, text, ha="center", va="center", fontsize="small")


@procedure("faults-sensors-start", title="A channel that is broken before the start",
           source="UL 1998 class 1; IEC 60730-1, Annex H")
def faults_sensors_start(run):
    """No unit produces with a broken channel of the bridge's loop; healed, it does by itself."""
    kinds = KINDS if run.full else ("stuck", "noise")
    texts = {f"{c}-{k}": world(f"at 0 fault sensor {c} {k}\nrun 4") for c in CHANNELS for k in kinds}
    found = run.sims(texts)
    loop = {n: s for n, s in found.items() if n.startswith(LOOP)}
    run.figure("units that produced", sum("producing" in states(s) for s in loop.values()),
               f"of {len(loop)} with a broken channel of the bridge's loop", at_most=0)
    noisy = {n: s for n, s in found.items() if n.endswith("noise")}
    run.figure("noisy channels without a code", sum(not s["trips"] for s in noisy.values()),
               f"of {len(noisy)}", at_most=0)
    run.note("Stuck without a code: " + ", ".join(n for n, s in found.items() if not s["trips"]))
    run.felt("channels", len(texts) / len(kinds), "", at_least=16)
    codes = [[(found[f"{c}-{k}"]["trips"] or [{"code": "none"}])[0]["code"] for k in kinds]
             for c in CHANNELS]
    table(run, "First code of a unit that starts with a broken channel", kinds,
          [[0] * len(kinds)] * len(CHANNELS), codes)
    heal = {c: world(f"set es_delay_s 0\nat {ONSET_S} fault sensor {c} noise\n"
                     f"at 7 fault sensor {c} off\nrun 20") for c in ("vgrid", "igrid", "vpv1")}
    for name, s in run.sims({f"healed-{c}": t for c, t in heal.items()}).items():
        run.figure(f"{name}: producing again", states(s)[-1] == "producing", "", at_least=1)


# Drifts of the sensor in percent of full scale, and boards.
LINK_DRIFTS = (-1, -1.3, -2, -5, -10, 3, 5, 8)
CURRENT_DRIFTS = (0.5, 1, 1.5, 2, 5)
DRIFT_S, DRIFT_END_S = 8, 20
LINK_CAPACITOR_V = 450


def drifting(channel, percent, board, seed):
    return world(f"board {board}\nset es_ramp_s 1\nset es_delay_s 5\n"
                 f"at {DRIFT_S} sensor offset {channel} {percent}\n"
                 f"at {DRIFT_END_S - 2} mark start\nrun {DRIFT_END_S}", seed)


@procedure("faults-drift", title="Drift of the sensors of link and grid current",
           source="IEC 60730-1, Annex H: plausibility of inputs; IEEE 1547-2018, 7.1 (direct current)")
def faults_drift(run):
    """A drift is found by what the control has to do about it, before it harms; no other change is one."""
    boards = [("nominal", 1)] + [("drawn", seed) for seed in range(1, 7 if run.full else 3)]
    found = {}
    for channel, drifts in (("vlink", LINK_DRIFTS),
                            ("igrid", sorted({sign * d for d in CURRENT_DRIFTS for sign in (-1, 1)}))):
        found[channel] = run.sims({
            f"{channel}{percent:+g}-{board}-{seed}": drifting(channel, percent, board, seed)
            for percent in drifts for board, seed in boards})
    codes = {n: [t["code"] for t in s["trips"]] for each in found.values() for n, s in each.items()}
    ms = [(s["trips"][0]["t_cease_s"] - DRIFT_S) * 1e3
          for each in found.values() for s in each.values() if s["trips"]]

    def unseen(channel, sign):
        """The largest drift that some board did not see."""
        return max((abs(float(re.match("[-+][0-9.]+", n[5:])[0])) for n in found[channel]
                    if not codes[n] and n[5] == sign), default=0)

    low, high = unseen("vlink", "-"), unseen("vlink", "+")
    # 655 V of full scale
    run.figure("link reads low, largest drift without a fault", low * 6.55, "V",
               at_most=LINK_CAPACITOR_V - 420, anchor="450 V capacitor, charged to 420 V at the most")
    run.figure("link reads high, largest drift without a fault", high * 6.55, "V", at_most=25)
    # 16.4 A of full scale
    worst = max(unseen("igrid", "-"), unseen("igrid", "+"))
    run.figure("grid current, largest drift without a fault", worst * 164, "mA", at_most=250)
    run.figure("faults of another code",
               sum(c[0] not in ("SENSOR", "TOV") for c in codes.values() if c), "", at_most=0)
    run.figure("current ended, longest", max(ms), "ms", at_most=8000)
    run.felt("units that saw a drift", len(ms), "", at_least=len(boards) * 8)

    changes = {
        "power": "at 6 sun all 100\nat 12 sun all 900\n",
        "grid": "at 6 grid v 1.05\nat 9 grid v 0.9\nat 12 grid dc 2\n",
        "harmonics": "at 6 grid thd 2:2,3:5,4:1,5:6,7:5\n",
        "reactive": "set q_mode 3\nset const_q_pu 0.44\nat 10 set const_q_pu -0.44\n",
        "sag": "profile ieee1547-2018-cat3\nat 6 grid v 0.6\nat 11 grid v 1\nat 14 grid phase 60\n",
        "cold": "temp -40\n", "hot": "temp 65\n", "weak": "grid scr 5 3\n",
    }
    sound = run.sims({
        f"{name}-{board}-{seed}":
            world(f"board {board}\nplant {plant}\n"
                  f"{more}set es_ramp_s 1\nat 6 mark start\nrun 20", seed)
        for name, more in changes.items() for board, seed in boards
        for plant in (("averaged", "switching") if run.full else ("switching",))})
    false = [n for n, s in sound.items() if "SENSOR" in [t["code"] for t in s["trips"]]]
    run.figure("sound units with a fault of a sensor", len(false), f"of {len(sound)}", at_most=0)
    if false:
        run.note("false: " + " ".join(false))


@procedure("faults-unit", title="Faults of grid current, inputs, relay and ground",
           source="product sheet; UL 1741 (ground fault 1 A); IEC 62109-2, 4.4.4 and 4.8")
def faults_unit(run):
    """Each fault has its code, its time, and the way back that its kind demands."""
    stiff = "grid impedance 0.02 0.00001\n"
    found = run.sims({
        "ground": world("at 6 fault gfdi on\nat 9 fault gfdi off\nrun 20"),
        "pv-55-to-60": world("module 1 en50530 300 45 csi\nat 6 mark start\nrun 10"),
        "pv-above-60": world("module 1 en50530 300 50 csi\nrun 10"),
        "pv-strong": world("module all none\nmodule 1 en50530 900 37 csi\nat 0 sun 1 1000\n"
                           "at 6 mark start\nrun 10"),
        "short-circuit": stiff + world("at 6.004 mark start\nat 6.004 grid v 0\nrun 7"),
        "opposite-phase": stiff + world("at 6.004 mark start\nat 6.004 grid phase 180\nrun 7"),
        "welded-at-start": world("at 0 fault relay welded\nrun 6"),
        "open-at-start": world("at 0 fault relay open\nrun 8"),
        "opens-while-producing": world("at 6 fault relay open\nrun 8"),
        "welds-while-producing": world("set es_delay_s 0\nat 6 fault relay welded\n"
                                       "at 7 cmd shutdown\nat 8 cmd start\nrun 14"),
    })
    code, off, ended = first_trip(found["ground"], 6)
    run.felt("ground fault: code", code == "GFDI", "", at_least=1)
    run.figure("ground fault: gates off", off, "ms", at_most=50)
    run.figure("ground fault: current ended", ended, "ms", at_most=100,
               anchor="300 (IEC 62109-2, 300 mA)")
    run.figure("ground fault: latched after it has gone",
               states(found["ground"])[-1] == "ground-fault", "", at_least=1)

    rests = found["pv-55-to-60"]
    run.felt("55 to 60 V: voltage of the input", rests["dc"]["v"][0], "V", 55, 60)
    run.figure("55 to 60 V: power of the input", rests["dc"]["p"][0], "W", at_most=1)
    run.figure("55 to 60 V: power of the others", sum(rests["dc"]["p"][1:]), "W", at_least=700)
    run.figure("55 to 60 V: faults", len(rests["trips"]), "", at_most=0)
    above = found["pv-above-60"]
    run.felt("above 60 V: voltage of the input", above["dc"]["v"][0], "V", at_least=60)
    run.figure("above 60 V: code PV_OV", above["trips"][0]["code"] == "PV_OV", "", at_least=1)
    run.figure("above 60 V: never producing", "producing" not in states(above), "", at_least=1)
    strong = found["pv-strong"]
    run.felt("module of 900 W: power available",
             strong["mppt"]["available_j"][0] / 4, "W", at_least=800)
    run.figure("module of 900 W: input current", strong["dc"]["i"][0], "A", at_most=12.1,
               anchor="12 (product sheet)")
    run.figure("module of 900 W: trips", len(strong["trips"]), "", at_most=0)

    for name in ("short-circuit", "opposite-phase"):
        s = found[name]
        run.felt(f"{name}: peak current", s["ac"]["i_peak_a"], "A", at_least=8)
        run.figure(f"{name}: peak current", s["ac"]["i_peak_a"], "A", at_most=30,
                   anchor="137 (product sheet)")
        run.figure(f"{name}: ceased", first_trip(s, 6.004)[2], "ms", at_most=160)

    for name in ("welded-at-start", "open-at-start", "welds-while-producing"):
        s = found[name]
        run.figure(f"relay {name.replace('-', ' ')}: RELAY",
                   [t["code"] for t in s["trips"]].count("RELAY"), "", at_least=1)
        run.figure(f"relay {name.replace('-', ' ')}: ends as a fault",
                   states(s)[-1] == "fault", "", at_least=1)
        if name.endswith("start"):
            run.figure(f"relay {name.replace('-', ' ')}: never producing",
                       "producing" not in states(s), "", at_least=1)
    code, off, _ = first_trip(found["opens-while-producing"], 6)
    run.figure("relay opens while producing: gates off", off, "ms", at_most=20)
    run.note(f"A relay that opens while producing is stated as {code}: nothing takes the current.")


def last_above(path, limit_a, from_s):
    """Seconds after @from_s at which the current was last above a limit."""
    last = from_s
    with open(path, newline="") as file:
        for row in csv.DictReader(file):
            if float(row["time_s"]) > from_s and abs(float(row["igrid_a"])) > limit_a:
                last = float(row["time_s"])
    return last - from_s


@procedure("faults-control", title="Lost host, hung or crashed core",
           source="IEC 60730-1, Annex H, H.11.12: time slot monitoring; product: host timeout 2 s")
def faults_control(run):
    """Gates off without Linux and without the core: the watchdog of the hardware cuts them."""
    onset = 3.003
    axes = run.plot("current", "ms after the core has stopped", "grid current, A",
                    "Current when the core crashes or hangs; lines: limits of gates and relay")
    for x, color in ((2, "tab:red"), (12, "tab:purple")):
        axes.axvline(x, color=color)
    for name in ("crash", "hang"):
        path = run.path(f"{name}.csv")
        s = run.sim(name, world(f"at 2 mark start\nat {onset} fault coproc {name}\nrun 3.1"),
                    "--csv", path, "--csv-rate", 20000)
        with open(path, newline="") as file:
            points = [((float(row["time_s"]) - onset) * 1e3, float(row["igrid_a"]))
                      for row in csv.DictReader(file)]
        axes.plot(*zip(*(p for p in points if -20 <= p[0] <= 30)), label=name)
        run.felt(f"{name}: current before", s["ac"]["i_peak_a"], "A", at_least=4)
        run.figure(f"{name}: gates off", last_above(path, GATES_OFF_A, onset) * 1e3, "ms",
                   at_most=2)
        run.figure(f"{name}: relay open", last_above(path, CEASED_A, onset) * 1e3, "ms",
                   at_most=12)
    s = run.sim("host", world("at 6 host lost\nat 12 host back\nset es_delay_s 0\nrun 20"))
    code, off, _ = first_trip(s, 6)
    run.felt("lost host: code", code == "HOST_LOST", "", at_least=1)
    run.figure("lost host: gates off", off / 1e3, "s", at_most=2.1, anchor="2 (host_timeout_s)")
    run.figure("lost host: producing once it is back", states(s)[-1] == "producing", "",
               at_least=1)


HOT = """
seed 1
module all LG400N2W-A5
temp {ambient}
cell all 45
sun all 1000
skip enter-service
at {mark} mark start
run {end}
"""


@procedure("faults-over-temperature", title="Derating by temperature",
           source="product sheet: full power up to 65 C ambient, case up to 80 C")
def faults_over_temperature(run):
    """Power falls with the case's temperature to a stable point, without chatter or a stop."""
    end = 6000 if run.full else 400
    ambients = (65, 70, 75, 80) if run.full else (65, 80)
    axes = run.plot("derating", "time, s", "case, C (dashed) and power, % of rated",
                    "Approach to the stable point")
    for ambient in ambients:
        path = run.path(f"{ambient}C.csv")
        s = run.sim(f"{ambient}C", HOT.format(ambient=ambient, mark=end - 100, end=end),
                    "--csv", path, "--csv-rate", 1)
        with open(path, newline="") as file:
            rows = list(csv.DictReader(file))[5:]
        t = [float(row["time_s"]) for row in rows]
        power = [float(row["p_w"]) / RATED_W * 100 for row in rows]
        line, = axes.plot(t, power, label=f"{ambient} C ambient")
        axes.plot(t, [float(row["tcase_c"]) for row in rows], "--", color=line.get_color())
        late = power[-100:]
        run.felt(f"{ambient} C: rise of the case", s["temperature_c"]["case"] - ambient, "K",
                 at_least=1)
        run.figure(f"{ambient} C: case", s["temperature_c"]["case"], "C",
                   at_most=80 if ambient == 65 else 95)
        run.figure(f"{ambient} C: power", s["ac"]["p_w"], "W",
                   at_least=1190 if ambient == 65 else 600)
        if run.full:
            run.figure(f"{ambient} C: spread of the power in the last 100 s",
                       max(late) - min(late), "% of rated", at_most=1)
        run.figure(f"{ambient} C: trips", len(s["trips"]), "", at_most=0)
        if ambient == 80:
            run.felt("80 C: derating", "derating" in states(s), "", at_least=1)
