# SPDX-License-Identifier: GPL-2.0-only
"""Green every 2 s: producing, no communication with the ECU for over 60 minutes.

The daemon's clock is put on by fifty minutes and then by an hour, in its own process alone: all else
on the board lives on in its own time.
"""

import json
import subprocess
from pathlib import Path

import pytest

from board.promises import led_meaning, leds
from board.status import PRODUCING, state_of
from paths import BUILD, ROOT

SOCKET = "/run/qs1/qs1d.sock"
LATER = "/run/later"
ASK = "/run/ask"
DROP_IN = "/run/systemd/system/qs1d.service.d/later.conf"
LIMIT_S = 90
# Ten minutes remain for the first steps; test_policy.c checks the exact minute of the change.
BEFORE_S = 50 * 60
AFTER_S = 60 * 60

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("producing_again")]


def guest_program(agent, source, target, *options):
    """Compile one of the C files beside this for the guest, and bring it there."""
    program = BUILD / "tests" / Path(target).name
    program.parent.mkdir(exist_ok=True)
    subprocess.run([ROOT / "scripts/guest-cc", "-std=gnu17", "-O2", "-Wall", "-Wextra", "-Werror",
                    *options, "-o", program, Path(__file__).with_name(source)], check=True)
    agent.write_file(target, program.read_bytes(), mode=0o755)
    return target


@pytest.fixture(scope="module")
def ask(agent):
    """One request on the control socket, as an ECU's gateway would put it."""
    program = guest_program(agent, "ask.c", ASK, "-static")

    def put(cmd):
        answer = json.loads(agent.check(f"{program} {SOCKET} '{json.dumps({'v': 1, 'cmd': cmd})}'"))
        assert answer["ok"], answer
        return answer["result"]
    return put


@pytest.fixture
def put_on(board, agent):
    """Gives the daemon a separate clock; returns a function that advances it."""
    library = guest_program(agent, "later.c", f"{LATER}.so", "-shared", "-fPIC",
                            f'-DLATER="{LATER}"')
    agent.check(f"mkdir -p {Path(DROP_IN).parent}")
    agent.write_file(DROP_IN, f"[Service]\nEnvironment=LD_PRELOAD={library}\n".encode())
    agent.check("systemctl daemon-reload && systemctl restart qs1d")

    def put(seconds):
        agent.check(f"echo {seconds} >{LATER}.new && mv {LATER}.new {LATER}")
    yield put
    agent.check(f"rm -f {DROP_IN} {LATER} && systemctl daemon-reload && systemctl restart qs1d")


def wait_green(board, agent, meaning):
    """Until the kernel's LED class shows it; while it produces, which a busy machine may interrupt."""
    board.skip_enter_service()
    board.wait_state(*PRODUCING)

    def shown():
        found = leds(agent)
        return (led_meaning(found["green"]), led_meaning(found["red"])) == (meaning, "off")
    board.wait(f"green {meaning}", shown, LIMIT_S)


def test_an_hour_without_a_report_shows_in_the_leds_until_the_next(board, agent, ask, put_on):
    pid = agent.check("systemctl show -P MainPID qs1d")
    uptime_s = ask("report")["uptime_s"]
    wait_green(board, agent, "every 10 s")
    put_on(BEFORE_S)
    board.wait("the daemon's clock", lambda: ask("status")["uptime_s"] > uptime_s + BEFORE_S,
               LIMIT_S)
    wait_green(board, agent, "every 10 s")
    put_on(AFTER_S)
    wait_green(board, agent, "every 2 s")
    # Asking for the status, as a person does, is no report.
    assert ask("status")["leds"]["green"] == "every-2s"
    assert state_of(board.status()) in PRODUCING
    ask("report")
    wait_green(board, agent, "every 10 s")
    assert agent.check("systemctl show -P MainPID qs1d") == pid
