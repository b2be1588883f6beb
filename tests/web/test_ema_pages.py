# SPDX-License-Identifier: GPL-2.0-or-later
"""The monitoring service's pages in Chromium, with a made-up fleet behind them."""

import time

import pytest

from browser import DESKTOP, PHONE
from ema_fleet import Fleet, serial
from pages import check_page, first_load, open_page, requests

pytestmark = pytest.mark.long

PAGES = ["fleet", "alarms", "compare", "people", "audit", "site/3", f"module/3/{serial(2)}/3"]
FIRST_LOAD_BYTES = 80000


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("view, dark, locale", [(DESKTOP, False, "en-GB"), (PHONE, True, "de-DE")],
                         ids=["desktop-light-en", "phone-dark-de"])
def test_a_page_is_accessible_and_fits(chromium, ema, page, view, dark, locale):
    chromium.new(locale=locale, dark=dark, **view)
    open_page(chromium, ema, page)
    check_page(chromium)


@pytest.mark.parametrize("address, state", [("fleet", "setup"), ("fleet", "login"), ("handover/PQRST-VWXYZ", "login")])
def test_the_entrance_is_accessible(desktop, ema, address, state):
    ema.site.setup, ema.site.user = state == "setup", None
    open_page(desktop, ema, address)
    check_page(desktop)


def test_first_load_is_small_and_asks_no_other_host(desktop, ema):
    files, total = first_load(desktop, ema, "fleet")
    print(f"first load: {len(files)} files, {total} bytes")
    assert 30000 < total <= FIRST_LOAD_BYTES
    assert not any("uplot" in name or "zbar" in name for name in files)


def test_100000_sites_are_on_the_map_and_are_filtered_while_one_types(desktop, ema):
    """The page's own time; that of the service is measured elsewhere."""
    ema.site = Fleet(100000)
    open_page(desktop, ema, "fleet")
    desktop.run("await page.getByText('100,000 sites').waitFor({ timeout: 30000 })")
    begin = time.monotonic()
    desktop.run("""
        await page.getByLabel('Search name or address').fill('Site 4242');
        await page.getByText('11 sites').waitFor();
    """)
    print(f"typed to shown: {1000 * (time.monotonic() - begin):.0f} ms")
    drawn = desktop.run("""return page.evaluate(() => {
        const canvas = document.querySelector('.world');
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        return data.filter((value, index) => index % 4 === 3 && value > 0).length;
    })""")
    assert drawn > 50000
    assert desktop.problems() == []


def test_a_site_on_the_map_opens_its_page(desktop, ema):
    ema.site.sites = [site for site in ema.site.sites if site["id"] == 5]
    ema.site.sites[0]["id"] = 1
    open_page(desktop, ema, "fleet")
    desktop.run("""
        const box = await page.locator('.world').boundingBox();
        await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
        await page.waitForURL('**/#/site/1');
    """)


def test_news_of_the_stream_are_shown(desktop, ema):
    open_page(desktop, ema, "fleet")
    desktop.run("await page.getByRole('cell', { name: '4.32 kW' }).waitFor({ timeout: 5000 })")


MISSING = {"en-GB": {1: "1 site cannot be shown now", 1234: "1,234 sites cannot be shown now", None: "Some sites cannot be shown now",
                     "list": "This list is incomplete"},
           "de-DE": {1: "1 Anlage kann gerade nicht", 1234: "1.234 Anlagen können gerade nicht",
                     None: "Einige Anlagen können gerade nicht", "list": "Diese Liste ist unvollständig"}}


@pytest.mark.parametrize("view, locale", [(DESKTOP, "en-GB"), (PHONE, "de-DE")], ids=["desktop-en", "phone-de"])
def test_a_page_says_that_a_shard_is_missing(chromium, ema, view, locale):
    chromium.new(locale=locale, **view)
    notices = "return page.locator('.notice.warn').allInnerTexts()"
    for sites in (1, 1234, None):
        ema.site.missing = {"missing_shards": 1, **({"missing_sites": sites} if sites else {})}
        open_page(chromium, ema, "fleet")
        chromium.run("await page.reload(); await page.locator('.notice.warn').nth(1).waitFor()")
        above, of_list = chromium.run(notices)
        assert above.startswith(MISSING[locale][sites]) and of_list.startswith(MISSING[locale]["list"])
    check_page(chromium)
    for page in ("alarms", "people", "compare", "site/3"):
        open_page(chromium, ema, page)
        assert [text for text in chromium.run(notices) if text.startswith(MISSING[locale]["list"])], page
        check_page(chromium)
    ema.site.missing = {}
    for page in ("fleet", "alarms", "people", "compare"):
        open_page(chromium, ema, page)
        assert chromium.run(notices) == [], page


