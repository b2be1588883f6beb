# SPDX-License-Identifier: GPL-2.0-or-later
"""Hours of a site whose neighbours behave badly: clients of each port, the radio, the broker, the monitoring
service. Memory and descriptors are compared at quiet moments.

The site's clock is fast; timeouts of connections keep real time (service_clock.h).
"""

import contextlib
import pathlib
import random
import socket
import ssl
import struct
import threading
import time

from gateway import Gateway, free_port, wait_for
from receiver import Receiver, make_certificate
from sunspec import Device, connect

UNITS = 3
# Timeout of the bad clients, s; the server closes a connection without progress after 10 s.
QUIET_S = 13
# Sockets that one client keeps at a time.
HELD = 12
FAULTS = ("garbage", "late", "full", "lost-block")


def reset(sock):
    """Close with RST."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


class Client(threading.Thread):
    """Run one kind of bad client on all ports in turn, until it is stopped; pause it during quiet moments."""

    def __init__(self, abuse, kind, seed):
        super().__init__(daemon=True)
        self.abuse, self.kind = abuse, kind
        self.random = random.Random(seed)
        self.rounds = 0
        self.failures = []

    def run(self):
        ports = self.abuse.gateway.port, self.abuse.gateway.modbus_port, self.abuse.gateway.aps_port
        while not self.abuse.stop.is_set():
            if self.abuse.quiet.is_set():
                time.sleep(0.2)
                continue
            try:
                with contextlib.suppress(OSError):
                    self.kind(self, ports[self.rounds % len(ports)])
            except Exception as error:  # of a sound client: an answer that is wrong
                self.failures.append(repr(error))
            self.rounds += 1
            time.sleep(0.05)

    def open(self, port):
        return socket.create_connection(("127.0.0.1", port), timeout=3)

    # Kinds.

    def half_open(self, port):
        """Connections that say nothing; some are reset, some are closed."""
        held = [self.open(port) for _ in range(HELD)]
        time.sleep(self.random.random() * 2)
        for sock in held:
            (reset if self.random.random() < 0.5 else socket.socket.close)(sock)

    def slow(self, port):
        """Send a request one byte at a time."""
        request = b"GET /api/v1/status HTTP/1.1\r\nHost: x\r\n\r\n" if port == self.abuse.gateway.port \
            else self.random.randbytes(60)
        with self.open(port) as sock:
            for byte in request:
                if self.abuse.quiet.is_set():
                    return
                sock.sendall(bytes([byte]))
                time.sleep(0.05)

    def stalled(self, port):
        """Send only the first part of a TLS handshake."""
        hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + self.random.randbytes(80)
        held = [self.open(port) for _ in range(HELD)]
        for sock in held:
            sock.sendall(hello[:self.random.randrange(1, len(hello))])
        time.sleep(self.random.random())
        for sock in held:
            reset(sock)

    def garbage(self, port):
        with self.open(port) as sock:
            sock.sendall(self.random.randbytes(self.random.randrange(1, 4000)))
            sock.recv(100)

    def reconnecting(self, port):
        for _ in range(HELD):
            self.open(port).close()

    def half_request(self, port):
        """Send a request that never ends, over a valid TLS connection."""
        del port
        with self.open(self.abuse.gateway.port) as raw, \
                ssl._create_unverified_context().wrap_socket(raw) as sock:
            sock.sendall(b"POST /api/v1/commands HTTP/1.1\r\nHost: x\r\nContent-Length: 999\r\n\r\n{")
            time.sleep(0.2)

    def stream(self, port):
        """A follower of events that goes away."""
        del port
        for number, _ in enumerate(self.abuse.gateway.api["viewer"].follow()):
            if number > 5 or self.abuse.quiet.is_set():
                return

    def sound(self, port):
        """A well-behaved client of REST or Modbus."""
        if port == self.abuse.gateway.modbus_port:
            client = connect(port)
            Device(client, 2)
            client.close()
        else:
            reply = self.abuse.gateway.api["viewer"].get("/inverters")
            assert reply.status == 200, reply.body


KINDS = (Client.half_open, Client.slow, Client.stalled, Client.garbage, Client.reconnecting,
         Client.half_request, Client.stream, Client.sound)


class Abuse:
    """A gateway with all of these clients and faults. Use it in a with statement."""

    def __init__(self, folder, speed, seed=1):
        self.folder, self.speed = folder, speed
        self.random = random.Random(seed)
        self.stop, self.quiet = threading.Event(), threading.Event()
        self.receiver, self.clients, self.lost = None, [], 0

    def __enter__(self):
        make_certificate(self.folder)
        self.ema_port = free_port()
        self.gateway = Gateway(
            units=UNITS, broker=True, speed=self.speed, cadence_s=max(1, self.speed // 10),
            config=f"ema https://127.0.0.1:{self.ema_port}\nema_ca {self.folder}/server.pem\n")
        self.gateway.__enter__()
        wait_for("the uplink's certificate", (self.gateway.state / "uplink.pem").exists)
        self.receiver = Receiver(self.folder, self.gateway.state / "uplink.pem")
        self.receiver.start(self.ema_port)
        self.clients = [Client(self, kind, seed) for seed, kind in enumerate(KINDS)]
        for client in self.clients:
            client.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for client in self.clients:
            client.join(20)
        if not self.receiver.down:
            self.receiver.stop()
        self.gateway.__exit__()

    def disturb(self):
        """Stop or restart one part of the site."""
        what = self.random.randrange(4)
        if what == 0:
            self.gateway.say(f"modem 0 {self.random.choice(FAULTS)} {self.random.choice(('on', 'off'))}")
        elif what == 1:
            self.gateway.say(f"loss {self.random.randrange(UNITS) + 1} {self.random.choice((0, 5, 50))}")
        elif what == 2:
            self.gateway.toggle_broker()
        elif self.receiver.down:
            self.receiver.start(self.ema_port)
        else:
            self.receiver.stop()

    def calm(self):
        """Wait until everything works again and the connections have timed out."""
        self.quiet.set()
        for fault in FAULTS:
            self.gateway.say(f"modem 0 {fault} off")
        for unit in range(1, UNITS + 1):
            self.gateway.say(f"loss {unit} 0")
        if not self.gateway.broker:
            self.gateway.toggle_broker()
        if self.receiver.down:
            self.receiver.start(self.ema_port)
        time.sleep(QUIET_S)

    def measure(self):
        """Resident memory in kB and descriptors, at a quiet moment."""
        self.calm()
        pid = self.gateway.ecud.pid
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        found = int(status.split("VmRSS:")[1].split()[0]), \
            len(list(pathlib.Path(f"/proc/{pid}/fd").iterdir()))
        self.quiet.clear()
        return found

    def run(self, site_hours):
        """Run the abuse for this time, and measure memory and descriptors before and after."""
        end = time.monotonic() + site_hours * 3600 / self.speed
        while time.monotonic() < end:
            assert self.gateway.ecud.poll() is None, self.gateway.text_of_log()
            self.disturb()
            time.sleep(min(2, max(0, end - time.monotonic())))

    def failures(self):
        return [text for client in self.clients for text in client.failures]

    def rounds(self):
        return {client.kind.__name__: client.rounds for client in self.clients}
