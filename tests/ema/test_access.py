# SPDX-License-Identifier: GPL-2.0-only
"""Every request with every role and a foreign tenant, generated from the OpenAPI document."""

import concurrent.futures
import contextlib
import json
import re
import time
import urllib.request

import pytest

from fleetlib import Postgres, shards
from paths import BUILD, ROOT
from service import EMAD, PASSWORD, Service

DOCUMENT = json.loads((ROOT / "userspace/emad/openapi.json").read_text())
ROLES = ["owner", "installer", "viewer", "operator"]
OPERATIONS = [(method.upper(), path, operation) for path, methods in DOCUMENT["paths"].items()
              for method, operation in methods.items()]
# These have no tenant, or end the session that the test uses.
NOT_A_TENANTS = {"/openapi.json", "/setup", "/session", "/session/password", "/handover", "/stream"}
ECU = "216000000009"


# Each layer of the tenants' separation alone, and both: SQLite has the program's predicate,
# PostgreSQL has row-level security too, and one program is built without the predicate.
@pytest.fixture(scope="module", params=[
    "sqlite", pytest.param("postgresql", marks=pytest.mark.long),
    pytest.param("row-level security alone", marks=pytest.mark.long),
    pytest.param("two shards", marks=pytest.mark.long),
    pytest.param("row-level security alone, two shards", marks=pytest.mark.long)])
def fleet(request, tmp_path_factory):
    """Two customers with a site each and two companies; a user of each role in each."""
    settings, program, servers = {}, EMAD, []
    if request.param != "sqlite":
        servers = [Postgres() for _ in range(2 if "two shards" in request.param else 1)]
        for server in servers:
            request.addfinalizer(server.stop)
            server.start()
        settings = shards(servers)
    if "row-level security alone" in request.param:
        program = BUILD / "tests/emad-rls"
    service = Service(tmp_path_factory.mktemp("access"), settings, program=program)
    request.addfinalizer(service.stop)
    service.start().set_up()
    fill(service)
    return service


def fill(service):
    company = {side: service.emactl("tenant", f"Company {side}", "company") for side in "ab"}
    customer = {"a": "0", "b": service.emactl("tenant", "Customer b", "customer")}
    for side in "ab":
        for role, tenant in (("owner", customer[side]), ("viewer", customer[side]),
                             ("installer", company[side])):
            service.emactl("user", f"{role}-{side}", role, tenant, stdin=PASSWORD)
            service.tokens[f"{role}-{side}"] = service.login(f"{role}-{side}")
    service.emactl("user", "operator", "operator", "0", stdin=PASSWORD)
    service.tokens["operator-a"] = service.login("operator")
    service.sites = {}
    for side in "ab":
        site = service.api("POST", "/sites", {"name": f"Site {side}"}, f"owner-{side}")["id"]
        service.sites[side] = site
    service.installed = {side: service.api("POST", "/sites", {
        "name": f"Installed {side}", "customer_name": f"Customer of {side}"},
        f"installer-{side}")["id"] for side in "ab"}
    service.customers = customer


