# SPDX-License-Identifier: GPL-2.0-or-later
"""The ECU's pages in Chromium, with a made-up site behind them."""

import json

import pytest

from browser import DESKTOP, PHONE
from ecu_site import serial
from pages import check_page, first_load, open_page, requests

pytestmark = pytest.mark.long

PAGES = ["now", "history", "events", "inverter", f"inverter/{serial(1)}", f"inverter/{serial(11)}", "limits",
         "install", "settings"]
FIRST_LOAD_BYTES = 60000

@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("view, dark, locale", [(DESKTOP, False, "en-GB"), (PHONE, True, "de-DE")],
                         ids=["desktop-light-en", "phone-dark-de"])
def test_a_page_is_accessible_and_fits(chromium, ecu, page, view, dark, locale):
    chromium.new(locale=locale, dark=dark, **view)
    open_page(chromium, ecu, page)
    check_page(chromium)


@pytest.mark.parametrize("state", ["setup", "login"])
def test_the_entrance_is_accessible(desktop, ecu, state):
    ecu.site.setup_needed, ecu.site.role = state == "setup", None
    open_page(desktop, ecu, "now")
    check_page(desktop)


def test_first_load_is_small_and_asks_no_other_host(desktop, ecu):
    files, total = first_load(desktop, ecu, "now")
    print(f"first load: {len(files)} files, {total} bytes")
    assert 20000 < total <= FIRST_LOAD_BYTES
    assert not any("uplot" in name for name in files)


def test_readings_are_live(desktop, ecu):
    """The site's power falls to 0 while the page is open."""
    open_page(desktop, ecu, "now")
    ecu.site.power = lambda unit, channel: 0.0
    shown = desktop.run("""
        await page.locator('.figure', { hasText: 'Power' }).locator('.value', { hasText: /^0 W$/ }).waitFor({ timeout: 5000 });
        return page.locator('.figure .value').first().innerText();
    """)
    assert shown == "0 W"


def test_an_absent_reading_is_not_zero(desktop, ecu):
    open_page(desktop, ecu, "now")
    row = desktop.run(f"return page.locator('tr', {{ hasText: '{serial(12)}' }}).innerText()")
    assert "–" in row and "0 W" not in row and "never" in row
    row = desktop.run(f"return page.locator('tr', {{ hasText: '{serial(11)}' }}).innerText()")
    assert "0 W" in row


def test_how_many_have_reported_is_shown_until_all_have(desktop, ecu):
    open_page(desktop, ecu, "now")
    assert desktop.run("return page.getByText('7 of 12 inverters have reported, all in about 2 minutes.').count()") == 1
    ecu.site.reported = 12
    desktop.run("await page.getByText('All 12 inverters have reported.').waitFor({ timeout: 5000 })")


def test_the_first_use_code_creates_the_owner(desktop, ecu):
    ecu.site.setup_needed, ecu.site.role = True, None
    open_page(desktop, ecu, "now")
    desktop.run("""
        await page.getByLabel('First-use code').fill('AAAAA-AAAAA');
        await page.getByLabel('Name', { exact: true }).fill('Ada');
        await page.getByLabel('Password').fill('correct horse');
        await page.getByRole('button', { name: 'Create the owner' }).click();
        await page.getByRole('alert').waitFor();
    """)
    assert "first-use code" in desktop.run("return page.getByRole('alert').innerText()")
    desktop.run(f"""
        await page.getByLabel('First-use code').fill('{ecu.site.code.lower()}');
        await page.getByRole('button', {{ name: 'Create the owner' }}).click();
        await page.getByRole('heading', {{ name: 'Now' }}).waitFor();
    """)


def test_a_viewer_sees_no_control(desktop, ecu):
    ecu.site.role = "viewer"
    open_page(desktop, ecu, f"inverter/{serial(11)}")
    assert desktop.run("return page.getByRole('button', { name: 'Stop' }).count()") == 0
    assert desktop.run("return page.getByRole('button', { name: 'Clear the fault' }).count()") == 0
    assert desktop.run("return page.getByRole('link', { name: 'Installation' }).count()") == 0


