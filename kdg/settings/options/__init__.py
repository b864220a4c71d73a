"""The options of the command line, in groups: each option is described here once, and nowhere else.

A group is a dataclass. kdg/cli/options.py fills it with what was typed, and kdg/runs decides what the values mean. The
order of the fields is the order of `--help`. To add an option, add a field; tests/cli/test_options.py then tries it.

    option      what an option is: names, help, the property that it sets, the guarantees to which it belongs
    common      options that several commands share; the group of every command with records
    reading     consume and pipe: where to start and stop, duplicates; consume: where records go, and how
    sending     produce and pipe: who this is, how bytes become records, which partition
    asking      explain and check
    verifying   verify
    sandboxing  sandbox
    properties  `-X PROP=VALUE`
    limited     which options a guarantee has and another one has not
"""
