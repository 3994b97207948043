# Two commands do all the set-up: `make demo` and `make test`. PYTHON may name another interpreter (3.10 or newer).
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo demo-unguarded test lint bench-overhead clean

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --editable ".[dev]"
	touch $@

demo: .venv/installed
	$(BIN)/rerail demo

demo-unguarded: .venv/installed
	$(BIN)/rerail demo --unguarded

test: lint
	$(BIN)/python -m pytest -n 2

lint: .venv/installed
	$(BIN)/ruff check src tests bench scripts
	$(BIN)/ruff format --check src tests bench scripts
	$(BIN)/mypy
	$(BIN)/lint-imports

bench-overhead: .venv/installed
	$(BIN)/python bench/overhead.py

clean:
	rm -rf .venv
