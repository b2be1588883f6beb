# SPDX-License-Identifier: GPL-2.0-only
"""The board's programs are built from the board's packages, whatever the host's cross libc is."""

import re
import subprocess

import pytest

from paths import ROOT

GUEST_CC = ROOT / "scripts/guest-cc"
COMPILER = "arm-linux-gnueabihf-gcc"

PROGRAM = """
#include <limits.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <linux/iio/events.h>
#include <json-c/json.h>

int main(int argc, char **argv)
{
	long long wide = strtoll(argv[0], NULL, 10);

	return printf("%lld %f %d", wide / argc, sin(argc), json_object_get_boolean(NULL));
}
"""


def output(*command):
    """Of a command that must succeed."""
    return subprocess.run(command, check=True, capture_output=True, text=True)


@pytest.mark.parametrize("options", [["-pie"], ["-static"], ["-shared", "-fPIC"]])
def test_only_files_of_the_board_are_included_and_linked(tmp_path, options):
    sysroot = output(GUEST_CC, "-print-sysroot").stdout.strip()
    own = output(COMPILER, "-print-file-name=include").stdout.strip()
    source = tmp_path / "program.c"
    source.write_text(PROGRAM)
    done = output(GUEST_CC, "-H", "-Wl,--trace", *options, "-o", tmp_path / "program", source,
                  "-ljson-c", "-lm")
    included = re.findall(r"^\.+ (\S+)", done.stderr, re.MULTILINE)
    # without the compiler's temporary object
    linked = [name for name in done.stdout.split() if not re.fullmatch(r"/tmp/cc\w+\.o", name)]
    assert len(included) > 20 and len(linked) > 5
    foreign = [name for name in included if not name.startswith((f"{sysroot}/", f"{own}/"))]
    foreign += [name for name in linked if not name.startswith(f"{sysroot}/")]
    assert not foreign
