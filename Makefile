# Everything that a developer, a user of the demo and CI call. `make` lists it.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
# The oldest Spark that the capture works on has an environment of its own.
COMPAT_VENV := .venv-compat
COMPAT_INSTALLED := $(COMPAT_VENV)/.installed
# What builds the documentation and checks a release, apart from what is checked.
TOOLS_VENV := .venv-tools
TOOLS_INSTALLED := $(TOOLS_VENV)/.installed
# Asked only by the target that needs it.
OTHER_VENV = .venv-$(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')
PYTEST_ARGS ?= --tb=short
# Each process has a broker and a Spark of its own, some 4 GB, and waits for them most of its time; the
# tests of a module share a lake. Long modules come first, so that no process has one of them left alone.
SIDE_BY_SIDE := --numprocesses 3 --dist loadfile --no-loadscope-reorder

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: classes chromium ## Prepare this checkout: virtual environment, Java, jars, classes, Chromium

# Anew only where what is to be installed has changed.
$(INSTALLED): pyproject.toml examples/pyproject.toml constraints.txt
$(INSTALLED): PYTHONS := 3.10 or newer
$(INSTALLED): TOO_NEW := 4, 0
$(INSTALLED): WANTED := --constraint constraints.txt --editable '.[dev]' --editable ./examples
$(COMPAT_INSTALLED): pyproject.toml constraints-compat.txt
$(COMPAT_INSTALLED): PYTHONS := 3.10, 3.11 or 3.12
$(COMPAT_INSTALLED): TOO_NEW := 3, 13
# setuptools: pyspark 3.5 imports distutils, which Python 3.12 does not have any more.
$(COMPAT_INSTALLED): WANTED := --constraint constraints-compat.txt --editable '.[cli,expectations,connect]' \
  'pyspark[connect]' delta-spark setuptools hypothesis pytest
$(TOOLS_INSTALLED): constraints-tools.txt
$(TOOLS_INSTALLED): PYTHONS := 3.10 or newer
$(TOOLS_INSTALLED): TOO_NEW := 4, 0
$(TOOLS_INSTALLED): WANTED := --constraint constraints-tools.txt \
  zensical mkdocstrings-python build twine cyclonedx-bom pre-commit pytest
# Otherwise pip compresses pyspark's jars to a wheel, which it unpacks at once, and compiles each of eight
# thousand modules, of which Python compiles what it imports. An older pip does not know the setting,
# and takes no notice of it.
$(INSTALLED) $(COMPAT_INSTALLED) $(TOOLS_INSTALLED): export PIP_CONFIG_SETTINGS := --build-option=--compression=stored
$(INSTALLED) $(COMPAT_INSTALLED) $(TOOLS_INSTALLED):
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < ($(TOO_NEW)))' 2>/dev/null || { \
	  found=$$($(PYTHON) --version 2>/dev/null) || found="not there"; \
	  echo "error: Python $(PYTHONS) is needed, and \`$(PYTHON)\` is $$found: call make PYTHON=<another>" >&2; exit 1; }
	@echo "Installing into $(@D)"
	@$(PYTHON) -m venv $(@D) || { \
	  echo "error: \`$(PYTHON) -m venv\` failed: on Debian or Ubuntu, apt-get install python3-venv" >&2; exit 1; }
	@$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --use-pep517 --no-compile $(WANTED)
	@touch $@

.PHONY: java
java:
	@.ci/require-java

# After Java, for of two apt-get at a time one fails.
.PHONY: chromium
chromium: java
	@.ci/require-chromium

# Returns at once where this machine has them.
.PHONY: jars
jars: java $(INSTALLED)
	@$(BIN)/python -m conformare_sink.spark.jars

# Without it, all works and every Spark takes some seconds longer to start.
.PHONY: classes
classes: jars
	@$(BIN)/python -m conformare_sink.spark.class_archive || echo "going on without an archive of classes" >&2

.PHONY: demo
demo: jars ## Run the main job on this machine: pipeline, Kafka, sink, tables
	@$(BIN)/conformare demo

# Two at a time, for what sets up a new checkout is busy on one core, or waits for what it fetches.
.PHONY: test
test: ## Lint, check types and run the tests, but for the long ones
	@$(MAKE) --no-print-directory --jobs 2 setup lint typecheck
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) -m 'not long' $(PYTEST_ARGS) --ignore tests/integration/clusters \
	  --ignore tests/integration/image tests/integration tests/unit

