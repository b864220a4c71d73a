"""How fast kdg is beside the tools that people use now: `make bench` and `make bench-quick`.

__main__             the command line, and the measuring of every row
rows                 the table: kdg, a peer, and the limit of each row
sides                how each program is run, and how its work is checked
race                 runs two programs in turns and takes their times
stage                the cluster, the input files and the topics of a benchmark
growth               more records, larger records, more partitions, more instances
page                 the table and the chart that README and terminal show
bare.py, Loop.java   two of the peers: a bare loop with the Python library, and one in Java
"""
