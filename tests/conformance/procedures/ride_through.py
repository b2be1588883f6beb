# SPDX-License-Identifier: GPL-2.0-only
"""Disturbances that a unit must ride through: jumps, dips, ride-through vectors."""

import math

from harness import procedure
from procedures.trips import CAT3, CYCLE_S, V_NOM, read, world


BAND = {"note1": (59.4, 60.4), CAT3: (57.05, 61.75)}


def notches(share, width_s, v, k):
    """So many notches to @v in each of 30 cycles, the first @k eighths of a cycle after 4 s."""
    onsets = [4 + k / 480 + n * CYCLE_S / share for n in range(30 * share)]
    return "".join(f"at {t:.5f} grid v {v}\nat {t + width_s:.5f} grid v 1\n" for t in onsets)


def harmless(profile):
    """Name -> statements of a disturbance in which the unit must stay connected."""
    low, high = BAND[profile]
    up, down = (high - 60) / 3, (60 - low) / 3
    table = {f"phase jump {deg} degrees at {k}/8 cycle":
             f"at {4 + CYCLE_S * k / 8:.5f} grid phase {deg}\n"
             for deg in (60, -60) for k in (0, 2, 5)}
    table["8 % distortion"] = "at 4 grid thd 3:5,5:4,7:3.5,9:2.5,11:1.5,13:1.5\n"
    table["ROCOF +3 Hz/s"] = f"at 4 ramp grid f {high} over {up:.4f}\n"
    table["ROCOF -3 Hz/s"] = f"at 4 ramp grid f {low} over {down:.4f}\n"
    table["ROCOF 3 Hz/s to and fro"] = (
        f"at 4 ramp grid f {high} over {up:.4f}\n"
        f"at {4.5 + up:.4f} ramp grid f {low} over {(high - low) / 3:.4f}\n"
        f"at {5 + up + (high - low) / 3:.4f} ramp grid f 60 over {down:.4f}\n")
    for k in range(4):
        onset = 4 + k / 240
        table[f"dip to 0.3 for a cycle, {k}/4"] = (f"at {onset:.5f} grid v 0.3\n"
                                                  f"at {onset + CYCLE_S:.5f} grid v 1\n")
    # as of a six-pulse rectifier, then one that is ten times as wide
    for share, width_s in ((6, 0.0004), (1, 0.004)):
        for k in range(4):
            table[f"{share} notches to 0.5 of {width_s * 1000:g} ms in each of 30 cycles, {k}/8"] = (
                notches(share, width_s, 0.5, k))
    for k in range(8):
        onset = 4 + k / 480
        table[f"no voltage for a cycle, {k}/8"] = (f"at {onset:.5f} grid v 0\n"
                                                   f"at {onset + CYCLE_S:.5f} grid v 1\n")
    table["rise to 1.25 for a cycle"] = f"at 4 grid v 1.25\nat {4 + CYCLE_S:.5f} grid v 1\n"
    for setting in ("v 0.9", "v 1.08", f"f {low}", f"f {high}"):
        table[f"steady {setting}"] = f"at 4 ramp grid {setting} over 2\n"
    table["ten dips to 0.5 in a second"] = "".join(
        f"at {4 + k * 0.1:.3f} grid v 0.5\nat {4.0167 + k * 0.1:.4f} grid v 1\n"
        for k in range(10))
    return table


# RMS difference of the grid's voltage from an undisturbed run, between 4 and 8 s.
FELT_V = 2
# W/m2
LIGHT = 700


def immune(run, name, text):
    """Simulate 9 s; returns the grid's voltage from 4 to 8 s, power in the last second, trips."""
    path = run.path(f"{name}.csv")
    summary = run.sim(name, text + "at 8 mark start\nrun 9\n", "--csv", path, "--csv-rate", 500)
    times, volts = read(path, "time_s", "vgrid_v")
    path.unlink()
    return {"grid_v": [v for t, v in zip(times, volts) if 4 <= t < 8],
            "power_w": summary["ac"]["p_w"], "trips": [t["code"] for t in summary["trips"]]}


