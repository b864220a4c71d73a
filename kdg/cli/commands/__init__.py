"""One module a command: its options, then a call into kdg/runs."""
