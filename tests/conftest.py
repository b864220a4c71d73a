"""Owns what all tests share: no setting of this machine reaches them."""

from __future__ import annotations

import os
import signal

import pytest
from hypothesis import settings

# A machine under load makes a case slow now and then, which says nothing about the code; a test that hangs is ended by
# pytest-timeout.
settings.register_profile("kdg", deadline=None)
settings.load_profile("kdg")

# A run in the background of a shell without job control has SIGINT ignored, and whatever it starts inherits that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.getbasetemp() / "no-configuration-here"))
    for name in [name for name in os.environ if name.startswith("KDG_")]:
        monkeypatch.delenv(name)
