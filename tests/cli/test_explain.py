"""`kdg explain` as it is typed: pages, formats, clients."""

from __future__ import annotations

import json

import pytest

from kdg.core.guarantees import GUARANTEES, Guarantee
from kdg.errors import EXIT_CODES

from .conftest import Kdg


@pytest.mark.parametrize(
    "names", [[], *([guarantee.name] for guarantee in GUARANTEES), ["acks"], ["exit", "5"], ["alo", "eos"]]
)
@pytest.mark.parametrize("format_", ["text", "markdown", "json"])
def test_explain_answers_on_stdout_in_each_format(kdg: Kdg, names: list[str], format_: str) -> None:
    code, out, err = kdg("explain", *names, "--format", format_)
    assert (code, err) == (0, "")
    if format_ == "json":
        assert json.loads(out)
    else:
        assert out.endswith("\n")
        assert len(out) > 100


@pytest.mark.parametrize("guarantee", GUARANTEES, ids=lambda guarantee: guarantee.name)
def test_explain_guarantee_has_promise_settings_steps(kdg: Kdg, guarantee: Guarantee) -> None:
    """The page of a guarantee has its promise, its settings and its steps."""
    shown = " ".join(kdg("explain", guarantee.short)[1].split())
    assert guarantee.promise in shown
    for setting in (*guarantee.producer, *guarantee.consumer):
        if setting.value:
            assert setting.name in shown
            assert " ".join(setting.why.split()) in shown
    for step in guarantee.steps:
        assert step.value in shown.lower().replace(" ", "-") or step.value.replace("-", " ") in shown.lower()


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
