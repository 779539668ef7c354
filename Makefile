# `make` says what there is. Everything it needs is installed under .venv and .tools, from
# requirements/*.txt with hashes; nothing outside this folder is changed.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
.DELETE_ON_ERROR:

STACK ?= imagegen
ARCHITECTURE ?= arm64
FUNCTION ?= estimate
TAIL ?= --tail
MONTH ?= $(shell date -u +%Y-%m)
ENV_FILE ?= .env

export SAM_CLI_TELEMETRY := 0
export IMAGEGEN_ARCHITECTURE := $(ARCHITECTURE)
# The variable of an active environment must not lead uv out of this folder.
unexport VIRTUAL_ENV

UV := .tools/uv/bin/uv
PYTHON := .venv/bin/python
SAM := .tools/sam/bin/sam
# One lock for all systems, and no registry's address in it. Nothing younger than a fortnight: most
# poisoned releases were found sooner. (The exception is for tests alone: its 3.0 does not import.)
COOLDOWN = --exclude-newer "14 days" --exclude-newer-package google-genai=2026-11-18
COMPILE = $(UV) pip compile -q --universal --generate-hashes --no-header --no-emit-index-url \
  --no-emit-find-links $(COOLDOWN) $(if $(UPGRADE),--upgrade)
EXACTNESS = PYTHONPATH=layers/shared $(PYTHON) -m tests.exactness $(if $(SEED),--seed $(SEED))
# Suites that spend money, open a browser or attack are run by targets of their own.
SUITES := tests --ignore=tests/live --ignore=tests/browser --ignore=tests/security

.PHONY: help
help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: tools ## The whole stack on this machine: no keys, no Docker, no AWS (Ctrl-C ends it)
	@PYTHONPATH=layers/shared exec $(PYTHON) -m local.run $(if $(PORT),--port $(PORT))

.PHONY: test
test: lint .tools/validated tools ## Everything that CI asks for
	$(PYTHON) -m pytest $(SUITES)

.PHONY: security
security: tools audit ## Who gets in, what leaks, what hostile input costs: the S table, measured
	$(PYTHON) -m pytest -q --show-capture=no tests/security

.PHONY: browser
browser: tools ## Elements and page in Chromium: states, axe, keyboard, budgets (IMAGEGEN_CHROMIUM=path)
	@[ -n "$${IMAGEGEN_CHROMIUM:-}" ] || command -v chromium chromium-browser google-chrome >/dev/null || \
	  { echo "Chromium is needed (on Debian: apt install chromium), or its path in IMAGEGEN_CHROMIUM" >&2; exit 1; }
	$(PYTHON) -m pytest -q tests/browser

.PHONY: audit
audit: tools .tools/audit/stamp ## Scan the transformed template and the locked packages
	@$(PYTHON) -m operations.audit

.PHONY: check
check: .venv/stamp .tools/sam/stamp ## Format, lint, types, unit tests and the template: a minute on two cores
	@$(MAKE) -j2 lint unit .tools/validated

.PHONY: openapi
openapi: .venv/stamp ## Write openapi.json anew from the handlers (make check fails where it differs)
	PYTHONPATH=layers/shared $(PYTHON) -m generators.openapi

.PHONY: docs
docs: .venv/stamp ## Write the tables of docs/ anew, and with `make run` going its answers, too
	@PYTHONPATH=layers/shared $(PYTHON) -m generators.docs

.PHONY: lint
lint: .venv/stamp
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	PYTHONPATH=layers/shared $(PYTHON) -m generators.openapi --check

.PHONY: unit
unit: .venv/stamp
	$(PYTHON) -m pytest -q tests/unit

.PHONY: exactness
exactness: tools ## The money and breaker bar, R0 to R17, in short form (ROWS="R1 R10", SEED=)
	@$(EXACTNESS) $(if $(ROWS),--only $(ROWS),--out bench/exactness.json)

.PHONY: soak
soak: tools ## Ten minutes of everything at once with 5 % faults (SOAK_SECONDS=)
	@$(EXACTNESS) --only R17 --soak-seconds $(or $(SOAK_SECONDS),600) --out bench/soak.json

.PHONY: budgets
budgets: tools ## What a cold start loads and what the layer weighs: no clock, the same everywhere
	$(PYTHON) -m pytest -q tests/budgets

.PHONY: bench
bench: tools ## Cold start, overhead, throughput, memory, cost; peers beside us (bench/results.md)
	@PYTHONPATH=layers/shared $(PYTHON) -m bench

.PHONY: exactness-peers
exactness-peers: tools ## The same of what a user would otherwise take, side by side
	@PYTHONPATH=layers/shared $(PYTHON) -m bench.peers

.PHONY: structure
structure: .venv/stamp ## Sizes, types, repeated names; the way of a request (ROOT=checkout NAMES=1)
	@$(PYTHON) -m bench.structure $(if $(ROOT),--root $(ROOT)) $(if $(NAMES),--names)

.PHONY: planted
planted: tools ## Plant known bugs in a copy: each must turn the tests red (ROWS=1: the bar's rows)
	@$(PYTHON) -m tests.planted $(if $(ROWS),--rows) $(if $(ONLY),--only $(ONLY))