@procedure("trips-immunity", title="No trip without a reason",
           source="IEEE 1547-2018, 6.5.2.5 (rate of change of frequency, Category III), 6.5.2.6 "
                  "(phase angle), 6.4.2 (voltage); IEEE 1547.1-2020, 5.5.3 and 5.5.4")
def trips_immunity(run):
    """Phase jumps of 60 degrees, 8 % distortion, 3 Hz/s inside the band, notches and dips of one
    cycle leave the unit connected and at its power afterwards.
    """
    axes = run.plot("power", "disturbance, in the order of the note",
                    "power afterwards, of that without it", "What a disturbance leaves behind")
    axes.axhline(0.99, color="tab:red", label="limit")
    still = "set q_mode 0\nset vw_on 0\nset droop_on 0"
    for profile in BAND:
        # Light for less than rated power, so that no limit acts.
        calm = immune(run, f"{profile}-calm", world(profile, 1, still, LIGHT))
        shares, tripped, unfelt = [], [], []
        table = harmless(profile)
        for n, (name, text) in enumerate(table.items()):
            found = immune(run, f"{profile}-{n}", world(profile, 1, still, LIGHT) + text)
            shares.append(found["power_w"] / calm["power_w"])
            tripped += [f"{name} ({code})" for code in found["trips"][:1]]
            difference = [v - w for v, w in zip(found["grid_v"], calm["grid_v"])]
            if math.hypot(*difference) / len(difference) ** 0.5 < FELT_V:
                unfelt.append(name)
        run.felt(f"{profile}: disturbances that the grid's voltage does not show", len(unfelt), "",
                 at_most=0)
        run.figure(f"{profile}: disturbances of {len(table)} that tripped", len(tripped), "",
                   at_most=0)
        run.figure(f"{profile}: lowest power afterwards, of that without one", min(shares),
                   "", at_least=0.99)
        axes.plot(range(1, len(shares) + 1), shares, "o", label=profile)
        if tripped:
            run.note(f"{profile} tripped at: {'; '.join(tripped)}.")
    rated = [immune(run, f"rated-{name}", world("note1", 1, still, 900) + text)["power_w"]
             for name, text in (("calm", ""), ("distorted", harmless("note1")["8 % distortion"]))]
    run.figure("at rated power: power with 8 % distortion, of that without", rated[1] / rated[0], "")
    lost = immune(run, "no-crest", world("note1", 1, still) + notches(1, 0.001, 0, 2))
    run.note("Beyond what a grid does: without any voltage for 1 ms at the crest, in each of 30 "
             f"cycles, the unit stops as {', '.join(lost['trips'][:1]) or 'nothing'}.")
    run.note(f"The disturbances: {'; '.join(harmless('note1'))}; {CAT3} has another band.")


def vector(start_s, steps):
    """Statements of a list of (voltage in per unit, seconds), and when it ends."""
    text, t = "", start_s
    for v, seconds in steps:
        text += f"at {t:.3f} grid v {v}\n"
        t += seconds
    return text, t


def mean_between(times, values, begin, end):
    inside = [v for t, v in zip(times, values) if begin <= t < end]
    return sum(inside) / len(inside)


# The trips are set as wide as their ranges go, so that only the ride-through is judged.
WIDE = "set uv1_t_s 50\nset uv2_t_s 21\nset vv_olrt_s 2"


