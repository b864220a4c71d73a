"""The programs of `kdg explain GUARANTEE --client X` on a real Kafka.

`make test` runs those in Python and Java for a few seconds, `make dialects` all of them for a minute each.
"""
