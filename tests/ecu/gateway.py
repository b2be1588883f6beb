# SPDX-License-Identifier: GPL-2.0-or-later
"""A gateway at work: ecud, simulated inverters on the air, an MQTT broker, a meter; all on loopback."""

import http.client
import json
import os
import pathlib
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import time

from paths import BUILD, ROOT
from process import clock

ECU_ID = "216000000001"
PASSWORD = "correct horse battery"


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def wait_for(what, condition, seconds=30):
    """Ask again until it is true; returns the value."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.1)
    raise AssertionError(f"{what}: not within {seconds} s")


class Reply:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def json(self):
        return json.loads(self.body)


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=30)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(str(self.path))


class Api:
    """A client of the REST interface, with a token or as nobody."""

    def __init__(self, gateway, token=None, local=False):
        self.gateway, self.token, self.local = gateway, token, local

    def connection(self):
        if self.local:
            return UnixConnection(self.gateway.state / "rest.sock")
        context = ssl.create_default_context(cafile=str(self.gateway.state / "tls" / "ca.pem"))
        return http.client.HTTPSConnection("127.0.0.1", self.gateway.port, context=context,
                                           timeout=30)

    def ask(self, method, path, body=None, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        connection = self.connection()
        try:
            # "//x" is the path /x; all others are of the API
            path = path[1:] if path.startswith("//") else "/api/v1" + path
            connection.request(method, path, body, headers)
            return Reply(connection.getresponse())
        finally:
            connection.close()

    def get(self, path, **headers):
        return self.ask("GET", path, **headers)

    def post(self, path, body=None, **headers):
        return self.ask("POST", path, body if body is not None else {}, **headers)

    def put(self, path, body, **headers):
        return self.ask("PUT", path, body, **headers)

    def delete(self, path):
        return self.ask("DELETE", path)

    def follow(self):
        """Events of the stream: yields (name, object)."""
        connection = self.connection()
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        connection.request("GET", "/api/v1/stream", headers=headers)
        response = connection.getresponse()
        assert response.status == 200
        name = None
        for line in response:
            line = line.decode().rstrip("\n")
            if line.startswith("event: "):
                name = line[7:]
            elif line.startswith("data: "):
                yield name, json.loads(line[6:])


class Gateway:
    """ecud with some units. Use it in a with statement.

    @pair: else the gateway knows no units, or those of its store
    @store: a database to begin with
    @speed: site seconds in a second, of the air and the gateway
    @clock: another speed of the gateway's clock alone, and seconds since 1970
    """

    def __init__(self, units=2, config="", broker=False, pair=True, watts=200, store=None, speed=1,
                 cadence_s=1, clock=None, bus=None):
        self.units, self.more, self.with_broker, self.pair, self.watts = \
            units, config, broker, pair, watts
        self.store, self.speed, self.cadence_s = store, speed, cadence_s
        self.clock = clock or ((speed, None) if speed != 1 else None)
        self.bus, self.processes = bus, []

    def __enter__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="qs1-ecu-"))
        self.state = self.folder / "state"
        self.state.mkdir()
        if self.store:
            shutil.copy(self.store, self.state / "ecud.db")
        self.port, self.modbus_port, self.aps_port = free_port(), free_port(), free_port()
        self.log = (self.folder / "log").open("w+")
        try:
            self.start_air()
            if self.with_broker:
                self.start_broker()
            self.write_config()
            self.start()
            if self.pair:
                self.set_up()
            elif self.store:
                self.log_in()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def spawn(self, *command, **more):
        process = subprocess.Popen([str(word) for word in command], cwd=ROOT, stderr=self.log,
                                   **more)
        self.processes.append(process)
        return process

    def start_air(self):
        self.air = self.spawn(BUILD / "qs1-ether", "--folder", self.folder, "--units", self.units,
                              "--watts", self.watts, "--speed", self.speed, stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True)
        self.labels = []
        while len(self.labels) < self.units:
            words = self.air.stdout.readline().split()
            assert words, self.text_of_log()
            if words[0] == "unit":
                self.labels.append(words[3])
        threading.Thread(target=self.air.stdout.read, daemon=True).start()
        self.serials = [label[:12] for label in self.labels]

    def say(self, line):
        """A command of the air."""
        self.air.stdin.write(line + "\n")
        self.air.stdin.flush()

    def start_broker(self):
        self.mqtt_port = free_port()
        (self.folder / "mosquitto.conf").write_text(
            f"listener {self.mqtt_port} 127.0.0.1\nallow_anonymous true\n")
        self.broker = self.spawn_broker()
        self.more += f"mqtt 127.0.0.1:{self.mqtt_port}\n"

    def spawn_broker(self):
        return self.spawn("/usr/sbin/mosquitto", "-c", self.folder / "mosquitto.conf")

    def toggle_broker(self):
        """The broker goes away, or comes back."""
        if self.broker:
            self.broker.kill()
            self.broker.wait()
            self.processes.remove(self.broker)
            self.broker = None
        else:
            self.broker = self.spawn_broker()

    def write_config(self):
        (self.folder / "ecud.conf").write_text(
            f"ecu_id {ECU_ID}\nstate {self.state}\nlisten 127.0.0.1\nport {self.port}\n"
            f"modbus_port {self.modbus_port}\naps_port {self.aps_port}\n"
            f"radio {self.folder}/modem0\nradio_id D8A3011B9780\ncadence_s {self.cadence_s}\n"
            f"profiles {ROOT}/profiles\n{self.more}")

    def start(self):
        environment = {**os.environ, **(clock(*self.clock) if self.clock else {})}
        # the system's own bus is never touched
        environment["DBUS_SYSTEM_BUS_ADDRESS"] = self.bus or f"unix:path={self.folder}/no-bus"
        self.ecud = self.spawn(BUILD / "host/bin/ecud", "--config", self.folder / "ecud.conf",
                               env=environment)
        self.local = Api(self, local=True)
        wait_for("ecud's socket", lambda: self.answers() or self.ecud.poll() is not None)
        assert self.ecud.poll() is None, self.text_of_log()
        self.nobody = Api(self)

    def answers(self):
        try:
            return self.local.get("/status").status == 200
        except OSError:
            return False

    def text_of_log(self):
        self.log.flush()
        return (self.folder / "log").read_text()

    def log_in(self):
        """Owner, tokens of all roles."""
        code = self.local.get("/label").json["code"]
        reply = self.nobody.post("/setup", {"code": code, "name": "anna", "password": PASSWORD})
        assert reply.status == 200, reply.body
        self.cookie = reply.headers["Set-Cookie"].split(";")[0]
        self.api = {}
        for role in ("owner", "installer", "viewer"):
            made = self.local_token(role)
            self.api[role] = Api(self, made)
        self.owner = self.api["owner"]

    def set_up(self):
        """The same, and all units paired and heard."""
        self.log_in()
        reply = self.owner.post("/pairing", {"labels": self.labels})
        assert reply.status == 202, reply.body
        wait_for("readings of all units", self.all_live, 60)

    def local_token(self, role, **more):
        reply = self.nobody.ask("POST", "/tokens", {"name": role, "role": role, "days": 30, **more},
                                Cookie=self.cookie)
        assert reply.status == 201, reply.body
        return reply.json["token"]

    def all_live(self):
        inverters = self.owner.get("/inverters").json["inverters"]
        return len(inverters) == self.units and all(
            each["link"]["state"] == "live" and each["readings"]["power"] is not None
            for each in inverters)