def ride_through(run, name, sequence, final_s, delivers):
    """Run a voltage sequence; the unit must stay and be back at the end. Figures: current in the
    parts where it must go on (@delivers: voltage -> share of the current before)."""
    steps = [s for part in sequence for s in part]
    text, end = vector(5, steps)
    path = run.path(f"{name}.csv")
    summary = run.sim(name, world(CAT3, 1, WIDE, 900) + text +
                      f"at {end:.3f} grid v 1\nrun {end + final_s:.3f}\n", "--csv", path,
                      "--csv-rate", "50")
    times, current, volts, power = read(path, "time_s", "igrid_rms_a", "vgrid_rms_v", "p_w")
    before = mean_between(times, current, 4, 5)
    run.felt(f"{name}: span of the voltage", (max(volts[250:]) - min(volts[250:])) / V_NOM, "pu",
             at_least=0.1)
    run.figure(f"{name}: trips", len(summary["trips"]), "", at_most=0)
    t = 5
    shares, left = {}, []
    for v, seconds in steps:
        share = mean_between(times, current, t + 0.5, t + seconds) / before
        if v in delivers:
            shares[v] = min(share, shares.get(v, 9))
        elif v < 0.5 or v > 1.1:
            left.append(abs(mean_between(times, power, t + 0.2, t + seconds)))
        t += seconds
    for v, share in shares.items():
        run.figure(f"{name}: least current at {v} pu, of that before", share, "",
                   at_least=delivers[v])
    run.figure(f"{name}: most power while ceased", max(left), "W", at_most=12)
    run.figure(f"{name}: power afterwards, of that before",
               mean_between(times, power, end + final_s - 2, end + final_s) /
               mean_between(times, power, 4, 5), "", at_least=0.99)
    axes = run.plot(name, "time, s", "per unit", f"Ride-through: {name}")
    axes.plot(times, [v / V_NOM for v in volts], label="voltage")
    axes.plot(times, [i / 5 for i in current], label="current")


@procedure("ride-through-voltage", title="Voltage ride-through, Category III",
           source="IEEE 1547-2018, 6.4.2, Table 16; IEEE 1547.1-2020, 5.4.4 and 5.4.7 (vectors)")
def ride_through_voltage(run):
    """The unit stays through the test vectors, delivers current where it must go on and none where
    it must cease, and is back at its power afterwards.
    """
    last = 120 if run.full else 10
    a, b, c, c2, d = (0.94, 5), (0.03, 1), (0.48, 9), (0.54, 9), (0.70, 10)
    e = (0.94, last)
    low = [[a, b, c, d], [a, b, c, d], [a, b, c, d, e], [a, b, c2, d, e]]
    ride_through(run, "low", low if run.full else low[2:], 8, {0.54: 0.8, 0.70: 0.8, 0.94: 0.8})
    a, b, b2, c = (1.05, 5), (1.18, 12), (1.12, 12), (1.05, last)
    high = [[a, b], [a, b], [a, b, c], [a, b2, c]]
    ride_through(run, "high", high if run.full else high[2:], 30, {1.05: 0.5})


@procedure("ride-through-cessation", title="Momentary cessation and return",
           source="IEEE 1547-2018, 6.4.2.3.3 (83 ms), 6.4.2.7 (80 % within 0.4 s)")
