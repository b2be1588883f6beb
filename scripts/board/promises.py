# SPDX-License-Identifier: GPL-2.0-only
"""The results of a headless run and its promises: build/run/summary.json."""

import json
import re
from dataclasses import dataclass

from . import wave
from .meter import Meter
from .status import INPUTS, PRODUCING, faults_of, state_of

# How far the meter may be from the truth: (share of the reading, least amount); the greater counts.
# The gain errors and offsets of the simulated sensors are smaller.
ACCURACY = {
    "pv v": (0.01, 0.2),
    "pv i": (0.01, 0.10),
    "pv p": (0.02, 3.0),
    "grid v": (0.01, 1.0),
    "grid i": (0.01, 0.05),
    "grid p": (0.02, 12.0),
    "grid f": (0.0, 0.010),
    "temp_c": (0.0, 2.0),
}

# Simulated time keeps up when it is at most this far behind real time, seconds.
SLIP_MAX_S = 0.25
# Control rate, and how far a capture's duration may be off, beside the time by which the simulation
# fell behind meanwhile: a lag of up to 0.1 s is no slip (userspace/vboard/pace.h); the stamps are true
# to some milliseconds.
CONTROL_HZ = 20000
CAPTURE_SCANS = 40000
CAPTURE_TOLERANCE_S = 0.1 + 0.01
COMPARISONS = 5

_SPLAT = re.compile(r"WARNING:|BUG:|Oops|Internal error|Unable to handle|Call [Tt]race|"
                    r"KFENCE|unregister_netdevice|soft lockup|blocked for more than")


@dataclass
class Promise:
    """A statement that must be true of the run, and the figure that shows it."""

    name: str
    held: bool
    figure: str

    def as_dict(self):
        """As it stands in the summary."""
        return {"name": self.name, "held": bool(self.held), "figure": self.figure}


def kernel_splats(agent):
    """Lines of the guest's kernel log that report a bug, without the bodies of call traces."""
    return [line for line in agent.check("dmesg").splitlines() if _SPLAT.search(line)]


@dataclass
class Quantity:
    """The meter's mean over some readings, and between which bounds the mean of the truth was."""

    meter: float
    low: float
    high: float

    @property
    def truth(self):
        """The middle of the bounds; in a steady state they are close together."""
        return (self.low + self.high) / 2

    @property
    def error(self):
        """By how much the meter is outside of the bounds."""
        return max(self.low - self.meter, self.meter - self.high, 0.0)


def _member(tree, name):
    for key in name:
        tree = tree[key]
    return tree


def compare(board, count=COMPARISONS):
    """{name: Quantity} over @count readings.

    A reading is compared with the truth at the time of its snapshot, so that a
    world that changes meanwhile, or a tracker that probes, is no error of the meter.
    """
    meter = Meter(board.agent)
    rows = {}
    for _ in range(count):
        readings = meter.read()
        bounds = {ticks: board.world.truth(ticks) for ticks in {t for _, t in readings.values()}}
        for name, (value, ticks) in readings.items():
            rows.setdefault(name, []).append(
                (value, _member(bounds[ticks]["low"], name), _member(bounds[ticks]["high"], name)))
    return {name: Quantity(*(sum(column) / count for column in zip(*row)))
            for name, row in rows.items()}


def deviations(quantities):
    """For each class of ACCURACY the worst deviation, as a share of what is allowed.

    Returns {class: (share, "pv2 v 31.20, truth 31.25")}.
    """
    worst = {}
    for name, found in quantities.items():
        kind = re.sub(r"^pv\d", "pv", " ".join(name))
        relative, least = ACCURACY[kind]
        share = found.error / max(relative * abs(found.truth), least)
        if share >= worst.get(kind, (-1, ""))[0]:
            worst[kind] = (share, f"{' '.join(name)} {found.meter:.3f}, "
                                  f"truth {found.low:.3f} to {found.high:.3f}")
    return worst


def _tree(quantities, attribute):
    """The summary's form of one attribute of each quantity."""
    tree = {}
    for (*folders, key), found in quantities.items():
        branch = tree
        for folder in folders:
            branch = branch.setdefault(folder, {})
        branch[key] = getattr(found, attribute)
    return tree


