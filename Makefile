# make demo | test | check | bench | storm | notebooks | reference     PYTHON=python3.12 make demo takes another interpreter
PYTHON ?= python3
VENV   := .venv
PY     := $(VENV)/bin/python
PIP    := $(PY) -m pip --disable-pip-version-check -q -q
LOG     = @echo "make: $(1)"

.DEFAULT_GOAL := help
.PHONY: help demo test check bench storm notebooks reference clean

help:
	@echo "make demo        real purchases into a portal in a box and back, compared to the cent (FULL=1: all of them)"
	@echo "make test        the whole test suite"
	@echo "make check       ruff, mypy --strict, import-linter"
	@echo "make bench       how fast, and how we compare"
	@echo "make storm       uploads and reads while everything breaks"
	@echo "make notebooks   execute the notebooks anew (ARGS=--check: compare them with what is kept)"
	@echo "make reference   bring docs/ up to date: docstrings, measured figures"

# The environment is made once, and again when what it is made of has changed.
$(PY):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "make: $(PYTHON) is older than 3.11; say PYTHON=python3.12 make ..." >&2; exit 1; }
	$(call LOG,making $(VENV))
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) install --upgrade 'pip>=25.1'

# Lifetimes carries the CDNOW purchase log; its code, which needs older libraries, is never imported
$(VENV)/.demo: pyproject.toml | $(PY)
	$(call LOG,installing what the demo needs)
	@$(PIP) install -e . --group demo
	@$(PIP) install --no-deps Lifetimes==0.11.3
	@touch $@

$(VENV)/.dev: pyproject.toml | $(VENV)/.demo
	$(call LOG,installing what tests and checks need)
	@$(PIP) install -e . --group dev
	@touch $@

demo: $(VENV)/.demo
	@$(PY) benchmarks/demo.py $(if $(FULL),--full)

test: $(VENV)/.dev
	@$(PY) -m pytest -n auto --maxprocesses 4 $(ARGS)

check: $(VENV)/.dev
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(VENV)/bin/lint-imports

bench: $(VENV)/.dev
	@$(PY) benchmarks/run.py $(ARGS)

storm: $(VENV)/.dev
	@$(PY) benchmarks/storm.py $(ARGS)

notebooks: $(VENV)/.dev
	@$(PY) notebooks/execute.py $(ARGS)

reference: $(VENV)/.dev
	@$(PY) docs/reference.py
	@$(PY) docs/figures.py

clean:
	rm -rf $(VENV) demo-output build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
