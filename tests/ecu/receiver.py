# SPDX-License-Identifier: GPL-2.0-or-later
"""A small receiver of batches, which stands for the monitoring service and keeps what it got."""

import hashlib
import http.server
import json
import ssl
import struct
import subprocess
import threading
import time


class Receiver:
    """HTTPS server that takes batches; it asks for the gateway's certificate."""

    def __init__(self, folder, client):
        self.batches = {}  # (epoch, sequence) to bytes
        self.stored = {}   # epoch to sequence
        self.orders, self.requests, self.answer, self.conflicts = [], [], 200, 0
        self.headers = {}  # of answers to batches
        self.foreign = None  # (epoch, sequence) that has another batch
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(folder / "server.pem", folder / "server.key")
        self.context.load_verify_locations(client)
        self.context.verify_mode = ssl.CERT_REQUIRED
        self.server, self.down = None, False

    def start(self, port=0):
        receiver, self.down = self, False

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def reply(self, code, value, headers=()):
                body = json.dumps(value).encode()
                self.send_response(code)
                for name, text in dict(headers).items():
                    self.send_header(name, text)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self):
                if receiver.down:
                    self.close_connection = True
                    return
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.requests.append((self.path, len(body), dict(self.headers)))
                self.reply(*receiver.take(body), receiver.headers)

            def do_GET(self):
                if receiver.down:
                    self.close_connection = True
                    return
                time.sleep(0.2)
                orders, receiver.orders = receiver.orders, []
                self.reply(200, {"orders": orders})

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.server.socket = self.context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self.server.server_address[1]

    def stop(self):
        self.down = True
        self.server.shutdown()
        self.server.server_close()

    def take(self, body):
        if self.answer != 200:
            self.conflicts += self.answer == 409
            return self.answer, {"error": {"code": "conflict", "message": "another batch"}}
        while body:
            magic, n, ecu, epoch, sequence = struct.unpack_from("<4sIQQQ", body)
            batch, body = body[:n], body[n:]
            assert magic == b"QSB1" and ecu == 216000000001
            assert hashlib.blake2b(batch[:-32], digest_size=32).digest() == batch[-32:]
            if (epoch, sequence) == self.foreign:
                self.conflicts += 1
                self.headers = {"QS1-Conflict": str(sequence)}
                return 409, {"error": {"code": "conflict", "message": "another batch"}}
            known = self.batches.setdefault((epoch, sequence), batch)
            assert known == batch, "the same key with other bytes"
            if sequence == self.stored.get(epoch, 0) + 1:
                self.stored[epoch] = sequence
        return 200, {"stored_through": {"epoch": str(epoch), "sequence": self.stored.get(epoch, 0)},
                     "orders": []}


def make_certificate(folder):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", folder / "server.key",
                    "-out", folder / "server.pem", "-subj", "/CN=ema", "-days", "2",
                    "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
