"""Owns everything that talks to a Kafka broker; no other package but `verify` imports confluent_kafka.

    client, library       making clients; what kdg calls of them, as protocols
    reach, advertised     connecting them; whether the addresses that brokers advertise can be reached
    listener, tls_files   what a listener speaks; what is wrong with the files of a TLS connection
    row, login_errors     one row of a table of errors; what an error of a login means
    errors, retry         what an error means, such as a commit that the group refuses after a rebalance; asking again
    events, answers       what becomes of an error that the library reports by itself, such as damaged bytes
    unreadable            the records before a batch that cannot be read are settled first
    target, producer      sending records; the producer, and its replacement after a commit that timed out
    partition_choice      which partition a record is sent to, where its batch names none
    waiting, sent         a batch before it is wholly handed to the library; what a delivery report does not say of it
    delivery              what becomes of the delivery reports; partition_choice: where a record is sent
    refused               the records of a refused batch are sent again, until each is delivered or refused alone
    culprit               which record of a refused batch is refused alone, under exactly-once
    undelivered_records   records that were not delivered: their names in messages, and what they do to a run
    transaction, resume   transactional calls, what follows a commit that timed out; the position of `produce --resume`
    source, consumer      reading records; the bounded calls of the consumer, and commits of offsets
    added                 partitions that are added while a run without a group reads
    membership, positions what a rebalance does; where each partition stands
    cut_logs              asks whether the log was cut off before a stored position
    leader_epochs         the leader epoch of each position, so that a log that was cut off is noticed
    lookup, stop_offsets  where partitions begin and end, `-o` as offsets; where reading stops
    end_of_run            whether everything is read, by this instance and by the others of its group
    columns, patterns     messages become the columns of a batch; `^pattern` as topics
    topic_ids, expired    noticing that a topic was deleted and created again; the error for a position that is gone
    silence               saying what a run that reads nothing waits for
    unacknowledged        saying that no broker acknowledges the records that a target waits for
    tokens, token         the tokens of logins; the command that prints them
    unsecured_token       the unsigned tokens of a sandbox
    lag_mirror            the progress of a sink, shown in a group for lag monitors
    cluster_facts         replicas, in-sync replicas and the transaction log, for the requirements of a guarantee
    admin                 names for completion; topics, groups and rights for the sandbox and `verify`

The hazards: ways in which a broker or the client library breaks a delivery guarantee. Code and tests refer to them as
"hazard 1", and tests/unit/test_hazards.py resolves every reference. [seen]: observed with librdkafka 2.16 and Apache
Kafka 4.3. #1234 is an issue of librdkafka, KIP-123 a Kafka Improvement Proposal.

 1. A delayed EndTxn, TxnOffsetCommit or Produce request acts on the next transaction of the same producer: half of that
    transaction is committed. librdkafka resends a request when a connection drops, and does not raise the epoch after
    each transaction (KIP-890; #5423). If a request may still be on its way, kdg replaces the producer before the next
    transaction begins, because init_transactions() makes the broker refuse the old epoch [seen].
 2. A signal handler that raises destroys the records that poll() has just fetched, while the position moves past them.
    kdg's handlers only set a flag [seen].
 3. The library's position() is the offset after the last record fetched, not after the last record handled. kdg keeps
    the position itself and commits only that.
 4. The group refuses a member by its generation, not by the partitions that it owns. Group metadata that are read late
    therefore let a member commit offsets of partitions that it has lost (KIP-447). kdg reads the metadata when the
    transaction begins, and settles the open transaction before the revoke callback returns [seen].
 5. After an abort the consumer keeps its position, and reading on skips the aborted records. kdg goes back to a
    remembered offset in every partition that it still owns. seek() fails inside the assign callback, so start offsets
    are passed to assign() there [seen].
 6. With acks=0 a record counts as delivered once it is sent. The report says success even if the broker is frozen or
    drops the record. kdg calls such records unconfirmed [seen].
 7. A record whose delivery timed out, or that was purged while in flight, can be stored all the same. kdg calls its
    outcome unknown, not failed [seen].
 8. acks=all is no protection on a topic with one replica, even if min.insync.replicas is 2. kdg looks at the topic, not
    only at the setting [seen].
 9. Transactional calls, flush() and close() do not notice signals. kdg calls them with a timeout of 1 s or less and
    repeats them.
10. Commit markers take offsets, and an open transaction hides acknowledged records behind it from a read_committed
    reader (#3917). kdg reads up to the end that a read_uncommitted reader sees, and stops by position, not when
    offset + 1 is that end [seen].
11. If the first position of a group is not committed, a crash before the first commit loses the records between the old
    end and the new end of a partition. kdg commits the start offsets when partitions are assigned. A partition that is
    added later is read from its beginning [seen].
12. The broker accepts a commit of a consumer that never subscribed into a group that has members, and overwrites their
    positions. The groups that kdg keeps its own positions in are named `kdg.*`; a group with members, or with metadata
    that kdg did not write, is refused [seen].
13. If a topic is deleted and created again under its name, the group's positions in it are deleted, and a position in
    the old topic skips records of the new one. A transaction that is open meanwhile would commit the part of its
    records that is in the new topic. kdg compares topic ids (KIP-516), of a target before each commit,
    and stops [seen].
14. consume(n, timeout) waits for n records until the timeout is over, and n large records are hundreds of megabytes.
    kdg limits the bytes of one read, and waits only for the first record [seen].
15. The first record of an idempotent producer waits 0.5 s for the producer id, which is requested by a timer
    (rdkafka_idempotence.c). kdg asks for the metadata twice, which requests the id at once [seen].
16. os.read() is repeated after a signal (PEP 475), so a read of an idle stdin does not notice it. kdg waits for the
    input together with a descriptor that the signal makes readable [seen].
17. Bytes flushed into a pipe are lost without an error if its reader dies before it reads them [seen]. No code can
    notice this: with stdout, a guarantee ends at the pipe.
18. A closed pipe (EPIPE) or a full disk fails a write of which a part may be done. kdg stops and does not commit the
    batch that failed.
19. _FENCED does not always mean another instance: it also comes after the coordinator has timed the transaction out,
    because librdkafka does not implement KIP-588. If the transaction was older than its timeout, kdg replaces the
    producer once and goes on [seen].
20. After a fatal error poll() and flush() can raise SystemError, TypeError or a bare KafkaError, which is not an
    exception. kdg ignores what they raise; the next call reports the fatal error itself [seen].
21. Some calls can hang: send_offsets_to_transaction() ignores its timeout (#5456) [seen], begin_transaction() takes
    none (#4420), and close() may never return (#4884, #4041). kdg runs them in another thread and waits for a limited
    time.
22. A commit can fail and still take effect (#4558), and an abort can fail with INVALID_TXN_STATE (#4849) [seen].
    Neither says whether the transaction was committed. kdg replaces the producer and asks for the committed position.
23. A static member can be fenced by its own earlier session, or by its own request to join that was sent twice
    (KIP-345). Under KIP-848 the member that was there first refuses the newcomer. kdg makes sure that there is no other
    instance, and joins again [seen].
24. A commit from another thread waits while a rebalance callback runs, and then stores positions of partitions that
    have a new owner (#4059). kdg commits in the callback's own thread [seen].
25. A client that has just started can miss that its connection is up, and then waits until the request times out. kdg
    asks with short timeouts first.
26. The positions of a group can be inside a transaction that has not ended. A reader with read_uncommitted is answered
    at once, without these positions, and reads the records again. kdg asks with read_committed and waits [seen].
27. After an unclean leader election a log can end before a stored position, and grow beyond it again: a reader that
    goes on there skips records without an error. kdg stores the leader epoch with each position (KIP-320). If the
    leader has another epoch later, a consumer of its own asks whether the log was cut off before the position, because
    in the run's consumer the question can stop the reading for good [seen]. A commit marker can be of a newer epoch
    than the record before it: for a position after markers kdg asks for the leader's epoch.
"""
