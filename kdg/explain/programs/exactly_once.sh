#!/bin/sh
# Sends the lines of a file exactly once, in one transaction:
# sh exactly_once.sh FILE
#
# kcat cannot copy a topic exactly once: it does not put positions into a
# transaction. It commits at the end of the input, also if the program that
# wrote the input has failed: give it a whole file.

# == Configuration ==
writing="-X transactional.id=$KDG_GROUP -X enable.idempotence=true"
writing="$writing -X acks=all -X message.send.max.retries=2147483647"
writing="$writing -X transaction.timeout.ms=60000"
reading="-X isolation.level=read_committed"

# == Steps ==
# Send each line of the file: all become visible, or none. After exit 1 none
# is: send the file again. After a kill, look into the topic first.
kcat -P -b "$KDG_BROKERS" -t "$KDG_TARGET" $writing < "$1" || exit

# Read all that is committed, without a group: kcat keeps no position.
kcat -C -e -q -b "$KDG_BROKERS" -t "$KDG_TARGET" -o beginning $reading
