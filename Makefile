# The targets that people and CI use.  Everything is made from a clean clone with Python and an
# index; nothing is installed outside of this directory (but qemu-img, where apt and root are).
PYTHON := $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help needs venv clouds lint types layers unit soak e2e test bench demo dist down clean

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

clouds: needs $(READY)  ## start the two test clouds
	$(BIN)/python -m tests.devcloud up

lint: $(READY)  ## ruff
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)  ## mypy, strict
	$(BIN)/mypy

layers: $(READY)  ## the rules of who may import whom
	$(BIN)/lint-imports

unit: $(READY)  ## fast tests; no cloud
	$(BIN)/pytest -q --ignore=tests/e2e

soak: $(READY)  ## ten thousand damaged bundles, ten times the examples: minutes
	$(BIN)/pytest -q tests/soak tests/property --hypothesis-profile=soak

e2e: needs $(READY)  ## from one real cloud to another
	$(BIN)/pytest -q tests/e2e

test: needs lint types layers unit e2e  ## everything

bench: $(READY)  ## measure it against doing it by hand, into docs/ (QUICK=1: small; LONG=1: what takes long)
	$(BIN)/python -m tests.bench $(if $(QUICK),--quick) $(if $(LONG),--long)

demo: needs $(READY)  ## move a small tenant between two clouds (KEEP=1 leaves them up)
	$(BIN)/python -m tests.demo $(if $(KEEP),--keep)

dist: $(READY)  ## the wheel and the sdist, into dist/
	rm -rf build dist *.egg-info
	$(BIN)/python -m build

down: $(READY)  ## stop the test clouds
	$(BIN)/python -m tests.devcloud down

clean: $(READY)  ## stop the test clouds and remove everything that was made here
	$(BIN)/python -m tests.devcloud down --wipe
	rm -rf .devcloud .demo $(VENV) build dist *.egg-info
