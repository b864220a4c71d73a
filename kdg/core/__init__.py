"""Owns what makes a guarantee: the table, the decisions, the loop, the ports, and the model of crashes. No Kafka.

guarantees    the table; with requirement (on the cluster) and destinations (of `consume`)
cycle         the decisions: events in, actions out; with state (their words) and interval (when a batch is due)
refresh       when positions are stored again that have not changed
pump          the loop; with actions (how each is performed) and progress (counts, limits)
ports         what a source, a target and a transaction have to do; records, the values that pass through them
crash         the model: what a crash at any point does to each guarantee
"""
