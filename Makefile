# Everything that a developer, a user of the demo and CI call. `make` lists it.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
PYTEST_ARGS ?= --tb=short

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: jars ## Prepare this checkout: virtual environment, Java, jars

# Anew only where what is to be installed has changed.
$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null || { \
	  found=$$($(PYTHON) --version 2>/dev/null) || found="not there"; \
	  echo "error: Python 3.10 or newer is needed, and \`$(PYTHON)\` is $$found: call make PYTHON=<another>" >&2; exit 1; }
	@echo "Installing into $(VENV)"
	@$(PYTHON) -m venv $(VENV) || { \
	  echo "error: \`$(PYTHON) -m venv\` failed: on Debian or Ubuntu, apt-get install python3-venv" >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --use-pep517 --constraint constraints.txt --editable '.[dev]'
	@touch $@

.PHONY: java
java:
	@.ci/require-java

# Returns at once where this machine has them.
.PHONY: jars
jars: java $(INSTALLED)
	@$(BIN)/python -m conformare_sink.jars

.PHONY: demo
demo: setup ## Run the main job on this machine: pipeline, Kafka, sink, tables
	@$(BIN)/conformare demo

.PHONY: test
test: setup lint typecheck ## Lint, check types and run all tests
	$(BIN)/python -m pytest $(PYTEST_ARGS) tests/unit tests/integration

.PHONY: lint
lint: $(INSTALLED) ## Check style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

.PHONY: format
format: $(INSTALLED) ## Format, and repair what can be repaired
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: typecheck
typecheck: $(INSTALLED) ## Check types, tests included
	$(BIN)/mypy

.PHONY: compose-check
compose-check: ## Validate docker-compose.yml (needs no Docker engine)
	docker-compose --file docker-compose.yml config --quiet

.PHONY: clean
clean: ## Remove what was built here; the jars of the machine stay
	rm -rf $(VENV) dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage spark-warehouse metastore_db derby.log
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
