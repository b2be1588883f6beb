# SPDX-License-Identifier: GPL-2.0-or-later
"""The ECU's pages served by ecud itself, with simulated inverters on the air: from the first use to a stop."""

import sys

import pytest

from browser import DESKTOP
from labels import label_picture
from pages import check_page, first_load, open_page
from paths import ROOT

sys.path.append(str(ROOT / "tests/ecu"))
from gateway import Gateway, wait_for  # noqa: E402

pytestmark = pytest.mark.long

UNITS = 3


class Served:
    """A gateway by the name that the tests of pages know."""

    def __init__(self, gateway):
        self.url = f"https://127.0.0.1:{gateway.port}"


@pytest.fixture(scope="module")
def gateway():
    with Gateway(units=UNITS, pair=False) as running:
        yield running


@pytest.fixture(scope="module")
def browser(chromium, gateway):
    """Logged in by the first-use code; the cookie stays for all tests of this file."""
    chromium.new(**DESKTOP)
    code = gateway.local.get("/label").json["code"]
    chromium.run(f"""
        await page.goto('{Served(gateway).url}/');
        await page.getByLabel('First-use code').fill('{code}');
        await page.getByLabel('Name', {{ exact: true }}).fill('anna');
        await page.getByLabel('Password').fill('correct horse battery');
        await page.getByRole('button', {{ name: 'Create the owner' }}).click();
        await page.getByRole('heading', {{ name: 'Now' }}).waitFor();
    """)
    return chromium


@pytest.fixture(scope="module")
def site(browser, gateway):
    """All inverters paired and placed, by the page Installation."""
    open_page(browser, Served(gateway), "install")
    for label in gateway.labels:
        browser.run(f"""
            await page.getByLabel('Label or serial number').fill('{label}');
            await page.keyboard.press('Enter');
        """)
    browser.run(f"""
        await page.getByRole('button', {{ name: 'Pair {UNITS} inverters' }}).click();
        await page.getByText('{4 * UNITS} modules are not on the map').waitFor({{ timeout: 30000 }});
        await page.getByRole('button', {{ name: 'Place all in rows' }}).click();
        await page.getByRole('button', {{ name: 'Save the map' }}).click();
        await page.getByText('not on the map').waitFor({{ state: 'hidden' }});
    """)
    return Served(gateway)


def power_shown(browser):
    return browser.run("return page.locator('.figure', { hasText: 'Power' }).first().locator('.value').innerText()")


def test_power_of_each_module_is_on_the_roof_map(browser, site):
    open_page(browser, site, "now")
    shown = wait_for("power of all modules", lambda: [text for text in [
        browser.run("return page.locator('.roof .module b').allInnerTexts()")] if len(text) == 4 * UNITS and
        all(each.isdigit() and int(each) > 100 for each in text)])
    assert shown
    assert power_shown(browser).endswith("kW")


def test_a_picture_of_a_label_is_read_by_the_gateway(browser, site, tmp_path):
    """A PNG, which the page sends as JPEG; the label is of an inverter that is not there."""
    picture = label_picture("QS1:806000000077:00112233445566778899aabbccddeeff", tmp_path / "label.png")
    open_page(browser, site, "install")
    browser.run(f"""
        await page.getByLabel('Photo of labels').setInputFiles('{picture}');
        await page.getByText('1 label', {{ exact: true }}).waitFor({{ timeout: 20000 }});
    """)
    assert browser.run("return page.locator('ol code').allInnerTexts()") == ["806000000077"]


def test_a_stop_reaches_every_inverter_and_shows_its_owner(browser, site):
    open_page(browser, site, "limits")
    browser.run("""
        await page.getByRole('button', { name: 'Stop the site' }).click();
        await page.getByRole('dialog').getByRole('button', { name: 'Stop the site' }).click();
        await page.getByRole('row', { name: /0 W.*in force/ }).waitFor({ timeout: 10000 });
    """)
    assert "owner" in browser.run("return page.getByRole('row', { name: /in force/ }).innerText()")
    open_page(browser, site, "now")
    wait_for("power of 0 W", lambda: power_shown(browser) == "0 W")
    open_page(browser, site, "limits")
    browser.run("await page.getByRole('button', { name: 'Start the site' }).click()")
    open_page(browser, site, "now")
    wait_for("power again", lambda: power_shown(browser).endswith("kW"), 60)


@pytest.mark.parametrize("page", ["now", "history", "events", "inverter", "limits", "install", "settings"])
def test_a_page_works_with_the_daemons_answers(browser, site, page):
    open_page(browser, site, page)
    check_page(browser)


def test_an_inverters_page_shows_its_readings(browser, site, gateway):
    open_page(browser, site, f"inverter/{gateway.labels[0][:12]}")
    check_page(browser)
    text = browser.run("return page.locator('main').innerText()")
    assert "60.00 Hz" in text and "240.0 V" in text


def test_first_load_is_small(browser, site):
    files, total = first_load(browser, site, "now")
    assert total <= 60000
    print(f"{len(files)} files, {total} bytes")


def test_the_status_is_readable_without_scripts(browser, site):
    browser.run(f"await page.goto('{site.url}/status')")
    assert browser.run("return page.locator('tbody tr').count()") == UNITS
    check_page(browser)
