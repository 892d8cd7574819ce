# Needs python3 (3.11 or later) with venv, and make. Everything else is fetched, by hash, into .venv and node_modules.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
# Compiled once instead of in every process: an import takes a third of the time.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= $(or $(shell command -v python3.11),python3)
PORT ?= 8000
DATA ?= var/demo
RESET ?=
SCALE ?= 10k
PROVE ?= full
WORKERS ?= $(shell $(PYTHON) -c 'import os; print(min(os.cpu_count() or 1, 4))')
TESTS ?=

BIN := .venv/bin
FRONTEND := msp/web/frontend
VENDOR := msp/static/vendor/manifest.json
CATALOGUES := $(patsubst %.po,%.mo,$(wildcard msp/translations/*/LC_MESSAGES/*.po))
PYTEST := $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile

.PHONY: help demo test check prove bench agent lock clean
.PHONY: setup-demo setup-dev

help:
	@echo 'make demo     run the whole portal on embedded services   (PORT=8000 DATA=var/demo RESET=1)'
	@echo 'make test     run the tests, those with a browser where a Chromium is found   (TESTS=tests/…)'
	@echo 'make check    format, lint, types, import contracts, then the tests'
	@echo 'make prove    the long proofs with their figures and seeds   (PROVE=full|slice)'
	@echo 'make bench    the benchmarks as a table   (SCALE=10k|100k|1m)'
	@echo 'make agent    the reference agent as one file, var/msp-agent.pyz'
	@echo 'make lock     resolve the dependencies anew'

demo: export PORT := $(PORT)
demo: export DATA := $(DATA)
demo: export RESET := $(RESET)
demo: setup-demo
	@exec $(BIN)/python -m msp.demo

test: setup-dev
	$(PYTEST) $(TESTS)

check: setup-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(MAKE) --no-print-directory test

# pytest ends with 5 when it was asked for tests that do not exist yet.
prove: export PROVE := $(PROVE)
prove: setup-dev
	$(PYTEST) -m prove -rP $(TESTS) || [ $$? -eq 5 ]

bench: export SCALE := $(SCALE)
bench: setup-dev
	@exec $(BIN)/python -m tests.benchmarks

agent:
	@mkdir -p var
	$(PYTHON) -m msp.agent.zipped var/msp-agent.pyz

# All together first, so that no version differs between the three.
LOCK = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate
lock: .venv/.installer-ok
	$(LOCK) --group installer -o requirements-installer.txt
	$(LOCK) pyproject.toml --all-extras -o requirements-dev.txt
	$(LOCK) pyproject.toml --extra embedded -c requirements-dev.txt -o requirements-demo.txt
	$(LOCK) pyproject.toml -c requirements-dev.txt -o requirements.txt

clean:
	rm -rf .venv $(FRONTEND)/node_modules $(dir $(VENDOR)) $(CATALOGUES)

setup-demo: .venv/.demo-ok $(VENDOR) $(CATALOGUES)
setup-dev: .venv/.dev-ok $(VENDOR) $(CATALOGUES)

$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed")'
	$(PYTHON) -m venv .venv

PIP = $(BIN)/pip install --quiet --disable-pip-version-check --no-compile --require-hashes --only-binary :all:
UV = $(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --only-binary :all:

.venv/.installer-ok: requirements-installer.txt | $(BIN)/pip
	$(PIP) -r $<
	@touch $@

# The machine's pip may be set up for a place that uv knows nothing of: then pip does it, in a minute or two.
define install
	@[ -e .venv/.installer-ok ] || $(MAKE) --no-print-directory .venv/.installer-ok || echo 'uv is not to be had'
	$(UV) -r $(1) || $(PIP) -r $(1)
endef

.venv/.demo-ok: requirements-demo.txt | $(BIN)/pip
	$(call install,$<)
	@touch $@

# Everything includes what the demo needs, so the demo does not install again.
.venv/.dev-ok: requirements-dev.txt requirements-demo.txt | $(BIN)/pip
	$(call install,$<)
	@touch .venv/.demo-ok $@

$(VENDOR): $(addprefix $(FRONTEND)/,package.json package-lock.json icons.txt build.py) | .venv/.demo-ok
	$(BIN)/python -m msp.web.frontend
	@touch $@

%.mo: %.po | .venv/.demo-ok
	$(BIN)/pybabel --quiet compile --input-file $< --output-file $@ --locale $(notdir $(patsubst %/LC_MESSAGES/,%,$(dir $@)))
