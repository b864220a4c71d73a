#!/bin/sh
# Sends the lines of a file at most once: sh at_most_once.sh FILE
#
# kcat cannot copy a topic at most once: as a member of a group it commits by
# a timer, before or after it has printed the records.

# == Configuration ==
writing="-X acks=0 -X enable.idempotence=false -X message.send.max.retries=0"
reading="-X isolation.level=read_committed"

# == Steps ==
# Send each line of the file. Exit 0 says that kcat has sent them, no more.
kcat -P -b "$KDG_BROKERS" -t "$KDG_TARGET" $writing < "$1" || exit

# Read all that is committed, without a group: kcat keeps no position.
kcat -C -e -q -b "$KDG_BROKERS" -t "$KDG_TARGET" -o beginning $reading
