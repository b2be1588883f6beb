# SPDX-License-Identifier: GPL-2.0-only
"""A monitoring service for the tests, its web interface, and generated ECUs."""

import json
import os
import pathlib
import re
import signal
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request

from paths import BUILD, ROOT

# the servers that scripts/fleet starts
sys.path.append(str(ROOT / "scripts"))

EMAD = BUILD / "host/bin/emad"
FLEET = BUILD / "qs1-fleet"
PASSWORD = "correct horse battery"
# Ports of the parts that a process has; then it is ready.
PORTS = {"web": re.compile(r"pages on 127\.0\.0\.1:(\d+)\n"),
         "uplink": re.compile(r"ECUs on 127\.0\.0\.1:(\d+)\n")}
READY = "ready\n"


def scoped(server, text, tenant=-1):
    """Words that the store's role reads from a PostgreSQL server with the rights of @tenant; -1: all."""
    return server.sql("ema", f"SET ROLE qs1_store; SET qs1.tenant = '{tenant}'; {text}").split()


def all_derived(server):
    """Whether what follows from each batch of a PostgreSQL server is there."""
    newest, done = scoped(server, "SELECT COALESCE(MAX(number), 0) FROM batches; SELECT COALESCE(MAX(number), 0) "
                                  "FROM progress WHERE name = 'derived'")
    return newest == done


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)


class Service:
    """emad with its state in @folder."""

    def __init__(self, folder, settings=(), env=None, program=EMAD):
        self.program = program
        self.folder = pathlib.Path(folder)
        self.state = self.folder / "state"
        self.config = self.folder / "emad.conf"
        self.log = self.folder / "emad.log"
        self.env = dict(os.environ, **(env or {}))
        self.settings = {"web_port": 0, "uplink_port": 0, **dict(settings)}
        self.process = None
        self.web = self.uplink = 0
        self.tokens = {}

    def start(self):
        self.config.write_text("".join(f"{name} {value}\n" for name, setting in self.settings.items()
                                       for value in (setting if isinstance(setting, list) else [setting])))
        self.log.write_text("")
        with self.log.open("a") as log:
            self.process = subprocess.Popen([self.program, "--config", self.config, "--state", self.state],
                                            stderr=log, env=self.env)
        deadline = time.monotonic() + 60
        while READY not in self.log.read_text():
            assert self.process.poll() is None and time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.02)
        for name, expression in PORTS.items():
            if found := expression.search(self.log.read_text()):
                setattr(self, name, int(found[1]))
        # the same ports after each restart
        self.settings.update(web_port=self.web or 0, uplink_port=self.uplink or 0)
        self.context = ssl.create_default_context(cafile=self.ca)
        return self

    @property
    def ca(self):
        return self.state / "tls/ca.pem"

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            assert self.process.wait(30) == 0, self.log.read_text()

    def command(self, *options):
        """Run emad with an option that does not serve."""
        done = subprocess.run([self.program, "--config", self.config, "--state", self.state, *options],
                              capture_output=True, text=True, env=self.env)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def program_fails(self, *options):
        """Run emad with options that it refuses; its message."""
        done = subprocess.run([self.program, "--config", self.config, "--state", self.state, *options],
                              capture_output=True, text=True, env=self.env)
        assert done.returncode != 0, done.stdout
        return done.stderr

    @staticmethod
    def proof(who):
        """Headers that authenticate a request: of a token, or of a session as login() returns it."""
        return who if isinstance(who, dict) else {"Authorization": f"Bearer {who}"} if who else {}

    def ask(self, method, path, body=None, token=None, port=None, headers=()):
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(
            f"https://127.0.0.1:{port or self.web}{path}", data=data, method=method,
            headers={"Content-Type": "application/json", **dict(headers)})
        for name, value in self.proof(token).items():
            request.add_header(name, value)
        try:
            with urllib.request.urlopen(request, context=self.context, timeout=30) as answer:
                return Answer(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.headers, error.read())

    def emactl(self, *arguments, stdin=""):
        done = subprocess.run([BUILD / "host/bin/emactl", "--config", self.config, "--state", self.state,
                               *map(str, arguments)], input=stdin, capture_output=True, text=True, env=self.env)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def api(self, method, path, body=None, who="owner"):
        answer = self.ask(method, "/api/v1" + path, body, self.tokens.get(who))
        assert answer.status < 300, f"{method} {path}: {answer.status} {answer.body.decode()}"
        return answer.json if answer.body else None

    def login(self, name, password=PASSWORD):
        """Session of a user, as a header."""
        answer = self.ask("POST", "/api/v1/session", {"name": name, "password": password})
        assert answer.status == 200, answer.body
        return {"Cookie": answer.headers["Set-Cookie"].split(";")[0]}

    def token(self, session):
        answer = self.ask("POST", "/api/v1/tokens", {"name": "test", "days": 30}, headers=session)
        assert answer.status == 201, answer.body
        return answer.json["secret"]

    def set_up(self):
        """First use: an owner, with a token."""
        code = self.command("--setup").strip()
        answer = self.ask("POST", "/api/v1/setup",
                          {"code": code, "name": "owner", "password": PASSWORD})
        assert answer.status == 200, answer.body
        self.tokens["owner"] = self.token(self.login("owner"))
        return self

    def fleet(self, *options, new=True):
        """Start generated ECUs."""
        token = self.folder / "token"
        token.write_text(self.tokens["owner"])
        command = [FLEET, "--uplink", f"https://127.0.0.1:{self.uplink}", "--ca", self.ca,
                   "--folder", self.folder / "keys", "--log", self.folder / "sent.log"]
        if new:
            command += ["--api", f"https://127.0.0.1:{self.web}", "--token", token]
        return subprocess.Popen([*command, *map(str, options)], stdout=subprocess.PIPE, text=True,
                                cwd=ROOT, env=self.env)

    def deliver(self, *options, new=True):
        """Run generated ECUs to their end; their summary."""
        process = self.fleet(*options, new=new)
        text, _ = process.communicate(timeout=300)
        assert process.returncode == 0, (process.returncode, text)
        return json.loads(text)

    def wait(self, condition, seconds=30):
        deadline = time.monotonic() + seconds
        while not (result := condition()):
            assert time.monotonic() < deadline, f"not within {seconds} s"
            time.sleep(0.05)
        return result
