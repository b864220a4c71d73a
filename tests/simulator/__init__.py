"""Whole histories of kdg from a seed, without Kafka: the real loop and the real ports over a model of a cluster."""
