# Two commands do all the set-up: `make demo` and `make test`. PYTHON may name another interpreter (3.10 or newer).
PYTHON ?= python3
BIN := .venv/bin
EXTRAS ?= dev

.PHONY: demo demo-unguarded test suite lint bench-overhead bench-listeners bench-tacotron2 bench-xtts bench-levels bench-matching bench-wrecks causes faultbench calibration clean

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile -c constraints.txt --editable ".[$(EXTRAS)]"
	touch $@

demo: .venv/installed
	$(BIN)/rerail demo

demo-unguarded: .venv/installed
	$(BIN)/rerail demo --unguarded

# Lint beside the suite, since much of what each does leaves a core idle
test:
	$(MAKE) --no-print-directory --jobs 2 lint suite

# Two tests at once on two cores: a second thread of either would only wait for the other's
suite: .venv/installed
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal

lint: .venv/installed
	$(BIN)/ruff check src tests bench scripts faultbench
	$(BIN)/ruff format --check src tests bench scripts faultbench
	$(BIN)/mypy
	$(BIN)/lint-imports

bench-overhead: .venv/installed
	$(BIN)/python bench/overhead.py

# The public package lives in an environment of its own; where it cannot be built, its rows say so.
.venv-coqui/installed: bench/requirements-coqui.txt constraints.txt
	$(PYTHON) -m venv .venv-coqui
	.venv-coqui/bin/python -m pip install --quiet --disable-pip-version-check "$$(grep ^torch== constraints.txt | cut -d ' ' -f 1)"
	.venv-coqui/bin/python -m pip install --quiet --disable-pip-version-check -r bench/requirements-coqui.txt
	touch $@

# What listeners and a notifier cost; needs the extras tensorboard and wandb beside dev
bench-listeners: .venv/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --editable ".[dev,tensorboard,wandb]"
	$(BIN)/python bench/listeners.py --modes all dead slow 429

bench-tacotron2: .venv/installed
	-$(MAKE) .venv-coqui/installed || rm -rf .venv-coqui
	$(BIN)/python bench/tacotron2.py

bench-xtts: .venv/installed
	$(BIN)/python bench/xtts.py

# Hours: every level of the XTTS-style trainer over five seeds, and each of its improvements by itself
bench-levels: .venv/installed
	$(BIN)/python bench/levels.py --alone

# PAIRS is a list of pairs, such as that of `rerail data get tuxpaint --pictures`
bench-matching: .venv/installed
	$(BIN)/python bench/matching.py --pairs $(PAIRS)

bench-wrecks: .venv/installed
	$(BIN)/python bench/wrecks.py --out docs/recovery.md

causes: .venv/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -r faultbench/requirements.txt
	$(BIN)/python -m faultbench.causes --out docs/causes.md

# Other tools live in an environment of their own.
.venv-faultbench/installed: pyproject.toml constraints.txt faultbench/rivals/requirements.txt
	$(PYTHON) -m venv .venv-faultbench
	.venv-faultbench/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --editable ".[dev]"
	.venv-faultbench/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -r faultbench/rivals/requirements.txt
	touch $@

faultbench: .venv-faultbench/installed
	.venv-faultbench/bin/python -m faultbench

# Needs Python 3.11: the fault bench's digits come from scikit-learn
calibration: .venv/installed
	$(BIN)/python -m faultbench.calibration

clean:
	rm -rf .venv .venv-faultbench .venv-coqui
