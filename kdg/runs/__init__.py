"""Owns one run of each command: resolve the plan, open source, destination and transaction, run the loop, report.

    plan                   what the typed options mean; dry_run prints it
    framing, group, identity, destination, dedup    parts of a plan: formats, group, transactional id, -- CMD, files
    session                what every run has in common, from the first signal handler to the outcome
    clients                what a run uses of the world outside; the simulator hands in its own
    produce, consume, pipe the run of each command, opened with kafka_source, kafka_target, resume, undelivered
    again                  the command that sends undelivered records again
    cluster_check          the warning about the cluster, and --strict; once_a_day: a note is not repeated
    progress, report       the line while it runs; the summary, --report and the exit code at the end
    check, sandbox, verify, verify_setup            the commands without a loop

Nothing here imports typer: the command line hands in groups of options (kdg/settings/options).
"""
