# `make` lists the targets. PYTHON=python3.12 make demo uses another interpreter.
PYTHON ?= python3
VENV   := .venv
PY     := $(VENV)/bin/python
# A Python named on the command line must be the environment's; the default one is used only to create it.
READY   = @$(PYTHON) .ci/environment.py $(if $(filter default file,$(origin PYTHON)),,--exactly)

.DEFAULT_GOAL := help
.PHONY: help demo test test-slow check matrix bench seconds storm notebooks reference docs clean

help:
	@echo "make demo        upload real purchases to a sandbox portal, read them back, compare to the cent (FULL=1: all)"
	@echo "make test        run the fast tests (ARGS goes to pytest)"
	@echo "make test-slow   run the slow tests"
	@echo "make check       run ruff, mypy --strict, pyright and import-linter"
	@echo "make matrix      run the fast tests on every Python found and with the oldest dependencies (ARGS=--help)"
	@echo "make bench       measure speed, and compare with other clients"
	@echo "make seconds     measure reads against the optimum under the limit of operating time (virtual time)"
	@echo "make storm       upload and read under random faults"
	@echo "make notebooks   execute the notebooks (ARGS=--check: compare with the stored output)"
	@echo "make docs        build the documentation site into site/"
	@echo "make reference   update docs/ from docstrings and measurements"

# Every target first creates or repairs its environment.
.PHONY: ready-demo ready-dev ready-slow ready-docs
ready-demo:
	$(READY) demo

ready-dev:
	$(READY) dev demo

ready-slow:
	$(READY) dev demo spark

ready-docs:
	$(READY) docs

demo: ready-demo
	@$(PY) benchmarks/demo.py $(if $(FULL),--full)

test: ready-dev
	@$(PY) -m pytest -n auto --maxprocesses 4 $(ARGS)

test-slow: ready-slow
	@$(PY) .ci/debian.py chromium redis-server default-jre-headless
	@$(PY) -m pytest -n auto --maxprocesses 4 --dist loadscope -m slow $(ARGS)

check: ready-dev
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(VENV)/bin/basedpyright --pythonpath $(PY)
	$(VENV)/bin/lint-imports

matrix:
	@$(PYTHON) .ci/matrix.py $(ARGS)

bench: ready-dev
	@$(PY) benchmarks/run.py $(ARGS)
	@$(PY) benchmarks/mirror.py --keep

seconds: ready-dev
	@$(PY) benchmarks/seconds.py $(ARGS)

storm: ready-dev
	@$(PY) benchmarks/storm.py $(ARGS)
	@$(PY) benchmarks/quirk_storm.py
	@$(PY) benchmarks/mirror_storm.py
	@$(PY) benchmarks/wrong_answers.py

notebooks: ready-dev
	@$(PY) notebooks/execute.py $(ARGS)

reference: ready-dev
	@$(PY) docs/reference.py
	@$(PY) docs/figures.py
	@$(PY) docs/messages.py

docs: ready-docs
	@$(PY) docs/website.py $(ARGS)

clean:
	rm -rf $(VENV) site .venv-matrix demo-output build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
