"""`kdg verify` and `make torture`: a guarantee is tested by fault injection, and the result is counted.

A fault run copies numbered records from a source topic to a target topic while it disturbs the copying:

    1. A feeder produces records to the source. Each has a number, so that every record can be recognised later.
    2. Workers copy the records to the target. They share a consumer group, and are `kdg pipe` or any other program.
    3. Observers watch: one reads the target as a read_committed consumer, one reads the positions of the group.
    4. Every few seconds a fault is injected: a worker or a broker is killed, terminated or frozen. It comes back later.
       A seed determines which faults come, and in which order.
    5. After the last fault everything runs again. The feeder stops, and the group may go on to the end of the source.
    6. The workers end. Both topics are read from beginning to end and compared: a record that is missing in the target
       is lost, and one that is there more often than in the source is duplicated.
    7. The verdict: the guarantee held, or it is broken, or it is not shown, because too few faults hit while records
       flowed.

    setup       the parameters of a run, and the commands and the environment of its workers
    faults      the kinds of faults, and the plan (pure)
    engine      one run, from the first step to the result; it uses the next four
    timeline    the clock of a run, the actions that are due later, and the history
    injector    injects faults into workers and brokers
    supervisor  starts workers again that ended, and judges how they ended
    workers     the worker processes
    clients     feeder and observers
    comparing   reads both topics at the end and compares them
    counting    what is lost, duplicated, out of order; and what a guarantee allows (pure)
    result      the result of a run, and a table of results (pure)
    verdict     held, broken or not shown: as text, JSON and JUnit XML (pure)
    progress    what the live view is given during a run (pure)
    cost        `--cost`: throughput and latency of each guarantee, without faults
"""