.PHONY: mutation
mutation: tools ## Mutate what counts money and failures in a copy: 95 % killed, the rest explained
	@PYTHONPATH=layers/shared $(PYTHON) -m tests.mutation $(if $(ONLY),--only $(ONLY))

.PHONY: format
format: .venv/stamp ## Format the code and repair what the linter can
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

.PHONY: build
build: tools ## Build for AWS (ARCHITECTURE=arm64 or x86_64)
	$(SAM) build --parameter-overrides Architecture=$(ARCHITECTURE)

.PHONY: invoke
invoke: tools ## Run one function on one event (FUNCTION=estimate EVENT=events/...json)
	@$(PYTHON) -m local.invoke $(FUNCTION) $(EVENT)

.PHONY: deploy
deploy: build ## Deploy into your AWS account; settings come from ENV_FILE=.env (YES=1 asks nothing)
	@PYTHONPATH=layers/shared $(PYTHON) -m operations.deploy --stack $(STACK) --architecture $(ARCHITECTURE) \
	  --env-file $(ENV_FILE) $(if $(YES),--yes)

.PHONY: deploy-fast
deploy-fast: build ## Deploy the code alone: no questions, and every setting stays
	@PYTHONPATH=layers/shared $(PYTHON) -m operations.deploy --stack $(STACK) --architecture $(ARCHITECTURE) \
	  --env-file $(ENV_FILE) --fast

.PHONY: deploy-env
deploy-env: .venv/stamp ## Put the keys and flags of ENV_FILE=.env into the stack's SSM parameters
	@PYTHONPATH=layers/shared $(PYTHON) -m operations.push_env --stack $(STACK) --env-file $(ENV_FILE)

.PHONY: rotate-quote-key
rotate-quote-key: .venv/stamp ## The next of the three steps to a new quote key (docs/deploy.md)
	@PYTHONPATH=layers/shared $(PYTHON) -m operations.push_env --stack $(STACK) --rotate-quote-key

.PHONY: logs
logs: tools ## Follow the functions' logs (TAIL= reads the last ten minutes once)
	@for name in estimate generate health chat page; do groups+=(--cw-log-group /imagegen/$(STACK)/$$name); done; \
	$(SAM) logs "$${groups[@]}" $(TAIL)

.PHONY: url
url: tools ## The deployed stack's addresses
	@$(SAM) list stack-outputs --stack-name $(STACK) --output json

.PHONY: report
report: .venv/stamp ## What a month cost, by provider, model, user and outcome (MONTH=2026-11 CSV=1)
	@PYTHONPATH=layers/shared $(PYTHON) -m operations.report --stack $(STACK) --month $(MONTH) $(if $(CSV),--csv)

.PHONY: dashboard
dashboard: .venv/stamp ## Write monitoring.json, the alarms and the dashboard, from the metrics' names
	@PYTHONPATH=layers/shared $(PYTHON) -m generators.monitoring

.PHONY: destroy
destroy: tools ## Delete the stack; the table and the images stay (YES=1 asks nothing)
	@$(SAM) delete --stack-name $(STACK) $(if $(YES),--no-prompts)

.PHONY: lock
lock: $(UV) ## Resolve the dependencies of pyproject.toml anew (UPGRADE=1 takes newer ones)
	$(COMPILE) pyproject.toml -o requirements/runtime.txt
	$(COMPILE) pyproject.toml --group dev -c requirements/runtime.txt -o requirements/dev.txt
	$(COMPILE) --group sam -o requirements/sam.txt
	$(COMPILE) --group ministack -o requirements/ministack.txt
	$(COMPILE) --group audit -o requirements/audit.txt
	$(COMPILE) --group uv -o requirements/uv.txt

.PHONY: clean
clean: ## Remove what was built and installed here
	rm -rf .venv .tools .local .aws-sam .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# What follows installs, and runs only where a requirements file is newer than its stamp.

.PHONY: tools
tools: .venv/stamp .tools/sam/stamp .tools/ministack/stamp

.venv/stamp: requirements/dev.txt | $(UV)
	@$(call install,.venv,requirements/dev.txt)

.tools/%/stamp: requirements/%.txt | $(UV)
	@$(call install,.tools/$*,requirements/$*.txt)

$(UV): requirements/uv.txt
	@echo "Installing uv into .tools/uv"
	@python3 -m venv --clear .tools/uv || \
	  { echo "Python 3 with its venv module is needed (on Debian: apt install python3-venv)" >&2; exit 1; }
	@.tools/uv/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r $<
	@touch $@

# A template that has not changed since it was found good is still good. The linter does not look into
# the included file, so it gets one template with everything in it.
.tools/validated: template.yaml monitoring.json samconfig.toml .tools/sam/stamp .venv/stamp
	$(PYTHON) -m operations.transform .local/template.json
	$(SAM) validate --lint --template-file .local/template.json --config-file $(CURDIR)/samconfig.toml
	@touch $@

define install
echo "Installing $(2) into $(1)"; \
$(UV) venv -q --allow-existing --python 3.13 $(1); \
$(UV) pip sync -q --require-hashes --python $(1)/bin/python $(2); \
touch $(1)/stamp
endef
