# SPDX-License-Identifier: GPL-2.0-or-later
"""A SunSpec meter for tests: model 1, a model that clients skip, then a meter model."""

import socketserver
import struct
import threading


class Handler(socketserver.BaseRequestHandler):
    def handle(self):
        while True:
            head = self.request.recv(12)
            if len(head) < 12 or self.server.owner.mute:
                return
            transaction, _, _, unit, function, address, count = struct.unpack(">HHHBBHH", head)
            assert function == 3
            values = [self.server.owner.register(address + n) for n in range(count)]
            body = struct.pack(">BBB", unit, 3, 2 * count) + struct.pack(f">{count}H", *values)
            self.request.sendall(struct.pack(">HHH", transaction, 0, len(body)) + body)


class Meter:
    """Use it in a with statement; set watts, phases, model, mute."""

    def __init__(self, model=203):
        self.model, self.watts, self.phases, self.scale, self.mute = model, 0, (0, 0, 0), 0, False

    def __enter__(self):
        socketserver.ThreadingTCPServer.allow_reuse_address = True
        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.owner = self
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def register(self, address):
        layout = {40000: 0x5375, 40001: 0x6e53, 40002: 1, 40003: 66, 40070: 802, 40071: 20,
                  40092: self.model, 40093: 105}
        power = 40094 + 16
        layout.update({power: self.watts & 0xffff, power + 4: self.scale & 0xffff})
        for n, watts in enumerate(self.phases):
            layout[power + 1 + n] = watts & 0xffff
        layout.update({40199: 0xffff, 40200: 0})
        return layout.get(address, 0)