.PHONY: test-long
test-long: setup ## Run the long tests, such as heavy batches, altered tables, exports and a registry
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) -m long $(PYTEST_ARGS) tests/integration

# Part of test-long; a registry of 109 MB is fetched once.
.PHONY: test-registry
test-registry: setup ## Let a real Schema Registry be killed, hang, be slow, refuse and be full of others
	$(BIN)/python -m pytest $(PYTEST_ARGS) tests/integration/registry

# Several brokers, every way to log in, every right taken away: see docs/operation/topics.md. KAFKA=4.4.0 for another release.
.PHONY: test-kafka
test-kafka: setup ## Run a cluster of three, log in every way, renew passwords: five minutes
	$(if $(KAFKA),CONFORMARE_TEST_KAFKA=$(KAFKA)) $(BIN)/python -m pytest $(PYTEST_ARGS) tests/integration/clusters

.PHONY: test-brokers
test-brokers: setup ## The same on the oldest and the newest Kafka that is tested: ten minutes
	for release in $$(PYTHONPATH=tests $(BIN)/python -m support.kafka.versions); do \
	  CONFORMARE_TEST_KAFKA=$$release $(BIN)/python -m pytest $(PYTEST_ARGS) tests/integration/clusters; done

.PHONY: image-tools
image-tools:
	@.ci/require-image-tools

# Layers are kept in the cache of jars, in test-image: to make all of them anew, delete that folder.
.PHONY: test-image
test-image: setup image-tools ## Build the image without Docker, as root, and run it confined: ten minutes
	$(BIN)/python -m pytest $(PYTEST_ARGS) tests/integration/image

# Not the contract, the writers or the sink: none of them depends on the Spark of the job.
.PHONY: test-compat
test-compat: java $(COMPAT_INSTALLED) ## Run the tests of the capture on Spark 3.5
	$(COMPAT_VENV)/bin/python -m pytest $(PYTEST_ARGS) tests/unit/capture tests/unit/record tests/integration/capture

# Some minutes, most of which pip needs to build pyspark.
.PHONY: test-python
test-python: java ## Run the unit tests and a short integration set on another Python, such as PYTHON=python3.13
	$(MAKE) VENV=$(OTHER_VENV) classes
	$(OTHER_VENV)/bin/python -m pytest $(PYTEST_ARGS) --numprocesses 2 --dist loadfile tests/unit \
	  tests/integration/test_seed_page.py tests/integration/capture/test_steps.py tests/integration/emission/test_skip.py

.PHONY: docs
docs: $(TOOLS_INSTALLED) ## Build the documentation into dist/docs; a broken link fails
	$(TOOLS_VENV)/bin/zensical build --strict --clean
	@.ci/own-scripts dist/docs
	@rm -rf .cache

# With an empty folder as HOME, as on a machine that has seen nothing of this.
.PHONY: release-check
release-check: java $(TOOLS_INSTALLED) ## Build wheel and sdist, install each extra apart, run demo and quick start from there
	$(TOOLS_VENV)/bin/python -m pytest $(PYTEST_ARGS) --confcutdir tests/release tests/release

.PHONY: sbom
sbom: java $(TOOLS_INSTALLED) ## List every library, script and jar of a release in dist/sbom.json (CycloneDX)
	PYTHONPATH=tests $(TOOLS_VENV)/bin/python -m release.sbom --constraint constraints.txt --output dist/sbom.json

.PHONY: jar-digests
jar-digests: java $(INSTALLED) ## Fetch all jars anew and write the digests that they are held to
	PYTHONPATH=tests $(BIN)/python -m support.jobs.jar_digests

# Each has an environment of its own, for they do not fit together.
RECIPES := airflow dagster dbt
WANTED_airflow := 'apache-airflow>=3.1,<4'
WANTED_dagster := 'dagster>=1.12,<2' 'dagster-pipes>=1.12,<2'
WANTED_dbt := 'dbt-core>=1.10,<1.11' 'dbt-duckdb>=1.10,<1.11'
RECIPES_INSTALLED := $(RECIPES:%=.venv-%/.installed)
$(RECIPES_INSTALLED): .venv-%/.installed: pyproject.toml
	@echo "Installing into $(@D)"
	@$(PYTHON) -m venv $(@D)
	@$(@D)/bin/python -m pip install --quiet --disable-pip-version-check $(WANTED_$*) --editable .
	@touch $@

