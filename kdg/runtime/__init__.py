"""What surrounds a run: deadlines, signals, child processes, durations and times."""
