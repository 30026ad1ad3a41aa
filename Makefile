# Everything that `make` needs it brings itself; a Python 3.11 or newer must be there.
.DEFAULT_GOAL := help
.PHONY: help install install-dev lock lint test fuzz demo tour bench clean
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
# The stamps carry the locks' time: a second run does nothing.
RUN_STAMP := $(VENV)/.installed
DEV_STAMP := $(VENV)/.installed-dev
LOCK := --universal --generate-hashes --no-header
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(BIN)/python:
	@for candidate in $(PYTHON) python3.13 python3.12 python3.11 python3 /usr/bin/python3; do \
		$$candidate -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
		$$candidate -c 'import ensurepip, venv' 2>/dev/null || { without="$$candidate"; continue; }; \
		echo "environment: $$($$candidate --version) in $(VENV)"; \
		exec $$candidate -m venv $(VENV); \
	done; \
	if [ -n "$$without" ]; then \
		echo "$$without has no venv module. On Debian and Ubuntu: apt-get install python3-venv" >&2; \
	else \
		echo "mandant needs Python 3.11 or newer; none found. Name one: make PYTHON=/path/to/python3" >&2; \
	fi; exit 1

$(RUN_STAMP): requirements.txt pyproject.toml | $(BIN)/python
	@echo "installing what requirements.txt pins: about half a minute ..."
	@$(PIP) install --quiet --quiet --require-hashes --requirement requirements.txt
	@$(PIP) install --quiet --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV_STAMP): requirements-dev.txt $(RUN_STAMP)
	@echo "installing what requirements-dev.txt pins: about a minute ..."
	@$(PIP) install --quiet --quiet --require-hashes --requirement requirements-dev.txt
	@touch $@

install: $(RUN_STAMP) ;@: ## the environment that runs mandant
install-dev: $(DEV_STAMP) ;@: ## the same, and what tests and checks it

lock: ## both locks anew from pyproject.toml (needs uv)
	uv pip compile --quiet --upgrade $(LOCK) --group build pyproject.toml -o requirements.txt
	uv pip compile --quiet --upgrade $(LOCK) --group build --group dev --extra otel -c requirements.txt pyproject.toml -o requirements-dev.txt

lint: $(DEV_STAMP) ## ruff, mypy --strict, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: lint ## lint, then every test
	$(BIN)/python -m pytest

fuzz: $(DEV_STAMP) ## schemathesis for longer: make fuzz FUZZ_EXAMPLES=200
	FUZZ_EXAMPLES=$(or $(FUZZ_EXAMPLES),100) $(BIN)/python -m pytest -q tests/service/api/test_schemathesis.py

demo: $(RUN_STAMP) ## two companies with their customers, served on this machine
	@$(BIN)/mandant demo

tour: $(RUN_STAMP) ## the same without a person; proves each step
	@$(BIN)/mandant tour

bench: $(DEV_STAMP) ## the figures of docs/BENCHMARKS.md, measured here
	$(BIN)/python -m tests.benchmarks

clean: ## removes the environment and caches; var/ with its data stays
	rm -rf $(VENV) dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