def test_the_slider_goes_through_the_day(desktop, ema):
    open_page(desktop, ema, "site/3")
    desktop.run("await page.getByLabel('Time of day').fill('78')")
    noon = desktop.run("return page.locator('.roof .module b').allInnerTexts()")
    desktop.run("await page.getByLabel('Time of day').fill('10')")
    morning = desktop.run("return page.locator('.roof .module b').allInnerTexts()")
    assert "300" in noon and "180" in noon, "the best modules and the shaded one"
    assert "300" not in morning
    desktop.run("await page.getByLabel('Time of day').fill('140')")
    assert "–" in desktop.run("return page.locator('.roof .module b').allInnerTexts()"), "no reports is no 0"


def test_the_slider_plays(desktop, ema):
    open_page(desktop, ema, "site/3")
    before = desktop.run("return page.getByLabel('Time of day').inputValue()")
    desktop.run("""
        await page.getByRole('button', { name: 'Play the day' }).click();
        await page.waitForTimeout(600);
        await page.getByRole('button', { name: 'Pause' }).click();
    """)
    assert desktop.run("return page.getByLabel('Time of day').inputValue()") != before


def test_an_order_shows_what_each_inverter_has_confirmed(desktop, ema):
    open_page(desktop, ema, "site/3")
    desktop.run("""
        await page.getByRole('button', { name: 'Stop the site' }).click();
        await page.getByRole('dialog').getByRole('button', { name: 'Stop the site' }).click();
        await page.getByText('2 inverters').click();
    """)
    assert serial(1) in desktop.run("return page.locator('details[open] ul').innerText()")
    assert requests(ema)[0]["body"] == {"command": "stop", "serial": None, "arguments": {"lease_s": 86400}}


def test_an_alarm_is_acknowledged(desktop, ema):
    open_page(desktop, ema, "alarms")
    desktop.run("""
        await page.getByRole('button', { name: 'Acknowledge' }).click();
        await page.getByText('Acknowledged by').nth(1).waitFor();
    """)


def test_quiet_hours_go_to_the_service_in_minutes(desktop, ema):
    open_page(desktop, ema, "alarms")
    desktop.run("""
        await page.getByLabel('Quiet from').fill('21:30');
        await page.getByRole('button', { name: 'Save' }).first().click();
        await page.getByText('Saved.').first().waitFor();
    """)
    assert requests(ema)[0]["body"] == {"emails": ["a@example.org"], "webhook": None, "min_severity": "warning",
                                        "quiet_from_min": 1290, "quiet_to_min": 360}


def test_a_module_on_the_grid_moves_by_whole_cells(desktop, ema):
    open_page(desktop, ema, "site/3")
    desktop.run(f"""
        const map = page.locator('.card', {{ hasText: 'Edit the roof map' }});
        await map.locator('[data-id="{serial(5)}/4"]').focus();
        await page.keyboard.press('Enter');
        await page.keyboard.press('ArrowRight');
        await page.keyboard.press('ArrowDown');
        await page.getByRole('button', {{ name: 'Save the map' }}).click();
        await page.getByText('Saved.').waitFor();
    """)
    sent = requests(ema)[0]["body"]
    assert {"serial": serial(5), "input": 4, "row": 2, "column": 8, "upright": True} in sent["modules"]
    assert {"serial": serial(0), "input": 1, "row": 0, "column": 0, "upright": True} in sent["modules"]
    assert {"serial": serial(5), "row": 1, "column": 4, "upright": True} in sent["labels"]
    assert len(sent["labels"]) == 6 and (sent["rows"], sent["columns"]) == (22, 22)


def test_sites_are_compared_by_energy_for_each_kilowatt(desktop, ema):
    open_page(desktop, ema, "compare")
    desktop.run("""
        await page.getByLabel('Month').fill('2026-10');
        await page.getByRole('button', { name: '+ Site 001' }).click();
        await page.getByRole('button', { name: '+ Site 002' }).click();
        await page.getByRole('row').nth(2).waitFor();
        await page.locator('.plot canvas').waitFor();
    """)
    rows = desktop.run("return page.locator('tbody tr td:nth-child(2)').allInnerTexts()")
    assert len([row for row in rows if row.endswith("kWh/kW")]) == 2


@pytest.mark.parametrize("role, link, button", [("viewer", "Audit log", "Stop the site"),
                                                ("operator", None, "Stop the site")])
def test_a_role_sees_only_what_it_may_do(desktop, ema, role, link, button):
    ema.site.user["role"] = role
    open_page(desktop, ema, "site/3")
    assert desktop.run(f"return page.getByRole('button', {{ name: '{button}' }}).count()") == 0
    if link:
        assert desktop.run(f"return page.getByRole('link', {{ name: '{link}' }}).count()") == 0


def test_a_customer_takes_a_site_over_by_the_address(desktop, ema):
    ema.site.user = None
    open_page(desktop, ema, "handover/PQRST-VWXYZ")
    desktop.run("""
        await page.getByLabel('Name', { exact: true }).fill('Eve');
        await page.getByLabel('Password').fill('a long password');
        await page.getByRole('button', { name: 'Create the owner' }).click();
        await page.getByRole('heading', { name: 'Fleet' }).waitFor();
    """)
    assert requests(ema)[0] == {"method": "POST", "path": "/api/v1/handover", "body": {
        "code": "PQRST-VWXYZ", "name": "Eve", "password": "a long password"}}
