"""What the table of guarantees allows, `kdg check` calls reached: both say the same about each value."""

from __future__ import annotations

import pytest

from kdg.check.reading import readings
from kdg.check.verdict import judge
from kdg.core.guarantees import GUARANTEES, Guarantee, Role, Setting
from kdg.settings.resolve import plain, resolve

P, C = Role.PRODUCER, Role.CONSUMER
ALLOWED = [
    (guarantee, role, setting, value)
    for guarantee in GUARANTEES
    for role in Role
    for setting in guarantee.settings(role)
    for value in (setting.allowed or (setting.value,))
]


@pytest.mark.parametrize(("guarantee", "role", "setting", "value"), ALLOWED)
def test_value_that_a_page_allows_reaches_the_guarantee(
    guarantee: Guarantee, role: Role, setting: Setting, value: str
) -> None:
    """And one that gives up a part of the promise does not: the page says so."""
    settings = plain(resolve(guarantee, role, "pipe", []))
    settings |= {"transactional.id": "a"} if guarantee.transactional and role is P else {}
    settings |= {"group.id": "g"} if role is C else {}
    if value:
        settings[setting.name] = value
    if value in setting.weaker:
        settings["enable.idempotence"] = "false"
    (reading,) = readings(settings, "librdkafka", role)
    assert judge(reading).reaches(guarantee) == (value not in setting.weaker)
