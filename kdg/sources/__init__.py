"""Owns the inputs outside Kafka, and what `-o` means.

descriptor     records from a file descriptor: stdin, a file
prefix         the beginning of an input, which --resume reads again and compares
splitter       cuts the bytes of an input at the delimiter
command        `kdg produce TOPIC -- CMD`: the output of a command
start_offsets  the words of `-o`: beginning, end, 5, -10, s@TIME; kdg/kafka/lookup.py turns them into offsets
"""
