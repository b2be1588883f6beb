# SPDX-License-Identifier: GPL-2.0-only
"""The virtual board as one object: vboard, the coprocessor's QEMU, the guest.

    with Board() as board:
        board.wait_service()
        print(board.agent.check("qs1ctl status"))

Leaving the block stops every process and removes sockets, shared memory and
logs; if the block failed, the logs are kept in build/run/failed.
"""

import os
import threading
import time

from . import paths
from .errors import BoardError
from .policy import PolicyRunner
from .process import Child, tail, wait_until
from .qga import Agent, AgentError
from .rundir import RunDir
from .status import line, state_of
from .world import World

# Timeouts in seconds: several times what a loaded two-core machine needs.
VBOARD_UP_S = 10
AGENT_UP_S = 300
SERVICE_UP_S = 240
PRODUCING_S = 120
NOTHING_FED_S = 2
SETUP_S = 180
# After this time, ask the guest whether the service has failed.
FAILED_AFTER_S = 10

# Less than 1 % of rated power.
NOTHING_W = 12.0

SHM_MB = 16
GUEST_MB = 512
GUEST_MACHINE = "virt,highmem=off"
GUEST_CPU = "cortex-a15"

# An oops ends the guest at once, with its trace on the console.
KERNEL_ARGS = ("console=ttyAMA0 root=/dev/vda rw panic=-1 panic_on_oops=1 "
               "softlockup_panic=1 kfence.sample_interval=100 loglevel=4")


