# SPDX-License-Identifier: GPL-2.0-only
"""One running site: world, meter, broker, monitoring service, gateway; started in order, stopped in reverse."""

import os
import shutil
import threading

from board.errors import BoardError
from board.paths import BUILD
from board.process import wait_until
from board.program import write_whole
from board.rundir import RunDir

from . import scenario as standard
from . import whole_board
from .meter import Meter
from .services import ECU_ID, Broker, Ecu, Ema
from .world import World, clock

TOP = BUILD / "site"
METER_S = 0.25
READY_S = 120.0


class Site:
    """Context manager around everything."""

    def __init__(self, options, report=print):
        self.options = options
        self.report = report
        self.rundir = RunDir(TOP)
        self.world = self.meter = self.broker = self.ecu = self.ema = self.board = None
        self.codes = {}
        self._stop = threading.Event()
        self._failed = None

    def __enter__(self):
        self.rundir.__enter__()
        try:
            self._start()
        except BaseException as error:
            self._end(isinstance(error, BoardError))
            raise
        return self

    def __exit__(self, kind, error, trace):
        self._end(error is not None and not isinstance(error, (KeyboardInterrupt, SystemExit)))

    def _scenario(self):
        if self.options.scenario:
            return self.options.scenario
        path = self.rundir.file("site.scn")
        path.write_text(standard.text(self.options.units, self.options.phases))
        return path

    def _start(self):
        options, folder = self.options, self.rundir.path
        time = clock(options.speed)

        def start_world(hardware=()):
            self.world = World(self._scenario(), folder, ECU_ID, time, options.seed,
                               1 + options.board, hardware)
            self.units = self.world.start["units"]
            return self.world.start["modems"][-1]
        if options.board:
            self._start_board(start_world)
        else:
            start_world()
        self.meter = Meter(options.listen)
        self.meter.update(self.world.status())
        threading.Thread(target=self._follow_meter, daemon=True).start()
        self.broker = Broker(folder, options.listen)
        self._start_services(folder, dict(os.environ, QS1_CLOCK=time))

    def _start_board(self, start_world):
        """Unit 1 is a whole virtual board at the second modem; the site's time 0 is when it is up."""
        self.report("unit 1 is a whole board, Linux boots (about 30 s)")
        board = whole_board.UnitBoard(start_world, report=self.report)
        board.__enter__()
        self.board = board
        whole_board.start_link(board, self.units[0]["label"], ECU_ID)
        board.go()

    def _start_services(self, folder, env):
        # The stores of a site belong to its inverters: another number of them is another site.
        kept = self.options.state / f"{len(self.units)}-{self.options.phases}"
        if self.options.fresh:
            shutil.rmtree(kept, ignore_errors=True)
        self.ema = Ema(self.options, folder, kept / "ema", env)
        parts = {"radio": self.world.start["modems"][0], "mqtt": self.broker.address,
                 "meter": f"modbus:{self.meter.address}"}
        if not self.options.fresh:
            self.ema.set_up("owner")
            parts |= self.ema.enrol()
        self.ecu = Ecu(self.options, folder, kept / "ecu", env, parts)
        if self.options.fresh:
            self.codes = {"ecu": self.ecu.code(), "ema": self.ema.code()}
            return
        self.ecu.set_up("owner", "installer")
        if self.options.paired:
            self.ecu.pair([unit["label"] for unit in self.units])

    def _follow_meter(self):
        try:
            while not self._stop.wait(METER_S):
                self.meter.update(self.world.status())
        except (BoardError, ValueError) as error:
            self._failed = error

    def _end(self, failed):
        self._stop.set()
        for part in (self.ecu, self.ema, self.broker):
            if part:
                part.stop()
        # The guest before its hardware, which is in the world's process.
        if self.board:
            self.board.__exit__(None, None, None)
        for part in (self.meter, self.world):
            if part:
                part.close()
        if failed:
            self.report(f"logs are kept in {self.rundir.keep_logs()}")
        self.rundir.__exit__(None, None, None)

    def check(self):
        """Raise when a part has ended."""
        for part in (self.broker, self.ema, self.ecu):
            if part:
                part.child.check()
        if self.board:
            self.board.check()
        if self._failed:
            raise self._failed

    def status(self):
        """The world's status."""
        return self.world.status()

    def gateway(self):
        """What the gateway says, for the page; None before its first use."""
        return self.ecu.status()

    def wait_ready(self):
        """Until all units have reported once, where they have somebody to report to."""
        if self.options.fresh or not self.options.paired:
            return

        def reported():
            self.check()
            gateway = self.gateway()
            return gateway and gateway["reported"] >= len(self.units)
        wait_until("a report of each inverter", reported, READY_S, (self.ecu.child,), 0.2)

    def ready(self):
        """What the line "ready" says, also written to build/site/ready.json."""
        units = [dict(unit, modbus_unit=n) for n, unit in enumerate(self.units, 2)]
        ready = {
            "mqtt": self.broker.address, "pcap": str(self.world.pcap),
            "modems": self.world.start["modems"], "units": units, "meter": self.meter.address,
        }
        options = self.options
        ready["ecu"] = {
            "url": self.ecu.url, "ca": str(self.ecu.ca), "id": ECU_ID,
            "modbus": f"{options.listen}:{options.modbus_port}",
            "aps": f"{options.listen}:{options.aps_port}", "metrics": f"{self.ecu.url}/metrics",
        }
        ready["ema"] = {"url": self.ema.url, "uplink": self.ema.uplink, "ca": str(self.ema.ca)}
        for name, service in (("ecu", self.ecu), ("ema", self.ema)):
            if name in self.codes:
                ready[name]["code"] = self.codes[name]
            for role, member in (("owner", "token_file"), ("installer", "installer_token_file")):
                if role in service.tokens:
                    ready[name][member] = str(service.tokens[role])
        write_whole(TOP / "ready.json", ready)
        return ready
