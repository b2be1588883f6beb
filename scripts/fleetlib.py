# SPDX-License-Identifier: GPL-2.0-only
"""Servers of a fleet on this machine: PostgreSQL with a standby, and a NATS cluster."""

import os
import pathlib
import pwd
import shutil
import socket
import subprocess
import tempfile
import time

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


class Postgres:
    """A server on a Unix socket alone; with @standby a second one, which commits synchronously."""

    def __init__(self, standby=False):
        # the path of a socket is short, and the server does not run as root
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="ema-pg"))
        self.user = "postgres" if os.geteuid() == 0 else None
        self.standby = standby
        if self.user:
            entry = pwd.getpwnam(self.user)
            os.chown(self.folder, entry.pw_uid, entry.pw_gid)

    def run(self, *command, **options):
        prefix = ["runuser", "-u", self.user, "--"] if self.user else []
        done = subprocess.run([*prefix, *map(str, command)], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, cwd=self.folder, **options)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def control(self, name, port, *action):
        options = (f"-c listen_addresses='' -c unix_socket_directories={self.folder} -c port={port} "
                   "-c max_connections=60")
        # the server keeps the output open
        self.run("sh", "-c", f"{BIN}/pg_ctl -D {self.folder / name} -w -l {self.folder / name}.log "
                             f"-o \"{options}\" {' '.join(action)} >/dev/null 2>&1")

    def start(self):
        self.run(BIN / "initdb", "-D", self.folder / "data", "-A", "trust", "-U", "postgres")
        self.control("data", 5432, "start")
        self.sql("postgres", SET_UP)
        self.sql("ema", RIGHTS)
        if self.standby:
            self.run(BIN / "pg_basebackup", "-h", self.folder, "-U", "postgres", "-D",
                     self.folder / "standby", "-R", "-X", "stream", "-C", "-S", "standby")
            self.control("standby", 5433, "start")
            self.sql("postgres", "ALTER SYSTEM SET synchronous_standby_names = '*'")
            self.sql("postgres", "SELECT pg_reload_conf()")
        return self

    def sql(self, database, text):
        return self.run("psql", "-h", self.folder, "-U", "postgres", "-d", database, "-v",
                        "ON_ERROR_STOP=1", "-Atq", input=text)

    def url(self, role):
        return f"postgresql://{role}@/ema?host={self.folder}"

    def restart(self):
        """As after a crash."""
        self.control("data", 5432, "-m", "immediate", "restart")

    def stop(self):
        for name, port in (("data", 5432), ("standby", 5433)):
            if (self.folder / name / "postmaster.pid").exists():
                self.control(name, port, "-m", "immediate", "stop")
        shutil.rmtree(self.folder)


class Nats:
    """Three servers with JetStream."""

    COUNT = 3

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="ema-nats"))
        ports = free_ports(2 * self.COUNT)
        self.ports, self.routes = ports[:self.COUNT], ports[self.COUNT:]
        self.process = [None] * self.COUNT

    @property
    def url(self):
        return ",".join(f"nats://127.0.0.1:{port}" for port in self.ports)

    def start_one(self, number):
        routes = ", ".join(f"nats://127.0.0.1:{port}" for port in self.routes)
        config = self.folder / f"{number}.conf"
        config.write_text(f"""
server_name: n{number}
listen: 127.0.0.1:{self.ports[number]}
max_payload: 2MB
jetstream {{ store_dir: "{self.folder}/{number}" }}
cluster {{ name: ema, listen: 127.0.0.1:{self.routes[number]}, routes: [{routes}] }}
""")
        with (self.folder / f"{number}.log").open("a") as log:
            self.process[number] = subprocess.Popen(["nats-server", "-c", config], stderr=log)

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
