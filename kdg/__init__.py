"""kdg: Kafka Delivery Guarantees, a command-line tool. It has no public Python API.

The map, from the command line down. A package imports only packages below it; tests/unit/test_layout.py holds both.

    cli         what can be typed: each command's options become a plan, and an error becomes a message and an exit code
    runs        one run of each command: resolve the plan, open source and destination, report the result
    verify      `kdg verify`: kill and freeze workers and brokers, count the records that were lost or duplicated
    check       `kdg check`: which guarantee a configuration and a topic really give
    explain     `kdg explain`: a page for each name; the meaning of an exit code is in errors.py, of a guarantee in core
    sandbox     a real Apache Kafka on this machine, started and removed
    sinks       destinations outside Kafka: stdout, a file, SQLite, a command; undelivered records
    transforms  what happens to a batch on its way: deduplication, the command that filters it
    kafka       the Kafka client library: clients, errors, consumer, producer, transactions, look-ups; the hazards
    sources     inputs outside Kafka: a file descriptor, a command's output; what `-o` means (start_offsets.py)
    text        how a page becomes text, Markdown or JSON, and how a table is aligned
    formats     bytes of lines, JSON and templates to records and back
    settings    options, configuration files, Java's names, -X: how they become the settings of a client
    runtime     what surrounds a run: deadlines, signals, child processes, durations and times
    core        the table of guarantees, the cycle, the loop that performs it, and the model of crashes
    errors      the exit codes and the exceptions that carry them; it imports nothing

Words. Kafka's own terms (offset, partition, assignment, revoke, fence, abort, delivery report) have Kafka's meaning.

    batch        the records that one settling covers; core/interval.py decides when it ends
    chunk        the records that one READ brings; a batch consists of one chunk or several
    interval     the time from one settling to the next
    settle       make a batch and the position after it durable: flush and commit, or commit a transaction
    position     where to go on: the offset after the last record handled, or a place in an input that is not Kafka's
    destination  where records go: a topic, stdout, a file, a database table, a command
    hazard       a way in which a broker or the client library breaks a guarantee; listed in kdg/kafka/__init__.py
"""
