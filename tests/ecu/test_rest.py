# SPDX-License-Identifier: GPL-2.0-or-later
"""The REST interface is what openapi.json says: each path, each role, each reply."""

import json
import re
import socket
import ssl
import subprocess
import time

import pytest

from gateway import PASSWORD, wait_for
from paths import ROOT
from schema import Schema

DOCUMENT = json.loads((ROOT / "userspace/ecud/openapi.json").read_text())
METHODS = ("get", "post", "put", "delete")
OPERATIONS = [(method, path, operation) for path, item in DOCUMENT["paths"].items()
              for method, operation in item.items() if method in METHODS
              if operation["operationId"] != "get_stream"]  # without an end: it has its own test
ROLES = ("owner", "installer", "viewer")


def target(gateway, path, method):
    """A path with the parameters of something that is there; for DELETE of something that is not."""
    serial = "806099999999" if method == "delete" else gateway.serials[0]
    identity = "999999" if method == "delete" else "1"
    return path.replace("{serial}", serial).replace("{id}", identity).replace("{owner}", "owner")


@pytest.fixture(scope="module")
def served(gateway):
    """The description as the server gives it: with the readings of its table."""
    return gateway.nobody.get("/openapi.json").json


@pytest.mark.parametrize("method, path, operation", OPERATIONS,
                         ids=[o[2]["operationId"] for o in OPERATIONS])
@pytest.mark.parametrize("role", ROLES + ("nobody",))
def test_each_role_may_do_what_the_description_says(gateway, method, path, operation, role):
    api = gateway.nobody if role == "nobody" else gateway.api[role]
    # an empty body is wrong for each operation that has one, so that nothing changes
    body = b"{}" if "requestBody" in operation else None
    status = api.ask(method.upper(), target(gateway, path, method), body,
                     Content_Type="text/plain").status
    allowed = operation["x-roles"] == ["public"] or role in operation["x-roles"]
    if allowed:
        assert status not in (401, 403, 405), f"{role} is refused: {status}"
    else:
        assert status == (401 if role == "nobody" else 403)
    assert str(status) in operation["responses"], f"{status} is not described"


@pytest.mark.parametrize("method, path, operation", [o for o in OPERATIONS if o[0] == "get"],
                         ids=[o[2]["operationId"] for o in OPERATIONS if o[0] == "get"])
def test_each_reply_has_its_schema(gateway, served, method, path, operation):
    reply = gateway.owner.get(target(gateway, path, method))
    (kind, content), = operation["responses"]["200"]["content"].items()
    assert reply.status == 200 and reply.headers["Content-Type"] == kind
    if kind == "application/json":
        assert not Schema(served).errors(reply.json, content["schema"])


def test_every_reading_is_described(served):
    table = re.findall(r'X\((?:\w+), "(\w+)", "[^"]*", (UNIT|CHANNEL|SITE),',
                       (ROOT / "userspace/ecud/model.h").read_text())
    schemas = served["components"]["schemas"]
    for scope, name in (("UNIT", "Readings"), ("CHANNEL", "ChannelReadings"), ("SITE", "SiteReadings")):
        assert list(schemas[name]["properties"]) == [n for n, s in table if s == scope]


def test_unknown_paths_and_methods(gateway):
    assert gateway.owner.get("/nothing").status == 404
    reply = gateway.owner.ask("DELETE", "/status")
    assert reply.status == 405 and reply.headers["Allow"] == "GET"
    for path in ("/inverters/806099999999", "/inverters/806099999999/history", "/orders/99999",
                 "/inverters/x", "/orders/x", "/orders/-1"):
        reply = gateway.owner.get(path)
        assert reply.status == 404 and reply.json["error"]["code"] == "not_found", path


