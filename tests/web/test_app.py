# SPDX-License-Identifier: GPL-2.0-or-later
"""The installer's app in Chromium: labels by camera and picture, and jobs without network."""

import pytest

from browser import PHONE, Browser
from labels import camera_file, label_picture
from mock import Refusal, Silence
from pages import check_page, requests

pytestmark = pytest.mark.long

LABEL = "QS1:806000000088:00112233445566778899aabbccddeeff"


@pytest.fixture(scope="module")
def phone_browser(tmp_path_factory):
    """A Chromium whose camera sees LABEL; on Linux it has no BarcodeDetector."""
    video = camera_file(LABEL, tmp_path_factory.mktemp("camera") / "label.y4m")
    browser = Browser("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
                      f"--use-file-for-fake-video-capture={video}")
    yield browser
    browser.close()


@pytest.fixture
def phone(phone_browser):
    phone_browser.new(permissions=["camera"], **PHONE)
    return phone_browser


def open_app(browser, server):
    browser.run(f"""
        await page.goto('{server.url}/app/');
        await page.getByRole('heading', {{ name: 'Jobs' }}).waitFor();
        await page.evaluate(() => navigator.serviceWorker.ready);
        await page.waitForFunction(() => navigator.serviceWorker.controller);
    """)


def begin_job(browser, name="Hill Road 7"):
    browser.run(f"""
        await page.getByRole('button', {{ name: 'New job' }}).click();
        await page.getByLabel('Name of the site').fill('{name}');
        await page.getByLabel('Customer').fill('Eve');
        await page.getByRole('button', {{ name: 'Next step' }}).click();
        await page.getByLabel('Number of the ECU').fill('216000000001');
        await page.getByRole('button', {{ name: 'Next step' }}).click();
        await page.getByLabel('Label or serial number').waitFor();
    """)


def add_label(browser, text):
    browser.run(f"""
        await page.getByLabel('Label or serial number').fill('{text}');
        await page.keyboard.press('Enter');
        await page.getByText('1 label', {{ exact: true }}).waitFor();
    """)


def hand_over(browser):
    browser.run("""
        await page.getByRole('link', { name: '5. Hand over' }).click();
        await page.getByRole('button', { name: 'Hand the job over' }).click();
        await page.getByRole('heading', { name: 'Jobs' }).waitFor();
    """)


def fetched(browser, part):
    return browser.run(f"""return page.evaluate(() => performance.getEntriesByType('resource')
        .filter((each) => each.name.includes('{part}')).length)""")


def test_the_camera_finds_a_label_by_zbar(phone, ema):
    open_app(phone, ema)
    begin_job(phone)
    assert not phone.run("return page.evaluate(() => 'BarcodeDetector' in window)")
    phone.run("""
        await page.getByRole('button', { name: 'Scan with the camera' }).click();
        await page.getByText('1 label', { exact: true }).waitFor({ timeout: 20000 });
        await page.waitForTimeout(600);
    """)
    check_page(phone)
    assert phone.run("return page.locator('ol code').allInnerTexts()") == ["806000000088"], "found once"
    assert fetched(phone, "zbar.wasm") == 1


def test_the_browsers_own_detector_is_used_where_there_is_one(phone, ema):
    phone.run("""await page.addInitScript(() => {
        window.BarcodeDetector = class { async detect() { return [{ rawValue: 'QS1:806000000099:00' }]; } };
    })""")
    open_app(phone, ema)
    begin_job(phone)
    phone.run("""
        await page.getByRole('button', { name: 'Scan with the camera' }).click();
        await page.getByText('1 label', { exact: true }).waitFor({ timeout: 20000 });
    """)
    assert phone.run("return page.locator('ol code').allInnerTexts()") == ["806000000099"]
    assert fetched(phone, "zbar") == 0


