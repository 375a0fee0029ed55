# `make demo` and `make test` need Python 3.11 and nothing else; each makes its environment first.
PYTHON ?= python3.11
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: demo test check unit trust clean help

help:  ## say what there is
	@grep -E '^[a-z]+:.*##' Makefile | sed 's/:.*##/:/'

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { echo "error: $(PYTHON) is not on the PATH; run make PYTHON=<python 3.11 or newer>"; exit 2; }
	$(PYTHON) -m venv $(VENV)

# torch first and pinned: left to others' ranges, pip may bring several GB of GPU packages.
$(VENV)/.user: $(BIN)/python pyproject.toml constraints.txt
	$(PIP) torch==$(shell sed -n 's/^torch==//p' constraints.txt)
	$(PIP) -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.user
	$(PIP) -e '.[dev]'
	@touch $@

demo: $(VENV)/.user  ## fine-tune MiniLM on Reuters R8 and score it
	$(BIN)/headway train experiment=demo

test: $(VENV)/.dev check unit  ## every check and every test

check: $(VENV)/.dev  ## formatting, lint, types, who imports whom
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

unit: $(VENV)/.dev
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile

# What it compares with needs the extra `bench`.
trust: $(VENV)/.dev  ## kill, fill, corrupt and attack it, count what holds, and write experiments/results/trust.md
	$(PIP) -e '.[bench]'
	$(BIN)/python experiments/benchmarks/trust.py

clean:  ## remove the environment and what tools left
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
