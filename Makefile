# make setup | demo | check | test | bench | bench-columns | bench-instructions | bench-view | bench-kafka | drains |
#      kafka | erp | test-erp | simulate | chaos | lint | format | lock | clean
# Overridable: VENV (where the environment lives), PYTHON (which interpreter makes it), PARALLEL (how pytest spreads the
# tests; empty for one process), ARGS (passed on by demo, check, test, bench, bench-columns, bench-instructions,
# bench-view, bench-kafka, drains, test-erp, simulate and chaos).

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:

VENV ?= .venv
PYTHON ?=
ARGS ?=
# More processes than two cores: many tests wait, for a broker or for a worker that was killed. A file stays in one of them.
PARALLEL ?= --numprocesses 3 --dist loadfile --no-loadscope-reorder

BIN := $(VENV)/bin
STAMP := $(VENV)/.stockline-installed
LOCK_OPTIONS := --universal --python-version 3.11 --generate-hashes --custom-compile-command 'make lock' --quiet
SUPPORTED := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))
# One that was built with PGO and LTO is a tenth faster; of one version it is preferred to another on the PATH.
OPTIMISED := import sys, sysconfig, venv, ensurepip; built = sysconfig.get_config_var("CONFIG_ARGS") or ""; \
  sys.exit(sys.version_info < (3, 11) or not ("--enable-optimizations" in built or "--with-lto" in built))

# Where an image forbids it every process that the tests start would compile the engine anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo check test mutants bench bench-columns bench-instructions bench-view bench-kafka attack fuzz-api drains kafka erp test-erp simulate chaos lint format lock clean

help:
	@echo 'make setup    the environment in $(VENV), from requirements.lock'
	@echo 'make demo     the main job on real data, with the live view'
	@echo 'make check    lint, types, and the tests that need no process but their own: about two minutes on two cores'
	@echo 'make test     lint, types and all tests, real parts included: about 20 minutes on two cores'
	@echo 'make bench    the benchmarks of the embedded engine; make bench-kafka those on a real Kafka'
	@echo 'make bench-columns   the read model in columns: questions over a million rows, and what feeding it costs an event'
	@echo 'make bench-instructions   machine instructions per event of the pure step, counted by callgrind'
	@echo 'make fuzz-api about 2,000 calls that schemathesis makes from the OpenAPI document'
	@echo 'make bench-view   the grid in a real Chromium at 2,000 and 10,000 changes a second, and what a page costs the engine'
	@echo 'make attack   what an attacker would send, at n and 10 n events: time, memory, disk'
	@echo 'make drains   one log on a real Kafka folded fifty times, workers coming and going: does any drain stand still?'
	@echo 'make kafka    a Kafka on 127.0.0.1:9092 to play with, until interrupted'
	@echo 'make test-erp the tests of the ERP connector, also on Tryton 7.0 and on PostgreSQL'
	@echo 'make erp      a Tryton with demo data, an engine and the connector between them to play with, until interrupted'
	@echo 'make chaos    workers and broker killed, frozen, cut off and damaged under load, against an oracle'
	@echo 'make simulate thousands of simulated clusters and worlds, over twenty times those of make test'
	@echo 'make mutants  small changes of agents and engine/core, one at a time: which does no rule of tests/unit/rules notice?'
	@echo 'make lint     lint and types only'
	@echo 'make format   rewrite the sources in the house format'
	@echo 'make lock     pin the dependencies of pyproject.toml anew'
	@echo 'make clean    remove the environment and all caches'

setup: $(STAMP)

