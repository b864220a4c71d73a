"""The command line: options, commands, completion, and the one place where an error becomes an exit code."""
