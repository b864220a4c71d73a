"""Inputs outside Kafka: a file descriptor, the output of a command; and what `-o` means."""
