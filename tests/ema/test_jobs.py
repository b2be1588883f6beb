# SPDX-License-Identifier: GPL-2.0-only
"""Jobs of the installer's app: from the service, by its signature, to a real gateway; and commissioning."""

import base64
import contextlib
import json
import sqlite3
import sys

import pytest

from paths import ROOT

sys.path.append(str(ROOT / "tests/ecu"))
from gateway import ECU_ID, Gateway, wait_for  # noqa: E402
from memory import copies  # noqa: E402

UNITS = 2
JOB_ID = "0a8f1d3e-0000-4000-8000-000000000001"


@pytest.fixture
def enrolled(service):
    """A service with a handed-over job, and the gateway of that job, which has no inverter so far."""
    job = service.ask("POST", "/api/v1/jobs", {"id": JOB_ID, "site": {"name": "Hill Road 7"}, "ecu": ECU_ID,
                                               "commission": True,
                                               "inverters": [{"serial": f"80600000000{n}"} for n in range(UNITS)]},
                      service.tokens["owner"]).json
    with Gateway(units=UNITS, pair=False, config=f"ema https://127.0.0.1:{service.uplink}\nema_ca {service.ca}\n"
                                                 f"ema_code {job['enrolment']['code']}\n") as gateway:
        # the order to commission has arrived, and waits for inverters
        wait_for("the order", lambda: service.api("GET", f"/jobs/{JOB_ID}")["orders"][0]["state"] == "sent")
        yield gateway


def sign(service, work):
    answer = service.ask("POST", f"/api/v1/jobs/{JOB_ID}/signature", work, service.tokens["owner"])
    assert answer.status == 200, answer.body
    return answer.json["text"]


def altered(text, change):
    """The same signature under another payload."""
    payload, signature = text.split(".")
    job = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    change(job)
    payload = base64.urlsafe_b64encode(json.dumps(job).encode()).decode().rstrip("=")
    return f"{payload}.{signature}"


def test_a_signed_job_pairs_places_and_commissions_once(service, enrolled):
    work = {"labels": enrolled.labels, "commission": True,
            "places": [{"serial": serial, "channel": 1, "x": index, "y": 2, "turn": 90}
                       for index, serial in enumerate(enrolled.serials)]}
    text = sign(service, work)
    view = enrolled.nobody.post("/jobs/check", {"job": text})
    assert view.status == 200, view.body
    assert (view.json["by"], view.json["role"], view.json["done"]) == ("token test", "owner", False)
    assert view.json["labels"] == [{"serial": serial, "known": False} for serial in enrolled.serials]
    assert view.json["places"] == UNITS and view.json["commission"] and view.json["orders"] == []
    # a job without labels has nothing to commission so far; it is no job that was done
    nothing = enrolled.nobody.post("/jobs", {"job": sign(service, dict(work, labels=[]))})
    assert (nothing.status, nothing.json["error"]["code"]) == (409, "nothing"), nothing.body
    # neither another work nor another signature is taken, and nothing has happened
    for wrong in (altered(text, lambda job: job.update(role="installer")),
                  altered(text, lambda job: job.update(expires_ms=job["expires_ms"] + 1)),
                  text[:-1] + ("Q" if text[-1] == "A" else "A"), "x.y"):
        answer = enrolled.nobody.post("/jobs", {"job": wrong})
        assert (answer.status, answer.json["error"]["code"]) == (403, "wrong_signature"), answer.body
    done = enrolled.nobody.post("/jobs", {"job": text})
    assert done.status == 202, done.body
    again = enrolled.nobody.post("/jobs", {"job": text})
    assert (again.status, again.json["error"]["code"]) == (409, "done")

    def orders():
        found = enrolled.nobody.post("/jobs/check", {"job": text}).json["orders"]
        return found if len(found) == 2 * UNITS + 1 and all(each["state"] == "confirmed" for each in found) else None
    found = wait_for("all orders", orders, 60)
    assert [each["command"] for each in found] == ["pair"] * UNITS + ["edit"] * UNITS + ["commission"]
    assert found[-1]["message"] == f"{UNITS} of {UNITS} inverters confirmed"
    # the install codes of the labels are nowhere in the gateway's memory
    found = {label: copies(enrolled.ecud.pid, label[13:33]) for label in enrolled.labels}
    assert not any(found.values()), found
    # the service's own order to commission is confirmed, too
    wait_for("the service's order", lambda: service.api("GET", f"/jobs/{JOB_ID}")["state"] == "done", 60)
    # once, also after a restart
    enrolled.ecud.terminate()
    assert enrolled.ecud.wait(20) == 0, enrolled.text_of_log()
    (enrolled.state / "rest.sock").unlink(missing_ok=True)
    enrolled.start()
    wait_for("the gateway", lambda: enrolled.nobody.post("/jobs/check", {"job": text}).json["done"])
    assert enrolled.nobody.post("/jobs", {"job": text}).status == 409
    rows = enrolled.local.get("/audit").json["entries"]
    assert any((row["action"], row["interface"], row["target"], row["result"]) == ("job", "job", JOB_ID, "ok")
               for row in rows)
    assert {(row["role"], row["result"]) for row in rows if row["action"] == "pair"} == {("owner", "confirmed")}
    modules = enrolled.local.get("/topology").json["modules"]
    assert sorted(each["x"] for each in modules) == [0, 1]


