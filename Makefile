# `make demo` and `make test` need Python >= 3.11 and make, nothing else; setup installs the rest into .venv.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: setup demo test unit simulate hazards torture peers check fix docs clean

setup: .venv/.done

.venv/.done: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "kdg needs Python 3.11 or later; this is " + sys.version.split()[0])'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	$(BIN)/python -m compileall -q kdg
	touch .venv/.done

demo: setup
	@$(BIN)/kdg sandbox --quiet --brokers 3 --topic orders:4 --topic billing:4 -- $(BIN)/python tests/demo.py $(BIN)/kdg

test: setup
	$(BIN)/python -m pytest

unit: setup
	$(BIN)/python -m pytest tests/unit tests/cli

# The long runs under faults: about 35 minutes. `make torture ARGS='--quick'`, `ARGS='--only exactly-once,range,3'`.
# 100,000 histories of the real loop over a model of Kafka, about two minutes; KDG_SIM_SEED and KDG_SIM_SCHEDULES vary it.
simulate: setup
	$(BIN)/python -m pytest tests/simulator

# The scripted interleavings of HAZARDS.md; REPEATS=50 for the long form.
hazards: setup
	KDG_HAZARD_REPEATS=$(or $(REPEATS),3) $(BIN)/python -m pytest tests/hazards tests/torture

torture: setup
	$(BIN)/python tests/torture/run.py $(ARGS)

# Beside kcat, which has to be installed; and 100,000 records of every shape through `consume -J | produce -J`.
peers: setup
	KDG_ROUND_TRIP=$(or $(RECORDS),100000) $(BIN)/python -m pytest tests/peers tests/broker/test_round_trip.py

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
