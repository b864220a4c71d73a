"""Owns the model of crashes: what a crash at any point does to each guarantee, found by trying every point. Pure.

No outcome is written down by hand. The model runs the real decisions (kdg/core/cycle.py) in a small ideal world, stops
them at every point, starts again from whatever survived, and counts how often each record arrived.

    world     the ideal world: input, target, stored position, transaction; which of them survive a crash; the commands
    explore   runs in that world: every point at which they can crash or an action can fail, and how each of them ends
    table     the crash table of `kdg explain`: what a crash after each step of a command does, in words
"""
