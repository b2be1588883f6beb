# SPDX-License-Identifier: GPL-2.0-only
"""An alarm begins, is sent by e-mail and webhook, is acknowledged, and ends."""

import email
import http.server
import json
import socketserver
import sqlite3
import threading
import time

import pytest

from service import Service


class Mail(socketserver.StreamRequestHandler):
    """A mail server that refuses its first message for now."""

    def handle(self):
        self.wfile.write(b"220 test ESMTP\r\n")
        while line := self.rfile.readline():
            word = line.decode().split()[0].upper()
            if word == "DATA":
                self.wfile.write(b"354 go on\r\n")
                text = b""
                while (line := self.rfile.readline()) != b".\r\n":
                    text += line
                self.server.tries.append(email.message_from_bytes(text))
                self.wfile.write(b"451 later\r\n" if len(self.server.tries) == 1 else b"250 ok\r\n")
            elif word == "QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            else:
                self.wfile.write(b"250 ok\r\n")


class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.server.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


def serve(server, name):
    setattr(server, name, [])
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


@pytest.fixture
def mail():
    server = serve(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Mail), "tries")
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def hook():
    server = serve(http.server.HTTPServer(("127.0.0.1", 0), Hook), "bodies")
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def watched(tmp_path, mail, hook):
    """A service at sixty times real time that sends to both servers."""
    boot_us = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    env = {"QS1_CLOCK": f"60 {boot_us} {time.time_ns() // 1000}"}
    settings = {"smtp": f"smtp://127.0.0.1:{mail.server_address[1]}", "webhook_private": 1}
    service = Service(tmp_path, settings, env).start().set_up()
    service.api("PUT", "/notifications", {
        "emails": ["anna@example.org"], "webhook": f"http://127.0.0.1:{hook.server_address[1]}/x",
        "quiet_from_min": None, "quiet_to_min": None, "min_severity": "warning"})
    yield service
    service.stop()


def change(service, statement, *values):
    database = sqlite3.connect(service.state / "data.db", timeout=10)
    with database:
        database.execute(statement, values)
    database.close()


def test_an_alarm_is_sent_once_with_one_message_id_and_ends(watched, mail, hook):
    watched.deliver("--ecus", 1, "--units", 2, "--batches", 1, "--period", 60)
    site = watched.api("GET", "/sites")["sites"][0]["id"]
    # an ECU whose clock is five minutes late
    change(watched, "UPDATE ecus SET clock_offset_ms = -300000")

    def active():
        found = watched.api("GET", "/alarms?active=true")["alarms"]
        return [alarm for alarm in found if alarm["rule"] == "clock"]
    alarm = watched.wait(active, 40)[0]
    assert alarm["site"] == site and alarm["advice"]
    watched.wait(lambda: len(mail.tries) >= 2 and hook.bodies, 40)
    first, second = mail.tries[:2]
    assert first["Message-ID"] == second["Message-ID"] and first["To"] == "anna@example.org"
    assert "Clock of the ECU is off" in first["Subject"]
    assert hook.bodies[0]["rule"] == "clock" and hook.bodies[0]["event"] == "begin"
    assert watched.api("GET", f"/sites/{site}")["alarms"] >= 1
    acknowledged = watched.api("POST", f"/alarms/{alarm['id']}/acknowledge", {})
    assert acknowledged["acknowledged_by"]
    change(watched, "UPDATE ecus SET clock_offset_ms = 0")
    watched.wait(lambda: not active(), 40)
    ended = watched.api("GET", "/alarms")["alarms"]
    assert next(each for each in ended if each["id"] == alarm["id"])["end_ms"]
    watched.wait(lambda: any(body["event"] == "end" for body in hook.bodies), 40)


def test_a_wrong_clock_moves_no_data_in_time_without_a_word(service):
    service.deliver("--ecus", 1, "--units", 1, "--batches", 1, "--period", 1)
    service.wait(lambda: service.api("GET", "/fleet")["units"] == 1)
    site = service.api("GET", "/sites")["sites"][0]["id"]
    database = sqlite3.connect(service.state / "data.db")
    before, = database.execute("SELECT time_s FROM units").fetchone()
    assert abs(before - time.time()) < 60
    database.close()
    service.stop()
    # the same batch, from an ECU whose clock was two hours late
    change(service, "UPDATE batches SET shift_s = 7200")
    service.command("--rebuild")
    service.start()
    service.wait(lambda: True)
    database = sqlite3.connect(service.state / "data.db")
    assert database.execute("SELECT time_s FROM units").fetchone()[0] == before + 7200
    database.close()
    events = service.api("GET", f"/sites/{site}/events")["events"]
    assert [event["name"] for event in events] == ["clock-shifted"]


def test_a_webhook_to_a_private_address_is_refused(service):
    for url in ("http://127.0.0.1/", "ftp://example.org/", "https://x y"):
        answer = service.ask("PUT", "/api/v1/notifications", {
            "emails": [], "webhook": url, "min_severity": "alarm"}, service.tokens["owner"])
        assert answer.status == 400, url
