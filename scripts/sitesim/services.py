# SPDX-License-Identifier: GPL-2.0-only
"""The daemons of a site: broker, gateway. Each listens on the site's own address only."""

import secrets
import socket
import time

from board.errors import BoardError
from board.paths import BUILD
from board.process import Child

from .api import Api, local_get

BROKER = "/usr/sbin/mosquitto"
ECUD = BUILD / "host" / "bin" / "ecud"
ECU_ID = "216000000001"
START_S = 20.0
SETUP_S = 60.0
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


class Ecu:
    """The gateway: its configuration, its first use, its tokens."""

    def __init__(self, options, folder, state, env, parts):
        self.options = options
        self.folder = folder
        self.state = state
        self.url = f"https://{options.listen}:{options.ecu_port}"
        self.config = folder / "ecud.conf"
        self._write_config(parts)
        self.child = Child("ecud", [ECUD, "--config", self.config, "--state", state],
                           folder / "ecud.log", env)
        wait_port("ecud", f"{options.listen}:{options.ecu_port}", self.child)
        self.ca = state / "tls" / "ca.pem"
        self.api = Api(self.url, self.ca)
        self.tokens = {}
        self._env = env
        self._status = (0.0, None)

    def _write_config(self, parts):
        options = self.options
        rows = {
            "ecu_id": ECU_ID, "site_name": "Simulated site", "listen": options.listen,
            "port": options.ecu_port, "modbus_port": options.modbus_port,
            "aps_port": options.aps_port, "radio": parts["modem"], "radio_id": ECU_ID,
            "cadence_s": options.cadence_s, "mqtt": parts["mqtt"],
            "meter": f"modbus:{parts['meter']}", "modbus_writers": "127.0.0.1",
        }
        self.config.write_text("".join(f"{name} {value}\n" for name, value in rows.items()))

    def code(self):
        """The first-use code, as the label shows it; who may open the gateway's local socket may read it."""
        return local_get(self.state / "rest.sock", "/label")["code"]

    def set_up(self, code):
        """The owner, with a password kept beside the store, and a token for each role."""
        kept = self.state / "owner-password"
        if self.api.get("/session")["setup_needed"]:
            password = secrets.token_urlsafe(12)
            kept.write_text(password + "\n")
            self.api.call("POST", "/setup", {"code": code, "name": "owner", "password": password})
        else:
            self.api.call("POST", "/session", {"name": "owner", "password": kept.read_text().strip()})
        for role in ("owner", "installer"):
            made = self.api.call("POST", "/tokens", {"name": f"site-{role}", "role": role,
                                                     "days": TOKEN_DAYS})
            path = self.folder / f"{role}.token"
            path.touch(mode=0o600)
            path.write_text(made["token"] + "\n")
            self.tokens[role] = path
        self.api.token = self.tokens["owner"].read_text().strip()

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

    def stop(self):
        """End the process."""
        self.child.stop()
