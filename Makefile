# Everything a contributor runs. Each target sets up what it needs in .venv; nothing has to be installed first
# but Python (3.10 to 3.13), its venv module and make.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP_VERSION := 26.0.1
SETUP := $(VENV)/.setup
DEMO_SETUP := $(VENV)/.demo-setup

.PHONY: all install format lint typecheck test testcov docs demo fuzz clean
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

# More examples of the properties in tests/hostile than `make test` tries, others each time; then those of replies under
# atheris, which looks for inputs that reach new code, where it has a wheel for this interpreter.
FUZZ_EXAMPLES ?= 500
FUZZ_SECONDS ?= 120
fuzz: $(SETUP)
	FUZZ_EXAMPLES=$(FUZZ_EXAMPLES) $(BIN)/python -m pytest -n 2 tests/hostile
	@if $(BIN)/pip install --quiet --constraint constraints.txt --only-binary :all: --group fuzz; then \
		$(BIN)/python -m tests.hostile.coverage_guided -max_total_time=$(FUZZ_SECONDS); \
	else \
		echo 'atheris has no wheel for this interpreter: no coverage-guided run.'; \
	fi

clean:
	rm -rf $(VENV) site htmlcov .coverage .coverage.* .pytest_cache .ruff_cache
