"""How fast kdg is beside what people use now: `make bench`, DESIGN.md section 6.

stage.py has the cluster and what is on it, race.py takes the times, rows.py is the table of what is compared with what,
growth.py what happens with more records, partitions and instances, page.py what is shown.
"""
