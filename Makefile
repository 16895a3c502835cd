# make demo | test | check | bench | storm | notebooks | reference     PYTHON=python3.12 make demo takes another interpreter
PYTHON ?= python3
VENV   := .venv
PY     := $(VENV)/bin/python
# a Python that was named has to be the environment's; the default one only makes it where there is none
READY   = @$(PYTHON) .ci/environment.py $(if $(filter default file,$(origin PYTHON)),,--exactly)

.DEFAULT_GOAL := help
.PHONY: help demo test test-slow check bench storm notebooks reference clean

help:
	@echo "make demo        real purchases into a portal in a box and back, compared to the cent (FULL=1: all of them)"
	@echo "make test        the whole test suite"
	@echo "make test-slow   the tests that take long"
	@echo "make check       ruff, mypy --strict, import-linter"
	@echo "make bench       how fast, and how we compare"
	@echo "make storm       uploads and reads while everything breaks"
	@echo "make notebooks   execute the notebooks anew (ARGS=--check: compare them with what is kept)"
	@echo "make reference   bring docs/ up to date: docstrings, measured figures"

# Every target makes or mends its environment first, in whatever state it finds it.
.PHONY: ready-demo ready-dev
ready-demo:
	$(READY) demo

ready-dev:
	$(READY) dev demo

demo: ready-demo
	@$(PY) benchmarks/demo.py $(if $(FULL),--full)

test: ready-dev
	@$(PY) -m pytest -n auto --maxprocesses 4 $(ARGS)

test-slow: ready-dev
	@$(PY) -m pytest -n auto --maxprocesses 4 -m slow $(ARGS)

check: ready-dev
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(VENV)/bin/lint-imports

bench: ready-dev
	@$(PY) benchmarks/run.py $(ARGS)

storm: ready-dev
	@$(PY) benchmarks/storm.py $(ARGS)
	@$(PY) benchmarks/quirk_storm.py

notebooks: ready-dev
	@$(PY) notebooks/execute.py $(ARGS)

reference: ready-dev
	@$(PY) docs/reference.py
	@$(PY) docs/figures.py

clean:
	rm -rf $(VENV) demo-output build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
