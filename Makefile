# `make demo` and `make test` need only Python 3.11 or newer with venv.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test lint types fast slow examples site wheel docs

help:
	@echo "make demo      set everything up, then fit a model to examples/data/mammography.csv"
	@echo "make test      set everything up, then run the whole check: the six targets below"
	@echo "make lint      style and format"
	@echo "make types     static types"
	@echo "make slow      all tests and doctests (make fast: without the slow ones)"
	@echo "make examples  run every script of examples/"
	@echo "make site      build the pages of docs/ into site/, to open site/index.html"
	@echo "make wheel     build the wheel and use it outside the checkout"
	@echo "make docs      put the tables that the code holds into docs/"

.venv: .venv/installed

.venv/installed: pyproject.toml
	@test -n "$(PYTHON)" || { echo "no python3 found: install Python 3.11 or newer, or give make PYTHON=/path/to/python" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; v = sys.version.split()[0]; sys.version_info < (3, 11) and sys.exit(f"{sys.executable} is Python {v}: autoimb needs 3.11 or newer, give make PYTHON=/path/to/python")'
	@echo "setting up .venv (a minute or two)"
	@"$(PYTHON)" -m venv .venv
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -e ".[dev]"
	@$(BIN)/python -c 'import lightgbm' || { echo "LightGBM does not load: if libgomp.so.1 is missing, install it (Debian: apt-get install libgomp1)" >&2; exit 1; }
	@touch $@

demo: .venv
	$(BIN)/autoimb fit examples/data/mammography.csv --target target --metric f1 --budget 60s

test: lint types slow examples site wheel

lint: .venv
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv
	$(BIN)/mypy

fast: .venv
	$(BIN)/pytest -q -m "not slow"

slow: .venv
	$(BIN)/pytest -q

# In a folder of their own, in order: what one leaves behind, a later one may read.
examples: .venv
	@set -eu; root=$$PWD; work=$$(mktemp -d); trap 'rm -rf "$$work"' EXIT; cd "$$work"; \
	for script in "$$root"/examples/*.py; do \
		begun=$$(date +%s); \
		"$$root/$(BIN)/python" "$$script" >output.txt 2>&1 </dev/null || { cat output.txt; echo "failed: $$script"; exit 1; }; \
		seconds=$$(( $$(date +%s) - begun )); \
		echo "examples/$${script##*/}: $$seconds s"; \
		test "$$seconds" -lt 60 || { echo "an example has to end within a minute"; exit 1; }; \
	done

site: .venv
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet

wheel: .venv
	.ci/wheel $(BIN)/python

docs: .venv
	$(BIN)/python docs/write_tables.py