def test_a_picture_is_read(phone, ema, tmp_path):
    picture = label_picture("QS1:806000000077:ff", tmp_path / "label.png")
    open_app(phone, ema)
    begin_job(phone)
    phone.run(f"""
        await page.getByLabel('Photo of labels').setInputFiles('{picture}');
        await page.getByText('1 label', {{ exact: true }}).waitFor({{ timeout: 20000 }});
    """)
    assert phone.run("return page.locator('ol code').allInnerTexts()") == ["806000000077"]


def test_a_job_without_network_is_handed_over_once_later(phone, ema):
    """The app is opened without network, too; pairing and map go with the job."""
    open_app(phone, ema)
    phone.run("await context.setOffline(true); await page.reload(); await page.getByText('There is no network.').waitFor()")
    begin_job(phone)
    add_label(phone, LABEL)
    phone.run("""
        await page.getByRole('button', { name: 'Next step' }).click();
        await page.getByRole('button', { name: 'Place all in rows' }).click();
        await page.waitForTimeout(300);
    """)
    hand_over(phone)
    phone.run("""
        await page.getByText('waits for network').waitFor();
        await page.reload();
        await page.getByText('waits for network').waitFor();
    """)
    assert requests(ema) == []
    phone.run("await context.setOffline(false); await page.getByText('waits for the ECU').waitFor({ timeout: 30000 })")
    [sent] = [each for each in requests(ema) if each["path"] == "/api/v1/jobs"]
    body = sent["body"]
    assert sent["method"] == "POST"
    assert body["site"] == {"name": "Hill Road 7", "address": "", "customer_name": "Eve", "note": ""}
    assert body["ecu"] == "216000000001" and body["commission"] is True
    assert body["inverters"] == [{"serial": "806000000088", "label": LABEL}]
    assert body["map"]["modules"] == [{"serial": "806000000088", "input": channel, "row": 0, "column": channel - 1,
                                      "upright": True} for channel in range(1, 5)]
    assert "ABCDE-FGHJK" in phone.run("return page.locator('main').innerText()")


def test_a_lost_answer_doubles_nothing(phone, ema):
    """The service has the job, but the app never heard so: it asks again with the same identity."""
    fleet, answer = ema.site, next(act for method, path, act in ema.routes if (method, path) == ("POST", "/jobs"))
    lost = []

    def first_is_lost(*args, **values):
        result = answer(*args, **values)
        if not lost:
            lost.append(True)
            raise Silence
        return result
    ema.routes = [("POST", "/jobs", first_is_lost)] + ema.routes
    open_app(phone, ema)
    begin_job(phone)
    add_label(phone, LABEL)
    hand_over(phone)
    phone.run("""
        await page.getByRole('button', { name: 'Hand over now' }).click();
        await page.getByText('waits for the ECU').waitFor({ timeout: 30000 });
    """)
    assert len(requests(ema)) >= 2 and len(fleet.jobs) == 1


def test_a_refused_job_becomes_a_draft_with_the_reason(phone, ema):
    def refuse(fleet, query, body):
        raise Refusal(409, "exists", "expected an ECU without a site, found 216000000001 at Site 3")
    ema.routes = [("POST", "/jobs", refuse)] + ema.routes
    open_app(phone, ema)
    begin_job(phone)
    add_label(phone, LABEL)
    hand_over(phone)
    phone.run("await page.getByText('expected an ECU without a site').waitFor({ timeout: 10000 })")
    assert "draft" in phone.run("return page.locator('ul.plain').innerText()")


def test_a_job_waits_for_the_login(phone, ema):
    ema.site.user = None
    open_app(phone, ema)
    begin_job(phone)
    add_label(phone, LABEL)
    hand_over(phone)
    phone.run("""
        await page.getByText('waits for network').waitFor();
        await page.getByLabel('Name').fill('Ada');
        await page.getByLabel('Password').fill('correct horse');
        await page.getByRole('button', { name: 'Log in' }).click();
        await page.getByText('waits for the ECU').waitFor({ timeout: 10000 });
    """)


