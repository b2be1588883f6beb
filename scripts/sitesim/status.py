# SPDX-License-Identifier: GPL-2.0-only
"""The status page of a site: one row an inverter, the network, the gateway."""

from board.status import BOLD, DIM, GREEN, PLAIN, RED, STATE_COLOURS, YELLOW

BAR = 20
RATED_W = 1200


def total_w(status):
    """True power of all units."""
    return sum(unit["p_w"] or 0 for unit in status["units"])


def line(status, gateway):
    """All on one line, for a log."""
    states = [unit["state"] for unit in status["units"]]
    summary = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))
    heard = f"  ECU {gateway['text']} {_watts(gateway['power'])}" if gateway else ""
    return (f"t {status['t_s']:8.1f} s  {summary}  {total_w(status):8.1f} W{heard}  "
            f"slip {status['slip_s']:.2f} s")


def _watts(power):
    return "-" if power is None else f"{power:.1f} W"


def _unit(unit, reported):
    power = unit["p_w"] or 0
    full = round(BAR * min(max(power / RATED_W, 0), 1))
    state = unit["state"]
    faults = " ".join(unit["faults"])
    colour = RED if faults else STATE_COLOURS.get(state, DIM)
    return [(f" {unit['serial']} ", PLAIN), (f"{state:<13}", colour),
            ("█" * full + "░" * (BAR - full), GREEN if full else DIM),
            (f" {power:7.1f} W {unit['v'] or 0:6.1f} V", BOLD),
            (f"  limit {unit['limit_w'] or 0:6.0f} W", DIM),
            (f"  ECU {_watts(reported)}", PLAIN if reported is not None else DIM),
            (f"  {faults}", RED)]


def page(status, gateway, hint, rows):
    """At most @rows rows of (text, attributes)."""
    net = status["network"]
    phases = "  ".join(f"L{n} {phase['v'] or 0:5.1f} V {-(phase['p_w'] or 0):8.1f} W"
                       for n, phase in enumerate(net["phases"], 1))
    head = [
        [(f" site  {status['t_s']:9.1f} s  slip {status['slip_s']:.2f} s  ", "7"),
         (f"  {total_w(status):9.1f} W ", BOLD), (f"  {net['f_hz'] or 0:6.3f} Hz  from the grid: {phases}", PLAIN),
         ("" if net["utility"] else "  GRID OPEN", RED)],
    ]
    if gateway:
        head.append([(f" ECU   {gateway['text']}  {_watts(gateway['power'])}  {gateway['url']}", PLAIN)])
    tail = [[(f" {hint}", DIM)]]
    space = rows - len(head) - len(tail)
    reported = gateway["units"] if gateway else {}
    units = [_unit(unit, reported.get(unit["serial"])) for unit in status["units"]]
    if len(units) > space:
        rest = len(units) - space + 1
        units = units[:space - 1] + [[(f" and {rest} more", YELLOW)]]
    return head + units + tail


def painted(rows):
    """Rows with SGR sequences."""
    return ["".join(f"\x1b[{attributes}m{text}\x1b[0m" for text, attributes in row) for row in rows]