def ride_through_cessation(run):
    """Current is gone within 83 ms and back at 80 % of that before within 0.4 s, at any phase."""
    phases = 8 if run.full else 2
    ceased, back, felt = {}, {}, {}
    for v in (0.03, 0.3, 0.48, 1.12, 1.18):
        for k in range(phases):
            onset, end = 4 + CYCLE_S * k / phases, 4.8 + CYCLE_S * (k + 0.5) / phases
            path = run.path(f"{v}-{k}.csv")
            run.sim(f"{v}-{k}", world(CAT3, k + 1, "", 900) +
                    f"at {onset:.5f} grid v {v}\nat {end:.5f} grid v 1\nrun {end + 1:.5f}\n",
                    "--csv", path, "--csv-rate", "5000")
            times, current, rms, grid = read(path, "time_s", "igrid_a", "igrid_rms_a",
                                             "vgrid_rms_v")
            path.unlink()
            felt[v] = mean_between(times, grid, onset + 0.1, end - 0.1) / V_NOM
            before = [r for t, r in zip(times, rms) if t < onset][-1]
            # The filter's capacitors take 3 % of rated current, 0.23 A peak, at 1.18 pu.
            gone = max(t for t, i in zip(times, current) if t < end and abs(i) > 0.3) - onset
            ceased[v] = max(ceased.get(v, 0), gone)
            # If the current is not back when the scenario ends, the time counts as longer than that.
            back[v] = max(back.get(v, 0), next((t for t, r in zip(times, rms)
                                                if t > end + 0.02 and r >= 0.8 * before),
                                               times[-1]) - end)
    for v in ceased:
        # what is below 0.05 is recorded as none
        run.felt(f"{v} pu: voltage", felt[v], "pu", v - 0.03, v + 0.03)
        run.figure(f"{v} pu: current gone", ceased[v] * 1000, "ms", between=(0.1, 83))
        run.figure(f"{v} pu: 80 % of the current back", back[v] * 1000, "ms", between=(20, 400))
    axes = run.plot("times", "voltage, pu", "time, ms", "Longest times over the phase of onset")
    axes.plot(ceased.keys(), [t * 1000 for t in ceased.values()], "b^", label="gone")
    axes.plot(back.keys(), [t * 1000 for t in back.values()], "go", label="80 % back")
    axes.axhline(83, color="b", ls="--", label="limit: gone")
    axes.axhline(400, color="g", ls="--", label="limit: back")


def source(ratio, x_r):
    """Resistance and inductance of a source by short-circuit ratio and reactance over resistance."""
    ohm = V_NOM / 5 / ratio
    r = ohm / math.hypot(1, x_r)
    return f"grid impedance {r:.5f} {r * x_r / (2 * math.pi * 60):.7f}"


@procedure("ride-through-source", title="Sags and swells behind every source, at every phase",
           source="IEEE 1547-2018, 6.4.2, Table 16; short-circuit ratio 155 (a house) to 5")
