"""Owns the settings that kdg gives its clients under every guarantee, with the reasons. Pure.

The settings of one guarantee are in kdg/core/guarantees.py; kdg/settings/resolve.py merges both with those of the user.
"""

from __future__ import annotations

from collections.abc import Mapping

from kdg.core.guarantees import Role, Setting


def _fixed(name: str, value: str, why: str) -> Setting:
    """A setting that the user cannot change, because kdg would not work with another value."""
    return Setting(name, value, why, allowed=(value,))


_EVERY_CLIENT = (
    Setting("client.id", "kdg", "how the broker's logs and quotas name this client"),
    Setting("reconnect.backoff.ms", "20", "librdkafka waits half of this before it opens the second connection"),
)

KDG_DEFAULTS: Mapping[Role, tuple[Setting, ...]] = {
    Role.PRODUCER: (
        *_EVERY_CLIENT,
        Setting("partitioner", "murmur2_random", "a key goes to the same partition as with a Java client"),
        _fixed("delivery.report.only.error", "true", "only failures need a callback; the other records are counted"),
        Setting("linger.ms", "20", "waits this long to fill a batch; a flush does not wait", commands=("produce",)),
        Setting("linger.ms", "5", "sends while more is read, before the flush that settles", commands=("pipe",)),
        Setting("queue.buffering.max.messages", "50000", "keeps memory flat"),
        Setting("queue.buffering.max.kbytes", "65536", "keeps memory flat"),
    ),
    Role.CONSUMER: (
        *_EVERY_CLIENT,
        _fixed("enable.partition.eof", "true", "reports when the end of a partition is reached"),
        _fixed("allow.auto.create.topics", "false", "a mistyped topic is an error, not a new topic"),
        Setting(
            "fetch.queue.backoff.ms", "10", "fetches again as soon as there is room; the default costs a factor of 4"
        ),
        Setting("check.crcs", "true", "a record whose bytes were damaged on a disk is an error, and is not handed out"),
        Setting("queued.max.messages.kbytes", "16384", "fetches no more while so much waits to be read"),
        Setting(
            "fetch.message.max.bytes",
            "131072",
            "bounds what one fetch unpacks to: 330 MB where records compress a thousandfold, with the default 1.4 GB",
        ),
        Setting("fetch.wait.max.ms", "100", "the broker does not hold a single record back for longer"),
    ),
}
"""By client. `commands`: the commands that use the setting."""
