# SPDX-License-Identifier: GPL-2.0-only
"""vboard's status object as lines for a person."""

INPUTS = 4

# States in which a unit that may produce does so.
PRODUCING = ("producing", "derating")

# Terminal attributes (SGR) by meaning.
PLAIN, BOLD, DIM = "0", "1", "2"
GREEN, RED, YELLOW = "32;1", "31;1", "33;1"

STATE_COLOURS = {"producing": GREEN, "derating": YELLOW, "connecting": YELLOW,
                 "waiting": YELLOW, "fault": RED, "ground-fault": RED, "ceased": RED}


def _number(status, *keys, default=0.0):
    """The number at a path of members, @default where there is none."""
    for key in keys:
        status = status.get(key, {}) if isinstance(status, dict) else {}
    return status if isinstance(status, (int, float)) else default


def state_of(status):
    """The firmware's state; None while there is no firmware."""
    return (status.get("firmware") or {}).get("state")


def faults_of(status):
    """Codes that are active or latched, each once."""
    firmware = status.get("firmware") or {}
    codes = firmware.get("faults_active", []) + firmware.get("faults_latched", [])
    return list(dict.fromkeys(codes))


def pace(status):
    """What was asked for, and how far simulated time fell behind that."""
    speed = _number(status, "speed")
    asked = f"x{speed:g}" if speed else f"x{_number(status, 'realtime_factor'):.1f} max"
    return f"{asked} slip {_number(status, 'slip_s'):.2f} s"


def inputs(status):
    """The four inputs, volts, amperes and watts, 19 columns each."""
    truth = status.get("truth", {})
    return [f"{n}:{_number(truth, f'pv{n}', 'v'):4.1f}V "
            f"{_number(truth, f'pv{n}', 'i'):5.2f}A {_number(truth, f'pv{n}', 'p'):3.0f}W"
            for n in range(1, INPUTS + 1)]


def grid(status):
    """Grid voltage, current, power and frequency."""
    truth = status.get("truth", {})
    return (f"grid {_number(truth, 'grid', 'v'):5.1f} V {_number(truth, 'grid', 'i'):5.2f} A "
            f"{_number(truth, 'grid', 'p'):6.1f} W {_number(truth, 'grid', 'f'):6.3f} Hz")


def line(status):
    """All on one line, for a log."""
    total = sum(_number(status, "truth", f"pv{n}", "p") for n in range(1, INPUTS + 1))
    return (f"t {_number(status, 't_s'):7.1f} s  {state_of(status) or 'no firmware':12} "
            f"pv {total:6.1f} W  {grid(status)}  {pace(status)}  "
            f"{' '.join(faults_of(status))}").rstrip()


def rows(status, hint):
    """The console's status area: three rows of (text, attributes)."""
    state = state_of(status) or "no firmware"
    faults = faults_of(status)
    leds = status.get("leds", {})

    def led(colour, attributes):
        return (f"{'●' if leds.get(colour) else '○'} {colour} ",
                attributes if leds.get(colour) else DIM)
    return [
        [(f" {state:<12}", f"7;{STATE_COLOURS.get(state, BOLD)}"),
         (f" {_number(status, 't_s'):8.1f} s {pace(status)}  ", PLAIN),
         (grid(status), BOLD)],
        [(" " + " ".join(inputs(status)), PLAIN)],
        [(" ", PLAIN), led("green", GREEN), led("red", RED),
         (f" faults: {' '.join(faults)}" if faults else " no faults", RED if faults else PLAIN),
         (f"   {hint}", DIM)],
    ]
