# SPDX-License-Identifier: GPL-2.0-only
"""Each conformance procedure is one test: a representative part, with --long the full length."""

import pytest

import harness


@pytest.mark.parametrize("procedure", harness.procedures(), ids=lambda p: p.name)
def test_procedure(procedure, request, record_property):
    result = procedure.carry_out(request.config.getoption("--long"))
    record_property("procedure", procedure.name)
    for figure in result["figures"]:
        print(f"{figure['name']}: {harness.number(figure['value'], 6)} {figure['unit']} "
              f"({figure['limit']})")
    problems = harness.missed(result)
    assert not problems, "\n".join([f"{procedure.title} ({procedure.source}):", *problems])
