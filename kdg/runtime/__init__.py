"""Owns what surrounds a run: time, signals, child processes, files and standard streams.

deadline          how long the run may wait, and what a signal changes about that
clock             time and threads, so that the simulator can hand in a model of both
signals           SIGINT, SIGTERM and SIGHUP
child             a command of the user as a child process
times             durations and times that users write
standard_streams  descriptors 0 to 2 are always open; a full stdout fails in one way
opening           opening a path that may be a pipe; reading a small file
identity          whether a path still names the file that was opened by it
folders           the cache folder of the user
database_file     a SQLite database as a file
"""