WRONG = [
    ("POST", "/commands", {}, "command: expected"),
    ("POST", "/commands", {"command": "explode"}, "command: expected start"),
    ("POST", "/commands", {"command": "limit", "w": -1}, "w: expected a number"),
    ("POST", "/commands", {"command": "limit", "w": "5"}, "w: expected a number"),
    ("POST", "/commands", {"command": "limit", "w": 5, "lease_s": 0}, "lease_s: expected an integer"),
    ("POST", "/commands", {"command": "limit", "w": 5, "lease_s": 1.5}, "lease_s: expected an integer"),
    ("POST", "/commands", {"command": "limit", "w": 5, "reason": "x" * 200}, "reason: expected a text"),
    ("POST", "/commands", {"command": "identify"}, "not possible for the whole site"),
    ("POST", "/commands", {"command": "cadence", "period_s": 0.1}, "period_s"),
    ("POST", "/inverters/{serial}/commands", {"command": "cadence", "period_s": 5}, "not possible for one"),
    ("POST", "/inverters/{serial}/commands", {"command": "clear", "fault": "uv1"}, "expected gfdi"),
    ("POST", "/inverters/{serial}/commands", {"command": "clear"}, "fault: expected a text"),
    ("POST", "/pairing", {"labels": []}, "labels: expected an array"),
    ("POST", "/pairing", {"labels": ["1234"]}, "label: expected a serial number"),
    ("POST", "/pairing", {"labels": [5]}, "label: expected a serial number"),
    ("POST", "/pairing", {"labels": ["806000000001:0102030405060708090A0B0C0D0E0F10FFFF"]}, "wrong check"),
    ("PUT", "/inverters/{serial}", {}, "edit"),
    ("PUT", "/inverters/{serial}", {"phase": "L4"}, "phase: expected L1"),
    ("PUT", "/inverters/{serial}", {"name": "x" * 64}, "name: expected a text"),
    ("PUT", "/limits/owner", {}, "w: expected"),
    ("PUT", "/topology", {"modules": [{"serial": "806099999999", "channel": 1, "x": 0, "y": 0, "turn": 0}]},
     "expected an inverter of this site"),
    ("PUT", "/topology", {"modules": [{"serial": "{serial}", "channel": 5, "x": 0, "y": 0, "turn": 0}]},
     "channel from 1 to 4"),
    ("PUT", "/topology", {"modules": [{"serial": "{serial}", "channel": 1, "x": 1e9, "y": 0, "turn": 0}]},
     "x: expected -1000"),
    ("PUT", "/settings", {"open_reads": 1}, "open_reads: expected true or false"),
    ("PUT", "/settings", {"modbus_writers": ["somewhere"]}, "modbus_writers: expected up to 16"),
    ("POST", "/tokens", {"name": "x", "role": "operator", "days": 1}, "role: expected owner"),
    ("POST", "/tokens", {"name": "x", "role": "viewer", "days": 0}, "days: expected an integer"),
    ("POST", "/users", {"name": "x", "role": "viewer", "password": "short"}, "password: expected a text"),
    ("GET", "/history?from=yesterday", None, "from: expected a time"),
    ("GET", "/history?step=61", None, "step: expected"),
    ("GET", "/history?from=5&to=4", None, "from: expected a time before"),
    ("GET", "/events?limit=0", None, "limit: expected an integer"),
    ("GET", "/events?serial=1", None, "serial: expected 12 digits"),
    ("GET", "/audit?before=x", None, "before: expected an integer"),
]


@pytest.mark.parametrize("method, path, body, words", WRONG, ids=range(len(WRONG)))
def test_bad_input_is_named(gateway, method, path, body, words):
    path = path.replace("{serial}", gateway.serials[0])
    if body is not None:
        body = json.loads(json.dumps(body).replace("{serial}", gateway.serials[0]))
    reply = gateway.owner.ask(method, path, body)
    assert reply.status == 400, reply.body
    assert words in reply.json["error"]["message"]