def test_a_ground_fault_is_cleared_after_a_question(desktop, ecu):
    open_page(desktop, ecu, f"inverter/{serial(11)}")
    desktop.run("""
        await page.getByRole('button', { name: 'Clear the fault' }).click();
        await page.getByRole('dialog').getByRole('button', { name: 'Clear the fault' }).click();
        await page.getByRole('dialog').waitFor({ state: 'hidden' });
    """)
    assert requests(ecu) == [{"method": "POST", "path": f"/api/v1/inverters/{serial(11)}/commands",
                              "body": {"command": "clear", "fault": "GFDI"}}]


def test_a_limit_needs_no_command_line(desktop, ecu):
    open_page(desktop, ecu, "limits")
    desktop.run("""
        await page.getByLabel('Limit, W').fill('5000');
        await page.getByLabel('Ends after').selectOption({ label: '1 hour' });
        await page.getByLabel('Reason').fill('repair');
        await page.getByRole('button', { name: 'Set the limit' }).click();
        await page.getByRole('row', { name: /5[.,]00 kW/ }).waitFor({ timeout: 5000 });
    """)
    assert requests(ecu)[0] == {"method": "PUT", "path": "/api/v1/limits/owner", "body": {
        "w": 5000, "lease_s": 3600, "then_w": None, "reason": "repair"}}


def test_an_error_of_the_service_is_shown_in_its_words(desktop, ecu):
    from mock import Refusal

    def refuse(site, *args, query, body):
        raise Refusal(400, "range", "expected w from 0 to 1200, found 5000")
    ecu.routes = [("POST", "/commands", refuse)] + ecu.routes
    open_page(desktop, ecu, "limits")
    desktop.run("await page.getByRole('button', { name: 'Start the site' }).click()")
    assert desktop.run("return page.getByRole('alert').innerText()") == "expected w from 0 to 1200, found 5000"


def test_what_one_types_stays_while_readings_come(desktop, ecu):
    open_page(desktop, ecu, f"inverter/{serial(1)}")
    desktop.run("""
        await page.getByLabel('Name', { exact: true }).fill('Barn');
        await page.waitForTimeout(1500);
        await page.getByRole('button', { name: 'Save' }).click();
        await page.getByText('Saved.').waitFor();
    """)
    assert requests(ecu)[0]["body"] == {"name": "Barn", "phase": "L2"}


def test_a_scanner_types_and_presses_enter(desktop, ecu):
    """Also a photo, a label twice, a known one and one that is none; then one request pairs all."""
    open_page(desktop, ecu, "install")
    label = "QS1:806000000050:00112233445566778899aabbccddeeff"
    for text in (label, label, "806000000051", serial(1), "12345"):
        desktop.run(f"""
            await page.getByLabel('Label or serial number').focus();
            await page.keyboard.type({json.dumps(text)});
            await page.keyboard.press('Enter');
        """)
    assert "12345" in desktop.run("return page.getByRole('alert').innerText()")
    desktop.run("""
        await page.getByLabel('Photo of labels').setInputFiles({ name: 'a.jpg', mimeType: 'image/jpeg',
            buffer: Buffer.from('photo') });
        await page.getByRole('button', { name: 'Pair 3 inverters' }).click();
        await page.getByText('0 labels').waitFor();
    """)
    sent = requests(ecu)
    assert sent[0] == {"method": "POST", "path": "/api/v1/scan", "body": 5}
    assert sent[1]["body"] == {"labels": [label, "806000000051",
                                          "QS1:806000000077:00112233445566778899aabbccddeeff"]}


def saved_place(server, module):
    modules = requests(server)[-1]["body"]["modules"]
    return next((each["x"], each["y"], each["turn"]) for each in modules
                if (each["serial"], each["channel"]) == module)


def test_a_module_moves_by_arrow_keys(desktop, ecu):
    """Arrow keys walk to a module, Enter chooses it, arrow keys move it, R turns it."""
    open_page(desktop, ecu, "install")
    desktop.run("await page.locator('.module').first().focus()")
    for key in ("ArrowDown", "ArrowDown", "ArrowDown", "Enter", "Shift+ArrowDown", "Shift+ArrowDown",
                "ArrowLeft", "r"):
        desktop.run(f"await page.keyboard.press('{key}')")
    desktop.run("""
        await page.getByRole('button', { name: 'Save the map' }).click();
        await page.getByText('Saved.').waitFor();
    """)
    assert saved_place(ecu, (serial(10), 1)) == (0.25, 8.075, 90)


