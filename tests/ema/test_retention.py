# SPDX-License-Identifier: GPL-2.0-only
"""Each class of data is kept as long as configured; nothing of a deleted customer is left."""

import sqlite3
import time

from service import PASSWORD

DAY_MS = 86400000


def rows(service, text, file="data.db"):
    database = sqlite3.connect(service.state / file)
    found = database.execute(text).fetchall()
    database.close()
    return found


def change(service, *statements, file="data.db"):
    database = sqlite3.connect(service.state / file)
    with database:
        for text, *values in statements:
            database.execute(text, values)
    database.close()


def derived(service):
    newest, = rows(service, "SELECT COALESCE(MAX(number), 0) <= (SELECT number FROM progress) FROM batches")[0]
    return newest


def test_each_class_ends_by_itself_and_the_rest_stays(service):
    service.deliver("--ecus", 1, "--units", 2, "--batches", 1, "--period", 1, "--history", 3)
    service.wait(lambda: derived(service))
    site = service.api("GET", "/sites")["sites"][0]["id"]
    serial = service.api("GET", f"/sites/{site}/inverters")["inverters"][0]["serial"]
    service.stop()
    now_ms = int(time.time() * 1000)
    # all is compacted; the second day, which has all of its sun, becomes 100 days old
    change(service, ("UPDATE batches SET received_ms = received_ms - 9 * 86400000",))
    service.command("--compact")
    day, = rows(service, "SELECT DISTINCT day FROM unit_days ORDER BY day LIMIT 1 OFFSET 1")[0]
    old_day = day - 100
    change(service, ("UPDATE unit_days SET day = ? WHERE day = ?", old_day, day))
    for number, age in enumerate((5, 50, 500)):
        at = now_ms - age * DAY_MS
        change(service,
               ("INSERT INTO events VALUES (?, ?, 1, NULL, ?, 'note', 0, '')", 10 ** 9 + number, site, at),
               ("INSERT INTO alarms VALUES (?, ?, 0, 0, 'note', 0, ?, ?, ?, NULL, NULL, '')", 1000 + number, site,
                at, at, at),
               ("INSERT INTO orders VALUES (?, ?, ?, NULL, 'start', '{}', '', '', ?, 120, NULL, 'expired')",
                f"old-{number}", 1000 + number, site, at))
        change(service, ("INSERT INTO audit SELECT NULL, tenant, ?, who, role, interface, address, 'note', target, "
                         "detail, result FROM audit LIMIT 1", at), file="control.db")
    change(service, ("UPDATE alarms SET end_ms = NULL WHERE id = 1002",),
           ("UPDATE orders SET state = 'sent' WHERE id = 'old-2'",))
    service.settings.update(keep_reports_days=40, keep_events_days=100, keep_orders_days=30, keep_audit_days=400)
    service.start()
    service.stop()
    shown = service.command("--compact")
    assert "reports: 2 expired rows deleted" in shown, shown
    assert rows(service, "SELECT id FROM events WHERE name = 'note' ORDER BY id") == [(10 ** 9,), (10 ** 9 + 1,)]
    # an open alarm stays, and an order that is under way
    assert rows(service, "SELECT id FROM alarms WHERE rule = 'note' ORDER BY id") == [(1000,), (1001,), (1002,)]
    assert rows(service, "SELECT id FROM orders WHERE id LIKE 'old-%' ORDER BY id") == [("old-0",), ("old-2",)]
    assert len(rows(service, "SELECT id FROM audit WHERE action = 'note'", file="control.db")) == 2
    # a rebuild has the events of the log alone, and does not bring back what is over
    change(service, ("DELETE FROM events WHERE name = 'note'",))
    before = service.command("--hashes")
    assert service.command("--rebuild", "--hashes") == before
    service.start()

    def series(step, more=""):
        begin = old_day * DAY_MS + 7 * 3600000
        history = service.api("GET", f"/sites/{site}/history?from_ms={begin}&to_ms={begin + DAY_MS}"
                                     f"&step_s={step}{more}")
        return [value for each in history["series"] for value in each["values"] if value is not None]
    assert series(0, f"&serial={serial}") == []
    assert sum(series(86400)) > 1000
    # the quarters have their own times, which moving the day above did not change
    assert rows(service, f"SELECT MIN(LENGTH(quarters)) > 100 FROM unit_days WHERE day = {old_day}") == [(1,)]


def test_reports_that_an_ecu_may_still_deliver_cannot_be_dropped(service):
    service.stop()
    service.config.write_text("keep_reports_days 31\n")
    done = service.program_fails("--check")
    assert "keep_reports_days: expected 0, or 32 or more, found 31" in done


def test_nothing_of_a_deleted_customer_is_left(service):
    """Every table that names a site, an ECU, an order, an alarm or a tenant; and the bytes of the files."""
    customer = int(service.emactl("tenant", "Leaves for good", "customer"))
    service.emactl("user", "leaving-owner", "owner", customer, stdin=PASSWORD)
    stays = service.tokens["owner"]
    service.tokens["owner"] = service.token(service.login("leaving-owner"))
    service.deliver("--ecus", 2, "--units", 2, "--batches", 2, "--period", 1, "--history", 1)
    sites = [site["id"] for site in service.api("GET", "/sites")["sites"]]
    service.api("PUT", f"/sites/{sites[0]}", {"name": "Secret Lane 5", "address": "Hidden Town"})
    service.api("POST", f"/sites/{sites[0]}/commands", {"command": "start"})
    service.api("POST", "/jobs", {"id": "0a8f1d3e-0000-4000-8000-000000000009", "site": sites[0],
                                  "ecu": "216000000099", "commission": True, "inverters": []})
    service.wait(lambda: derived(service))
    assert rows(service, f"SELECT COUNT(*) FROM unit_days WHERE site IN ({sites[0]}, {sites[1]})")[0][0] > 0
    named = {"site": sites, "tenant": [customer], "customer": [customer],
             "ecu": [ecu for ecu, in rows(service, "SELECT ecu FROM ecus")],
             "order_id": [name for name, in rows(service, "SELECT id FROM orders")]}
    service.emactl("user", "boss", "operator", 0, stdin=PASSWORD)
    service.tokens["operator"] = service.login("boss")
    deleted = service.api("DELETE", f"/tenants/{customer}", who="operator")
    print(deleted)
    assert deleted["key_destroyed"] and deleted["sites"] == 2 and deleted["users"] == 1 and deleted["days"] >= 4
    assert service.ask("GET", "/api/v1/sites", token=service.tokens["owner"]).status == 401
    assert service.ask("GET", "/api/v1/sites", token=stays).status == 200
    service.stop()
    tables = [name for name, in rows(service, "SELECT name FROM sqlite_schema WHERE type = 'table'")]
    checked = set()
    for table in tables:
        for column in [row[1] for row in rows(service, f"PRAGMA table_info({table})")]:
            for value in named.get(column, ()):
                checked.add((table, column))
                left = rows(service, f"SELECT COUNT(*) FROM {table} WHERE {column} = '{value}'")
                assert left == [(0,)], (table, column)
    assert len(checked) > 15, checked
    assert rows(service, "SELECT tenant, key FROM keys WHERE tenant > 0", file="keys.db") == [(customer, None)]
    for table in ("users", "tokens"):
        assert rows(service, f"SELECT COUNT(*) FROM {table} WHERE tenant = {customer}", file="control.db") == [(0,)]
    # the audit log, in control.db, says who did what until its class ends
    for file in service.state.glob("data.db*"):
        for word in (b"Secret Lane 5", b"Hidden Town", b"Leaves for good"):
            assert word not in file.read_bytes(), (file.name, word)