LEDS = {"green": "qs1:green:status", "red": "qs1:red:fault"}
# Trigger, brightness and pattern of each LED, a line each, without starting a program for any.
_READ_LEDS = f"""
for name in {" ".join(LEDS.values())}; do
	cd "/sys/class/leds/$name" || exit 1
	pattern=
	read -r trigger <trigger
	read -r brightness <brightness
	[ ! -e pattern ] || read -r pattern <pattern
	printf '%s\\n' "$trigger" "$brightness" "$pattern"
done"""


def leds(agent):
    """What drives each LED: its pattern, or its brightness; as the kernel says."""
    lines = agent.check(_READ_LEDS).split("\n")
    found = {}
    for n, colour in enumerate(LEDS):
        trigger, brightness, pattern = (lines[3 * n:3 * n + 3] + ["", ""])[:3]
        if "[pattern]" in trigger:
            found[colour] = f"pattern {pattern.strip()}"
        else:
            found[colour] = "off" if brightness == "0" else "on"
    return found


def led_meaning(text):
    """"on", "off", or how often it blinks, e.g. "every 10 s"."""
    if not text.startswith("pattern"):
        return text
    # Pairs of brightness and milliseconds until the next one.
    levels = {int(number) for number in text.split()[1::2]}
    if len(levels) == 1:
        return "on" if levels.pop() else "off"
    period_ms = sum(int(number) for number in text.split()[2::2])
    return f"every {period_ms / 1000:g} s"


# What each state shows: (green, red) by led_meaning(); 60 minutes without an ECU
# turn 10 s into 2 s.
LED_RULES = {"producing": (("every 10 s", "every 2 s"), ("off",)),
             "derating": (("every 10 s", "every 2 s"), ("off",)),
             "ground-fault": (("off",), ("on",))}
LED_NOT_PRODUCING = (("off",), ("every 1 s",))


class History:
    """Follows a run from status to status: did it produce, and for how long was it allowed to?

    Production is allowed while there is sun, the grid is inside the range that
    every profile accepts, and nothing is latched or commanded.
    """

    # Self test, relay and ramp, beside the enter-service delay.
    GRACE_S = 15.0
    # All inputs' available power from which a start is expected, W.
    SUN_W = 40.0

    def __init__(self):
        self.produced = False
        self.longest_s = 0.0
        self._since = None
        self.slip_start_s = None
        self.slip_s = 0.0

    def add(self, status):
        """One more status, in the order of time."""
        if self.slip_start_s is None:
            self.slip_start_s = status["slip_s"]
        self.slip_s = status["slip_s"] - self.slip_start_s
        state = state_of(status)
        self.produced = self.produced or state in PRODUCING
        if not self._allowed(status, state):
            self._since = None
            return
        if self._since is None:
            self._since = status["t_s"]
        self.longest_s = max(self.longest_s, status["t_s"] - self._since)

    def _allowed(self, status, state):
        truth = status["truth"]
        sun = sum(truth[f"pv{n}"]["pmax"] for n in range(1, INPUTS + 1))
        grid = truth["grid"]
        return (sun > self.SUN_W and truth["utility"]
                and 0.9 < grid["v"] / 240 < 1.05 and 59.5 < grid["f"] < 60.4
                and state not in ("shutdown", "fault", "ground-fault", None))