.PHONY: test-recipes
test-recipes: setup $(RECIPES_INSTALLED) ## Run the recipes of Airflow, Dagster, dbt and spark-submit: two minutes, once installed
	RECIPES_ENVIRONMENTS=$(CURDIR) $(BIN)/python -m pytest $(PYTEST_ARGS) tests/integration/recipes

# OPENLINEAGE=../OpenLineage for a checkout of the specification's repository.
.PHONY: test-openlineage
test-openlineage: setup ## Check exported events against the schemas of a checkout of OpenLineage: a minute
	$(if $(OPENLINEAGE),,$(error say where a checkout of OpenLineage is: OPENLINEAGE=../OpenLineage))
	OPENLINEAGE_CHECKOUT=$(OPENLINEAGE) $(BIN)/python -m pytest $(PYTEST_ARGS) tests/integration/openlineage

# MARQUEZ=../marquez for a checkout. It needs Maven, a JDK and Postgres (Debian: maven, openjdk-17-jdk-headless, postgresql).
.PHONY: test-marquez
test-marquez: setup ## Export runs to a real Marquez and ask what it shows: 75 seconds, and as much once to build it
	$(if $(MARQUEZ),,$(error say where a checkout of Marquez is: MARQUEZ=../marquez))
	MARQUEZ_CHECKOUT=$(MARQUEZ) $(BIN)/python -m pytest $(PYTEST_ARGS) tests/integration/marquez

# FAULTS_ARGS="--store s3 --kills 20 --series 1" for lakes in MinIO, which needs Go once; "--engine executors"
# for batches that executors process.
.PHONY: faults
faults: setup ## Kill the sink and the broker at random instants, a hundred times, and compare: twenty minutes or more
	PYTHONPATH=tests $(BIN)/python -m faults $(FAULTS_ARGS)

.PHONY: bench
bench: bench-capture bench-emit bench-sink bench-fleet ## Measure what docs/ states: minutes, on a machine that does nothing else

.PHONY: bench-capture
bench-capture: setup ## Measure what tracking costs
	$(BIN)/python bench/capture.py

.PHONY: bench-emit
bench-emit: setup ## Measure what emitting a run costs
	$(BIN)/python -m bench.emit

# PARTS="freshness s3" for some parts; BESIDE=../another-checkout to measure its sink in the same run.
.PHONY: bench-sink
bench-sink: setup ## Measure how fast the sink is; the part s3 needs Go, once
	PYTHONPATH=tests $(BIN)/python -m bench.sink $(if $(BESIDE),--beside $(BESIDE)) $(PARTS)

# PARTS="executors" for some parts.
.PHONY: bench-cluster
bench-cluster: setup ## Measure what a cluster's executors and more cores are worth to the sink
	PYTHONPATH=tests $(BIN)/python -m bench.cluster $(PARTS)

# PARTS="questions --lake /a/lake" keeps the lake, --beside leaves out Spark and the obvious SQL.
.PHONY: bench-fleet
bench-fleet: setup ## Measure how fast the fleet answers over a million runs
	PYTHONPATH=tests $(BIN)/python -m bench.fleet $(PARTS)

.PHONY: capture-table
capture-table: $(INSTALLED) ## Write the tables of docs/reference/ that tell of the capture anew
	PYTHONPATH=tests $(BIN)/python -m support.jobs.capture_table
	PYTHONPATH=tests $(BIN)/python -m support.jobs.location_forms

.PHONY: reference
reference: $(INSTALLED) ## Write the pages of docs/reference/ that are made from the code anew
	PYTHONPATH=tests $(BIN)/python -m support.reference

.PHONY: screenshots
screenshots: chromium $(INSTALLED) ## Take the pictures of the page in docs/pictures anew
	PYTHONPATH=tests $(BIN)/python -m support.fleet.pictures

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
	rm -rf $(VENV) $(COMPAT_VENV) $(TOOLS_VENV) $(RECIPES:%=.venv-%) .venv-3.* .cache dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage spark-warehouse metastore_db derby.log
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
