# SPDX-License-Identifier: GPL-2.0-only
"""Documents: what a person reads in them, and what a scanner reads."""

import subprocess

SERIALS = [f"8060000000{number:02d}" for number in range(1, 26)]


def pdf(service, site, name, folder):
    path = folder / f"{name}.pdf"
    answer = service.ask("GET", f"/api/v1/sites/{site}/documents/{name}",
                         token=service.tokens["owner"])
    assert answer.status == 200, answer.body
    path.write_bytes(answer.body)
    return path


def text(path):
    return subprocess.run(["pdftotext", "-layout", path, "-"], check=True, capture_output=True,
                          text=True).stdout


def test_documents_show_the_site_and_codes_that_a_scanner_reads(service, tmp_path):
    site = service.api("POST", "/sites", {
        "name": "Dach am Hügel", "address": "Lindenstraße 3", "installed_on": "2026-06-01",
        "installer": "Sonne & Söhne", "warranty_years": 25})["id"]
    modules = [{"serial": serial, "input": number, "row": (4 * index + number) // 22,
                "column": (4 * index + number) % 22, "upright": index % 2 == 0}
               for index, serial in enumerate(SERIALS) for number in range(1, 5)]
    service.api("PUT", f"/sites/{site}/map", {"rows": 8, "columns": 22, "azimuth_deg": 180,
                                              "tilt_deg": 30, "modules": modules, "labels": []})
    plan = pdf(service, site, "installation-map", tmp_path)
    words = text(plan)
    assert "Dach am Hügel" in words and "Lindenstraße 3" in words and "Installation map" in words
    assert all(serial in words for serial in SERIALS)
    codes = set()
    # a scanner sees a part of the sheet at a time
    for top in range(0, 1650, 330):
        for left in range(0, 2330, 330):
            tile = tmp_path / "tile"
            subprocess.run(["pdftoppm", "-f", "2", "-l", "2", "-singlefile", "-r", "200", "-gray", "-png",
                            "-x", str(left), "-y", str(top), "-W", "660", "-H", "660", plan, tile],
                           check=True)
            found = subprocess.run(["zbarimg", "-q", "--raw", f"{tile}.png"], capture_output=True,
                                   text=True)
            codes |= set(found.stdout.split())
    assert codes == set(SERIALS)
    card = text(pdf(service, site, "warranty-card", tmp_path))
    assert "25 years" in card and "2051-06-01" in card and "Sonne & Söhne" in card
    card = text(pdf(service, site, "registration-card", tmp_path))
    assert "Registration card" in card and all(serial in card for serial in SERIALS)


def test_a_map_that_cannot_be_is_refused(service):
    site = service.api("POST", "/sites", {"name": "Roof"})["id"]
    plan = {"rows": 2, "columns": 22, "azimuth_deg": 180, "tilt_deg": 30, "labels": []}
    module = {"serial": SERIALS[0], "input": 1, "row": 0, "column": 0}
    wrong = [[dict(module, row=2)], [dict(module, column=-1)], [dict(module, input=5)],
             [dict(module, serial="1")], [module, dict(module, column=1)],
             [module, dict(module, input=2)], [dict(module, row=0.5)], ["x"], [None]]
    for modules in wrong:
        answer = service.ask("PUT", f"/api/v1/sites/{site}/map", dict(plan, modules=modules),
                             service.tokens["owner"])
        assert answer.status == 400, (modules, answer.body)
    assert service.api("GET", f"/sites/{site}/map")["modules"] == []


def test_a_job_that_comes_twice_is_one(service):
    job = {"id": "0a8f1d3e-0000-4000-8000-000000000001", "site": {"name": "From the cellar"},
           "ecu": "216000000077", "commission": True,
           "inverters": [{"serial": serial} for serial in SERIALS]}
    first = service.ask("POST", "/api/v1/jobs", job, service.tokens["owner"])
    assert first.status == 201, first.body
    assert first.json["state"] == "commissioning" and first.json["enrolment"]["code"]
    second = service.ask("POST", "/api/v1/jobs", job, service.tokens["owner"])
    assert (second.status, second.json["site"]) == (200, first.json["site"])
    assert service.api("GET", "/sites")["total"] == 1
    assert len(service.api("GET", f"/sites/{first.json['site']}/commands")["orders"]) == 1
