"""Where consumed records are put to use: each sink is one module behind the Target port."""
