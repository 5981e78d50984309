# Everything a contributor runs. Each target sets up what it needs in .venv; nothing has to be installed first
# but Python (3.10 to 3.13), its venv module and make.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP_VERSION := 26.0.1
SETUP := $(VENV)/.setup
DEMO_SETUP := $(VENV)/.demo-setup

.PHONY: all install format lint typecheck test testcov docs demo soak clean
all: format lint typecheck test

$(BIN)/pip:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.pip: $(BIN)/pip
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'pip==$(PIP_VERSION)'
	touch $@

# What the demo needs: the package and the clients it calls, no development tools.
$(DEMO_SETUP): pyproject.toml constraints.txt $(VENV)/.pip
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[azure-ai-inference,cost]" aiohttp
	touch $@

$(SETUP): $(DEMO_SETUP)
	$(BIN)/pip install --quiet --constraint constraints.txt --group dev
	touch $@

install: $(SETUP)

format: $(SETUP)
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

lint: $(SETUP)
	$(BIN)/ruff format --check
	$(BIN)/ruff check

typecheck: $(SETUP)
	$(BIN)/basedpyright

test: $(SETUP)
	$(BIN)/python -m pytest -n 2

testcov: $(SETUP)
	$(BIN)/python -m pytest -n 2 --cov --cov-report=term-missing:skip-covered

docs: $(SETUP)
	$(BIN)/mkdocs build --strict --quiet

demo: $(DEMO_SETUP)
	@$(BIN)/python -m logfire demo

# Calls by the ten thousand, then SOAK_SECONDS of traffic with faults; prints its figures.
SOAK_SECONDS ?= 600
soak: $(SETUP)
	$(BIN)/python -m tests.soak --seconds $(SOAK_SECONDS)

clean:
	rm -rf $(VENV) site htmlcov .coverage .coverage.* .pytest_cache .ruff_cache
