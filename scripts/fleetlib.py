# SPDX-License-Identifier: GPL-2.0-only
"""A fleet on this machine: PostgreSQL with a standby, a NATS cluster, and the parts of emad.

As root, it puts each server into a separate network namespace, so that a test can cut the server's link.
Otherwise all servers share the loopback interface.
"""

import json
import os
import pathlib
import pwd
import re
import resource
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
PASSWORD = "generated fleet"
READY_S = 120
# RestartSec of emad.service.
RESTART_S = 2
# Two for each ECU, as far as a process may open files.
CONNECTIONS = min(25000, resource.getrlimit(resource.RLIMIT_NOFILE)[1] - 1000)

BIN = pathlib.Path("/usr/lib/postgresql/15/bin")

# The store's role owns the tables; the web interface's role is subject to row-level security.
SET_UP = """
CREATE ROLE qs1_store LOGIN;
CREATE ROLE qs1_web LOGIN;
CREATE DATABASE ema OWNER qs1_store;
"""
RIGHTS = """
GRANT USAGE ON SCHEMA public TO qs1_web;
GRANT ALL ON SCHEMA public TO qs1_store;
ALTER DEFAULT PRIVILEGES FOR ROLE qs1_store IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO qs1_web;
ALTER DEFAULT PRIVILEGES FOR ROLE qs1_store IN SCHEMA public GRANT USAGE ON SEQUENCES TO qs1_web;
"""


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


class Host:
    """The place where a server runs: a host of the network."""

    address = "127.0.0.1"
    prefix = ()


class Loopback:
    """The loopback interface, for use without root: it has no link to cut."""

    hosts = {}

    def host(self, _name):
        return Host()

    def close(self):
        pass


class Namespace(Host):
    """A network namespace with one link to the bridge."""

    def __init__(self, network, number, name):
        self.name = f"{network.bridge}-{name}"
        self.address = f"{network.subnet}.{number}"
        self.prefix = ("ip", "netns", "exec", self.name)
        link = f"{network.bridge}v{number}"
        network.ip("netns", "add", self.name)
        network.ip("link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", self.name)
        network.ip("link", "set", link, "master", network.bridge, "up")
        network.ip("-n", self.name, "address", "add", f"{self.address}/24", "dev", "eth0")
        for each in ("lo", "eth0"):
            network.ip("-n", self.name, "link", "set", each, "up")
        self.ip = network.ip

    def cut(self):
        self.ip("-n", self.name, "link", "set", "eth0", "down")

    def join(self):
        self.ip("-n", self.name, "link", "set", "eth0", "up")


class Namespaces:
    """A bridge between network namespaces, with a free subnet of the range for benchmarks (RFC 2544)."""

    def __init__(self):
        used = self.ip("-4", "-o", "address")
        self.subnet = next(subnet for subnet in (f"198.18.{n}" for n in range(256))
                           if f" {subnet}." not in used)
        self.bridge = f"qs1f{self.subnet.rsplit('.', 1)[1]}"
        self.hosts = {}
        self.ip("link", "add", self.bridge, "type", "bridge")
        self.ip("address", "add", f"{self.subnet}.1/24", "dev", self.bridge)
        self.ip("link", "set", self.bridge, "up")

    @staticmethod
    def ip(*arguments):
        return subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True).stdout

    def host(self, name):
        self.hosts[name] = Namespace(self, len(self.hosts) + 2, name)
        return self.hosts[name]

    def close(self):
        for host in self.hosts.values():
            self.ip("netns", "delete", host.name)
        self.ip("link", "delete", self.bridge)


def network():
    if os.geteuid() == 0:
        return Namespaces()
    print("fleet: not root: the servers share the loopback interface, without network namespaces",
          file=sys.stderr)
    return Loopback()


