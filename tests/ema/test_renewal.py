# SPDX-License-Identifier: GPL-2.0-only
"""The service's certificate, which it renews while it runs."""

import socket
import ssl
import time

from service import Service

DAY_S = 86400
# RENEW_US of userspace/emad/main.c passes in this time, s.
SPEED = 2000


def clock(speed, wall_s):
    return {"QS1_CLOCK": f"{speed} {time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000} {int(wall_s * 1000000)}"}


def certificate(port):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with context.wrap_socket(socket.create_connection(("127.0.0.1", port), 10)) as sock:
        return sock.getpeercert(binary_form=True)


def test_the_certificate_of_pages_and_uplink_is_renewed_while_the_service_runs(tmp_path):
    made = time.time()
    service = Service(tmp_path, env=clock(1, made)).start()
    first = certificate(service.web)
    assert certificate(service.uplink) == first
    key = (service.state / "tls/server.key").read_text()
    service.stop()
    # half an hour before it has to be renewed
    service.env.update(clock(SPEED, made + (397 - 1 - 30) * DAY_S - 1800))
    service.start()
    try:
        assert certificate(service.web) == first
        second = service.wait(lambda: (lambda found: found if found != first else None)(certificate(service.web)))
        assert certificate(service.uplink) == second
        assert (service.state / "tls/server.key").read_text() == key
        assert "not renewed" not in service.log.read_text()
    finally:
        service.stop()
