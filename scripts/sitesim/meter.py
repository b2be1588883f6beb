# SPDX-License-Identifier: GPL-2.0-only
"""A SunSpec meter at the point of common coupling: models 1 and 201 to 203 by Modbus TCP."""

import socketserver
import struct
import threading

BASE = 40000
MODEL_BY_PHASES = {1: 201, 2: 202, 3: 203}
METER_LENGTH = 105
NOT_INT16 = 0x8000
EXCEPTION_FUNCTION, EXCEPTION_ADDRESS, EXCEPTION_VALUE = 1, 2, 3
READ_HOLDING, READ_INPUT = 3, 4
READ_MAX = 125

# Points of a meter model: offset after the header; those of phases follow each other.
A, A_SF, V, V_SF, HZ, HZ_SF, W, W_SF = 0, 4, 5, 13, 14, 15, 16, 20
EXPORTED, IMPORTED, WH_SF = 36, 44, 52
SCALES = {A_SF: -2, V_SF: -1, HZ_SF: -2, W_SF: 0, WH_SF: 0}


def _signed(value, decimals=0):
    """A 16-bit number with so many decimals; what does not fit is not implemented."""
    number = round(value * 10 ** decimals)
    return number & 0xFFFF if -32767 <= number <= 32767 else NOT_INT16


def _text(text, registers):
    data = text.encode().ljust(2 * registers, b"\0")
    return list(struct.unpack(f">{registers}H", data))


def _common():
    return [1, 66, *_text("qs1", 16), *_text("simulated meter", 16), *_text("", 8), *_text("1", 8),
            *_text("PCC", 16), 1, 0x8000]


class Meter:
    """Registers that follow the network, and the server that shows them."""

    def __init__(self, address="127.0.0.1", port=0):
        self._lock = threading.Lock()
        self._registers = []
        self._time_s = None
        self._energy_wh = {EXPORTED: 0.0, IMPORTED: 0.0}
        self.lost = False
        meter = self

        class Handler(socketserver.BaseRequestHandler):
            """One client."""

            def handle(self):
                meter.serve(self.request)

        socketserver.ThreadingTCPServer.allow_reuse_address = True
        self._server = socketserver.ThreadingTCPServer((address, port), Handler)
        self._server.daemon_threads = True
        self.address = "{}:{}".format(*self._server.server_address)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def update(self, status):
        """Take over a status of the world; power from the grid is positive."""
        net, now_s = status["network"], status["t_s"]
        phases = net["phases"]
        import_w = -sum(phase["p_w"] or 0 for phase in phases)
        values = [NOT_INT16] * METER_LENGTH
        for offset, scale in SCALES.items():
            values[offset] = scale & 0xFFFF
        values[A] = _signed(sum(phase["i"] or 0 for phase in phases), 2)
        values[V] = _signed(sum(phase["v"] or 0 for phase in phases) / len(phases), 1)
        values[HZ] = _signed(net["f_hz"] or 0, 2)
        values[W] = _signed(import_w)
        for n, phase in enumerate(phases):
            values[A + 1 + n] = _signed(phase["i"] or 0, 2)
            values[V + 1 + n] = _signed(phase["v"] or 0, 1)
            values[W + 1 + n] = _signed(-(phase["p_w"] or 0))
        with self._lock:
            if self._time_s is not None:
                key = IMPORTED if import_w > 0 else EXPORTED
                self._energy_wh[key] += abs(import_w) * (now_s - self._time_s) / 3600
            self._time_s = now_s
            for offset, wh in self._energy_wh.items():
                values[offset:offset + 2] = divmod(int(wh), 65536)
            self._registers = [*struct.unpack(">2H", b"SunS"), *_common(),
                               MODEL_BY_PHASES[len(phases)], METER_LENGTH, *values, 0xFFFF, 0]

    def serve(self, client):
        """Answer requests of one client until it goes."""
        while True:
            head = _receive(client, 7)
            if not head:
                return
            transaction, protocol, length, unit = struct.unpack(">HHHB", head)
            if protocol != 0 or not 2 <= length <= 254:
                return
            request = _receive(client, length - 1)
            if not request:
                return
            if self.lost:
                continue
            answer = self._answer(request)
            client.sendall(struct.pack(">HHHB", transaction, 0, len(answer) + 1, unit) + answer)

    def _answer(self, request):
        function = request[0]
        if function not in (READ_HOLDING, READ_INPUT):
            return bytes((function | 0x80, EXCEPTION_FUNCTION))
        if len(request) != 5:
            return bytes((function | 0x80, EXCEPTION_VALUE))
        start, count = struct.unpack(">HH", request[1:])
        with self._lock:
            registers = self._registers[start - BASE:start - BASE + count] if start >= BASE else []
        if not 1 <= count <= READ_MAX:
            return bytes((function | 0x80, EXCEPTION_VALUE))
        if len(registers) != count:
            return bytes((function | 0x80, EXCEPTION_ADDRESS))
        return struct.pack(f">BB{count}H", function, 2 * count, *registers)

    def close(self):
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()


def _receive(client, size):
    """Exactly so many bytes, or nothing when the client has gone."""
    data = b""
    while len(data) < size:
        try:
            more = client.recv(size - len(data))
        except OSError:
            return None
        if not more:
            return None
        data += more
    return data
