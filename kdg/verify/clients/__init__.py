"""Plain Kafka clients that feed and observe a fault run. Each runs in a thread of its own.

They use confluent_kafka directly and share no code with kdg's own source and target, because what they report is
compared with what kdg did.

    observer   the thread that all of them are, and the settings of a client
    feeder     numbered records for the source topic
    readers    what a read_committed reader is shown during the run, and when
    positions  the positions that the group commits
    queries    questions asked at the end: where do the partitions end, is a transaction open, which records are there
"""