def test_a_job_of_another_gateway_or_service_is_refused(service, enrolled):
    other = service.ask("POST", "/api/v1/jobs", {"id": JOB_ID[:-1] + "2", "site": {"name": "Mill Lane"},
                                                 "ecu": "216000000002"}, service.tokens["owner"])
    assert other.status == 201, other.body
    work = {"labels": [], "places": [], "commission": False}
    text = service.ask("POST", f"/api/v1/jobs/{JOB_ID[:-1]}2/signature", work, service.tokens["owner"]).json["text"]
    answer = enrolled.nobody.post("/jobs/check", {"job": text})
    assert (answer.status, answer.json["error"]["code"]) == (409, "foreign")
    assert "216000000002" in answer.json["error"]["message"]
    refused = service.ask("POST", f"/api/v1/jobs/{JOB_ID}/signature", dict(work, labels=["short"]),
                          service.tokens["owner"])
    assert refused.status == 400 and "labels" in refused.json["error"]["message"]
    assert enrolled.nobody.post("/jobs/check", {"job": ""}).status == 400
    with Gateway(units=0, pair=False) as alone:
        answer = alone.nobody.post("/jobs/check", {"job": text})
        assert (answer.status, answer.json["error"]["code"]) == (409, "no_service")


def test_an_ecu_that_is_older_than_signed_jobs_gets_the_key_with_its_next_batch(service, enrolled):
    text = sign(service, {"labels": [], "places": [], "commission": False})
    enrolled.ecud.terminate()
    assert enrolled.ecud.wait(20) == 0, enrolled.text_of_log()
    with contextlib.closing(sqlite3.connect(enrolled.state / "ecud.db")) as database, database:
        assert database.execute("DELETE FROM setting WHERE name = 'job_key'").rowcount == 1
    (enrolled.state / "rest.sock").unlink(missing_ok=True)
    enrolled.start()
    wait_for("the key", lambda: enrolled.nobody.post("/jobs/check", {"job": text}).status == 200, 60)


NOT_IDS = ["0" * 36, JOB_ID.upper(), JOB_ID[:-1] + " ", JOB_ID[:-1] + "g", JOB_ID.replace("-", "0"), JOB_ID[1:] + "-",
           "../" * 12]


@pytest.mark.parametrize("name", NOT_IDS)
def test_a_job_has_a_uuid(service, name):
    answer = service.ask("POST", "/api/v1/jobs", {"id": name, "site": {"name": "Hill Road 7"}}, service.tokens["owner"])
    assert answer.status == 400 and answer.json["error"]["message"].startswith("id: expected a UUID"), answer.body
    assert service.api("GET", "/sites")["total"] == 0


def test_ids_of_a_request_are_what_the_document_says(service):
    site = {"name": "Hill Road 7"}

    def refused(status, method, path, body=None):
        answer = service.ask(method, "/api/v1" + path, body, service.tokens["owner"])
        assert answer.status == status, (path, body, answer.body)
    serial = "806000000001"
    refused(400, "POST", "/jobs", {"id": JOB_ID, "site": site, "inverters": [{"serial": serial}, {"serial": serial}]})
    refused(400, "POST", "/jobs", {"id": JOB_ID, "site": site, "inverters": [{"serial": serial + "x"}]})
    refused(400, "POST", "/sites", {**site, "customer": 0.5})
    for date in ("2026-02-30", "2026-2-3", "+026-01-01", "2026-13-01"):
        refused(400, "POST", "/sites", {**site, "installed_on": date})
    refused(400, "GET", "/sites?state=nothing")
    number = service.api("POST", "/sites", {**site, "installed_on": "2024-02-29"})["id"]
    for wrong in (f"{number}x", f"+{number}", f"%20{number}", "99999999999999999999"):
        refused(404, "GET", f"/sites/{wrong}")
        refused(404, "POST", f"/alarms/{wrong}/acknowledge", {})
        refused(404, "DELETE", f"/users/{wrong}")
