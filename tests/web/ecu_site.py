# SPDX-License-Identifier: GPL-2.0-or-later
"""A made-up site of twelve inverters, in the form of userspace/ecud/openapi.json."""

import math
import time

from mock import Refusal

ECU_ID = "216000000001"
STATES = ["producing"] * 9 + ["derating", "ground-fault", None]
LINKS = ["live"] * 10 + ["late", "lost"]
LEDS = {"producing": "green, flashing every 10 s", "derating": "green, flashing every 10 s",
        "ground-fault": "red, on"}
DAY_MS = 86400000


def now_ms():
    return int(time.time() * 1000)


def serial(number):
    return f"80600000{number:04d}"


class Site:
    def __init__(self):
        self.role, self.setup_needed, self.code = "owner", False, "7K2QM-4XW9D"
        self.open_reads, self.reported = False, 7
        self.names = {serial(1): "Garage, east"}
        self.orders, self.limits, self.job_orders = [], [], []
        self.settings = {"open_reads": False, "mqtt_commands": False, "modbus_writers": ["192.0.2.7"]}
        self.users = [{"id": 1, "name": "Ada", "role": "owner", "created_ms": now_ms() - 40 * DAY_MS},
                      {"id": 2, "name": "Solar Ltd", "role": "installer", "created_ms": now_ms() - 39 * DAY_MS}]
        self.tokens = [{"id": 1, "name": "Home Assistant", "role": "viewer", "read_only": True,
                        "created_ms": now_ms() - 9 * DAY_MS, "expires_ms": now_ms() + 300 * DAY_MS}]
        self.modules = [{"serial": serial(unit), "channel": channel,
                         "x": (unit - 1) % 3 * 4 + channel - 0.5, "y": (unit - 1) // 3 * 1.75 + 0.825, "turn": 0}
                        for unit in range(1, 11) for channel in range(1, 5)]
        self.modules += [{"serial": serial(11), "channel": channel, "x": 4.85, "y": 5.75 + channel - 0.5,
                          "turn": 90} for channel in (1, 2)]
        self.units = 12

    def power(self, unit, channel):
        if STATES[unit - 1] not in ("producing", "derating"):
            return None if STATES[unit - 1] is None else 0.0
        return round(60 + 230 * abs(math.sin(unit * 1.3 + channel * 0.35)) + 3 * math.sin(time.time() + unit), 1)

    def faults(self, unit):
        if STATES[unit - 1] != "ground-fault":
            return []
        return [{"code": "GFDI", "active": False, "latched": True, "clearable": True,
                 "text": "ground fault, latched until cleared by command", "advice": "find the fault"}]

    def inverter(self, unit):
        number, state = serial(unit), STATES[unit - 1]
        dc = [self.power(unit, channel) for channel in range(1, 5)]
        power = None if dc[0] is None else round(sum(dc) * 0.96, 1)
        seen = state is not None
        limited = unit == 10
        return {
            "serial": number, "name": self.names.get(number, ""), "make": "stock" if unit == 9 else "qs1",
            "model": "QS1", "paired": True, "phase": ["L1", "L2", "L3"][unit % 3], "modbus_unit": unit + 1,
            "rated_w": 1200, "rma": "", "state": state, "led": LEDS.get(state), "armed": seen or None,
            "seen_ms": now_ms() - 3000 if seen else None, "age_s": 3 if seen else None, "cadence_s": 5,
            "firmware": "1.4.0" if seen else None,
            "profile": {"wanted": "note1", "actual": "note1" if seen else None, "applied": seen or None},
            "faults": self.faults(unit),
            "limit": {"desired_w": 600 if limited else None, "actual_w": 600 if limited else None,
                      "actual_ms": now_ms(), "confirm": "confirmed" if limited else "unknown",
                      "owner": "owner" if limited else "", "reason": "test" if limited else "",
                      "by": "Ada" if limited else "", "since_ms": now_ms() if limited else None,
                      "until_ms": now_ms() + 3600000 if limited else None, "then_w": None,
                      "fallback": unit != 9},
            "link": {"state": LINKS[unit - 1], "text": LINKS[unit - 1], "quality_percent": 80 - unit if seen else None,
                     "polls": 1000, "replies": 1000 - unit * 3, "timeouts": unit * 3, "refused": 0, "forged": 0,
                     "round_trip_ms": 36.2 if seen else None, "failures": 0 if seen else 12},
            "readings": {"power": power, "reactive_power": 1.0 if seen else None,
                         "grid_voltage": 241.3 if seen else None, "grid_current": (power or 0) / 241 if seen else None,
                         "grid_frequency": 59.99 if seen else None, "temperature": 41.5 if seen else None,
                         "dc_link_voltage": None, "energy": 812345.0 + unit if seen else None,
                         "energy_today": 3100.0 + 71 * unit if seen else None, "power_limit": None,
                         "enter_service": 0 if seen else None, "uptime": 30000 if seen else None,
                         "link_quality": 80 - unit if seen else None},
            "channels": [{"channel": channel + 1, "dc_voltage": 38.2 if seen else None,
                          "dc_current": watts / 38.2 if seen else None, "dc_power": watts,
                          "dc_energy": 200000.0 if seen else None,
                          "dc_energy_today": 700.0 + 90 * channel + 11 * unit if seen else None}
                         for channel, watts in enumerate(dc)],
        }

    def inverters(self):
        return [self.inverter(unit) for unit in range(1, self.units + 1)]

    def event_list(self):
        base = now_ms()
        rows = [("ground-fault", "alarm", serial(11), "ground fault: GFDI", 0.2),
                ("unit-lost", "warning", serial(12), "inverter does not answer in daylight", 1),
                ("fault", "warning", serial(4), "fault: UV2", 5), ("fault-ended", "info", serial(4), "fault ended: UV2", 4.9),
                ("limit-confirmed", "info", serial(10), "limit confirmed: 600 W", 6),
                ("inverter", "info", serial(4), "inverter's log: action: set parameter", 7),
                ("uplink-down", "info", None, "monitoring service unreachable: timeout", 20),
                ("started", "info", None, "gateway started: version 1.0", 30)]
        return [{"id": 100 - index, "time_ms": base - int(hours * 3600000), "serial": number, "kind": kind,
                 "severity": severity, "text": text, "advice": ""}
                for index, (kind, severity, number, text, hours) in enumerate(rows)]

    def status(self):
        inverters = self.inverters()
        power = sum(each["readings"]["power"] or 0 for each in inverters)
        return {
            "generation": 1, "time_ms": now_ms(),
            "ecu": {"id": ECU_ID, "name": "Hill Road 7", "version": "1.0", "timezone": "Europe/Berlin",
                    "started_ms": now_ms() - DAY_MS, "night": False},
            "reporting": {"reported": self.reported, "total": self.units, "all_in_s": 120 if self.reported < self.units else None,
                          "text": f"{self.reported} of {self.units}, about 2 min"},
            "readings": {"power": power, "reactive_power": 9.0, "energy": 9812345.0, "energy_today": 41200.0,
                         "power_limit": 9600.0, "grid_power": -1830.0, "grid_power_l1": None,
                         "grid_power_l2": None, "grid_power_l3": None},
            "phases": [{"phase": phase, "power": power / 3, "units": 4} for phase in ("L1", "L2", "L3")],
            "limit": {"desired_w": 9600.0, "limits": 2}, "meter": {"ok": True, "time_ms": now_ms()},
            "export": {"text": "export limited to 0 W"},
            "radio": {"up": True, "kind": "znp", "channel": 16, "pan": "d8f0", "resets": 0, "foreign_pan": None,
                      "foreign_ms": None},
            "uplink": {"ok": False, "time_ms": now_ms() - DAY_MS, "outbox": 14, "sequence": 812},
            "store": {"ok": True, "error": "", "size_bytes": 48123904, "damaged": 0},
            "alarms": [event for event in self.event_list() if event["severity"] == "alarm"],
        }

    def order(self, number, command, body):
        order = {"id": len(self.orders) + 1, "serial": number, "command": command, "w": body.get("w"),
                 "text": body.get("fault") or body.get("profile") or "", "state": "confirmed", "by": "Ada",
                 "role": self.role, "interface": "rest", "issued_ms": now_ms(), "changed_ms": now_ms(), "message": ""}
        self.orders.append(order)
        return order

    def events(self):
        """The stream: everything twice a second, one inverter after the other."""
        for turn in range(1200):
            yield "status", self.status()
            yield "inverter", self.inverter(turn % self.units + 1)
            time.sleep(0.5)

    def history(self, query, channels):
        begin, end, step = int(query["from"]), int(query["to"]), query["step"]
        if not step.isdigit():
            size = {"day": DAY_MS, "month": 30 * DAY_MS, "year": 365 * DAY_MS}[step]
            times = [time_ms for time_ms in range(begin, end, size) if time_ms < now_ms()]
            values = [20000.0 * size / DAY_MS * (1 + math.sin(index)) / 2 for index, _ in enumerate(times)]
            return {"from_ms": begin, "to_ms": end, "step": step, "time_ms": times,
                    "series": [{"name": "energy_wh", "channel": None, "unit": "Wh", "values": values}]}
        times = list(range(begin, end, int(step) * 1000))

        def sun(time_ms, scale):
            hour = (time_ms - begin) / 3600000
            return None if time_ms > now_ms() + DAY_MS else \
                max(0.0, scale * math.sin(math.pi * (hour - 6) / 13)) if 6 < hour < 19 else 0.0
        series = [{"name": "power", "channel": None, "unit": "W", "values": [sun(at, 1100.0) for at in times]}]
        series += [{"name": "dc_power", "channel": channel, "unit": "W",
                    "values": [sun(at, 230.0 + 20 * channel) for at in times]} for channel in channels]
        return {"from_ms": begin, "to_ms": end, "step": step, "time_ms": times, "series": series}


def identity(site, query, body):
    inside = site.role is not None and not site.setup_needed
    return 200, {"logged_in": inside, "name": "Ada" if inside else "", "role": site.role if inside else None,
                 "read_only": False, "setup_needed": site.setup_needed, "open_reads": site.open_reads,
                 "ecu_id": ECU_ID, "site_name": "Hill Road 7"}


def setup(site, query, body):
    from mock import Refusal
    if body["code"].upper().replace("-", "") != site.code.replace("-", ""):
        raise Refusal(403, "wrong_code", "expected the first-use code of the label, found another text")
    site.setup_needed, site.role = False, "owner"
    return identity(site, query, body)


def login(site, query, body):
    from mock import Refusal
    if body["password"] != "correct horse":
        raise Refusal(401, "unauthorized", "name or password is wrong")
    site.role = "owner"
    return identity(site, query, body)


def logout(site, query, body):
    site.role = None
    return 204, None


def command(site, *args, query, body):
    return 202, site.order(args[0] if args else None, body["command"], body)


def change_limit(site, owner, query, body):
    site.limits = [each for each in site.limits if each["owner"] != owner]
    if body["w"] is not None:
        site.limits.append({"owner": owner, "serial": None, "w": body["w"], "until_ms": None, "then_w": None,
                            "reason": body.get("reason", ""), "by": "Ada", "since_ms": now_ms()})
    return 202, site.order(None, "limit", body)


def limits(site, query, body):
    fixed = [{"owner": "export", "serial": None, "w": 9600.0, "until_ms": now_ms() + 30000, "then_w": 9600.0,
              "reason": "meter shows export", "by": "ECU", "since_ms": now_ms()},
             {"owner": "owner", "serial": serial(10), "w": 600.0, "until_ms": now_ms() + 3600000, "then_w": None,
              "reason": "test", "by": "Ada", "since_ms": now_ms()}]
    return 200, {"limits": fixed + site.limits}


def pairing(site, query, body):
    return 202, {"orders": [site.order(label[-12:], "pair", {}) for label in body["labels"]]}


def topology(site, query, body):
    site.modules = body["modules"]
    return 202, {"orders": [site.order(None, "edit", {})]}


def commissioning(site, query, body):
    units = []
    for each in site.inverters():
        seen, producing = each["state"] is not None, each["state"] in ("producing", "derating")
        units.append({"serial": each["serial"], "seen": seen, "producing": producing,
                      "voltage_in_range": seen or None, "frequency_in_range": seen or None,
                      "profile_as_wanted": seen or None, "complete": producing})
    return 200, {"complete": all(unit["complete"] for unit in units), "units": units}


def signed_job(site, query, body):
    """A job with one label, whatever the text is; refused when it ends with an x."""
    if body["job"].endswith("x"):
        raise Refusal(403, "wrong_signature", "job: it was altered, or the monitoring service of this gateway has "
                                              "not signed it")
    return 200, {"id": "0a8f1d3e-0000-4000-8000-000000000001", "by": "Ada", "role": "installer",
                 "issued_ms": now_ms(), "expires_ms": now_ms() + DAY_MS, "done": bool(site.job_orders),
                 "labels": [{"serial": "806000000088", "known": False}], "places": 4, "commission": True,
                 "orders": site.job_orders}


def do_job(site, query, body):
    site.job_orders = [site.order("806000000088", "pair", {}), site.order(None, "commission", {})]
    return 202, signed_job(site, query, body)[1]


def change_settings(site, query, body):
    site.settings.update(body)
    return 200, site.settings


def add_user(site, query, body):
    site.users.append({"id": 9, "name": body["name"], "role": body["role"], "created_ms": now_ms()})
    return 201, {"id": 9}


def remove_user(site, number, query, body):
    site.users = [user for user in site.users if user["id"] != int(number)]
    return 204, None


def audit(site, query, body):
    return 200, {"entries": [{"id": 5, "time_ms": now_ms(), "who": "Ada", "role": "owner", "interface": "rest",
                              "from": "192.0.2.20", "action": "limit", "target": "site", "detail": "9600 W",
                              "result": "ok"}], "next": None}


SERIAL = r"(\d{12})"
ROUTES = [
    ("GET", "/session", identity), ("POST", "/setup", setup), ("POST", "/session", login),
    ("DELETE", "/session", logout),
    ("POST", "/session/password", lambda site, query, body: (204, None)),
    ("GET", "/status", lambda site, query, body: (200, site.status())),
    ("GET", "/inverters", lambda site, query, body: (200, {"generation": 1, "inverters": site.inverters()})),
    ("PUT", f"/inverters/{SERIAL}", lambda site, number, query, body: (202, site.order(number, "edit", body))),
    ("DELETE", f"/inverters/{SERIAL}", lambda site, number, query, body: (202, site.order(number, "remove", {}))),
    ("GET", f"/inverters/{SERIAL}/history", lambda site, number, query, body: (200, site.history(query, range(1, 5)))),
    ("GET", "/history", lambda site, query, body: (200, site.history(query, []))),
    ("POST", f"/inverters/{SERIAL}/commands", command), ("POST", "/commands", command),
    ("POST", f"/inverters/{SERIAL}/replace", lambda site, number, query, body: (202, site.order(number, "replace", body))),
    ("GET", "/events", lambda site, query, body: (200, {"events": [
        event for event in site.event_list() if query.get("serial") in (None, event["serial"])], "next": None})),
    ("GET", "/orders", lambda site, query, body: (200, {"orders": site.orders})),
    ("GET", "/limits", limits), ("PUT", r"/limits/(\w+)", change_limit),
    ("GET", "/topology", lambda site, query, body: (200, {"modules": site.modules})), ("PUT", "/topology", topology),
    ("GET", "/audit", audit), ("POST", "/pairing", pairing),
    ("POST", "/scan", lambda site, query, body: (200, {"labels": [
        {"text": "QS1:806000000077:00112233445566778899aabbccddeeff", "symbology": "QR-Code",
         "serial": "806000000077", "known": False, "message": ""}]})),
    ("GET", "/commissioning", commissioning),
    ("POST", "/jobs/check", signed_job), ("POST", "/jobs", do_job),
    ("GET", "/settings", lambda site, query, body: (200, site.settings)), ("PUT", "/settings", change_settings),
    ("GET", "/label", lambda site, query, body: (200, {"id": ECU_ID, "url": f"https://ecu-{ECU_ID}.local:8443",
                                                     "fingerprint": "3f" * 32, "code": None})),
    ("GET", "/users", lambda site, query, body: (200, {"users": site.users})), ("POST", "/users", add_user),
    ("DELETE", r"/users/(\d+)", remove_user),
    ("GET", "/tokens", lambda site, query, body: (200, {"tokens": site.tokens})),
    ("POST", "/tokens", lambda site, query, body: (201, {"id": 2, "token": "qs1_EXAMPLE-SECRET"})),
    ("DELETE", r"/tokens/(\d+)", lambda site, number, query, body: (204, None)),
]


def make():
    return Site()
