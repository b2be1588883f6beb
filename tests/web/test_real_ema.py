# SPDX-License-Identifier: GPL-2.0-or-later
"""The monitoring service's pages served by emad itself, with reports of generated ECUs."""

import datetime
import sys

import pytest

from browser import DESKTOP
from pages import check_page, first_load, open_page
from paths import ROOT

sys.path.append(str(ROOT / "tests/ema"))
from service import PASSWORD, Service  # noqa: E402

pytestmark = pytest.mark.long

SITES, UNITS, DAYS = 3, 4, 2


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    running = Service(tmp_path_factory.mktemp("ema")).start().set_up()
    running.deliver("--ecus", SITES, "--units", UNITS, "--history", DAYS, "--batches", 2, "--period", 1)
    running.url = f"https://127.0.0.1:{running.web}"
    yield running
    running.stop()


@pytest.fixture(scope="module")
def browser(chromium, service):
    """Logged in as the owner."""
    chromium.new(**DESKTOP)
    chromium.run(f"""
        await page.goto('{service.url}/');
        await page.getByLabel('Name', {{ exact: true }}).fill('owner');
        await page.getByLabel('Password').fill('{PASSWORD}');
        await page.getByRole('button', {{ name: 'Log in' }}).click();
        await page.getByText('{SITES} sites', {{ exact: true }}).waitFor();
    """)
    return chromium


@pytest.fixture(scope="module")
def site(service):
    return service.api("GET", "/sites")["sites"][0]["id"]


@pytest.fixture(scope="module")
def placed(browser, service, site):
    """A site whose modules are on the map, by the page."""
    open_page(browser, service, f"site/{site}")
    browser.run("""
        await page.getByRole('button', { name: 'Place all in rows' }).click();
        await page.getByRole('button', { name: 'Save the map' }).click();
        await page.getByLabel('Time of day').waitFor();
    """)
    return site


def test_the_map_is_stored_on_the_templates_grid(service, placed):
    stored = service.api("GET", f"/sites/{placed}/map")
    assert len(stored["modules"]) == 4 * UNITS and len(stored["labels"]) == UNITS
    assert {(each["row"], each["column"]) for each in stored["modules"]} == {(0, column) for column in range(16)}


def test_the_slider_shows_the_power_of_each_module(browser, service, placed):
    open_page(browser, service, f"site/{placed}")
    count = int(browser.run("return page.getByLabel('Time of day').getAttribute('max')")) + 1
    seen = set()
    for frame in range(0, count, max(1, count // 24)):
        browser.run(f"await page.getByLabel('Time of day').fill('{frame}')")
        seen.update(browser.run("return page.locator('.roof').first().locator('.module b').allInnerTexts()"))
    assert len([text for text in seen if text.isdigit() and int(text) > 20]) > 2, seen


def test_energy_of_the_day_is_that_of_the_service(browser, service, site):
    """The chart's sum of quarter hours against the service's own figure of yesterday's energy."""
    open_page(browser, service, f"site/{site}")
    card = "page.locator('.card', { has: page.getByRole('heading', { name: 'History' }) })"
    browser.run(f"""
        await {card}.getByRole('button', {{ name: 'Earlier' }}).click();
        await page.waitForTimeout(800);
    """)
    day = browser.run(f"return {card}.locator('.value').innerText()")
    browser.run(f"""
        await {card}.getByRole('button', {{ name: 'Month' }}).click();
        await page.waitForTimeout(800);
        await {card}.getByText('Values as a table').click();
    """)
    date = browser.run(f"return {card}.getByLabel('Date').inputValue()")
    rows = browser.run(f"return {card}.locator('tbody tr').allInnerTexts()")
    year, month, number = map(int, date.split("-"))
    label = datetime.date(year, month, number).strftime("%-d %b %Y")
    energy = [float(row.split("\t")[1].removesuffix(" kWh")) for row in rows if row.startswith(label + "\t")]
    assert day.endswith("kWh")
    assert float(day.removesuffix(" kWh")) == pytest.approx(energy[0], rel=0.02), rows


@pytest.mark.parametrize("page", ["fleet", "alarms", "compare", "people", "audit"])
def test_a_page_works_with_the_services_answers(browser, service, page):
    open_page(browser, service, page)
    check_page(browser)


def test_the_pages_of_a_site_and_a_module_work(browser, service, placed):
    open_page(browser, service, f"site/{placed}")
    check_page(browser)
    serial = service.api("GET", f"/sites/{placed}/inverters")["inverters"][0]["serial"]
    open_page(browser, service, f"module/{placed}/{serial}/1")
    check_page(browser)


def test_an_order_is_shown_with_its_state(browser, service, site):
    open_page(browser, service, f"site/{site}")
    browser.run("""
        await page.getByRole('button', { name: 'Stop the site' }).click();
        await page.getByRole('dialog').getByRole('button', { name: 'Stop the site' }).click();
        await page.getByText('Whole site').first().waitFor();
    """)
    assert service.api("GET", f"/sites/{site}/commands")["orders"][0]["command"] == "stop"


def test_first_load_is_small(browser, service):
    files, total = first_load(browser, service, "fleet")
    print(f"{len(files)} files, {total} bytes")
    assert total <= 80000


def test_a_job_of_the_app_becomes_a_site_once(browser, service):
    browser.run(f"""
        await page.goto('{service.url}/app/');
        await page.getByRole('button', {{ name: 'New job' }}).click();
        await page.getByLabel('Name of the site').fill('Mill Lane 3');
        await page.getByLabel('Customer').fill('Eve');
        await page.getByRole('button', {{ name: 'Next step' }}).click();
        await page.getByLabel('Number of the ECU').fill('216000000042');
        await page.getByRole('button', {{ name: 'Next step' }}).click();
        await page.getByLabel('Label or serial number').fill('806000004242');
        await page.keyboard.press('Enter');
        await page.getByText('1 label', {{ exact: true }}).waitFor();
        await page.getByRole('link', {{ name: '5. Hand over' }}).click();
        await page.getByRole('button', {{ name: 'Hand the job over' }}).click();
        await page.getByText('The service has the job').waitFor({{ timeout: 15000 }});
        await page.getByRole('button', {{ name: 'Hand over now' }}).click();
        await page.waitForTimeout(500);
    """)
    found = service.api("GET", "/sites?search=Mill")["sites"]
    assert [site["name"] for site in found] == ["Mill Lane 3"]
    assert "Open the site" in browser.run("return page.locator('main').innerText()")
