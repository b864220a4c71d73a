"""Owns what happens to a batch between source and destination.

dedup           `--dedup-by`: records that were seen before are dropped
seen_store      the database of what was seen
command_filter  `pipe -- CMD`: the output of CMD replaces the batch
"""
