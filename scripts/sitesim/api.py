# SPDX-License-Identifier: GPL-2.0-only
"""Client of the services' REST interfaces."""

import http.client
import json
import socket
import ssl
import urllib.error
import urllib.request

from board.errors import BoardError

TIMEOUT_S = 10.0


class Api:
    """Requests to one service with its own certificate authority."""

    def __init__(self, url, ca):
        self.url = url
        self.token = None
        self._cookie = None
        self._context = ssl.create_default_context(cafile=str(ca))

    def call(self, method, path, body=None):
        """The answer's JSON, None for an empty one; BoardError for a refusal."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/api/v1{path}", data, method=method)
        if data is not None:
            request.add_header("Content-Type", "application/json")
        if self.token:
            request.add_header("Authorization", f"Bearer {self.token}")
        elif self._cookie:
            request.add_header("Cookie", self._cookie)
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S, context=self._context) as answer:
                cookie = answer.headers.get("Set-Cookie")
                if cookie:
                    self._cookie = cookie.split(";")[0]
                text = answer.read()
        except urllib.error.HTTPError as error:
            raise BoardError(f"{method} {path}: {error.code} {error.read().decode()[:300]}") from error
        except OSError as error:
            raise BoardError(f"{method} {self.url}{path}: {error}") from error
        return json.loads(text) if text else None

    def get(self, path):
        """GET."""
        return self.call("GET", path)


class _Local(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path):
        super().__init__("localhost", timeout=TIMEOUT_S)
        self._path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(TIMEOUT_S)
        self.sock.connect(self._path)


def local_get(path, what):
    """GET at a service's local socket."""
    connection = _Local(path)
    try:
        connection.request("GET", f"/api/v1{what}")
        answer = connection.getresponse()
        text = answer.read()
    except OSError as error:
        raise BoardError(f"GET {what} at {path}: {error}") from error
    finally:
        connection.close()
    if answer.status != 200:
        raise BoardError(f"GET {what} at {path}: {answer.status} {text.decode()[:300]}")
    return json.loads(text)
