# Every command of the project. Each sets up what it needs first, so a fresh clone can start with any of them.
VENV := .venv
BIN := $(VENV)/bin
SET_UP := $(VENV)/.set-up
SHIPPED := api cli executors hub mcp_server notebooks worker
TYPED := $(SHIPPED) tests bench docs .ci/audit.py
# cryptography's newer releases have no wheel for Macs with Intel's processors, which take an older one.
NOT_INTEL_MAC := sys_platform != "darwin" or platform_machine != "x86_64"
# Tests wait for processes and sockets a good part of their time.
WORKERS := import os; print(3 * (os.cpu_count() or 1) // 2)
OUTSIDERS := build/conformance
USABLE := import sys, ensurepip; sys.exit(sys.version_info < (3, 11))

.PHONY: help setup demo test lint types bench docs conformance constraints clean
.DELETE_ON_ERROR:

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(SET_UP) ## a virtual environment in .venv with everything in it; done again when its files change

demo: setup ## five simulated tasks on a sample repository, from nothing to branches
	@$(BIN)/swarm demo

test: setup ## all tests; ARGS='-k cancel' goes to pytest
	@$(BIN)/pytest -n $$($(BIN)/python -c "$(WORKERS)") --dist worksteal $(ARGS)

lint: setup ## ruff: rules, direction of imports, format; bandit; known vulnerabilities of what is pinned
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/bandit --quiet --configfile pyproject.toml --recursive $(SHIPPED)
	@$(BIN)/python .ci/audit.py

types: setup ## mypy --strict
	@$(BIN)/mypy $(TYPED)

bench: setup ## measure against a real hub; JSON on stdout, a table on stderr; ARGS='status restart' picks some
	@PYTHONPATH=tests $(BIN)/python -m bench $(ARGS)

conformance: setup $(OUTSIDERS)/.set-up ## the MCP server, judged by the official suite and the inspector
	@PYTHONPATH=tests $(BIN)/python -m conformance.suite $(OUTSIDERS)

docs: setup ## the HTTP reference, as a page and as OpenAPI, in site/
	@$(BIN)/python docs/build.py

constraints: ## pin the newest releases that pyproject.toml allows, in constraints.txt
	$(find_python); rm -rf build/constraints && $$python -m venv build/constraints
	build/constraints/bin/pip install --quiet --quiet --disable-pip-version-check --editable '.[dev]'
	build/constraints/bin/pip --disable-pip-version-check freeze --exclude-editable \
	  | sed 's/^cryptography==.*/&; $(NOT_INTEL_MAC)/' > constraints.txt
	rm -rf build/constraints

clean: ## back to a fresh clone
	rm -rf $(VENV) build dist site .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# $(PYTHON), or the first Python that is new enough and can make a virtual environment.
define find_python
for python in $(PYTHON) python3 python3.13 python3.12 python3.11; do \
	  $$python -c '$(USABLE)' >/dev/null 2>&1 && break; python=; \
	done; \
	[ -n "$$python" ] || { echo 'Python 3.11 or newer with its venv module is needed (Debian: python3-venv).' >&2; exit 1; }
endef

# Their Node comes from PyPI: what a machine has is too old, or not there.
$(OUTSIDERS)/.set-up: tests/conformance/requirements.txt tests/conformance/package.json tests/conformance/package-lock.json
	@rm -rf $(OUTSIDERS); mkdir -p $(OUTSIDERS); cp tests/conformance/package.json tests/conformance/package-lock.json $(OUTSIDERS)
	@$(find_python); $$python -m venv $(OUTSIDERS)/venv
	@$(OUTSIDERS)/venv/bin/pip install --quiet --quiet --disable-pip-version-check --requirement tests/conformance/requirements.txt
	@cd $(OUTSIDERS) && PATH="$$PWD/venv/bin:$$PATH" npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null
	@touch $@

$(SET_UP): pyproject.toml constraints.txt
	@command -v git >/dev/null || { echo 'git is needed: agents work in git worktrees.' >&2; exit 1; }
	@$(BIN)/python -c '$(USABLE)' >/dev/null 2>&1 || { $(find_python); echo "setting up $(VENV)"; $$python -m venv --clear $(VENV); }
	@$(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@
