# SPDX-License-Identifier: GPL-2.0-or-later
"""A made-up fleet, in the form of userspace/emad/openapi.json."""

import math
import random
import time
import urllib.parse

SITE_STATES = ["producing", "night", "fault", "silent", "new"]
DAY_MS = 86400000
RULES = ["no-data", "unit-silent", "ground-fault", "grid-trips", "fault", "module-low", "hot", "clock",
         "energy-falls", "conflict"]


def now_ms():
    return int(time.time() * 1000)


def serial(number):
    return f"80600001{number:04d}"


class Fleet:
    def __init__(self, count=300):
        draw = random.Random(1)
        self.user = {"name": "Solar Ltd", "role": "installer", "tenant": 2, "tenant_name": "Solar Ltd",
                     "read_only": False}
        self.setup, self.online = False, True
        self.missing = {}  # what each answer with sites of all shards says of those that are missing
        self.sites = []
        for number in range(1, count + 1):
            state = draw.choices(SITE_STATES, [80, 5, 5, 8, 2])[0]
            units = draw.randint(2, 30)
            self.sites.append({
                "id": number, "name": f"Site {number:03d} {draw.choice(['Hill', 'Lake', 'Mill', 'Oak'])} Road",
                "address": f"{number} Hill Road", "lat": 47.5 + 6 * draw.random(), "lon": 7 + 7 * draw.random(),
                "state": state, "power_w": None if state in ("silent", "new") else 700.0 * units * draw.random(),
                "energy_today_wh": None if state == "new" else 4000.0 * units, "rated_w": 1200.0 * units,
                "units": units, "units_reporting": units - (state == "fault"),
                "alarms": 2 if state == "fault" else 0,
                "last_ms": None if state == "new" else now_ms() - 200000, "customer": 10 + number,
                "customer_name": f"Customer {number}", "company": 2, "company_name": "Solar Ltd"})
        self.map = {"rows": 22, "columns": 22, "azimuth_deg": 180, "tilt_deg": 30, "labels": [], "modules": [
            {"serial": serial(unit), "input": channel, "row": unit // 4, "column": unit % 4 * 4 + channel - 1,
             "upright": True} for unit in range(6) for channel in range(1, 5)]}
        self.jobs, self.orders, self.alarms = {}, [], [
            {"id": 1, "site": 3, "site_name": self.sites[2]["name"], "serial": serial(2), "input": 3,
             "rule": "module-low", "severity": "warning", "begin_ms": now_ms() - DAY_MS, "end_ms": None,
             "acknowledged_ms": None, "acknowledged_by": None, "text": "31 % below its neighbours for three days",
             "advice": "look for shade"},
            {"id": 2, "site": 4, "site_name": self.sites[3]["name"], "serial": serial(1), "input": None,
             "rule": "ground-fault", "severity": "alarm", "begin_ms": now_ms() - 3600000, "end_ms": None,
             "acknowledged_ms": now_ms(), "acknowledged_by": "Ada", "text": "GFDI latched", "advice": ""}]

    def detail(self, number):
        return self.sites[number - 1] | {
            "zone_min": 60, "installed_on": "2024-05-04", "installer": "Solar Ltd", "warranty_years": 10,
            "note": "", "ecus": [{"ecu": "216000000001", "state": "enrolled", "last_ms": now_ms() - 90000,
                                  "clock_offset_ms": 120, "version": "1.0", "stored_through": 812}]}

    def inverters(self):
        return [{"serial": serial(unit), "ecu": "216000000001", "name": None,
                 "state": "ground-fault" if unit == 1 else "producing", "faults": ["GFDI"] if unit == 1 else [],
                 "time_ms": now_ms() - 90000, "power_w": 0.0 if unit == 1 else 800.0 + unit,
                 "energy_today_wh": 4100.0, "temperature_c": 44.0, "link_pct": 70.0, "grid_v": 240.5,
                 "grid_hz": 60.01, "limit_w": None, "phase": ["L1", "L2", "L3"][unit % 3],
                 "inputs": [{"input": channel, "v": 38.0, "i": 5.5, "power_w": 209.0, "energy_today_wh": 1000.0}
                            for channel in range(1, 5)]} for unit in range(6)]

    def day(self, date):
        begin = int(time.mktime(time.strptime(date, "%Y-%m-%d"))) * 1000
        times = list(range(begin + 6 * 3600000, begin + 19 * 3600000, 300000))

        def sun(index, scale):
            return round(scale * math.sin(math.pi * index / len(times)), 1)
        modules = [{"serial": each["serial"], "input": each["input"], "power_w": [
            None if each["serial"] == serial(5) and index > 100 else
            sun(index, 300 * (0.6 if (each["serial"], each["input"]) == (serial(2), 3) else 1))
            for index in range(len(times))]} for each in self.map["modules"]]
        return {"date": date, "time_ms": times, "modules": modules,
                "power_w": [sum(each["power_w"][index] or 0 for each in modules) for index in range(len(times))]}

    def history(self, query):
        begin, end, step = int(query["from_ms"]), int(query["to_ms"]), int(query["step_s"])
        times = [at for at in range(begin, end, step * 1000) if at < now_ms()]
        name, unit, scale = ("power_w", "W", 1000) if step == 900 else ("energy_wh", "Wh", 24000 * step / 86400)
        return {"from_ms": begin, "to_ms": end, "step_s": step, "time_ms": times, "series": [
            {"name": name, "serial": None, "input": None, "unit": unit,
             "values": [scale * (1 + math.sin(index / 3)) for index in range(len(times))]}]}

    def events(self):
        for _ in range(1200):
            yield "site", {"id": 1, "power_w": 4321.0, "last_ms": now_ms(), "state": "producing"}
            time.sleep(0.5)