def test_a_module_does_not_move_onto_another(desktop, ecu):
    open_page(desktop, ecu, "install")
    desktop.run("""
        await page.locator('.module').first().focus();
        await page.keyboard.press('Enter');
        await page.keyboard.press('ArrowRight');
        await page.getByRole('button', { name: 'Save the map' }).click();
        await page.getByText('Saved.').waitFor();
    """)
    assert saved_place(ecu, (serial(1), 1)) == (0.5, 0.825, 0)


def test_a_module_is_dragged(desktop, ecu):
    open_page(desktop, ecu, "install")
    desktop.run(f"""
        const module = page.locator('[data-id="{serial(11)}/2"]');
        await module.scrollIntoViewIfNeeded();
        const box = await module.boundingBox();
        const width = (await page.locator('[data-id="{serial(1)}/2"]').boundingBox()).x -
            (await page.locator('[data-id="{serial(1)}/1"]').boundingBox()).x;
        await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
        await page.mouse.down();
        await page.mouse.move(box.x + box.width / 2 + 2 * width, box.y + box.height / 2, {{ steps: 8 }});
        await page.mouse.up();
        await page.getByRole('button', {{ name: 'Save the map' }}).click();
        await page.getByText('Saved.').waitFor();
    """)
    assert saved_place(ecu, (serial(11), 2)) == (6.85, 7.25, 90)


def test_modules_without_a_place_are_placed_in_rows(desktop, ecu):
    ecu.site.modules = []
    open_page(desktop, ecu, "install")
    desktop.run("""
        await page.getByRole('button', { name: 'Place all in rows' }).click();
        await page.getByRole('button', { name: 'Save the map' }).click();
        await page.getByText('Saved.').waitFor();
    """)
    modules = requests(ecu)[-1]["body"]["modules"]
    assert len(modules) == 48
    assert len({(each["x"], each["y"]) for each in modules}) == 48


def test_a_day_is_laid_over_another(desktop, ecu):
    open_page(desktop, ecu, "history")
    desktop.run("""
        await page.getByLabel('Compare with').fill('2026-06-21');
        await page.locator('.legend li').nth(1).waitFor();
        await page.getByText('Values as a table').click();
    """)
    head, noon = desktop.run("""
        const rows = page.locator('figure table tr');
        return [await rows.first().innerText(), await rows.nth(12 * 12 + 1).innerText()];
    """)
    assert "21 Jun 2026" in head
    assert len(noon.split("\t")) == 3 and "–" not in noon


@pytest.mark.parametrize("span, points", [("Month", "day"), ("Year", "month"), ("All years", "year")])
def test_energy_of_a_span_is_shown_with_its_sum(desktop, ecu, span, points):
    open_page(desktop, ecu, "history")
    desktop.run(f"""
        await page.getByRole('button', {{ name: '{span}', exact: true }}).click();
        await page.getByText('Energy in this span').waitFor();
        await page.locator('.plot canvas').waitFor();
    """)
    assert desktop.run("return page.locator('.figure .value').first().innerText()") != "0 Wh"


def test_every_page_is_reached_by_keyboard(desktop, ecu):
    """The skip link comes first; Enter on each link of the navigation opens its page."""
    open_page(desktop, ecu, "now")
    desktop.run("await page.keyboard.press('Tab')")
    assert desktop.run("return page.evaluate(() => document.activeElement.className)") == "skip"
    titles = []
    for number in range(7):
        desktop.run(f"""
            await page.locator('.side nav a').nth({number}).focus();
            await page.keyboard.press('Enter');
            await page.waitForTimeout(200);
        """)
        titles.append(desktop.run("return page.evaluate(() => document.activeElement.innerText)"))
    assert titles == ["Now", "History", "Events", "Inverters", "Limits", "Installation", "Settings"]


def test_the_language_can_be_chosen_and_stays(desktop, ecu):
    open_page(desktop, ecu, "now")
    desktop.run("""
        await page.getByLabel('Language').selectOption('de');
        await page.getByRole('heading', { name: 'Jetzt' }).waitFor();
        await page.reload();
        await page.getByRole('heading', { name: 'Jetzt' }).waitFor();
    """)
    assert desktop.run("return page.evaluate(() => document.documentElement.lang)") == "de"


def test_a_lost_connection_is_said(desktop, ecu):
    ecu.site.events = lambda: iter(())
    open_page(desktop, ecu, "now")
    desktop.run("""
        await page.getByText('The live connection is interrupted.').waitFor({ timeout: 8000 });
    """)
