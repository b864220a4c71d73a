"""Owns the making of jars.lock: `python -m kdg.sandbox.pin` writes it for the version KAFKA.

It needs the network, and only developers run it. jars.lock is part of the package, so that every machine runs the same
bytes and no user's machine resolves dependencies.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from kdg.sandbox.jars import LOCK, Jar, maven, sha256

KAFKA = "4.3.1"

RESOLVED = (f"org.apache.kafka:kafka_2.13:{KAFKA}", "org.slf4j:slf4j-simple:1.7.36")
# Kafka's command-line tools, without their dependencies. Those that the broker does not have are Kafka Connect and its
# web server (45 jars, 11 MB), and the console tools and the performance tools do not load them.
ALONE = (f"org.apache.kafka:kafka-tools:{KAFKA}",)


def resolve(folder: Path) -> list[Jar]:
    """All jars of the broker and its tools, sorted; they are downloaded into `folder` to compute the checksums."""
    context = maven(folder)
    inputs, transitive = context.resolver.resolve([context.create_dependency(each) for each in RESOLVED])
    needed = [each.artifact for each in (*inputs, *transitive) if each.scope in {None, "compile", "runtime"}]
    needed += [context.create_dependency(each).artifact for each in ALONE]
    return sorted(Jar(each.groupId, each.artifactId, each.version, sha256(each.resolve())) for each in needed)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        LOCK.write_text("".join(f"{' '.join(jar)}\n" for jar in resolve(Path(scratch))))
