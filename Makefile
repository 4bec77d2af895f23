# make demo: sets up and runs the demo. make test: sets up, checks and tests. Both need only Python 3.11.
PYTHON ?= python3.11
VENV ?= .venv
BIN = $(VENV)/bin
PYTEST_ARGS ?=

.PHONY: setup check check-types check-style check-imports check-project test demo dev lock clean

setup: $(VENV)/.ready

$(VENV)/.ready: requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	touch $@

check: setup
	$(MAKE) --no-print-directory --jobs 2 check-types check-style check-imports check-project

check-types:
	$(BIN)/pyright

check-style:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

check-imports:
	$(BIN)/lint-imports --no-cache

check-project:
	$(BIN)/metrics check

test: check
	$(BIN)/pytest -n auto --dist loadfile $(PYTEST_ARGS)

demo: setup
	$(BIN)/metrics demo

dev: setup
	$(BIN)/metrics up

lock:
	uv pip compile --all-extras --no-emit-index-url --no-emit-find-links --no-header --no-annotate \
		--python-version 3.11 -o requirements.lock pyproject.toml

clean:
	rm -rf .metrics dbt_project/target dbt_project/logs
