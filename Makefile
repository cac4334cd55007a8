# Two commands matter: `make demo` and `make test`. Each does all the set-up that is missing; a second run takes seconds.

PYTHON_STAMP := .venv/.stamp-python
TEST_STAMP := .venv/.stamp-test
NODE_STAMP := node_modules/.package-lock.json
FRONTEND := web/static/dist/manifest.json

FRONTEND_SOURCES := $(shell find web/frontend -type f -not -name '*.md')
CATALOGUES := $(patsubst %.po,%.mo,$(wildcard web/translations/*/LC_MESSAGES/*.po))

# The packages of the product.
ROOMS := cockpit database engine feel people processes tasks web webhooks

PYTEST_OPTIONS ?= -n 2
DATABASES ?= sqlite postgresql
EXAMPLES ?= 10000

.PHONY: help demo test nightly chaos lint format build messages lock clean

help:
	@echo "make demo      set everything up and serve the product with demo data on http://127.0.0.1:8000"
	@echo "make test      set everything up, check the code and run all tests, on SQLite and on PostgreSQL"
	@echo "               (PYTEST_OPTIONS=... and DATABASES=... to choose)"
	@echo "make nightly   10,000 random processes under random commands (EXAMPLES=... to choose); a quarter of an hour"
	@echo "make chaos     faults on the real programs, what they lost goes into docs/reliability.md; a quarter of an hour (FAULTS=... to choose)"
	@echo "make lint      ruff, mypy and tsc only"
	@echo "make format    let ruff rewrite the Python code"
	@echo "make build     front end and translations only"
	@echo "make messages  collect the words of the pages for translation"
	@echo "make lock      resolve the dependencies anew"
	@echo "make clean     remove everything that is built or installed here, but not the data"

demo: build
	.venv/bin/baton demo

test: lint build
	scripts/setup_system.sh
	set -e; for database in $(DATABASES); do .venv/bin/python -m pytest $(PYTEST_OPTIONS) --database $$database; done

nightly: $(TEST_STAMP)
	BATON_PROPERTY_EXAMPLES=$(EXAMPLES) nice -n 10 .venv/bin/python -m pytest -p no:xdist tests/engine/test_property.py

chaos: $(TEST_STAMP)
	scripts/setup_system.sh
	.venv/bin/python -m tests.chaos $(FAULTS) --write

lint: $(TEST_STAMP) $(NODE_STAMP)
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	scripts/npm.sh run --silent check

format: $(TEST_STAMP)
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

build: $(PYTHON_STAMP) $(FRONTEND) $(CATALOGUES)
	@env -u PYTHONDONTWRITEBYTECODE .venv/bin/python -m compileall -q $(ROOMS)

messages: $(PYTHON_STAMP)
	scripts/messages.sh

lock:
	scripts/lock.sh

clean:
	rm -rf .venv node_modules web/static/dist build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis $(CATALOGUES)

$(PYTHON_STAMP): requirements.lock pyproject.toml scripts/setup_python.sh
	scripts/setup_python.sh requirements.lock
	@touch $@

$(TEST_STAMP): requirements-test.lock $(PYTHON_STAMP)
	scripts/setup_python.sh requirements-test.lock
	@touch $@

$(NODE_STAMP): package.json package-lock.json .npmrc scripts/npm.sh | $(PYTHON_STAMP)
	scripts/npm.sh ci
	@touch $@

$(FRONTEND): $(FRONTEND_SOURCES) $(NODE_STAMP)
	scripts/npm.sh run --silent build

%.mo: %.po | $(PYTHON_STAMP)
	.venv/bin/pybabel compile --input-file $< --output-file $@
