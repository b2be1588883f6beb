# SPDX-License-Identifier: GPL-2.0-or-later
"""The announcement by mDNS, as Avahi's tools find it, in a separate network namespace with bus and Avahi."""

import subprocess

import pytest

from gateway import ECU_ID
from paths import BUILD

ADDRESS = "198.51.100.7"  # RFC 5737: no address of a real network

BUS = """<busconfig><type>system</type><listen>unix:path=/run/dbus/system_bus_socket</listen>
<auth>EXTERNAL</auth><policy context="default"><allow user="*"/><allow own="*"/><allow send_type="method_call"/>
<allow send_type="signal"/><allow send_requested_reply="true"/><allow receive_type="method_call"/>
<allow receive_type="signal"/><allow receive_type="method_return"/><allow receive_type="error"/></policy></busconfig>
"""

AVAHI = """[server]
host-name=dach
use-ipv6=no
enable-dbus=yes
[wide-area]
enable-wide-area=no
[rlimits]
"""

SCRIPT = r"""set -eu
cd "$1"
started=
trap 'kill $started 2>/dev/null || true' EXIT
ip link set lo up
ip link add name veth0 type veth peer name veth1
ip address add ADDRESS/24 dev veth0
ip link set veth0 up
ip link set veth1 up
mount -t tmpfs tmpfs /run
mkdir -p /run/avahi-daemon /run/dbus
dbus-daemon --config-file=bus.conf --nofork --nopidfile &
started=$!
for n in $(seq 50); do [ -S /run/dbus/system_bus_socket ] && break; sleep 0.1; done
"$2" --config ecud.conf &
ecud=$!
started="$started $ecud"
# Avahi starts after ecud, and starts again: ecud follows
for run in 1 2; do
	/usr/sbin/avahi-daemon -f avahi.conf --no-chroot --no-drop-root --no-rlimits &
	avahi=$!
	started="$started $avahi"
	for n in $(seq 100); do
		avahi-browse -rptk _https._tcp 2>/dev/null | grep '^=' >found || true
		[ -s found ] && break
		sleep 0.2
	done
	echo "run $run"
	cat found
	avahi-browse -rptk _mbap._tcp | grep '^='
	avahi-resolve -4 -n ecu-ECU_ID.local
	kill $avahi
	wait $avahi || true
done
kill $ecud
wait $ecud && echo "ecud ended"
"""


def can_unshare():
    return subprocess.run(["unshare", "-nm", "true"], capture_output=True).returncode == 0


# avahi-daemon gives its folder to its own user, which takes root.
@pytest.mark.skipif(not can_unshare(), reason="a network namespace takes root")
def test_avahi_announces_the_gateway(tmp_path):
    (tmp_path / "state").mkdir()
    (tmp_path / "bus.conf").write_text(BUS)
    (tmp_path / "avahi.conf").write_text(AVAHI)
    (tmp_path / "ecud.conf").write_text(f"ecu_id {ECU_ID}\nstate {tmp_path}/state\nlisten {ADDRESS}\nport 8443\n"
                                        "modbus_port 1502\naps_port 8899\n")
    script = tmp_path / "script"
    script.write_text(SCRIPT.replace("ADDRESS", ADDRESS).replace("ECU_ID", ECU_ID))
    done = subprocess.run(["unshare", "-nm", "sh", script, tmp_path, BUILD / "host/bin/ecud"],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    runs = done.stdout.split("run ")[1:]
    assert len(runs) == 2 and "ecud ended" in runs[1], done.stdout + done.stderr
    for run in runs:
        pages, modbus = [line.split(";") for line in run.splitlines() if line.startswith("=;veth0;IPv4;")]
        assert pages[3] == rf"qs1\032ECU\032{ECU_ID}" and pages[4] == "_https._tcp"
        assert pages[6:9] == ["dach.local", ADDRESS, "8443"] and f"id={ECU_ID}" in pages[9]
        assert modbus[6:9] == ["dach.local", ADDRESS, "1502"]
        # the name for which the certificate is valid is another one of the host
        assert f"dach.local\t{ADDRESS}" in run.splitlines()
