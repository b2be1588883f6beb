# SPDX-License-Identifier: GPL-2.0-only
"""A PostgreSQL server for a test, on a Unix socket alone."""

import os
import pathlib
import pwd
import shutil
import subprocess
import tempfile

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


class Postgres:
    def __init__(self):
        # the path of a socket is short, and the server does not run as root
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="ema-pg"))
        self.user = "postgres" if os.geteuid() == 0 else None
        if self.user:
            entry = pwd.getpwnam(self.user)
            os.chown(self.folder, entry.pw_uid, entry.pw_gid)

    def run(self, *command, **options):
        prefix = ["runuser", "-u", self.user, "--"] if self.user else []
        done = subprocess.run([*prefix, *map(str, command)], capture_output=True, text=True,
                              cwd=self.folder, **options)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start(self):
        self.run(BIN / "initdb", "-D", self.folder / "data", "-A", "trust", "-U", "postgres")
        self.run(BIN / "pg_ctl", "-D", self.folder / "data", "-w", "-l", self.folder / "log", "-o",
                 f"-c listen_addresses='' -c unix_socket_directories={self.folder} -c port=5432",
                 "start")
        self.sql("postgres", SET_UP)
        self.sql("ema", RIGHTS)
        return self

    def sql(self, database, text):
        return self.run("psql", "-h", self.folder, "-U", "postgres", "-d", database, "-v",
                        "ON_ERROR_STOP=1", "-Atq", input=text)

    def url(self, role):
        return f"postgresql://{role}@/ema?host={self.folder}"

    def stop(self):
        self.run(BIN / "pg_ctl", "-D", self.folder / "data", "-m", "immediate", "stop")
        shutil.rmtree(self.folder)
