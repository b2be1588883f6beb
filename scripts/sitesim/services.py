# SPDX-License-Identifier: GPL-2.0-only
"""The daemons of a site: broker, gateway, monitoring service. Each listens on the site's own address only."""

import secrets
import socket
import subprocess
import time

from board.errors import BoardError
from board.paths import BUILD, need
from board.process import Child

from .api import Api, local_get

BROKER = "/usr/sbin/mosquitto"
PROGRAMS = BUILD / "host" / "bin"
ECU_ID = "216000000001"
START_S = 20.0
TOKEN_DAYS = 30
STATUS_S = 0.5


def free_port(address):
    """A TCP port that nobody uses now."""
    with socket.socket() as server:
        server.bind((address, 0))
        return server.getsockname()[1]


def wait_port(name, address, child):
    """Until somebody accepts connections there."""
    host, port = address.rsplit(":", 1)
    deadline = time.monotonic() + START_S
    while True:
        child.check()
        try:
            socket.create_connection((host, int(port)), 1).close()
            return
        except OSError as error:
            if time.monotonic() > deadline:
                raise BoardError(f"{name} does not accept connections at {address} after "
                                 f"{START_S:g} s; see {child.log}") from error
            time.sleep(0.05)


class Broker:
    """Debian's mosquitto, without persistence."""

    def __init__(self, folder, address):
        self.address = f"{address}:{free_port(address)}"
        config = folder / "mosquitto.conf"
        host, port = self.address.rsplit(":", 1)
        config.write_text(f"listener {port} {host}\nallow_anonymous true\npersistence false\n")
        self.child = Child("mosquitto", [BROKER, "-c", config], folder / "mosquitto.log")
        wait_port("mosquitto", self.address, self.child)

    def stop(self):
        """End the process."""
        self.child.stop()


class Service:
    """One of our daemons: its configuration, its first use, its tokens."""

    name = setup_member = secret_member = None

    def __init__(self, address, folder, state, env, config):
        self.folder = folder
        self.state = state
        self.url = f"https://{address}"
        self.config = folder / f"{self.name}.conf"
        self.config.write_text("".join(f"{name} {value}\n" for name, value in config.items()))
        state.mkdir(parents=True, exist_ok=True)
        program = need(PROGRAMS / self.name, "site-programs")
        self._command = [program, "--config", self.config, "--state", state]
        self._env = env
        self.child = Child(self.name, self._command, folder / f"{self.name}.log", env)
        wait_port(self.name, address, self.child)
        self.ca = state / "tls" / "ca.pem"
        self.api = Api(self.url, self.ca)
        self.tokens = {}

    def code(self):
        """The first-use code."""
        raise NotImplementedError

    def token(self, role):
        """The request for a token with the rights of a role."""
        raise NotImplementedError

    def login(self):
        """How a person gets in, in words."""
        kept = self.state / "owner-password"
        return f"user owner, password {kept.read_text().strip()}" if kept.exists() else \
            f"first-use code {self.code()}"

    def set_up(self, *roles):
        """The owner, with a password kept beside the store, and a token for each role."""
        kept = self.state / "owner-password"
        if self.api.get("/session")[self.setup_member]:
            password = secrets.token_urlsafe(12)
            kept.write_text(password + "\n")
            self.api.call("POST", "/setup", {"code": self.code(), "name": "owner", "password": password})
        else:
            self.api.call("POST", "/session", {"name": "owner", "password": kept.read_text().strip()})
        for role in roles:
            made = self.api.call("POST", "/tokens", self.token(role))
            path = self.folder / f"{self.name}-{role}.token"
            path.touch(mode=0o600)
            path.write_text(made[self.secret_member] + "\n")
            self.tokens[role] = path
        self.api.token = self.tokens["owner"].read_text().strip()

    def stop(self):
        """End the process."""
        self.child.stop()


class Ecu(Service):
    """The gateway."""

    name, setup_member, secret_member = "ecud", "setup_needed", "token"

    def __init__(self, options, folder, state, env, parts):
        super().__init__(f"{options.listen}:{options.ecu_port}", folder, state, env, {
            "ecu_id": ECU_ID, "site_name": "Simulated site", "listen": options.listen,
            "port": options.ecu_port, "modbus_port": options.modbus_port,
            "aps_port": options.aps_port, "radio_id": ECU_ID, "cadence_s": options.cadence_s,
            "modbus_writers": "127.0.0.1", **parts,
        })
        self._status = (0.0, None)

    def code(self):
        """As the label shows it; who may open the gateway's local socket may read it."""
        return local_get(self.state / "rest.sock", "/label")["code"]

    def token(self, role):
        return {"name": f"site-{role}", "role": role, "days": TOKEN_DAYS}

    def pair(self, labels):
        """Pair all units; the orders go on in the background."""
        self.api.call("POST", "/pairing", {"labels": labels})

    def status(self):
        """For the status page: {text, power, url, units}; the last answer is kept for a moment."""
        if time.monotonic() - self._status[0] > STATUS_S and self.api.token:
            status = self.api.get("/status")
            units = {unit["serial"]: unit["readings"].get("power")
                     for unit in self.api.get("/inverters")["inverters"]}
            self._status = (time.monotonic(), {
                "text": status["reporting"]["text"], "url": self.url,
                "reported": status["reporting"]["reported"], "total": status["reporting"]["total"],
                "power": status["readings"].get("power"), "units": units})
        return self._status[1]


class Ema(Service):
    """The monitoring service on SQLite."""

    name, setup_member, secret_member = "emad", "setup", "secret"

    def __init__(self, options, folder, state, env):
        # The ECUs' port follows that of the pages.
        self.uplink = f"https://{options.listen}:{options.ema_port + 1}"
        self.site = None
        super().__init__(f"{options.listen}:{options.ema_port}", folder, state, env, {
            "listen": options.listen, "host": options.listen, "web_port": options.ema_port,
            "uplink_port": options.ema_port + 1})

    def code(self):
        """As the console prints it."""
        done = subprocess.run([*map(str, self._command), "--setup"], capture_output=True, text=True,
                              env=self._env)
        if done.returncode:
            raise BoardError(f"emad --setup: {done.stderr.strip()}")
        return done.stdout.strip()

    def token(self, role):
        return {"name": f"site-{role}", "days": TOKEN_DAYS}

    def enrol(self):
        """The site, and the one-time code of its ECU, which is made once."""
        kept = self.state / "enrolment"
        if not kept.exists():
            site = self.api.call("POST", "/sites", {"name": "Simulated site"})
            made = self.api.call("POST", f"/sites/{site['id']}/ecus", {"ecu": ECU_ID})
            kept.write_text(f"{site['id']} {made['code']}\n")
        site, code = kept.read_text().split()
        self.site = int(site)
        return {"ema": self.uplink, "ema_ca": self.ca, "ema_code": code}

    def status(self):
        """The site as the service knows it."""
        return self.api.get(f"/sites/{self.site}")
