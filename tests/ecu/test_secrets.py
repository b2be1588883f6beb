# SPDX-License-Identifier: GPL-2.0-or-later
"""No password, first-use code or install code stays in ecud's memory after the request that brought it."""

from gateway import PASSWORD, Gateway, wait_for
from memory import copies

# A label with a wrong check, and one of another form.
WRONG = "806000000901:11223344556677889900AABBCCDDEEFF0000", "806000000902:nonsense and more nonsense"


def test_secrets_are_overwritten():
    with Gateway(units=2, pair=False) as site:
        first = site.local.get("/label").json["code"]
        site.log_in()
        codes = [label[13:33] for label in site.labels]
        for labels in ([site.labels[0], WRONG[0]], [site.labels[1], WRONG[1]]):
            assert site.owner.post("/pairing", {"labels": labels}).status == 400
        assert site.api["viewer"].post("/pairing", {"labels": site.labels}).status == 403
        assert site.owner.post("/pairing", {"labels": site.labels}).status == 202
        wait_for("readings of all units", site.all_live, 60)
        # two orders that are refused: the inverter is known
        assert site.owner.post("/pairing", {"labels": site.labels[:1]}).status == 202
        assert site.owner.post(f"/inverters/{site.serials[0]}/replace", {"label": site.labels[1]}).status == 202
        wait_for("the refusals", lambda: [each["state"] for each in site.owner.get("/orders").json["orders"]]
                 .count("refused") == 2)
        assert site.nobody.post("/session", {"name": "anna", "password": PASSWORD + "!"}).status == 401
        assert site.nobody.post("/session", {"name": "anna", "password": PASSWORD}).status == 200
        found = {text: copies(site.ecud.pid, text) for text in (first, PASSWORD, WRONG[0][13:33], WRONG[1][13:], *codes)}
        assert not any(found.values()), found