def shards(fleet):
    """Of a list, which does not know how many sites are missing."""
    return {name: value for name, value in fleet.missing.items() if name == "missing_shards"}


def session(fleet, query, body):
    return 200, {"setup": fleet.setup} | (fleet.user or {})


def enter(fleet, query, body):
    from mock import Refusal
    if "code" not in body and body["password"] != "correct horse":
        raise Refusal(401, "unauthorized", "name or password is wrong")
    fleet.setup, fleet.user = False, {"name": body["name"], "role": "owner" if "code" in body else "installer",
                                      "tenant": 2, "tenant_name": "Solar Ltd", "read_only": False}
    return session(fleet, query, body)


def leave(fleet, query, body):
    fleet.user = None
    return 204, None


def sites(fleet, query, body):
    search = urllib.parse.unquote_plus(query.get("search", "")).lower()
    found = [site for site in fleet.sites if search in site["name"].lower() and
             query.get("state", site["state"]) == site["state"] and ("alarms" not in query or site["alarms"])]
    offset, limit = int(query.get("offset", 0)), int(query.get("limit", 50))
    return 200, {"total": len(found), "sites": found[offset:offset + limit], **shards(fleet)}


def new_site(fleet, query, body):
    fleet.sites.append(fleet.sites[0] | body | {"id": len(fleet.sites) + 1})
    return 201, fleet.detail(len(fleet.sites))


def command(fleet, number, query, body):
    order = {"id": f"o{len(fleet.orders)}", "site": int(number), "serial": body.get("serial"), "command": body["command"],
             "arguments": body.get("arguments", {}), "by": "Ada", "issued_ms": now_ms(), "expires_ms": now_ms() + 60000,
             "state": "confirmed", "results": [{"serial": serial(unit), "state": "confirmed", "time_ms": now_ms(),
                                                "text": ""} for unit in range(2)]}
    fleet.orders.insert(0, order)
    return 202, order


def put_map(fleet, number, query, body):
    fleet.map = body
    return 200, body


def acknowledge(fleet, number, query, body):
    alarm = next(each for each in fleet.alarms if each["id"] == int(number))
    alarm |= {"acknowledged_ms": now_ms(), "acknowledged_by": "Ada"}
    return 200, alarm


def job(fleet, query, body):
    fleet.jobs.setdefault(body["id"], body)
    return job_state(fleet, body["id"], query, body)


def job_state(fleet, number, query, body):
    return 201, {"id": number, "site": 7, "state": "waiting", "orders": [], "created_ms": now_ms(), "enrolment": {
        "ecu": "216000000001", "code": "ABCDE-FGHJK", "expires_ms": now_ms() + 7 * DAY_MS, "uri": "qs1-enrol:?u=x"}}


def signature(fleet, number, query, body):
    return 200, {"text": "e30.c2lnbmF0dXJl", "expires_ms": now_ms() + 7 * DAY_MS}


def answer(status, value):
    return lambda fleet, *args, query, body: (status, value)


RULE_LIST = [{"name": name, "title": name, "description": "what the rule looks for", "enabled": True,
              "severity": "warning", "threshold": 60, "threshold_unit": "min", "threshold_min": 10,
              "threshold_max": 10080, "delay_min": 0} for name in RULES]
