# SPDX-License-Identifier: GPL-2.0-only
"""nginx ends the TLS of ECUs, with the configuration that is installed."""

import grp
import os
import pathlib
import shutil
import socket
import ssl
import stat
import subprocess
import tempfile
import time
import urllib.parse

import pytest

from fleetlib import free_ports
from paths import ROOT
from service import Service
from test_ingest import sent, stored

GROUP = "www-data" if os.geteuid() == 0 else grp.getgrgid(os.getegid()).gr_name
SHIPPED = ROOT / "userspace/emad/system/nginx-uplink.conf"
pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def proxied(request, tmp_path_factory):
    """A service behind nginx; its uplink is the port of nginx."""
    # the workers of nginx have another user
    folder = pathlib.Path(tempfile.mkdtemp(prefix="ema-nginx"))
    request.addfinalizer(lambda: shutil.rmtree(folder))
    folder.chmod(0o755)
    service = Service(tmp_path_factory.mktemp("proxied"), {"uplink_socket": folder / "uplink.sock", "uplink_group": GROUP})
    request.addfinalizer(service.stop)
    service.start().set_up()
    service.uplink, = free_ports(1)
    site = SHIPPED.read_text()
    for old, new in (("/run/qs1-ema/uplink.sock", folder / "uplink.sock"),
                     ("/var/lib/qs1-ema", service.state), ("listen [::]:9444 ssl backlog=4096;", ""),
                     ("listen 9444", f"listen 127.0.0.1:{service.uplink}")):
        assert old in site
        site = site.replace(old, str(new))
    (folder / "uplink.conf").write_text(site)
    (folder / "nginx.conf").write_text(
        f"user www-data; daemon off; pid {folder}/pid; error_log {folder}/error.log;\n"
        f"events {{ }}\nhttp {{ access_log off; include {folder}/uplink.conf; }}\n")
    nginx = subprocess.Popen(["nginx", "-p", folder, "-c", folder / "nginx.conf"],
                             stderr=subprocess.DEVNULL)
    request.addfinalizer(lambda: (nginx.terminate(), nginx.wait()))
    deadline = time.monotonic() + 20
    while socket.socket().connect_ex(("127.0.0.1", service.uplink)):
        assert time.monotonic() < deadline, (folder / "error.log").read_text()
        time.sleep(0.1)
    service.socket = folder / "uplink.sock"
    service.deliver("--ecus", 3, "--units", 2, "--batches", 2, "--period", 1)
    service.certificate = next((service.folder / "keys").glob("*.pem"))
    return service


def test_batches_come_through_nginx(proxied):
    assert len(sent(proxied)) == 6
    assert stored(proxied) == sent(proxied)


def ask_orders(service, headers, certificate=None, port=None):
    """Status and code of the answer to a request for orders."""
    if certificate:
        service.context.load_cert_chain(certificate, certificate.with_suffix(".key"))
    answer = service.ask("GET", "/uplink/v1/orders?wait=0", port=port or service.uplink,
                         headers=headers)
    return answer.status, answer.json.get("error", {}).get("code")


def test_a_client_without_its_own_key_is_refused(proxied):
    # the certificate of an enrolled ECU is no secret, its key is
    claim = {"QS1-Client-Certificate": urllib.parse.quote(proxied.certificate.read_text())}
    assert ask_orders(proxied, {}) == (401, "no_certificate")
    assert ask_orders(proxied, claim) == (401, "no_certificate")
    proxied.context = ssl.create_default_context(cafile=proxied.ca)
    assert ask_orders(proxied, {}, proxied.certificate) == (200, None)
    proxied.context = ssl.create_default_context(cafile=proxied.ca)


def test_only_the_group_of_nginx_may_use_the_socket(proxied):
    status = proxied.socket.stat()
    assert stat.S_IMODE(status.st_mode) == 0o660
    assert status.st_gid == grp.getgrnam(GROUP).gr_gid


def test_the_header_is_ignored_on_a_tcp_port(proxied, tmp_path):
    service = Service(tmp_path).start()
    try:
        claim = {"QS1-Client-Certificate": urllib.parse.quote(proxied.certificate.read_text())}
        assert ask_orders(service, claim) == (401, "no_certificate")
    finally:
        service.stop()