def ride_through_source(run):
    """Whatever the source and the phase of onset, a sag or swell of 0.4 s ends without a trip, with
    the unit producing, and without a voltage from the unit itself.
    """
    ratios = (155, 50, 20, 10, 5) if run.full else (155, 20, 5)
    x_rs = (0.3, 1, 3, 10) if run.full else (1, 10)
    phases = 8 if run.full else 2
    levels = (0, 0.05, 0.3, 0.45, 0.6, 1.15)
    texts = {}
    for ratio in ratios:
        for x_r in x_rs:
            for v in levels:
                for k in range(phases):
                    onset = 4 + CYCLE_S * (k + (len(texts) % 4) / 4) / phases
                    texts[f"{ratio}-{x_r}-{v}-{k}"] = (
                        world(CAT3, len(texts) + 1, source(ratio, x_r), 780) +
                        f"at {onset:.5f} mark start\nat {onset:.5f} grid v {v}\n"
                        f"at {onset + 0.4:.5f} grid v 1\nrun {onset + 1.4:.5f}\n")
    found = run.sims(texts)
    tripped = {n: s["trips"][0]["code"] for n, s in found.items() if s["trips"]}
    ceased = sum(any(t["to"] == "ceased" for t in s["transitions"]) for s in found.values())
    # Voltages from 0.5 to 1.1 are no cessation.
    run.felt("cessations", ceased, f"of {len(found)}", at_least=len(found) * 4 // 6)
    run.figure("trips", len(tripped), f"of {len(found)}", at_most=0)
    run.figure("not producing at the end", sum(s["transitions"][-1]["to"] != "producing"
                                               for s in found.values()), "", at_most=0)
    crest = V_NOM * 2 ** 0.5
    peak = max(found.values(), key=lambda s: s["ac"]["v_peak_v"])
    run.figure("highest voltage at the filter", peak["ac"]["v_peak_v"] / crest, "of the crest",
               at_most=1.7, anchor="1.7 for 3 ms (7.4.2)")
    run.figure("highest current", max(s["ac"]["i_peak_a"] for s in found.values()), "A",
               at_most=20)
    if tripped:
        run.note("tripped: " + " ".join(f"{n} ({code})" for n, code in tripped.items()))
    axes = run.plot("voltage", "voltage of the source, per unit", "highest voltage, of the crest",
                    "Sag or swell behind each source: highest voltage at the filter")
    for ratio in ratios:
        points = [(float(n.split("-")[2]), s["ac"]["v_peak_v"] / crest) for n, s in found.items()
                  if n.startswith(f"{ratio}-")]
        axes.plot(*zip(*points), ".", label=f"ratio {ratio}")


def cessations(summary, begin=0):
    return sum(t["to"] == "ceased" and t["t_s"] >= begin for t in summary["transitions"])


def flicker_pst(changes, step_pct):
    """Short-term flicker of some steps within ten minutes: IEC 61000-3-3, 6.3.3, shape factor 1."""
    return (changes * 2.3 * step_pct ** 3.2 / 600) ** (1 / 3.2)


@procedure("ride-through-own-rise", title="A voltage that the unit's own current lifts",
           source="IEEE 1547-2018, 6.4.2.3.3 (momentary cessation above 1.1); IEC 61000-3-3 (flicker)")
def ride_through_own_rise(run):
    """A tap step brings the voltage so close to the limit that the unit's current lifts it over:
    the unit ceases a few times, then stays with less power.
    """
    tap = "at 6 grid v {v}\nrun 60\n"
    texts = {f"{r} ohm": world(CAT3, 1, f"grid impedance {r} 0.0002\nset vw_on {vw}", 900) +
             tap.format(v=v)
             for r, vw, v in ((0.3, 1, 1.095), (1, 0, 1.09), (3, 0, 1.06))}
    found = run.sims(texts)
    step_pct = 0.3 * found["0.3 ohm"]["ac"]["i_peak_a"] / 2 ** 0.5 / V_NOM * 100
    run.figure("0.3 ohm: Pst of a step for each cessation and return",
               flicker_pst(2 * cessations(found["0.3 ohm"]), step_pct), "", at_most=0.5)
    for name, s in found.items():
        run.felt(f"{name}: cessations", cessations(s), "", at_least=1)
        run.figure(f"{name}: cessations in a minute", cessations(s), "", at_most=5)
        run.figure(f"{name}: cessations after ten seconds", cessations(s, 16), "", at_most=0)
        run.figure(f"{name}: trips", len(s["trips"]), "", at_most=0)


@procedure("ride-through-dead-island", title="An island that ends in a momentary cessation",
           source="IEEE 1547-2018, 8.1.1: cease and trip within 2 s; 6.4.2.3.3")
def ride_through_dead_island(run):
    """An island whose load is too large for the unit collapses below the limit of momentary
    cessation: no return, and the relay opens within 2 s whatever the time of UV2; a sag of 1 s to
    nothing and one of 10 s to 0.3 are ridden through.
    """
    wide = "set uv1_t_s 50\nset uv2_t_s 21"
    found = run.sims({
        "island": world(CAT3, 1, wide + "\nload rlc 3 1 0%", 900) + "at 6 grid open\nrun 10\n",
        "sag to nothing": world(CAT3, 1, wide, 900) +
        "at 6 grid v 0\nat 7 grid v 1\nrun 9\n",
        "sag to 0.3": world(CAT3, 1, wide, 900) + "at 6 grid v 0.3\nat 16 grid v 1\nrun 18\n",
    })
    island = found.pop("island")
    run.felt("island: cessations", cessations(island), "", at_least=1)
    run.figure("island: relay open after", min((t["t_s"] - 6 for t in island["transitions"]
                                                if t["to"] == "waiting" and t["t_s"] > 6),
                                               default=None), "s", at_most=2)
    run.figure("island: code ISLAND", [t["code"] for t in island["trips"]] == ["ISLAND"], "",
               at_least=1)
    for name, s in found.items():
        run.figure(f"{name}: trips", len(s["trips"]), "", at_most=0)
        run.figure(f"{name}: producing at the end", s["transitions"][-1]["to"] == "producing", "",
                   at_least=1)


@procedure("ride-through-reclosing", title="Reclosing out of phase",
           source="IEEE 1547-2018, 6.3 and 8.1; power quality of feeders with automatic reclosing")
def ride_through_reclosing(run):
    """A feeder that recloses on an island after 0.2 s, at any angle, is no fault of the unit: it
    trips by the grid or rides through, and produces again; the current stays bounded.
    """
    angles = (30, 60, 90, 120, 180, -60, -150)
    seeds = range(1, 13 if run.full else 4)
    texts = {}
    for angle in angles:
        for seed in seeds:
            # another phase of the voltage each time
            t = 8 + 0.0042 * seed
            texts[f"{angle}-{seed}"] = world(
                "note1", seed, "grid impedance 0.3 0.0002\nset es_delay_s 5\nload rlc 0.9 1.0 0%",
                700) + \
                f"at {t:.4f} grid open\nat {t + 0.1:.4f} grid phase {angle}\n" \
                f"at {t:.4f} mark start\nat {t + 0.2:.4f} grid close\nrun 20\n"
    found = run.sims(texts)
    run.felt("runs that tripped", sum(bool(s["trips"]) for s in found.values()), "", at_least=1)
    run.figure("runs that called it a fault of the unit",
               sum("fault" in [t["to"] for t in s["transitions"]] for s in found.values()),
               f"of {len(found)}", at_most=0)
    run.figure("runs that produce at the end",
               sum(s["transitions"][-1]["to"] == "producing" for s in found.values()),
               f"of {len(found)}", at_least=len(found))
    run.figure("peak current", max(s["ac"]["i_peak_a"] for s in found.values()), "A", at_most=25,
               anchor="137 (product sheet)")


@procedure("ride-through-frequency", title="Frequency ride-through",
           source="IEEE 1547-2018, 6.5.2, Table 19 (299 s at 57.0 to 58.8 and 61.2 to 61.8 Hz); "
                  "IEEE 1547.1-2020, 5.5.3 and 5.5.4")
def ride_through_frequency(run):
    """The unit stays when the frequency is out of 58.8 to 61.2 Hz for 299 s, up to the edges of
    the band, and is back at its power afterwards.
    """
    hold = 299 if run.full else 20
    texts = {}
    for f in (57.05, 58.4, 61.3, 61.75):
        rate = abs(f - 60) / 3
        # of which the ramps take a part
        rest = hold - 2 * abs(f - (58.8 if f < 60 else 61.2)) / 3
        texts[f"{f}Hz"] = (world(CAT3, 1, "", 900) + f"at 4 ramp grid f {f} over {rate:.4f}\n"
                            f"at {4 + rate + rest:.4f} ramp grid f 60 over {rate:.4f}\n"
                            f"at {20 + 2 * rate + rest:.4f} mark start\n"
                            f"run {22 + 2 * rate + rest:.4f}\n")
    full = run.sim("full", world(CAT3, 1, "", 900) + "at 4 mark start\nrun 6\n")["ac"]["p_w"]
    found = {}
    axes = run.plot("frequency", "time, s", "grid frequency, Hz", "What is ridden through")
    for name, text in texts.items():
        path = run.path(f"{name}.csv")
        found[name] = run.sim(name, text, "--csv", path, "--csv-rate", 10)
        times, hertz = read(path, "time_s", "f_hz")
        axes.plot(times, hertz, label=name)
        middle = mean_between(times, hertz, hold / 2, hold / 2 + 5)
        set_hz = float(name.removesuffix("Hz"))
        run.felt(f"{name}: frequency", middle, "Hz", set_hz - 0.02, set_hz + 0.02)
    for name, s in found.items():
        run.figure(f"{name} for {hold} s: trips", len(s["trips"]), "", at_most=0)
        run.figure(f"{name}: power afterwards", s["ac"]["p_w"] / full, "of full", at_least=0.99)
