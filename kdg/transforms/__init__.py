"""What happens to a batch between source and destination: deduplication, the filter command."""
