"""Owns what `kdg check` decides: which guarantee a client's configuration and a topic's settings really give. Pure.

reading    what a file says: whose dialect it is, producer or consumer, which values
rules      what each setting costs (SETTINGS.md, section 4)
verdict    the two together, and the least that has to change to reach a guarantee
page       how it is shown
"""

from __future__ import annotations