def test_a_limit_is_confirmed_by_what_the_inverter_reports(gateway):
    path = f"/inverters/{gateway.serials[0]}"
    order = gateway.owner.put("/limits/owner", {"w": 300, "serial": gateway.serials[0], "lease_s": 600,
                                                "reason": "test"})
    assert order.status == 202, order.body
    state = wait_for("the limit is confirmed", lambda: (
        lambda each: each if each["limit"]["confirm"] == "confirmed" and each["readings"]["power"] <= 301
        else None)(gateway.owner.get(path).json))
    assert state["limit"]["desired_w"] == 300 and state["limit"]["owner"] == "owner"
    assert state["limit"]["reason"] == "test" and state["limit"]["fallback"]
    limits = gateway.api["viewer"].get("/limits").json["limits"]
    assert [(each["owner"], each["serial"], each["w"]) for each in limits] == \
        [("owner", gateway.serials[0], 300)]
    # the installer's limit is another one, and clearing it leaves the owner's
    assert gateway.api["installer"].put("/limits/owner", {"w": None}).status == 403
    assert gateway.api["installer"].put("/limits/installer", {"w": None}).status == 202
    assert gateway.owner.put("/limits/owner", {"w": None, "serial": gateway.serials[0]}).status == 202
    wait_for("full power again",
             lambda: gateway.owner.get(path).json["readings"]["power"] > 700)
    orders = gateway.owner.get("/orders").json["orders"]
    assert orders[0]["state"] in ("queued", "sent", "confirmed")


def test_names_phases_and_places_are_kept(gateway):
    serial = gateway.serials[1]
    assert gateway.owner.put(f"/inverters/{serial}", {"name": "Süddach 2", "phase": "L2-L3"}).status == 202
    modules = [{"serial": serial, "channel": n, "x": n, "y": 0.5, "turn": 90} for n in (1, 2)]
    assert gateway.api["installer"].put("/topology", {"modules": modules}).status == 202
    wait_for("the map", lambda: len(gateway.owner.get("/topology").json["modules"]) == 2)
    each = gateway.owner.get(f"/inverters/{serial}").json
    assert each["name"] == "Süddach 2" and each["phase"] == "L2-L3"
    assert gateway.owner.get("/topology").json["modules"] == modules


def test_stream_has_the_state_and_then_each_reading(gateway, served):
    events = gateway.api["viewer"].follow()
    name, status = next(events)
    assert name == "status" and not Schema(served).errors(status, {"$ref": "#/components/schemas/Status"})
    seen = set()
    for name, inverter in events:
        if name == "inverter":
            assert not Schema(served).errors(inverter, {"$ref": "#/components/schemas/Inverter"})
            seen.add(inverter["serial"])
        if seen == set(gateway.serials):
            return


def without_times(status):
    if not isinstance(status, dict):
        return status
    return {name: without_times(value) for name, value in status.items() if name not in ("time_ms", "generation")}


def test_stream_repeats_no_status_that_has_not_changed(gateway):
    statuses, end = [], time.monotonic() + 6
    for name, event in gateway.api["viewer"].follow():
        if name == "status":
            statuses.append(event)
        if time.monotonic() > end:
            break
    # the first one is the answer to this client
    changes = list(map(without_times, statuses[1:]))
    assert len(changes) > 2 and all(one != next_one for one, next_one in zip(changes, changes[1:]))


def test_reading_is_open_where_the_owner_says_so(gateway):
    assert gateway.nobody.get("/status").status == 401
    assert gateway.owner.put("/settings", {"open_reads": True}).status == 200
    assert gateway.nobody.get("/status").status == 200
    assert gateway.nobody.get("//status").status == 200
    assert gateway.nobody.get("/users").status == 401
    assert gateway.nobody.post("/commands", {"command": "stop"}).status == 401
    assert gateway.owner.put("/settings", {"open_reads": False}).status == 200
    assert gateway.nobody.get("/status").status == 401


def test_guessed_passwords_are_limited_and_logged(gateway):
    gateway.owner.post("/users", {"name": "guessed", "role": "viewer", "password": PASSWORD})
    replies = [gateway.nobody.post("/session", {"name": "guessed", "password": f"guess number {n}"})
               for n in range(7)]
    assert [each.status for each in replies] == [401] * 6 + [429]
    assert int(replies[-1].headers["Retry-After"]) >= 1
    entries = gateway.owner.get("/audit?limit=20").json["entries"]
    refused = [each for each in entries if each["action"] == "login" and each["result"] == "refused"]
    assert len(refused) >= 7 and refused[0]["from"] == "127.0.0.1"
    # tokens still work from the same address
    assert gateway.owner.get("/status").status == 200


