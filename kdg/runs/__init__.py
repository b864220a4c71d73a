"""One run of each command: resolve the plan, open source, destination and transaction, run the loop, report.

No typer here.
"""