SITE = r"/sites/(\d+)"
ROUTES = [
    ("GET", "/session", session), ("POST", "/session", enter), ("POST", "/setup", enter),
    ("POST", "/handover", enter), ("DELETE", "/session", leave), ("POST", "/session/password", answer(204, None)),
    ("GET", "/fleet", lambda fleet, query, body: (200, {
        "sites": len(fleet.sites), "units": sum(site["units"] for site in fleet.sites),
        "power_w": sum(site["power_w"] or 0 for site in fleet.sites), "energy_today_wh": 12e6,
        "alarms": 2, "states": {}, **fleet.missing})),
    ("GET", "/fleet/map", lambda fleet, query, body: (200, {"sites": [
        [site["id"], site["lat"], site["lon"], SITE_STATES.index(site["state"])] for site in fleet.sites],
        **shards(fleet)})),
    ("GET", "/sites", sites), ("POST", "/sites", new_site),
    ("GET", SITE, lambda fleet, number, query, body: (200, fleet.detail(int(number)))),
    ("PUT", SITE, lambda fleet, number, query, body: (200, fleet.detail(int(number)) | body)),
    ("DELETE", SITE, answer(200, {})),
    ("GET", f"{SITE}/inverters", lambda fleet, number, query, body: (200, {"inverters": fleet.inverters()})),
    ("GET", f"{SITE}/map", lambda fleet, number, query, body: (200, fleet.map)), ("PUT", f"{SITE}/map", put_map),
    ("GET", f"{SITE}/day", lambda fleet, number, query, body: (200, fleet.day(query["date"]))),
    ("GET", f"{SITE}/history", lambda fleet, number, query, body: (200, fleet.history(query))),
    ("GET", f"{SITE}/events", lambda fleet, number, query, body: (200, {"events": [
        {"id": 1, "time_ms": now_ms(), "ecu": "216000000001", "serial": serial(1), "name": "ground-fault", "value": 0,
         "text": "ground fault: GFDI"}]})),
    ("GET", f"{SITE}/commands", lambda fleet, number, query, body: (200, {"orders": fleet.orders})),
    ("POST", f"{SITE}/commands", command),
    ("GET", f"{SITE}/documents/[a-z-]+", answer(200, b"%PDF-1.4")),
    ("POST", f"{SITE}/ecus", lambda fleet, number, query, body: (201, job_state(fleet, "x", query, body)[1]["enrolment"])),
    ("DELETE", f"{SITE}/ecus/\\d+", answer(204, None)),
    ("POST", f"{SITE}/handover", lambda fleet, number, query, body: (201, {"code": "PQRST-VWXYZ", "expires_ms": now_ms() + DAY_MS})),
    ("GET", "/alarms", lambda fleet, query, body: (200, {"alarms": [
        each for each in fleet.alarms if query.get("site") in (None, str(each["site"]))],
        **shards(fleet)})),
    ("POST", r"/alarms/(\d+)/acknowledge", acknowledge),
    ("GET", "/rules", answer(200, {"rules": RULE_LIST})), ("PUT", r"/rules/[a-z-]+", answer(200, RULE_LIST[0])),
    ("GET", "/notifications", answer(200, {"emails": ["a@example.org"], "webhook": None, "quiet_from_min": 1320,
                                          "quiet_to_min": 360, "min_severity": "warning"})),
    ("PUT", "/notifications", lambda fleet, query, body: (200, body)),
    ("GET", "/users", answer(200, {"users": [{"id": 1, "name": "Ada", "role": "installer", "created_ms": 1700000000000}]})),
    ("POST", "/users", answer(201, {"id": 2})), ("DELETE", r"/users/\d+", answer(204, None)),
    ("GET", "/tokens", answer(200, {"tokens": []})), ("POST", "/tokens", answer(201, {"id": 1, "secret": "qs1_EXAMPLE"})),
    ("GET", "/tenants", lambda fleet, query, body: (200, {"tenants": [
        {"id": 12, "name": "Customer 2", "kind": "customer", "sites": 1}], **shards(fleet)})),
    ("POST", "/tenants", answer(201, {})), ("DELETE", r"/tenants/\d+", answer(200, {})),
    ("GET", "/audit", answer(200, {"entries": [{"id": 5, "time_ms": 1790000000000, "who": "Ada", "role": "installer",
                                               "interface": "rest", "from": "192.0.2.20", "action": "limit",
                                               "target": "site 3", "detail": "9600 W", "result": "ok"}]})),
    ("POST", "/jobs", job), ("GET", "/jobs/([0-9a-f-]+)", job_state),
    ("POST", "/jobs/([0-9a-f-]+)/signature", signature),
]


def make():
    return Fleet()