# The lock pins the build back end as well, so nothing is fetched for the editable install that the lock has not checked.
$(STAMP): requirements.lock pyproject.toml engine/__init__.py
	@if ! $(BIN)/python -m pip --version >/dev/null 2>&1; then \
	  python=; \
	  for name in $(if $(PYTHON),'$(PYTHON)',python3.11 python3.12 python3.13 python3); do \
	    for wanted in '$(OPTIMISED)' '$(SUPPORTED)'; do \
	      while IFS= read -r candidate; do \
	        if "$$candidate" -c "$$wanted" >/dev/null 2>&1; then python="$$candidate"; break 3; fi; \
	      done < <(type -ap "$$name"); \
	    done; \
	  done; \
	  if [ -z "$$python" ]; then \
	    echo 'Stockline needs Python 3.11 or newer with its venv and ensurepip modules; none of $(or $(PYTHON),python3.11 python3.12 python3.13 python3) is one. Name one: make setup PYTHON=/path/to/python3.11' >&2; \
	    exit 2; \
	  fi; \
	  echo "setup: creating $(VENV) with $$("$$python" --version)"; \
	  "$$python" -m venv '$(VENV)'; \
	fi
	@$(BIN)/python -c '$(SUPPORTED)' || { echo '$(VENV) holds a Python older than 3.11: remove it or set VENV' >&2; exit 2; }
	@echo 'setup: installing the locked distributions into $(VENV)'
	@# What is imported is compiled then; to compile all of it now would take as long as to install it.
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: setup
	@$(BIN)/stockline demo $(ARGS)

# Lint and types run beside the tests, so that one failed run tells everything; pytest has the last line.
test: setup
	@$(BIN)/python -m pytest -p tests.checks $(PARALLEL) $(ARGS)

check: setup
	@$(BIN)/python -m pytest -p tests.checks $(PARALLEL) -m "not slow" tests/unit tests/property tests/golden $(ARGS)

bench: setup
	@$(BIN)/python -m benchmarks $(ARGS)

bench-columns: setup
	@$(BIN)/python -m benchmarks.columns $(ARGS)

bench-instructions: setup
	@$(BIN)/python -m benchmarks.instructions $(ARGS)

bench-view: setup
	@$(BIN)/python -m benchmarks.view $(ARGS)

bench-kafka: setup
	@$(BIN)/python -m benchmarks.cluster $(ARGS)

fuzz-api: setup
	@$(BIN)/python -m tests.fuzz $(ARGS)

attack: setup
	@$(BIN)/python -m benchmarks.attack $(ARGS)

drains: setup
	@$(BIN)/python -m benchmarks.cluster.drains $(ARGS)

kafka: setup
	@$(BIN)/python -m tests.real.kafka

erp: setup
	@$(BIN)/python -m tests.real.erp

# make test runs those of the current series on SQLite; here also 7.0, and PostgreSQL below it.
test-erp: setup
	@STOCKLINE_ERP=all $(BIN)/python -m pytest tests/integration/test_tryton*.py $(ARGS)

# Over twenty times the clusters of `make test`, which runs the first of the same seeds, and twenty times its worlds.
simulate: setup
	@STOCKLINE_SEEDS=$${STOCKLINE_SEEDS:-10000} STOCKLINE_SIMULATION_SEEDS=$${STOCKLINE_SIMULATION_SEEDS:-1500} \
	$(BIN)/python -m pytest --numprocesses 2 --dist worksteal tests/simulation $(ARGS)

chaos: setup
	@$(BIN)/python -m tests.chaos $(ARGS)

# ARGS: parts of module names, --sample, --seed, --seconds, --json.
mutants: setup
	@$(BIN)/python -m tests.mutation $(ARGS)

lint: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: setup
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

# Valid for every supported Python and platform; versions move only where pyproject.toml asks, or with ARGS=--upgrade.
# The lock of the container holds what runs, in the versions of the full lock, and the back end that builds it.
lock: setup
	@$(BIN)/uv pip compile pyproject.toml --all-extras $(LOCK_OPTIONS) --output-file requirements.lock $(ARGS)
	@$(BIN)/uv pip compile pyproject.toml --extra build --constraint requirements.lock --no-annotate $(LOCK_OPTIONS) \
	  --output-file requirements-runtime.lock --upgrade

clean:
	rm -rf '$(VENV)' .cache build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
