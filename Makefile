# `make demo` and `make test` need Python >= 3.11 and make, nothing else; setup installs the rest into .venv.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: setup demo test unit simulate hazards mutants torture verify-others sinks peers dialects bench bench-quick check fix docs clean

setup: .venv/.done

.venv/.done: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "kdg needs Python 3.11 or later; this is " + sys.version.split()[0])'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	$(BIN)/python -m compileall -q kdg
	touch .venv/.done

demo: setup
	@$(BIN)/kdg sandbox --quiet --brokers 3 --topic orders:4 --topic billing:4 -- $(BIN)/python tests/demo.py $(BIN)/kdg

# A worker has brokers of its own; a file's tests stay together.
test: setup
	$(BIN)/python -m pytest -n 3 --dist loadfile

unit: setup
	$(BIN)/python -m pytest tests/unit tests/cli

# 100,000 histories of the real loop over a model of Kafka, about two minutes; KDG_SIM_SEED and KDG_SIM_SCHEDULES vary it.
simulate: setup
	$(BIN)/python -m pytest tests/simulator

# The scripted interleavings of the hazards (kdg/kafka/__init__.py); REPEATS=50 for the long form.
hazards: setup
	KDG_HAZARD_REPEATS=$(or $(REPEATS),3) $(BIN)/python -m pytest tests/hazards tests/torture tests/verify

# Each protection taken out, and the test that has to fail then, for the right reason: about eight minutes.
# `make mutants ARGS=no-recycle`.
mutants: setup
	$(BIN)/python -m tests.mutants $(ARGS)

# The long runs under faults: about 45 minutes. `make torture ARGS='--quick'`, `ARGS='--only exactly-once,range,3'`.
torture: setup
	$(BIN)/python tests/torture/run.py $(if $(ARGS),$(ARGS),--page tests/torture/last.md)

# What kcat, the console tools and plain Python loops lose and double: the README's table, about 17 minutes. kcat has to be
# installed (apt-get install kcat, brew install kcat).
verify-others: setup
	$(BIN)/python -m tests.verify.others $(ARGS)

# The long forms: a million records sent twice, every sink crashed at every step under every guarantee. About 10 minutes.
sinks: setup
	KDG_SINK_RECORDS=1000000 KDG_EVERY_SINK=1 $(BIN)/python -m pytest tests/broker/test_sinks.py tests/broker/test_dedup.py tests/broker/test_crash_points.py

# Beside kcat, which has to be installed; and 100,000 records of every shape through `consume -J | produce -J`.
peers: setup
	KDG_ROUND_TRIP=$(or $(RECORDS),100000) $(BIN)/python -m pytest tests/peers tests/broker/test_round_trip.py

# The programs of `kdg explain GUARANTEE --client X`, each under a minute of faults with three workers. About 20 minutes.
# Go has to be installed. `make dialects CLIENTS="python java"`.
dialects: setup
	KDG_DRAWN=2000 $(BIN)/python -m pytest tests/unit/test_check_drawn.py tests/java/test_drawn.py -n 2
	KDG_DIALECTS="$(or $(CLIENTS),python java go)" KDG_DIALECTS_SECONDS=60 $(BIN)/python -m pytest tests/dialects -p no:randomly $(ARGS)

# How fast kdg is beside kcat, the console tools and a plain Java loop, about 15 minutes on a machine that
# does nothing else; kcat has to be installed. `make bench ARGS='--only consume'`. The quick form takes under three minutes.
bench: setup
	$(BIN)/python -m tests.bench $(if $(ARGS),$(ARGS),--write tests/bench/last.json)

bench-quick: setup
	$(BIN)/python -m tests.bench --quick $(ARGS)

check: setup
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/python tests/docs.py --check README.md

fix: setup
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

docs: setup
	$(BIN)/python tests/docs.py README.md

clean:
	rm -rf .venv build dist
