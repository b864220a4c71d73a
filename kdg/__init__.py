"""kdg: Kafka Delivery Guarantees, a command-line tool. It has no public Python API."""
