# The targets that people and CI use.  Everything is made from a clean clone with Python and an
# index; nothing is installed outside of this directory (but qemu-img, where apt and root are).
PYTHON := $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# So many processes run tests side by side.
PROCESSES ?= 2

# Of every file that is not Python: what Ansible itself will run.
PLAYBOOK := bundle_spec/playbook/v2
COLLECTIONS := downpour_import/collection

.DEFAULT_GOAL := help
.PHONY: help needs venv hooks clouds format lint style layers types playbook docs unit cover matrix \
	soak damage kills fuzz faults e2e test bench demo manual dist down clean

help:  ## show this
	@grep -hE '^[a-z0-9]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

venv: $(READY)  ## make .venv with downpour and the developers' tools

$(READY): pyproject.toml requirements/dev.txt
	@test -n "$(PYTHON)" || { echo "downpour needs Python 3.11 or later" >&2; exit 1; }
	@echo "making $(VENV), with downpour and the developers' tools: a minute or two, once"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --constraint requirements/dev.txt \
		--editable '.[dev,bench]'
	@touch $@

needs:  # what the test clouds need is told before anything is installed
	@test -n "$(PYTHON)" || { echo "downpour needs Python 3.11 or later" >&2; exit 1; }
	@$(PYTHON) -m tests.devcloud needs

hooks: $(READY)  ## have git try the quick part of lint before each commit
	$(BIN)/pre-commit install

clouds: needs $(READY)  ## start the two test clouds
	$(BIN)/python -m tests.devcloud up

format: $(READY)  ## put the code into its form, and mend what can be mended
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lint: style layers types playbook docs  ## whatever can be told without running it

style: $(READY)  ## ruff
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

layers: $(READY)  ## the rules of who may import whom
	$(BIN)/lint-imports

types: $(READY)  ## mypy, strict
	$(BIN)/mypy

playbook: $(READY)  ## ansible-lint, as for production
	PATH="$(CURDIR)/$(BIN):$$PATH" ANSIBLE_COLLECTIONS_PATH=$(COLLECTIONS) ansible-lint --offline \
		-q --profile production $(PLAYBOOK)/site.yml $(PLAYBOOK)/tasks $(COLLECTIONS)

docs: $(READY)  ## the site, without a dead link
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict

unit: $(READY)  ## fast tests; no cloud
	$(BIN)/pytest -q --numprocesses $(PROCESSES) --ignore=tests/e2e

cover: $(READY)  ## the same, and how much of the code they go through
	$(BIN)/pytest -q --numprocesses $(PROCESSES) --ignore=tests/e2e --cov --cov-report=
	$(BIN)/coverage report
	$(BIN)/python -m tests.cover

matrix: $(READY)  ## under each Python from 3.11 on that is here, and old and new ansible-core
	$(BIN)/nox

# ``make soak SOAK_RUNS=200 SOAK_SEED=7``: so many tenants of each kind.  Without SOAK_RUNS as many as
# SOAK_SECONDS allow.  SOAK_ENGINES: kinds, walk, ansible, real.
SOAK_ENGINES ?= kinds walk ansible real
SOAK_SECONDS ?= 400
SOAK := $(BIN)/python -m tests.soak $(if $(SOAK_RUNS),--runs $(SOAK_RUNS)) \
	$(if $(SOAK_SEED),--seed $(SOAK_SEED)) --seconds $(SOAK_SECONDS)

soak: export FUZZ_SECONDS ?= 20
soak: $(READY) damage kills fuzz  ## damaged bundles, power cuts, kills, ten times the examples, a fuzzer, the benchmarks: long

damage: $(READY)  ## ten thousand damaged bundles, ten times the examples, power cuts, media, the benchmarks
	$(BIN)/pytest -q tests/soak/damage tests/bench tests/property --hypothesis-profile=soak
	CRASH_STATES=$(or $(CRASH_STATES),2000) $(BIN)/pytest -q --numprocesses $(PROCESSES) tests/crash tests/media

kills: needs $(READY)  ## kill every command at random moments, SOAK_RUNS=N SOAK_SEED=N, and compare
	$(SOAK) $(addprefix --engine ,$(SOAK_ENGINES))

fuzz: $(READY)  ## a coverage-guided fuzzer on every reader of foreign bytes, FUZZ_SECONDS (60) each
	$(BIN)/python -m tests.fuzz

faults: needs $(READY)  ## each class of faults between two clouds, then all mixed: hours (tests/faults/README.md)
	$(BIN)/python -m tests.faults

e2e: needs $(READY)  ## from one real cloud to another, twice side by side (PROCESSES=1: one after the other)
	$(BIN)/pytest -q --numprocesses $(PROCESSES) --dist loadfile --no-loadscope-reorder tests/e2e

test: needs lint cover matrix e2e  ## everything

bench: $(READY)  ## measure it against doing it by hand, into docs/ (QUICK=1: small; LONG=1: what takes long)
	$(BIN)/python -m tests.bench $(if $(QUICK),--quick) $(if $(LONG),--long)

manual: $(READY)  ## write man pages, completion and docs/reference/commands.md from the help texts
	$(BIN)/python -m manual

demo: needs $(READY)  ## move a small tenant between two clouds (KEEP=1 leaves them up)
	$(BIN)/python -m tests.demo $(if $(KEEP),--keep)

dist: $(READY)  ## the wheel and the sdist, into dist/
	rm -rf build dist *.egg-info
	$(BIN)/python -m build

down: $(READY)  ## stop the test clouds
	$(BIN)/python -m tests.devcloud down

clean: $(READY)  ## stop the test clouds; remove them, .venv, the demo and what was built
	$(BIN)/python -m tests.devcloud down --wipe
	rm -rf .devcloud .demo .nox .coverage site $(VENV) build dist *.egg-info
