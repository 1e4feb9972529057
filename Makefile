# One environment in $(VENV): `make report` needs the core only, everything else the dev extra.
# Stamps remember what was installed, so nothing is installed again until pyproject.toml changes.

PYTHON ?= python3
VENV ?= .venv
MODEL ?= nato-2024
OUT ?= out/$(MODEL)
WORKERS ?= 2

BIN := $(VENV)/bin
PACKAGING := pyproject.toml alliancegame/_version.py
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# A venv that is not activated must not lose to a PYTHONHOME or a foreign user site.
export PYTHONNOUSERSITE := 1

.DEFAULT_GOAL := help
.PHONY: help report test test-long lint figures benchmark docs format clean

help:
	@echo "make report     $(MODEL): figures, tables and report.html in $(OUT)"
	@echo "make test       formatter, linter, types, doctests and the test suite"
	@echo "make test-long  the tests that take long, which make test leaves out"
	@echo "make figures    the pictures of the essay, computed, in out/papers"
	@echo "make benchmark  the speed suite, and the comparison with other solvers"
	@echo "make docs       the documentation, in docs/_build/html"
	@echo "make format     format and mend the code"

report: $(VENV)/.core
	@$(BIN)/alliancegame report $(MODEL) --out $(OUT)

lint: $(VENV)/.dev
	@$(BIN)/ruff format --check --quiet . || \
		{ echo "ruff format: some files are not formatted; run 'make format'"; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy --no-error-summary

test: lint
	@$(BIN)/python -m pytest -q -n $(WORKERS) --dist worksteal -m "not long"

test-long: $(VENV)/.dev
	@$(BIN)/python -m pytest -q -n $(WORKERS) --dist worksteal -m long

figures: $(VENV)/.core
	@for script in papers/*.py; do echo "$$script" && $(BIN)/python "$$script" || exit 1; done

# Both are run, whatever the first one says; a missed target or a failure of ours is an error.
benchmark: $(VENV)/.dev
	@speed=0; peers=0; \
		$(BIN)/python -m benchmarks.speed || speed=1; \
		$(BIN)/python -m benchmarks.peers || peers=1; \
		test $$speed$$peers = 00

docs: $(VENV)/.docs
	@$(BIN)/python -m sphinx -W -q -b html docs docs/_build/html

format: $(VENV)/.dev
	@$(BIN)/ruff format --quiet .
	@$(BIN)/ruff check --quiet --fix .

clean:
	rm -rf out build dist docs/_build .mypy_cache .pytest_cache .ruff_cache

# --- the environment ---------------------------------------------------------------------------

# Some systems ship Python without ensurepip: then pip comes from the Python that makes the venv.
$(VENV)/.python:
	@command -v $(PYTHON) >/dev/null 2>&1 || { \
		echo "make: '$(PYTHON)' was not found; name a Python >= 3.11: make PYTHON=/path/to/python3"; \
		exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "make: alliancegame needs Python >= 3.11, but '$(PYTHON)' is" \
			"$$($(PYTHON) --version 2>&1); name another one: make PYTHON=/path/to/python3.11"; \
		exit 1; }
	@$(BIN)/python -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "making the environment $(VENV) with $$($(PYTHON) --version)"; \
		if [ -f $(VENV)/pyvenv.cfg ]; then rm -rf $(VENV); fi; \
		$(PYTHON) -m venv $(VENV) >/dev/null 2>&1 || { \
			$(PYTHON) -m venv --without-pip $(VENV) && \
			$(PYTHON) -m pip --quiet --python $(VENV) install pip; }; } || { \
		echo "make: no environment: '$(PYTHON) -m venv' failed (Debian: install python3-venv)"; \
		exit 1; }
	@touch $@

$(VENV)/.core: $(VENV)/.python $(PACKAGING)
	@echo "installing alliancegame in $(VENV)"
	@$(PIP) install -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.python $(PACKAGING)
	@echo "installing alliancegame with its dev extra in $(VENV)"
	@$(PIP) install -e '.[dev]'
	@touch $(VENV)/.core $@

$(VENV)/.docs: $(VENV)/.python $(PACKAGING)
	@echo "installing alliancegame with its docs extra in $(VENV)"
	@$(PIP) install -e '.[docs]'
	@touch $(VENV)/.core $@
