#!/bin/sh
# Sends the lines of a file at least once: sh at_least_once.sh FILE
#
# kcat cannot copy a topic at least once: as a member of a group it commits by
# a timer, before or after it has printed the records.

# == Configuration ==
writing="-X acks=all -X enable.idempotence=true"
writing="$writing -X message.send.max.retries=2147483647"
reading="-X isolation.level=read_committed"

# == Steps ==
# Send each line of the file. Any other exit status than 0: send it again.
kcat -P -b "$KDG_BROKERS" -t "$KDG_TARGET" $writing < "$1" || exit

# Read all that is committed, without a group: kcat keeps no position.
kcat -C -e -q -b "$KDG_BROKERS" -t "$KDG_TARGET" -o beginning $reading