class Postgres:
    """A server, and with @standby a second one, which commits synchronously.

    Without hosts it has a Unix socket alone.
    """

    def __init__(self, standby=False, hosts=None):
        # the path of a socket is short, and the server does not run as root
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="ema-pg"))
        self.user = "postgres" if os.geteuid() == 0 else None
        self.standby = standby
        self.hosts = hosts
        self.ports = dict(zip(("data", "standby"), free_ports(2) if hosts else (5432, 5433)))
        if self.user:
            entry = pwd.getpwnam(self.user)
            os.chown(self.folder, entry.pw_uid, entry.pw_gid)

    def run(self, *command, host="data", **options):
        prefix = ["runuser", "-u", self.user, "--"] if self.user else []
        if self.hosts:
            prefix = [*self.hosts[host].prefix, *prefix]
        done = subprocess.run([*prefix, *map(str, command)], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, cwd=self.folder, **options)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def control(self, name, *action):
        listen = self.hosts[name].address if self.hosts else ""
        options = (f"-c listen_addresses='{listen}' -c unix_socket_directories={self.folder} "
                   f"-c port={self.ports[name]} -c max_connections=60")
        # the server keeps the output open
        self.run("sh", "-c", f"{BIN}/pg_ctl -D {self.folder / name} -w -l {self.folder / name}.log "
                             f"-o \"{options}\" {' '.join(action)} >/dev/null 2>&1", host=name)

    def start(self):
        self.run(BIN / "initdb", "-D", self.folder / "data", "-A", "trust", "-U", "postgres",
                 "--no-sync")
        if self.hosts:
            subnet = self.hosts["data"].address.rsplit(".", 1)[0]
            with (self.folder / "data/pg_hba.conf").open("a") as access:
                access.write("".join(f"host {kind} all {subnet}.0/24 trust\n"
                                     for kind in ("all", "replication")))
        self.control("data", "start")
        self.sql("postgres", SET_UP)
        self.sql("ema", RIGHTS)
        if self.standby:
            self.run(BIN / "pg_basebackup", "-h", self.address, "-p", self.ports["data"], "-U",
                     "postgres", "-D", self.folder / "standby", "-R", "-X", "stream", "-C",
                     "-S", "standby", "-c", "fast", "--no-sync", host="standby")
            self.control("standby", "start")
            self.sql("postgres", "ALTER SYSTEM SET synchronous_standby_names = '*'")
            self.sql("postgres", "SELECT pg_reload_conf()")
        return self

    @property
    def address(self):
        return self.hosts["data"].address if self.hosts else self.folder

    def sql(self, database, text):
        return self.run("psql", "-h", self.folder, "-p", self.ports["data"], "-U", "postgres", "-d",
                        database, "-v", "ON_ERROR_STOP=1", "-Atq", input=text)

    def url(self, role):
        return f"postgresql://{role}@/ema?host={self.address}&port={self.ports['data']}"

    def restart(self, name="data"):
        """As after a crash."""
        self.control(name, "-m", "immediate", "restart")

    def stop(self):
        for name in self.ports:
            if (self.folder / name / "postmaster.pid").exists():
                self.control(name, "-m", "immediate", "stop")
        shutil.rmtree(self.folder)


class Nats:
    """Three servers with JetStream."""

    COUNT = 3

    def __init__(self, hosts=None):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="ema-nats"))
        self.hosts = hosts or [Host()] * self.COUNT
        ports = free_ports(2 * self.COUNT)
        self.ports, self.routes = ports[:self.COUNT], ports[self.COUNT:]
        self.process = [None] * self.COUNT

    def list(self, ports):
        return [f"nats://{host.address}:{port}" for host, port in zip(self.hosts, ports)]

    @property
    def url(self):
        return ",".join(self.list(self.ports))

    def start_one(self, number):
        host = self.hosts[number]
        config = self.folder / f"{number}.conf"
        config.write_text(f"""
server_name: n{number}
listen: {host.address}:{self.ports[number]}
max_payload: 2MB
jetstream {{ store_dir: "{self.folder}/{number}" }}
cluster {{ name: ema, listen: {host.address}:{self.routes[number]},
          routes: [{', '.join(self.list(self.routes))}] }}
""")
        with (self.folder / f"{number}.log").open("a") as log:
            self.process[number] = subprocess.Popen([*host.prefix, "nats-server", "-c", config],
                                                    stderr=log)

    def start(self):
        for number in range(self.COUNT):
            self.start_one(number)
        deadline = time.monotonic() + 30
        while not any("JetStream cluster new metadata leader" in path.read_text()
                      for path in self.folder.glob("*.log")):
            assert time.monotonic() < deadline, "the NATS servers found no leader within 30 s"
            time.sleep(0.1)
        return self

    def kill(self, number):
        self.process[number].kill()
        self.process[number].wait()

    def stop(self):
        for process in self.process:
            if process and process.poll() is None:
                process.kill()
                process.wait()
        shutil.rmtree(self.folder)


class Part:
    """One process of emad."""

    def __init__(self, folder, name, host, settings):
        self.log = folder / f"{name}.log"
        self.config = folder / f"{name}.conf"
        self.host = host
        self.settings = {**settings, "part": name, "listen": host.address, "host": host.address}
        self.command = [ROOT / "build/host/bin/emad", "--config", self.config, "--state",
                        folder / "state"]
        self.process = None

    def start(self):
        self.config.write_text("".join(f"{key} {value}\n" for key, setting in self.settings.items()
                                       for value in (setting if isinstance(setting, list) else [setting])))
        self.run()
        deadline = time.monotonic() + READY_S
        while "ready\n" not in self.log.read_text():
            if time.monotonic() > deadline:
                raise RuntimeError(f"{self.settings['part']}: {self.log.read_text()}")
            time.sleep(0.05)
            # as systemd does, when NATS or the database are not there
            if self.process.poll() is not None:
                time.sleep(RESTART_S)
                self.run()
        # the same ports after each restart
        for setting, words in (("web_port", "pages"), ("uplink_port", "ECUs")):
            if found := re.search(rf"{words} on [\d.]+:(\d+)", self.log.read_text()):
                self.settings[setting] = int(found[1])

    def run(self):
        with self.log.open("w") as log:
            self.process = subprocess.Popen([*self.host.prefix, *self.command], stderr=log)

    def url(self, port):
        return f"https://{self.host.address}:{self.settings[port]}"

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.terminate()
        self.process.wait()


