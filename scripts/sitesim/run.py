# SPDX-License-Identifier: GPL-2.0-only
"""The two ways to run a site: at its console, or headless with promises."""

import json
import time

from board.program import publish, reporter
from board.status import PRODUCING

from . import console, status as show
from .site import TOP, Site

DEFAULT_FOR_S = 60.0
LINE_S = 5.0
POLL_S = 0.25
# A site that falls behind its clock by more has not simulated what the daemons saw.
SLIP_S = 1.0
# The gateway's power is of readings up to two cadences old.
POWER_TOLERANCE = 0.02


def _bring_up(site, report):
    report(f"{len(site.units)} inverters on one feeder")
    for service in (site.ecu, site.ema):
        report(f"{service.name}: {service.url}, {service.login()}")
    site.wait_ready()
    print(f"ready {json.dumps(site.ready())}", flush=True)


def run_console(options):
    """Until the user leaves."""
    report = reporter()
    with Site(options, report) as site:
        _bring_up(site, report)
        if console.interactive():
            console.Console(site).run()
        else:
            console.print_status(site)
    return 0


def _promise(name, held, figure):
    return {"name": name, "held": bool(held), "figure": figure}


def _promises(site, status, produced):
    units = status["units"]
    promises = [_promise("the site keeps its pace", status["slip_s"] <= SLIP_S,
                         f"{status['slip_s']:.3f} s behind, {SLIP_S:g} allowed")]
    if not site.options.scenario:
        promises.append(_promise("every inverter produces", len(produced) == len(units),
                                 f"{len(produced)} of {len(units)}"))
    if site.board:
        errors = site.board.policy.errors
        promises.append(_promise("the board's Linux carries out the scenario's statements", not errors,
                                 "; ".join(errors) or "no error"))
    refused = sum(unit["refused"] for unit in units)
    promises.append(_promise("no command has a wrong seal", refused == 0, f"{refused} refused"))
    gateway = site.gateway()
    if gateway:
        promises += _gateway_promises(site, status, gateway)
    return promises


def _gateway_promises(site, status, gateway):
    promises = [_promise("every inverter reports to the ECU",
                         gateway["reported"] == len(status["units"]), gateway["text"])]
    if not site.options.scenario and gateway["power"] is not None:
        truth = show.total_w(status)
        error = abs(gateway["power"] - truth)
        promises.append(_promise("the ECU's power is the true one", error <= POWER_TOLERANCE * truth,
                                 f"{gateway['power']:.1f} W of {truth:.1f} W"))
    if site.ema.site:
        ecu = site.ema.status()["ecus"][0]
        promises.append(_promise("the EMA stores what the ECU delivers", (ecu["stored_through"] or 0) > 0,
                                 f"stored through batch {ecu['stored_through']}, {ecu['state']}"))
    return promises


def run_headless(options):
    """Run for a time, write the summary, judge the promises; the exit status."""
    report = reporter()
    with Site(options, report) as site:
        _bring_up(site, report)
        start = status = site.status()
        end_s = options.duration_s or (None if status["end_s"] is not None else DEFAULT_FOR_S)
        produced, next_line = set(), 0.0
        while not status["ended"] if end_s is None else status["t_s"] - start["t_s"] < end_s:
            site.check()
            status = site.status()
            produced |= {unit["serial"] for unit in status["units"] if unit["state"] in PRODUCING}
            if time.monotonic() >= next_line:
                report(show.line(status, site.gateway()))
                next_line = time.monotonic() + LINE_S
            time.sleep(POLL_S)
        summary = {"feeder": site.world.summary(), "units": status["units"],
                   "network": status["network"], "gateway": site.gateway(),
                   "promises": _promises(site, status, produced)}
    return publish("site", summary, TOP / "summary.json", report)