def collect(board, history, timings):
    """Read everything of the summary in the guest; judge it."""
    agent = board.agent
    end = board.status()
    # Snapshots hold for 10 ms and scans come 20,000 times a second: at real time.
    if board.speed != 1:
        board.pace(1)
    quantities = compare(board)
    meter, truth = _tree(quantities, "meter"), _tree(quantities, "truth")
    meter["grid"]["energy_wh"] = Meter(agent).energy_wh()
    truth["grid"]["energy_wh"] = board.status()["truth"]["grid"]["energy_wh"]
    captured = capture(board)
    service = json.loads(agent.check("qs1ctl status --json"))
    summary = {
        "kernel": agent.check("uname -r"), "arch": agent.check("uname -m"),
        "coproc": board.coproc,
        "firmware_sha256": agent.check("sha256sum /lib/firmware/qs1-m4.elf").split()[0],
        **timings,
        "state": service["state"], "profile": service["profile"], "faults": faults_of(end),
        "leds": leds(agent), "meter": meter, "truth": truth,
        "wave": captured,
        "sim": board.world.summary(),
        "kernel_splats": len(kernel_splats(agent)),
    }
    promises = judge(board, history, summary, quantities)
    summary["promises"] = [promise.as_dict() for promise in promises]
    return summary


def capture(board):
    """Two seconds of waveform; the scans lost in it by the driver's own count; the slip meanwhile."""
    slip_s, lost = board.status()["slip_s"], wave.lost(board.agent)
    scans = wave.capture(board.agent, CAPTURE_SCANS)
    return {"scan_hz": round(scans.scan_hz(), 3), "scans": len(scans.scans),
            "lost": wave.lost(board.agent) - lost,
            "late_s": round(scans.late_s(CONTROL_HZ), 4) if scans.scans else None,
            "slip_s": round(board.status()["slip_s"] - slip_s, 4)}


def judge(board, history, summary, quantities):
    """Every promise of the run, held or not."""
    status = board.status()
    needed_s = float(board.attribute("params/es_delay_s")) + history.GRACE_S
    errors = board.policy.errors
    promises = [
        Promise("the firmware runs", status["coproc"]["state"] == "running",
                f"{status['coproc']['kind']} {status['coproc']['state']}"),
        Promise("every statement of the scenario was carried out", not errors,
                "; ".join(errors) or "no error"),
        Promise("it produced, if sun and grid allowed it long enough",
                history.produced or history.longest_s < needed_s,
                f"{'produced' if history.produced else 'did not produce'}, allowed for "
                f"{history.longest_s:.1f} s"),
        Promise("the daemon and the firmware agree on the state",
                summary["state"] == state_of(status),
                f"{summary['state']}, {state_of(status)}"),
        _leds_promise(summary),
        Promise("the kernel log holds no warning", summary["kernel_splats"] == 0,
                f"{summary['kernel_splats']} lines"),
    ]
    if board.speed == 1:
        promises.append(Promise("simulated time keeps up with real time",
                                history.slip_s <= SLIP_MAX_S, f"slip {history.slip_s:.3f} s"))
    promises += _meter_promises(quantities) + wave_promises(summary["wave"])
    return promises


def _leds_promise(summary):
    shown = tuple(led_meaning(summary["leds"][colour]) for colour in ("green", "red"))
    green, red = LED_RULES.get(summary["state"], LED_NOT_PRODUCING)
    return Promise("the LEDs show the state", shown[0] in green and shown[1] in red,
                   f"{summary['state']}: green {shown[0]}, red {shown[1]}")


def _meter_promises(quantities):
    return [Promise(f"the meter's {kind} agrees with the truth", share <= 1,
                    f"{figure} ({share * 100:.0f} % of what is allowed)")
            for kind, (share, figure) in deviations(quantities).items()]


def on_time(captured):
    """Whether a capture took as long as its control periods and the slip meanwhile."""
    late_s = captured["late_s"]
    return late_s is not None and \
        -CAPTURE_TOLERANCE_S <= late_s <= captured["slip_s"] + CAPTURE_TOLERANCE_S


def wave_promises(captured):
    """The promises about a capture of the waveform."""
    rate = f"{captured['scan_hz']:.1f} Hz, {captured['late_s']:+.3f} s over the capture, " \
           f"slip {captured['slip_s']:.3f} s" if captured["scans"] else "no scan came"
    return [Promise("no scan of the waveform is lost", captured["lost"] == 0
                    and captured["scans"] == CAPTURE_SCANS,
                    f"{captured['lost']} lost of {captured['scans']}, {CAPTURE_SCANS} asked for"),
            Promise("a scan comes with every control period", on_time(captured), rate)]
