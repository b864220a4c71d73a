"""What happens to a batch between source and destination: deduplication, and the command that filters it."""