class Board:
    """Context manager that owns one running virtual board.

    @scenario: file with the world it runs in; None for sun and grid in range
    @coproc: "m4", the firmware's ELF in QEMU, or "native", the core on the host
    @speed: pace of the scenario, times real time; 0 for as fast as possible
    @duration_s: simulated seconds after which the scenario ends at the latest
    @image: build/guest/guest.json or another description of a guest
    @report: called with a line of progress
    @guest_args: further arguments of the guest's QEMU
    """

    def __init__(self, scenario=None, coproc="m4", speed=1.0, duration_s=None,
                 image=paths.GUEST, report=lambda text: None, guest_args=()):
        self.scenario = scenario or paths.DEFAULT_SCENARIO
        self.coproc = coproc
        self.speed = speed
        self.duration_s = duration_s
        self.image = image
        self.report = report
        self.guest_args = list(guest_args)
        self.rundir = RunDir()
        self.children = []
        self.world = None
        self.agent = None
        self.policy = None
        self.started = None
        self.boot_s = None
        self._service_up = False

    # --- life ---------------------------------------------------------------

    def __enter__(self):
        self.started = time.monotonic()
        self.rundir.__enter__()
        try:
            self._start()
        except BaseException as error:
            self._stop(failed=isinstance(error, BoardError))
            raise
        return self

    def __exit__(self, kind, error, trace):
        failed = error is not None and not isinstance(error, (KeyboardInterrupt, SystemExit))
        self._stop(failed)

    def _start(self):
        image = paths.guest_image(self.image)
        self._start_vboard()
        self._connect()
        if self.coproc == "m4":
            self._start_coproc()
        self._start_guest(image)

    def _stop(self, failed):
        """The guest first: its hardware must not disappear under it."""
        if self.policy:
            self.policy.stop()
        for connection in (self.agent, self.world):
            if connection:
                connection.close()
        for child in reversed(self.children):
            child.stop()
        if failed:
            self.report(f"logs are kept in {self.rundir.keep_logs()}")
        self.rundir.__exit__(None, None, None)

    def _spawn(self, name, argv):
        # QEMU keeps what a snapshot writes in an unlinked file of TMPDIR.
        env = dict(os.environ, TMPDIR=str(self.rundir.path))
        child = Child(name, argv, self.rundir.file(f"{name}.log"), env)
        self.children.append(child)
        return child

    def hardware(self):
        """Options of the program that simulates the hardware around Linux."""
        run = self.rundir
        argv = ["--shm", run.file("shm"), "--ivshmem", run.socket("ivshmem"),
                "--control", run.socket("control"), "--coproc", self.coproc,
                "--world-port", run.socket("world")]
        if self.coproc == "m4":
            argv += ["--m4-qmp", run.socket("m4-qmp"), "--m4-uart", run.socket("m4-uart")]
        return argv

    def _start_vboard(self):
        argv = [paths.need(paths.VBOARD, "vboard"), *self.hardware(),
                "--scenario", self.scenario, "--hold"]
        if self.duration_s is not None:
            argv += ["--for", f"{self.duration_s:g}"]
        self._spawn("vboard", argv)

    def _connect(self):
        control = self.rundir.socket("control")
        wait_until("vboard's control socket", control.exists, VBOARD_UP_S, self.children)
        self.world = World(control)
        self.policy = PolicyRunner(self)

    def _start_coproc(self):
        run = self.rundir
        self._spawn("coproc", [
            "qemu-system-arm", "-M", "mps2-an386,memory-backend=ram",
            "-object", f"memory-backend-file,id=ram,share=on,mem-path={run.file('shm')},"
                       f"size={SHM_MB}M",
            "-kernel", paths.need(paths.BOOT_ROM, "firmware-virt"), "-display", "none",
            "-monitor", "none",
            "-chardev", f"socket,id=uart,path={run.socket('m4-uart')},server=on,wait=off",
            "-serial", "chardev:uart",
            "-qmp", f"unix:{run.socket('m4-qmp')},server=on,wait=off"])

    def _start_guest(self, image):
        run = self.rundir
        self._spawn("guest", [
            "qemu-system-arm", "-M", GUEST_MACHINE, "-cpu", GUEST_CPU,
            "-smp", "1", "-m", str(GUEST_MB), "-display", "none", "-monitor", "none",
            "-nic", "none", "-no-reboot",
            "-kernel", image["kernel"], "-initrd", image["initrd"],
            "-append", f"{KERNEL_ARGS} {image.get('append', '')}".strip(),
            "-drive", f"file={image['root']},format={image.get('root_format', 'raw')},if=none,"
                      "id=root,snapshot=on,cache=unsafe",
            "-device", "virtio-blk-pci,drive=root",
            "-device", "virtio-rng-pci",
            "-chardev", f"socket,id=ivshmem,path={run.socket('ivshmem')}",
            "-device", "ivshmem-doorbell,chardev=ivshmem,vectors=2",
            "-device", "virtio-serial-pci",
            "-chardev", f"socket,id=qga,path={run.socket('qga')},server=on,wait=off",
            "-device", "virtserialport,chardev=qga,name=org.qemu.guest_agent.0",
            "-chardev", f"socket,id=world,path={run.socket('world')},server=on,wait=off",
            "-device", "virtserialport,chardev=world,name=org.qs1.world",
            "-chardev", f"socket,id=tty,path={run.socket('console')},server=on,wait=off,"
                        f"logfile={run.file('console.log')}",
            "-serial", "chardev:tty", *self.guest_args])

    # --- queries ------------------------------------------------------------

    def elapsed(self):
        """Seconds since the start."""
        return time.monotonic() - self.started

    def check(self):
        """Raise BoardError when a process of the board has ended."""
        for child in self.children:
            if not child.alive() and child.name == "guest":
                raise BoardError(f"the guest ended; the end of its console:\n"
                                 f"{tail(self.rundir.file('console.log'))}"
                                 f"{tail(child.log, 3)}".rstrip())
            child.check()

    def status(self):
        """vboard's status object, with the true values of the simulation."""
        return self.world.status()

    def attribute(self, name):
        """An attribute of the inverter's device in the guest."""
        return self.agent.check(f"cat /sys/bus/pci/drivers/qs1-ivshmem/*/{name}")

    def wait(self, what, condition, timeout_s, interval_s=0.1):
        """Until @condition is true, @what for the message; returns its value."""
        def checked():
            self.check()
            return condition()
        return wait_until(what, checked, timeout_s, self.children, interval_s)

    # --- milestones ---------------------------------------------------------

    def wait_agent(self, timeout_s=AGENT_UP_S):
        """Until the guest's Linux answers."""
        if self.agent:
            return self.agent
        path = self.rundir.socket("qga")
        self.wait("the guest agent's socket", path.exists, VBOARD_UP_S)
        agent = Agent(path)
        try:
            self.wait("an answer of the guest agent", lambda: agent.sync(0.5), timeout_s)
        except BaseException:
            agent.close()
            raise
        self.agent = agent
        self.boot_s = self.elapsed()
        return agent

    def wait_service(self, timeout_s=SERVICE_UP_S):
        """Until qs1d runs and the firmware receives its heartbeat.

        Polls vboard, which costs the guest nothing. After FAILED_AFTER_S it also
        asks the guest whether the service has failed.
        """
        if self._service_up:
            return
        self.wait_agent()
        ask_again = time.monotonic() + FAILED_AFTER_S

        def alive():
            nonlocal ask_again
            if (self.status()["firmware"] or {}).get("host_alive"):
                return True
            if time.monotonic() > ask_again:
                ask_again = time.monotonic() + FAILED_AFTER_S
                if self.agent.shell("systemctl is-failed qs1d").status == 0:
                    raise BoardError("qs1d failed in the guest")
            return False
        try:
            self.wait("qs1d's heartbeat at the firmware", alive, timeout_s)
        except AgentError:
            raise
        except BoardError as error:
            raise BoardError(f"{error}\nthe guest says:\n{self._guest_log()}") from error
        self._service_up = True

    def _guest_log(self):
        """The last messages of the service and the driver."""
        return self.agent.shell("systemctl status --no-pager -n 8 qs1d; "
                                "dmesg | grep -e qs1 -e remoteproc | tail -n 5").out

    def go(self):
        """Start the scenario: Linux carries out its set-up statements, then it is time 0.

        Until then the world is dark and at real time.
        """
        self.wait_service()
        self.world.go()
        self.wait("the scenario's set-up statements carried out",
                  lambda: not self.status()["held"], SETUP_S)
        if self.speed != 1:
            self.pace(self.speed)

    def pace(self, speed):
        """From now on @speed times real time; 0 for as fast as possible.

        By the guest's command, because it also raises host_timeout_s.
        """
        self.agent.check(f"speed {speed:g}" if speed else "speed max")

    def skip_enter_service(self):
        """Start once as if the waiting time had passed."""
        def armed():
            status = self.status()
            # A firmware that was stopped leaves its last telemetry behind.
            return status["coproc"]["state"] == "running" and \
                (status["firmware"] or {}).get("armed")
        self.wait("a firmware that the daemon has armed", armed, SETUP_S)
        self.policy.carry_out(["skip", "enter-service"])

    def wait_state(self, *states, timeout_s=PRODUCING_S):
        """Until the firmware reports one of @states; returns the status object."""
        found = {}

        def reached():
            found.update(self.status())
            return found if state_of(found) in states else None
        try:
            return self.wait(f"state {' or '.join(states)}", reached, timeout_s, 0.05)
        except BoardError as error:
            raise BoardError(f"{error}\nlast: {line(found)}") from error

    def wait_nothing_fed(self, timeout_s=NOTHING_FED_S):
        """Until the true power into the grid is less than 1 % of rated power.

        It is the mean over the last whole cycle, so it falls up to two cycles after
        production ends.
        """
        self.wait("nothing is fed", lambda: self.status()["truth"]["grid"]["p"] < NOTHING_W,
                  timeout_s, 0.02)

    def in_background(self, function, *arguments):
        """Run @function in a thread that does not keep the process alive."""
        thread = threading.Thread(target=function, args=arguments, daemon=True)
        thread.start()
        return thread
