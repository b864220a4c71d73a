"""What can be typed: the options, the commands, completion, and the one place where an error becomes an exit code."""
