"""Owns the command line: what can be typed, and the one place where an error becomes an exit code.

app                      the application, and the end of every command line
commands                 one module a command: arguments, groups of options, help, one call into kdg/runs
options                  a description of an option (kdg/settings/options) becomes an option of Typer
habits                   where the options of kcat are in kdg: the hint of an unknown option
completion               what a shell offers after Tab
verify_view              the live view of `kdg verify`
typer_without_pydantic   keeps the start fast
"""
