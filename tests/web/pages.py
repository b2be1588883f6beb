# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of both services' pages do."""

import json
import urllib.request

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def open_page(browser, server, page):
    browser.run(f"""
        await page.goto({json.dumps(f"{server.url}/#/{page}")});
        await page.locator('h1').waitFor();
        await page.waitForTimeout(500);
    """)


def requests(server):
    """Requests that would change something, in order."""
    return json.load(urllib.request.urlopen(f"{server.url}/requests"))


def violations(browser):
    """Rules of axe-core that the page breaks, each with its first element."""
    return browser.run(f"""
        await page.evaluate(axe);
        return page.evaluate(async (rules) => (await window.axe.run(document, {{ runOnly: rules }})).violations
            .map((rule) => rule.id + ': ' + rule.nodes[0].html), {json.dumps(RULES)});
    """)


def check_page(browser):
    """Accessible, as wide as the screen, without errors, and with a text for every key."""
    assert violations(browser) == []
    wide = browser.run("return page.evaluate(() => document.documentElement.scrollWidth - innerWidth)")
    assert wide <= 0, "the page is wider than the screen"
    assert browser.problems() == []
    keys = browser.run("return page.evaluate(() => document.body.innerText.match(/\\b[a-z]+\\.[a-z_]+\\b/g) ?? [])")
    assert not [key for key in keys if key != "ecud.conf" and not key.endswith((".local", ".org"))], \
        "a text is missing: its key is shown"


def first_load(browser, server, page):
    """Files that the page fetched, and their bytes as they came; all from this server."""
    browser.run("""
        globalThis.loads = [];
        page.on('requestfinished', async (request) => {
            const { responseBodySize } = await request.sizes();
            loads.push([request.url(), responseBodySize]);
        });
    """)
    open_page(browser, server, page)
    loads = browser.run("return loads")
    assert all(url.startswith(server.url) for url, _ in loads), loads
    files = [(url.removeprefix(server.url), size) for url, size in loads if "/api/" not in url]
    return [name for name, _ in files], sum(size for _, size in files)
