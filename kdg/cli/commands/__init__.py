"""One module a command: its arguments, its groups of options, its help, and one call into kdg/runs."""

COMMANDS = {
    "produce": "Send records to a topic.",
    "consume": "Print records of topics, or store them.",
    "pipe": "Copy records from topic to topic, through a command if wanted.",
    "explain": "What a guarantee, a setting or an exit code means.",
    "check": "Which guarantee a configuration and a topic really give.",
    "verify": "See a guarantee hold, or break, under faults.",
    "sandbox": "Start a real Apache Kafka on this machine.",
}
"""The commands, each with its line of `kdg --help`, in that order. kdg/cli/commands/NAME.py registers the command."""
