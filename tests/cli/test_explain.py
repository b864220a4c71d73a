"""`kdg explain` as it is typed: pages, formats, clients."""

from __future__ import annotations

import json

import pytest

from kdg.core.guarantees import GUARANTEES, Guarantee
from kdg.errors import EXIT_CODES

from .conftest import Kdg


@pytest.mark.parametrize("names", [[], *([row.name] for row in GUARANTEES), ["acks"], ["exit", "5"], ["alo", "eos"]])
@pytest.mark.parametrize("format_", ["text", "markdown", "json"])
def test_explain_answers_on_stdout_in_each_format(kdg: Kdg, names: list[str], format_: str) -> None:
    code, out, err = kdg("explain", *names, "--format", format_)
    assert (code, err) == (0, "")
    if format_ == "json":
        assert json.loads(out)
    else:
        assert out.endswith("\n")
        assert len(out) > 100


@pytest.mark.parametrize("row", GUARANTEES, ids=lambda row: row.name)
def test_explain_guarantee_has_promise_settings_steps(kdg: Kdg, row: Guarantee) -> None:
    """Explain of a guarantee has its promise its settings and its steps."""
    told = " ".join(kdg("explain", row.short)[1].split())
    assert row.promise in told
    for setting in (*row.producer, *row.consumer):
        if setting.value:
            assert setting.name in told
            assert " ".join(setting.why.split()) in told
    for step in row.steps:
        assert step.value in told.lower().replace(" ", "-") or step.value.replace("-", " ") in told.lower()


@pytest.mark.parametrize("client", ["librdkafka", "python", "dotnet", "java"])
def test_explain_speaks_the_clients_language(kdg: Kdg, client: str) -> None:
    code, out, _err = kdg("explain", "exactly-once", "--client", client)
    assert code == 0
    assert {"dotnet": "EnableIdempotence", "java": "enable.idempotence"}.get(client, "enable.idempotence") in out
    if client == "dotnet":
        assert "Acks.All" in out
        assert "TransactionalId" in out


@pytest.mark.parametrize("code_", [row.code for row in EXIT_CODES])
def test_explain_knows_every_exit_code(kdg: Kdg, code_: int) -> None:
    assert str(code_) in kdg("explain", "exit", str(code_))[1]
