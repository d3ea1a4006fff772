# make demo   a telephone system at work: needs Python >= 3.11, make and a network, nothing else
# make test   every test
# make check  format, lint, types and import contracts: what CI runs before the tests
# make fuzz   right and wrong messages at the parsers and whole servers; ARGS="--messages 1000000 --seconds 3600"
# make bench  the loads and timings, one line each
# make soak   10,000 short calls, and 200 at a time for ten minutes: what is left of them
# Each target sets up what it needs. PYTHON=… chooses the interpreter, ARGS=… adds arguments.

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
export PIP_CONSTRAINT := $(CURDIR)/requirements.lock
export PIP_BUILD_CONSTRAINT := $(PIP_CONSTRAINT)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo test check fuzz bench soak lock wheel-test tools

demo: .venv/ready-to-run
	$(BIN)/ringfence demo $(ARGS)

test: .venv/ready-to-develop tools
	$(BIN)/pytest $(ARGS)

check: .venv/ready-to-develop
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/pyright
	$(BIN)/lint-imports

fuzz: .venv/ready-to-develop
	$(BIN)/python -m tests.fuzz $(ARGS)

bench: .venv/ready-to-develop tools
	@$(BIN)/python -VV; status=0; for bench in bench/*.py; do \
	printf '\n== %s\n' $$bench; $(BIN)/python $$bench || status=1; done; exit $$status

soak: .venv/ready-to-develop tools
	$(BIN)/python bench/soak.py calls long

wheel-test: .venv/ready-to-develop tools
	@PATH="$(CURDIR)/$(BIN):$$PATH" bash .ci/wheel-test $(ARGS)

tools:
	@bash .ci/tools

lock: .venv/bin/python
	@unset PIP_CONSTRAINT PIP_BUILD_CONSTRAINT; \
	$(BIN)/python -m venv .venv/lock && .venv/lock/bin/pip install --quiet uv && \
	.venv/lock/bin/uv pip compile pyproject.toml --quiet --universal --all-extras --python-version 3.11 --upgrade \
	--no-header --no-annotate --no-emit-index-url --no-emit-find-links --output-file requirements.lock

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Ringfence needs Python 3.11 or newer and found none;" \
	"install one, or name it: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Ringfence needs Python 3.11 or newer;" \
	"$(PYTHON) is older or does not run. Name another: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv .venv || { rm -rf .venv; echo "$(PYTHON) cannot make a virtual environment;" \
	"on Debian: apt-get install python3-venv" >&2; exit 1; }

.venv/ready-to-run: pyproject.toml requirements.lock | .venv/bin/python
	@echo "Installing Ringfence into .venv …"
	@$(BIN)/pip install --quiet --editable '.[fast]'
	@touch $@

.venv/ready-to-develop: pyproject.toml requirements.lock | .venv/bin/python
	@echo "Installing Ringfence and the tools of its developers into .venv …"
	@$(BIN)/pip install --quiet --editable '.[dev]'
	@touch $@ .venv/ready-to-run
