# SPDX-License-Identifier: GPL-2.0-or-later
"""A server of the pages with a made-up site behind it, for tests of the pages alone.

    mock.py ecu|ema [PORT]

Serves build/web/SERVICE as http.c does (compressed, with the Content-Security-Policy) and answers the
API from the tables of ecu_site.py or ema_fleet.py. It keeps each request, for tests that ask what a page
has sent: GET /requests.
"""

import http.server
import importlib
import json
import pathlib
import re
import sys
import threading
import time

BUILD = pathlib.Path(__file__).resolve().parents[2] / "build/web"
MODULES = {"ecu": "ecu_site", "ema": "ema_fleet"}


class Refusal(Exception):
    """An answer that is not a success."""

    def __init__(self, status, code, message):
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class Silence(Exception):
    """The connection ends within the answer, as when a network goes away after the request. (If it ended
    before the answer, the browser itself would send the request again.)"""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def send(self, status, kind, body, **headers):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def send_json(self, status, value):
        self.send(status, "application/json", json.dumps(value).encode(), Cache_Control="no-store")

    def send_file(self, file):
        headers = {"Content_Security_Policy": self.server.csp, "Cache_Control": "no-cache",
                   "ETag": file["etag"], "X_Content_Type_Options": "nosniff"}
        if self.headers.get("If-None-Match") == file["etag"]:
            self.send(304, file["type"], b"", **headers)
        else:
            body = (self.server.folder / file["file"]).read_bytes()
            self.send(200, file["type"], body, Content_Encoding="gzip", **headers)

    def stream(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.close_connection = True
        try:
            for name, value in self.server.site.events():
                self.wfile.write(f"event: {name}\ndata: {json.dumps(value)}\n\n".encode())
                self.wfile.flush()
        except (BrokenPipeError, ConnectionResetError):
            pass

    def answer(self):
        path, _, query = self.path.partition("?")
        size = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(size)
        if path == "/requests":
            return self.send_json(200, self.server.requests)
        if path in self.server.files and self.command in ("GET", "HEAD"):
            return self.send_file(self.server.files[path])
        if path in self.server.pages:
            return self.send(200, "text/html; charset=utf-8", self.server.pages[path],
                             Content_Security_Policy=self.server.csp)
        if path == "/api/v1/stream":
            return self.stream()
        if not path.startswith("/api/v1/"):
            return self.send_json(404, {"error": {"code": "not_found", "message": f"no file {path}"}})
        if self.headers.get("Content-Type") == "application/json":
            body = json.loads(body)
        if self.command != "GET":
            self.server.requests.append({"method": self.command, "path": path, "body":
                                         body if isinstance(body, dict) else len(body)})
        for method, pattern, act in self.server.routes:
            match = re.fullmatch(pattern, path.removeprefix("/api/v1"))
            if method == self.command and match:
                try:
                    values = dict(pair.split("=") for pair in query.split("&") if pair)
                    status, value = act(self.server.site, *match.groups(), query=values, body=body)
                except Silence:
                    self.send_response(200)
                    self.send_header("Content-Length", "1000")
                    self.end_headers()
                    self.close_connection = True
                    return None
                except Refusal as refusal:
                    return self.send_json(refusal.status, {"error": {"code": refusal.code,
                                                                     "message": refusal.message}})
                if isinstance(value, bytes):
                    return self.send(status, "application/pdf", value)
                return self.send_json(status, value) if value is not None else \
                    self.send(status, "application/json", b"")
        return self.send_json(404, {"error": {"code": "not_found", "message": f"no operation {path}"}})

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = answer


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, service, port=0):
        super().__init__(("127.0.0.1", port), Handler)
        self.folder = BUILD / service
        listing = json.loads((self.folder / "files.json").read_text())
        self.csp = listing["csp"]
        self.files = {file["path"]: file for file in listing["files"]}
        self.pages = {}
        module = importlib.import_module(MODULES[service])
        self.site, self.routes, self.requests = module.make(), module.ROUTES, []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"

    def start(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self


if __name__ == "__main__":
    server = Server(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 0).start()
    print(server.url, flush=True)
    while True:
        time.sleep(3600)
