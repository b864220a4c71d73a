"""Owns how jars.lock is made: `python -m kdg.sandbox.pin` writes it again for KAFKA.

Needs the network; nothing else runs it. The lock is shipped, so that every machine runs the same bytes and no
dependency is resolved at a user's.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from kdg.sandbox.jars import LOCK, Jar, maven, sha256

KAFKA = "4.3.1"

RESOLVED = (f"org.apache.kafka:kafka_2.13:{KAFKA}", "org.slf4j:slf4j-simple:1.7.36")
# Kafka's own command-line tools. Taken without its dependencies: what the broker does not bring already is Connect and
# its web server (45 jars, 11 MB), which the console and the performance tools do not load.
ALONE = (f"org.apache.kafka:kafka-tools:{KAFKA}",)


def resolve(folder: Path) -> list[Jar]:
    """Every jar of the broker and its tools, downloaded into `folder` to be hashed; sorted."""
    context = maven(folder)
    inputs, transitive = context.resolver.resolve([context.create_dependency(each) for each in RESOLVED])
    needed = [each.artifact for each in (*inputs, *transitive) if each.scope in {None, "compile", "runtime"}]
    needed += [context.create_dependency(each).artifact for each in ALONE]
    return sorted(Jar(each.groupId, each.artifactId, each.version, sha256(each.resolve())) for each in needed)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        LOCK.write_text("".join(f"{' '.join(jar)}\n" for jar in resolve(Path(scratch))))
