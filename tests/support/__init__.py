"""Owns what tests share: waiting, the command as a process, the broker and its observer, a proxy in front of it."""
