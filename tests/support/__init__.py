"""Owns what tests of a real Kafka share: waiting, the command as a process, the broker and its observer, a proxy in front of it."""