def test_every_change_is_in_the_audit_log(gateway):
    gateway.owner.post("/commands", {"command": "limit", "w": 2000, "lease_s": 60, "reason": "audit"})
    wait_for("the audit line", lambda: any(
        each["action"] == "limit" and "owner" in each["who"] and each["interface"] == "rest"
        for each in gateway.owner.get("/audit").json["entries"]))
    gateway.owner.put("/limits/owner", {"w": None})


def detail_of(gateway, reply):
    """Arguments of an order in the audit log."""
    number = reply.json["id"]
    found = wait_for(f"the audit line of order {number}", lambda: [
        detail for each in gateway.owner.get("/audit").json["entries"] if each["detail"]
        if (detail := json.loads(each["detail"])).get("order") == number])
    return found[0]


def test_the_audit_log_has_the_arguments_that_were_given_and_no_others(gateway):
    path = f"/inverters/{gateway.serials[0]}"
    reply = gateway.owner.put(path, {"name": "south"})
    assert detail_of(gateway, reply) == {"order": reply.json["id"]}
    reply = gateway.owner.post(f"{path}/commands", {"command": "limit", "w": 600.5, "lease_s": 60, "then_w": 900})
    assert detail_of(gateway, reply) == {"order": reply.json["id"], "w": 600.5, "lease_s": 60, "then_w": 900}
    reply = gateway.owner.post(f"{path}/commands", {"command": "limit", "w": None})
    assert detail_of(gateway, reply) == {"order": reply.json["id"]}
    reply = gateway.owner.post("/commands", {"command": "cadence", "period_s": 1})
    assert detail_of(gateway, reply) == {"order": reply.json["id"], "period_s": 1}
    # seconds are no watts, nor are inverters
    assert gateway.owner.get(f"/orders/{reply.json['id']}").json["w"] is None
    reply = gateway.owner.post("/commands", {"command": "commission", "inverters": len(gateway.serials)})
    assert detail_of(gateway, reply) == {"order": reply.json["id"], "inverters": len(gateway.serials)}
    assert gateway.owner.get(f"/orders/{reply.json['id']}").json["state"] == "confirmed"


@pytest.mark.long
def test_metrics_are_judged_by_promtool(gateway):
    reply = gateway.api["viewer"].get("//metrics")
    done = subprocess.run(["promtool", "check", "metrics"], input=reply.body, capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_metrics_have_the_format_that_the_client_accepts(gateway):
    reply = gateway.api["viewer"].get("//metrics")
    assert reply.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert b'qs1_dc_power_watts{serial="%s",' % gateway.serials[0].encode() in reply.body
    opened = gateway.api["viewer"].get("//metrics", Accept="application/openmetrics-text")
    assert opened.headers["Content-Type"].startswith("application/openmetrics-text")
    assert opened.body.endswith(b"# EOF\n")
    assert b"# TYPE qs1_energy_joules counter" in opened.body


def test_pages_forbid_everything_from_elsewhere(gateway):
    reply = gateway.nobody.get("//")
    policy = reply.headers["Content-Security-Policy"]
    assert reply.status == 200 and "default-src 'none'" in policy or "default-src 'self'" in policy
    assert "unsafe" not in policy and "http" not in policy


def test_clients_that_stall_cost_the_others_nothing(gateway):
    stalled = []
    for number in range(100):
        sock = socket.create_connection(("127.0.0.1", gateway.port))
        if number % 2:
            sock.send(b"\x16\x03\x01")
        stalled.append(sock)
    assert gateway.owner.get("/status").status == 200
    for sock in stalled:
        sock.close()


def test_a_certificate_is_for_the_names_of_the_gateway(gateway):
    context = ssl.create_default_context(cafile=str(gateway.state / "tls" / "ca.pem"))
    with socket.create_connection(("127.0.0.1", gateway.port)) as sock:
        with context.wrap_socket(sock, server_hostname="ecu-216000000001.local") as tls:
            assert tls.version() in ("TLSv1.2", "TLSv1.3")
