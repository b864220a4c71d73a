"""Owns the long runs under faults: workers are killed, ended and frozen, brokers too, and what came out is counted.

`counting` and `faults` decide, without I/O; `workers` and `engine` do. `kdg verify` and `make torture` run the same engine.
"""
