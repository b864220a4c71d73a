"""The only importer of confluent_kafka: sources, targets, transactions, look-ups, and the translation of its errors."""
