# Two commands do everything: `make demo` shows the contract at work, `make test` runs the tests.
# All that they install goes into this folder. `make PYTHON=python3.12 …` uses another Python.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PYTEST_ARGS ?= -n auto

export PIP_CACHE_DIR := $(CURDIR)/.cache/pip
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo test lint oldest-pytest providers bench clean

demo: $(READY)
	$(BIN)/hookproof demo --once

test: $(READY)
	$(BIN)/python -m pytest $(PYTEST_ARGS)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pyright --pythonpath $(BIN)/python tests/typing

# The oldest pytest that the plugin works under; needs a VENV of its own.
oldest-pytest: $(READY)
	$(BIN)/python -m pip install --quiet 'pytest==8.4.*'
	$(BIN)/python -m pytest $(PYTEST_ARGS) tests/test_pytest_*.py

# Our documents before the providers' own code, whose packages need a VENV of their own.
providers: $(READY)
	$(BIN)/python -m pip install --quiet --group providers
	$(BIN)/python -m pytest $(PYTEST_ARGS) tests/providers

# Each benchmark has an environment of its own under .cache/bench, with the peers it compares.
BENCHMARKS := signing property_example sending in_process processes pytest_startup mock_sender \
  mock_api limits growth load

bench: $(READY)
	@mkdir -p .cache/bench
	for name in $(BENCHMARKS); do \
	  $(BIN)/python benchmarks/$$name.py --json .cache/bench/$$name.json || exit 1; done

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo 'hookproof needs Python 3.11 or newer: make PYTHON=python3.11 ...' >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
	  { echo 'No venv module. On Debian and Ubuntu: sudo apt-get install python3-venv' >&2; exit 1; }
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable . --group dev --group receivers
	@touch $(READY)

clean:
	rm -rf $(VENV) .cache dist build
