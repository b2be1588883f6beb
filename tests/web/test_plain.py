# SPDX-License-Identifier: GPL-2.0-or-later
"""The ECU's status as a page without scripts."""

import html
import json
import re
import subprocess

import pytest

from ecu_site import Site, serial
from pages import violations
from paths import BUILD, ROOT


@pytest.fixture(scope="session")
def render(tmp_path_factory):
    """A function that makes the page of a status and a list of inverters."""
    folder = tmp_path_factory.mktemp("plain")
    subprocess.run(["gcc", "-D_GNU_SOURCE", "-fsanitize=address,undefined", f"-I{ROOT}/userspace/web", "-o",
                    folder / "page", ROOT / "tests/web/plain_page.c", ROOT / "userspace/web/plain.c",
                    BUILD / "web/plain_texts.c", "-ljson-c"], check=True)

    def page(status, inverters, language="en"):
        for name, value in (("status", status), ("inverters", inverters)):
            (folder / name).write_text(json.dumps(value))
        return subprocess.run([folder / "page", language, folder / "status", folder / "inverters"], check=True,
                              text=True, capture_output=True,
                              env={"ASAN_OPTIONS": "detect_leaks=0"}).stdout
    return page


@pytest.fixture
def site():
    return Site()


def rows(page):
    return {name: cells for name, cells in re.findall(r'<tr><th scope="row">(.*?)</th>(.*?)</tr>', page)}


def test_the_page_shows_what_the_site_does(render, site):
    page = render(site.status(), {"inverters": site.inverters()})
    assert "<h1>Hill Road 7</h1>" in page
    assert "<dt>Today</dt><dd>41.2 kWh</dd>" in page
    assert "7 of 12 inverters have reported." in page
    assert "ground fault: GFDI" in page
    assert "producing" in rows(page)["Garage, east"]


def test_an_absent_reading_is_not_zero(render, site):
    table = rows(render(site.status(), {"inverters": site.inverters()}))
    assert "unknown" in table[serial(12)] and "\u2013" in table[serial(12)] and "0 W" not in table[serial(12)]
    assert "0 W" in table[serial(11)] and "Ground fault" in table[serial(11)]


@pytest.mark.parametrize("header, language, word", [
    ("de-DE,de;q=0.9,en;q=0.8", "de", "speist ein"), ("fr, en-GB;q=0.7", "en", "producing"),
    ("fr", "en", "producing"), ("", "en", "producing"), (",,;", "en", "producing"), ("d", "en", "producing")])
def test_the_language_is_the_first_that_we_have(render, site, header, language, word):
    page = render(site.status(), {"inverters": site.inverters()}, header)
    assert f'<html lang="{language}">' in page and word in page
    assert ("41,2 kWh" if language == "de" else "41.2 kWh") in page


def test_names_cannot_bring_markup_into_the_page(render, site):
    hostile = '<script>alert("x")</script>&'
    site.names[serial(2)] = hostile
    page = render(site.status(), {"inverters": site.inverters()})
    assert "<script" not in page and html.escape(hostile, quote=False).replace('"', "&quot;") in page


def test_an_answer_without_members_is_shown_as_unknown(render):
    page = render({}, {})
    assert "<dd>\u2013</dd>" in page and page.endswith("</html>\n")


@pytest.mark.long
@pytest.mark.parametrize("language", ["en", "de"])
def test_a_browser_without_scripts_comes_to_it(chromium, ecu, render, language):
    """The first page sends it there; the page is accessible and keeps to the policy."""
    page = render(ecu.site.status(), {"inverters": ecu.site.inverters()}, language)
    ecu.pages["/status"] = page.encode()
    chromium.new(javaScriptEnabled=False, viewport={"width": 360, "height": 740})
    chromium.run(f"""
        await page.goto('{ecu.url}/');
        await page.waitForURL('**/status');
    """)
    assert chromium.run("return page.locator('tbody tr').count()") == 12
    assert chromium.problems() == []
    chromium.new()
    chromium.run(f"await page.goto('{ecu.url}/status')")
    assert violations(chromium) == []