def test_a_job_opens_on_the_ecus_own_page(phone, ema, ecu):
    """Its address carries the job; nothing is paired before a person says so."""
    open_app(phone, ema)
    begin_job(phone)
    add_label(phone, LABEL)
    phone.run("await page.getByRole('link', { name: '5. Hand over' }).click()")
    address = phone.run("return page.getByRole('link', { name: 'Open the ECU' }).getAttribute('href')")
    assert address.startswith("https://ecu-216000000001.local:8443/#/job/")
    phone.run(f"""
        await page.goto('{ecu.url}/#/job/{address.rsplit('/', 1)[1]}');
        await page.getByText('806000000088').waitFor();
    """)
    check_page(phone)
    assert requests(ecu) == []
    phone.run("""
        await page.getByRole('button', { name: 'Pair 1 inverter' }).click();
        await page.getByText('confirmed').waitFor();
    """)
    assert requests(ecu)[0]["body"] == {"labels": [LABEL]}


def test_a_signed_job_needs_no_login_at_the_ecu(phone, ema, ecu):
    """The service signs a job that is uploaded; the ECU's page shows what it will do, and does it on request."""
    open_app(phone, ema)
    begin_job(phone)
    add_label(phone, LABEL)
    hand_over(phone)
    phone.run("await page.getByText('The job is signed for the ECU').waitFor({ timeout: 30000 })")
    address = phone.run("return page.getByRole('link', { name: 'Open the ECU' }).getAttribute('href')")
    assert address == "https://ecu-216000000001.local:8443/#/job/e30.c2lnbmF0dXJl"
    [sent] = [each["body"] for each in requests(ema) if each["path"].endswith("/signature")]
    assert sent == {"labels": [LABEL], "places": [], "commission": True}
    ecu.site.role = None
    phone.run(f"""
        await page.goto('{ecu.url}/#/job/{address.rsplit('/', 1)[1]}');
        await page.getByText('806000000088').waitFor();
    """)
    check_page(phone)
    text = phone.run("return page.locator('main').innerText()")
    assert "Ada (installer)" in text and "4 modules get their places" in text and "Commission" in text
    assert not [each for each in requests(ecu) if each["path"] == "/api/v1/jobs"]
    phone.run("""
        await page.getByRole('button', { name: 'Carry out this job' }).click();
        await page.getByText('This job was carried out.').waitFor();
    """)
    check_page(phone)
    assert [each["body"] for each in requests(ecu) if each["path"] == "/api/v1/jobs"] == [{"job": "e30.c2lnbmF0dXJl"}]
    assert not phone.run("return page.getByRole('button', { name: 'Carry out this job' }).count()")


def test_a_job_with_a_wrong_signature_says_so(phone, ecu):
    ecu.site.role = None
    phone.run(f"""
        await page.goto('{ecu.url}/#/job/e30.x');
        await page.getByText('has not signed it').waitFor();
    """)
    assert not phone.run("return page.getByRole('button').count()")


@pytest.mark.parametrize("code", ["", "x", "e30", "eyJsYWJlbHMiOlsieCJdLCJwbGFjZXMiOltdfQ"])
def test_an_address_that_holds_no_job_says_so(phone, ecu, code):
    phone.run(f"""
        await page.goto('{ecu.url}/#/job/{code}');
        await page.getByText('This address holds no job.').waitFor();
    """)


@pytest.mark.parametrize("step", ["site", "ecu", "inverters", "map", "handover"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_each_step_is_accessible(phone_browser, ema, step, dark):
    phone_browser.new(dark=dark, **PHONE)
    open_app(phone_browser, ema)
    begin_job(phone_browser)
    add_label(phone_browser, LABEL)
    phone_browser.run(f"""
        const at = page.url().replace(/inverters$/, '{step}');
        await page.goto(at);
        await page.waitForTimeout(300);
    """)
    check_page(phone_browser)
