"""What surrounds a run: how long it may wait, signals, child processes, durations and times."""