def example(schema):
    """The smallest value that a schema allows."""
    if "$ref" in schema:
        return example(DOCUMENT["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]])
    if "anyOf" in schema:
        return example(schema["anyOf"][-1])
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        return {name: example(schema["properties"][name]) for name in schema.get("required", [])}
    if kind == "array":
        return []
    if kind == "string":
        if "pattern" in schema:
            return ECU if "12" in schema["pattern"] else "0" * 8 + "-0000-4000-8000-" + "0" * 12
        return "x" * schema.get("minLength", 1)
    return {"integer": schema.get("minimum", 1), "number": schema.get("minimum", 1),
            "boolean": True}[kind]


def place(path, site, customer):
    """A path with values for its names."""
    values = {"id": customer if path.startswith("/tenants") else site, "ecu": ECU, "order": "none",
              "rule": "hot", "job": "0" * 36}
    return re.sub(r"{(\w+)}", lambda name: str(values[name[1]]), path)


def ask(service, method, path, operation, token):
    body = None
    if "requestBody" in operation:
        body = example(operation["requestBody"]["content"]["application/json"]["schema"])
    query = "&".join(f"{each['name']}={'2026-01-01' if each['name'] == 'date' else 1 + (each['name'] == 'to_ms')}"
                     for each in operation.get("parameters", ())
                     if each["in"] == "query" and each.get("required"))
    return service.ask(method, f"/api/v1{path}{'?' + query if query else ''}", body, token)


CHANGES = ("DELETE",)


@pytest.mark.parametrize("method,path,operation", OPERATIONS,
                         ids=[f"{method} {path}" for method, path, _ in OPERATIONS])
def test_a_request_is_answered_for_the_roles_of_the_document_alone(fleet, method, path, operation):
    if path == "/stream" or "public" in operation["x-roles"]:
        return
    at = place(path, 999999, 999999)
    assert ask(fleet, method, at, operation, None).status == 401
    for role in ROLES:
        answer = ask(fleet, method, at, operation, fleet.tokens[f"{role}-a"])
        if role in operation["x-roles"]:
            # 401: the example's old password is wrong
            assert answer.status < 500 and (answer.status != 401 or path == "/session/password"), \
                (role, answer.status, answer.body)
        else:
            assert answer.status == 403, (role, answer.status, answer.body)


def test_guesses_of_tokens_are_refused_and_then_limited(fleet):
    statuses = {fleet.ask("GET", "/api/v1/sites", token=f"guess {n}").status for n in range(8)}
    assert statuses == {401, 429}
    # the limit is on guesses: a session goes on
    assert fleet.ask("GET", "/api/v1/sites", token=fleet.tokens["owner-a"]).status == 200


SITES = [each for each in OPERATIONS if each[1].startswith("/sites/{id}") and each[0] not in CHANGES]


@pytest.mark.parametrize("method,path,operation", SITES,
                         ids=[f"{method} {path}" for method, path, _ in SITES])
def test_a_site_of_another_tenant_does_not_exist(fleet, method, path, operation):
    for role in operation["x-roles"]:
        if role == "operator":
            continue
        token = fleet.tokens[f"{role}-a"]
        for foreign in (fleet.sites["b"], fleet.installed["b"]):
            answer = ask(fleet, method, place(path, foreign, 0), operation, token)
            assert answer.status == 404, (role, answer.status, answer.body)


LISTS = [each for each in OPERATIONS if each[0] == "GET" and "{" not in each[1] and
         each[1] not in NOT_A_TENANTS]


@pytest.mark.parametrize("method,path,operation", LISTS,
                         ids=[f"{method} {path}" for method, path, _ in LISTS])
def test_no_list_names_anything_of_another_tenant(fleet, method, path, operation):
    for role in set(operation["x-roles"]) - {"operator"}:
        answer = ask(fleet, method, path, operation, fleet.tokens[f"{role}-a"])
        assert answer.status == 200, (role, answer.body)
        text = answer.body.decode()
        for name in ("Site b", "Installed b", "Customer b", "Customer of b", "Company b", "owner-b"):
            assert name not in text, (role, name)


def test_deletions_of_another_tenant_change_nothing(fleet):
    for role in ("owner", "installer"):
        token = fleet.tokens[f"{role}-a"]
        for path in (f"/sites/{fleet.sites['b']}", f"/sites/{fleet.sites['b']}/ecus/{ECU}",
                     f"/tenants/{fleet.customers['b']}"):
            answer = fleet.ask("DELETE", "/api/v1" + path, token=token)
            assert answer.status in (403, 404), answer.body
    assert fleet.api("GET", f"/sites/{fleet.sites['b']}", who="owner-b")["name"] == "Site b"


def follow(fleet, who, seconds):
    """What a stream sends within some seconds."""
    request = urllib.request.Request(f"https://127.0.0.1:{fleet.web}/api/v1/stream",
                                     headers=fleet.proof(fleet.tokens[who]))
    text = b""
    with contextlib.suppress(TimeoutError):
        with urllib.request.urlopen(request, context=fleet.context, timeout=seconds) as answer:
            while line := answer.readline():
                text += line
    return text.decode()


def test_a_stream_says_nothing_of_another_tenants_sites(fleet):
    with concurrent.futures.ThreadPoolExecutor() as pool:
        streams = {who: pool.submit(follow, fleet, who, 4) for who in ("owner-a", "owner-b")}
        time.sleep(1)
        # the generated ECU belongs to the first customer
        fleet.tokens["owner"] = fleet.token(fleet.tokens["owner-a"])
        fleet.deliver("--ecus", 1, "--units", 1, "--batches", 1, "--period", 1)
        heard = {who: stream.result() for who, stream in streams.items()}
    assert "event: site" in heard["owner-a"]
    assert "event: site" not in heard["owner-b"]


def test_an_operator_sees_all_sites(fleet):
    names = {site["name"] for site in fleet.api("GET", "/sites", who="operator-a")["sites"]}
    assert {"Site a", "Site b", "Installed a", "Installed b"} <= names


def test_deletion_of_a_customer_destroys_its_key_and_data(fleet):
    site = fleet.api("POST", "/sites", {"name": "To go", "customer_name": "Leaves"},
                     "installer-a")
    customer = site["customer"]
    deleted = fleet.api("DELETE", f"/tenants/{customer}", who="operator-a")
    assert deleted["key_destroyed"] and deleted["sites"] == 1
    assert fleet.ask("GET", f"/api/v1/sites/{site['id']}",
                     token=fleet.tokens["operator-a"]).status == 404