def stored_batches(servers):
    """Key and hash of each batch in the logs of PostgreSQL servers; fails if a batch is there twice."""
    found = {}
    for server in servers:
        rows = server.sql("ema", "SET qs1.tenant = '-1'; SELECT ecu, epoch, sequence, encode(hash, 'hex') "
                                 "FROM batches").split("\n")[:-1]
        for row in rows:
            ecu, epoch, sequence, digest = row.split("|")
            key = (f"{int(ecu):012d}", str(int(epoch) % 2**64), sequence)
            assert key not in found, key
            found[key] = digest
    return found


def sent_batches(log):
    """Key and hash of each batch that the service has acknowledged to a generated ECU; none without a log."""
    lines = log.read_text().split("\n")[:-1] if log.exists() else []
    return {tuple(line.split()[:3]): line.split()[3] for line in lines}


def shards(servers):
    """Settings for one shard on each PostgreSQL server."""
    return {"database": [server.url("qs1_store") for server in servers],
            "web_database": [server.url("qs1_web") for server in servers]}


class Fleet:
    """All servers, and the owner's access to the web interface.

    @databases: number of PostgreSQL servers, each with a shard; the first one has a standby
    """

    PARTS = ("store", "ingest", "web", "watch")

    def __init__(self, folder, databases=1):
        self.folder = folder
        self.started = []
        self.generators = []
        self.network = network()
        host = self.network.host
        self.postgres = Postgres(standby=True, hosts={name: host(name) for name in ("data", "standby")})
        self.databases = [self.postgres, *(Postgres(hosts={"data": host(f"data{n}")})
                                           for n in range(1, databases))]
        self.nats = Nats([host(f"nats{n}") for n in range(Nats.COUNT)])
        settings = {**shards(self.databases), "nats": self.nats.url, "web_port": 0, "uplink_port": 0,
                    "uplink_connections": CONNECTIONS}
        self.parts = {name: Part(folder, name, host(name), settings) for name in self.PARTS}
        self.headers = {"Content-Type": "application/json"}

    def start(self):
        for each in (*self.databases, self.nats, *self.parts.values()):
            self.started.append(each)
            each.start()
        self.context = ssl.create_default_context(cafile=self.folder / "state/tls/ca.pem")
        code = subprocess.run([*self.parts["web"].command, "--setup"], check=True,
                              capture_output=True, text=True).stdout.strip()
        headers, _ = self.answer("POST", "/setup",
                                 {"code": code, "name": "owner", "password": PASSWORD})
        self.headers["Cookie"] = headers["Set-Cookie"].split(";")[0]
        (self.folder / "token").write_text(self.ask("POST", "/tokens",
                                                    {"name": "fleet", "days": 30})["secret"])
        return self

    def use_databases(self, count):
        """Restart all parts with the first databases alone."""
        for part in self.parts.values():
            part.stop()
            part.settings.update(shards(self.databases[:count]))
            part.start()

    def emactl(self, *arguments):
        return subprocess.run([ROOT / "build/host/bin/emactl", "--config", self.parts["store"].config, "--state",
                               self.folder / "state", *map(str, arguments)], check=True, capture_output=True,
                              text=True).stdout

    def answer(self, method, path, body=None):
        request = urllib.request.Request(self.parts["web"].url("web_port") + "/api/v1" + path,
                                         method=method, data=body and json.dumps(body).encode(),
                                         headers=self.headers)
        with urllib.request.urlopen(request, context=self.context, timeout=60) as answer:
            return answer.headers, json.load(answer)

    def ask(self, method, path, body=None):
        return self.answer(method, path, body)[1]

    def generate(self, *options, log="sent.log", new=True):
        """Start generated ECUs; communicate() has their summary as JSON.

        Without @new they are enrolled already.
        """
        command = [ROOT / "build/qs1-fleet", "--uplink", self.parts["ingest"].url("uplink_port"),
                   "--ca", self.folder / "state/tls/ca.pem", "--folder", self.folder / "keys",
                   "--log", self.folder / log, *options]
        if new:
            command += ["--api", self.parts["web"].url("web_port"), "--token", self.folder / "token"]
        self.generators.append(subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE,
                                                text=True, cwd=ROOT))
        return self.generators[-1]

    def sent(self, log="sent.log"):
        return sent_batches(self.folder / log)

    def stored(self):
        """Key and hash of each batch in the log; fails if a batch is there twice."""
        return stored_batches(self.databases)

    def wait(self, condition, seconds=60):
        deadline = time.monotonic() + seconds
        while not (result := condition()):
            assert time.monotonic() < deadline, f"not within {seconds} s"
            time.sleep(0.2)
        return result

    def stop(self):
        for generator in self.generators:
            if generator.poll() is None:
                generator.kill()
                generator.wait()
        for each in reversed(self.started):
            each.stop()
        self.network.close()


def exit_on_sigterm():
    """End on SIGTERM as on Ctrl-C, so that no server and no network namespace is left behind."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
