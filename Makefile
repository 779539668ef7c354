# `make` lists the targets. Everything they need is installed in .venv and .tools, from
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
# Of a key it is a limit, and there is none unless it is given.
GIVEN_MONTH := $(MONTH)
MONTH ?= $(shell date -u +%Y-%m)
ENV_FILE ?= .env

export SAM_CLI_TELEMETRY := 0
# One rule for the Region: AWS_REGION, else AWS_DEFAULT_REGION, else the profile's. boto3 and sam read
# only the second variable, and would use the profile's Region instead of AWS_REGION.
ifneq ($(AWS_REGION),)
export AWS_DEFAULT_REGION := $(AWS_REGION)
endif
export IMAGEGEN_ARCHITECTURE := $(ARCHITECTURE)
# With this variable of an active environment, uv would work outside this folder.
unexport VIRTUAL_ENV
# With this one, each process would compile every module that it imports again.
unexport PYTHONDONTWRITEBYTECODE

UV := .tools/uv/bin/uv
PYTHON := .venv/bin/python
SAM := .tools/sam/bin/sam
# The locks are for all systems and contain no registry's address. They contain no release younger
# than 14 days, because most malicious releases are found sooner. (The exception is only for tests:
# release 3.0 of that package cannot be imported.)
COOLDOWN = --exclude-newer "14 days" --exclude-newer-package google-genai=2026-11-18
COMPILE = $(UV) pip compile -q --universal --generate-hashes --no-header --no-emit-index-url \
  --no-emit-find-links $(COOLDOWN) $(if $(UPGRADE),--upgrade)
ADMIN = PYTHONPATH=layers/shared $(PYTHON) -m operations.admin --stack $(STACK)
EXACTNESS = PYTHONPATH=layers/shared $(PYTHON) -m tests.exactness $(if $(SEED),--seed $(SEED))
KEYS = PYTHONPATH=layers/shared $(PYTHON) -m operations.program_keys --stack $(STACK) $(if $(WHY),--why "$(WHY)")
# The day of the JavaScript clients' dependencies; the versions in tests/clients/js/package.json are older.
CLIENTS_DAY := 2026-11-11
# The parts of `make check` and `make test` run two at a time, for two cores, in an order in which both
# cores are busy to the end: two halves of the unit tests (by the first letter of a file), then the rest.
PARTS := unit-l-to-p unit-others types style .tools/validated
# `make check` tries a fifth of the examples of each property, and leaves out the tests that go through
# every combination of something. `make test` does both.
QUICK_OPTIONS := -m "not thorough" --hypothesis-profile=quick
UNIT_OPTIONS :=
TWO := $(MAKE) -k -j2 --output-sync=target
UNIT_L_TO_P := $(wildcard tests/unit/test_[l-p]*.py)
UNIT_OTHERS := $(filter-out $(UNIT_L_TO_P),$(wildcard tests/unit/test_*.py))
# Suites that spend money, open a browser, send hostile input or need a deployed stack have targets of
# their own. The longest part is the first one, and all others fit beside it.
OTHER_SUITES := tests $(patsubst %,--ignore=tests/%,live browser security unit stack budgets)

.PHONY: help
help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: tools ## Run the whole stack on this machine, without keys, Docker or AWS (Ctrl-C ends it)
	@PYTHONPATH=layers/shared exec $(PYTHON) -m local.run $(if $(PORT),--port $(PORT))

.PHONY: test
test: tools ## Lint, and all suites but stack, exactness, planted, security, clients and browser
	@$(TWO) other-suites budgets $(PARTS)

.PHONY: security
security: tools audit ## Measure the S table: access, leaks, hostile input (SEED=2 makes other requests)
	IMAGEGEN_FUZZ_SEED=$(or $(SEED),0) $(PYTHON) -m pytest -q --show-capture=no tests/security

.PHONY: clients
clients: tools .tools/clients/stamp .tools/clients-langchain/stamp .tools/clients-js/stamp ## Drive other people's clients against the stack (ONLY="litellm n8n")
	@PYTHONPATH=layers/shared $(PYTHON) -m tests.clients $(if $(ONLY),--only $(ONLY))
	@PYTHONPATH=layers/shared $(PYTHON) -m generators.docs

.PHONY: browser
browser: tools ## Test elements and page in Chromium, also in frameworks; needs npm (IMAGEGEN_CHROMIUM=path)
	@[ -n "$${IMAGEGEN_CHROMIUM:-}" ] || command -v chromium chromium-browser google-chrome >/dev/null || \
	  { echo "Chromium is needed (on Debian: apt install chromium), or its path in IMAGEGEN_CHROMIUM" >&2; exit 1; }
	$(PYTHON) -m pytest -q tests/browser

.PHONY: audit
audit: tools .tools/audit/stamp ## Scan the transformed template and the locked packages
	@$(PYTHON) -m operations.audit

.PHONY: check
check: .venv/stamp .tools/sam/stamp ## Check format, lint, types, unit tests and the template: a minute on two cores, half a minute more the first time
	@$(TWO) $(PARTS) UNIT_OPTIONS='$(QUICK_OPTIONS)'

.PHONY: openapi
openapi: .venv/stamp ## Write openapi.json from the handlers (make check fails if it is out of date)
	PYTHONPATH=layers/shared $(PYTHON) -m generators.openapi

.PHONY: docs
docs: .venv/stamp ## Write the tables in docs/ and, while `make run` is running, the examples in docs/api.md
	@PYTHONPATH=layers/shared $(PYTHON) -m generators.docs
	@PYTHONPATH=layers/shared $(PYTHON) -m generators.elements
	@PYTHONPATH=layers/shared $(PYTHON) -m generators.mcp_view

.PHONY: lint
lint: style types

.PHONY: types
types: .venv/stamp
	.venv/bin/mypy

.PHONY: style
style: .venv/stamp
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	PYTHONPATH=layers/shared $(PYTHON) -m generators.openapi --check

.PHONY: unit
unit: .venv/stamp
	$(PYTHON) -m pytest -q tests/unit

.PHONY: unit-l-to-p
unit-l-to-p: .venv/stamp
	$(PYTHON) -m pytest -q $(UNIT_OPTIONS) $(UNIT_L_TO_P)

.PHONY: unit-others
unit-others: .venv/stamp
	$(PYTHON) -m pytest -q $(UNIT_OPTIONS) $(UNIT_OTHERS)

.PHONY: stack
stack: tools ## Test the template as it is deployed on the local emulator, over its URLs
	$(PYTHON) -m pytest -q tests/stack

.PHONY: other-suites
other-suites: tools
	$(PYTHON) -m pytest -q $(OTHER_SUITES)

.PHONY: exactness
exactness: tools ## Measure money and breaker, rows R0 to R22 and G, in short form (ROWS="R1 R10", SEED=)
	@$(EXACTNESS) $(if $(ROWS),--only $(ROWS),--out bench/exactness.json)

.PHONY: properties
properties: tools ## Try each property with ten times the examples, others in each run (ONLY="tests/unit")
	$(PYTHON) -m pytest -q -m hypothesis --hypothesis-profile=search $(or $(ONLY),$(filter-out %/unit,$(OTHER_SUITES)))

.PHONY: soak
soak: tools ## Run everything at once for ten minutes, with 5 % faults (SOAK_SECONDS=)
	@$(EXACTNESS) --only R17 --soak-seconds $(or $(SOAK_SECONDS),600) --out bench/soak.json

.PHONY: budgets
budgets: tools ## Measure what a cold start imports and the layer's size; no times, so equal everywhere
	$(PYTHON) -m pytest -q tests/budgets

.PHONY: bench
bench: tools ## Measure cold start, overhead, throughput, memory, cost, also of peers (bench/results.md)
	@PYTHONPATH=layers/shared $(PYTHON) -m bench

.PHONY: scale
scale: tools ## Simulate 1,000 images a second for a day: throttles, times, limits, costs (docs/scale.md)
	@PYTHONPATH=layers/shared $(PYTHON) -m bench.scale
	@PYTHONPATH=layers/shared $(PYTHON) -m generators.docs

.PHONY: exactness-peers
exactness-peers: tools ## Measure the same exactness of comparable projects, side by side
	@PYTHONPATH=layers/shared $(PYTHON) -m bench.peers

.PHONY: structure
structure: .venv/stamp ## Sizes, types, repeated names; the way of a request (ROOT=checkout NAMES=1)
	@$(PYTHON) -m bench.structure $(if $(ROOT),--root $(ROOT)) $(if $(NAMES),--names)

.PHONY: planted
planted: tools ## Plant known bugs in a copy; each must turn tests red (ROWS=1: rows of make exactness)
	@$(PYTHON) -m tests.planted $(if $(ROWS),--rows) $(if $(ONLY),--only $(ONLY))

.PHONY: mutation
mutation: tools ## Mutate the code that decides, in a copy: 95 % must be killed, the rest explained (ONLY=modules)
	@PYTHONPATH=layers/shared $(PYTHON) -m tests.mutation $(if $(ONLY),--only $(ONLY)) $(if $(QUICK),--quick) $(if $(ONE_IN),--one-in $(ONE_IN))

.PHONY: format
format: .venv/stamp ## Format the code and repair what the linter can
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

.PHONY: build
build: tools ## Build for AWS (ARCHITECTURE=arm64 or x86_64)
	$(SAM) build --parameter-overrides Architecture=$(ARCHITECTURE)

.PHONY: invoke
invoke: tools ## Run one function on one event (FUNCTION=estimate EVENT=events/...json)
	@PYTHONPATH=layers/shared $(PYTHON) -m local.invoke $(FUNCTION) $(EVENT)

.PHONY: deploy
deploy: build ## Deploy into your AWS account; settings come from ENV_FILE=.env (YES=1 asks nothing)
	@PYTHONPATH=layers/shared $(PYTHON) -m operations.deploy --stack $(STACK) --architecture $(ARCHITECTURE) \
	  --env-file $(ENV_FILE) $(if $(YES),--yes)

.PHONY: deploy-fast
deploy-fast: build ## Deploy only the code: no questions, and every setting stays
	@PYTHONPATH=layers/shared $(PYTHON) -m operations.deploy --stack $(STACK) --architecture $(ARCHITECTURE) \
	  --env-file $(ENV_FILE) --fast

.PHONY: deploy-env
deploy-env: .venv/stamp ## Put the keys and flags of ENV_FILE=.env into the stack's SSM parameters
	@PYTHONPATH=layers/shared $(PYTHON) -m operations.push_env --stack $(STACK) --env-file $(ENV_FILE)

.PHONY: rotate-quote-key
rotate-quote-key: .venv/stamp ## Take the next of the three steps to a new quote key (docs/deploy.md)
	@PYTHONPATH=layers/shared $(PYTHON) -m operations.push_env --stack $(STACK) --rotate-quote-key

.PHONY: logs
logs: .venv/stamp ## Follow the logs, a line each (TAIL= once; MINUTES= NAME= CODE= PROVIDER= LEVEL= TEXT=)
	@PYTHONPATH=layers/shared $(PYTHON) -m operations.logs --stack $(STACK) --minutes $(or $(MINUTES),10) $(if $(TAIL),--follow) \
	  --user "$(NAME)" --code "$(CODE)" --provider "$(PROVIDER)" --level "$(LEVEL)" --text "$(TEXT)"

.PHONY: url
url: .venv/stamp ## Print the deployed stack's addresses, or one of them (NAME=HealthUrl)
	@PYTHONPATH=layers/shared $(PYTHON) -m operations.addresses --stack $(STACK) --name "$(NAME)"

.PHONY: smoke
smoke: .venv/stamp ## Check a deployed stack: estimate, one cheapest image, health, alarms (TOKEN=a user's token)
	@PYTHONPATH=layers/shared $(PYTHON) -m operations.smoke --stack $(STACK) $(if $(YES),--yes)

.PHONY: edge
edge: tools ## Put CloudFront, and if you name one a firewall, in front of the stack (docs/deploy.md)
	@PYTHONPATH=layers/shared $(PYTHON) -m operations.edge --stack $(STACK) --env-file $(ENV_FILE) $(if $(YES),--yes)

.PHONY: news
news: tools ## Send what happens to an event bus, an address of yours, by mail (docs/news.md)
	@PYTHONPATH=layers/shared $(PYTHON) -m operations.news --stack $(STACK) --env-file $(ENV_FILE) $(if $(YES),--yes)

.PHONY: deployer-policy
deployer-policy: .venv/stamp ## Print the IAM policy that is enough to deploy (FOR=edge, news or operators; REGION= ACCOUNT=)
	@PYTHONPATH=layers/shared $(PYTHON) -m operations.deployer_policy --stack $(STACK) --role "$(or $(FOR),deployer)" \
	  --region "$(or $(REGION),*)" --account "$(or $(ACCOUNT),*)"

.PHONY: report
report: .venv/stamp ## Print a month's costs by provider, model, user and outcome (MONTH=2026-11 CSV=1)
	@PYTHONPATH=layers/shared $(PYTHON) -m operations.report --stack $(STACK) --month $(MONTH) $(if $(CSV),--csv)

.PHONY: today
today: .venv/stamp ## Print what today cost, by provider, model, person and hour (DAY=2026-11-26)
	@$(ADMIN) today --day "$(DAY)"

.PHONY: failures
failures: .venv/stamp ## Print what failed, and which users that affected (HOURS=24)
	@$(ADMIN) failures --hours $(or $(HOURS),24)

.PHONY: providers
providers: .venv/stamp ## Print providers and circuits; switch one (NAME=openai SET=off WHY="...")
	@$(ADMIN) providers --name "$(NAME)" --set "$(SET)" --why "$(WHY)"

.PHONY: circuit
circuit: .venv/stamp ## Close a circuit (NAME=openai, or NAME=openai/model, WHY="...")
	@$(ADMIN) circuit --name "$(NAME)" --why "$(WHY)"

.PHONY: user
user: .venv/stamp ## Print a person (SUBJECT= or HASH=); SET=blocked, free or erased, WHY="..."
	@$(ADMIN) user --subject "$(SUBJECT)" --user "$(HASH)" --set "$(SET)" --why "$(WHY)"

.PHONY: trail
trail: .venv/stamp ## Print what operators changed: who, when, from what to what
	@$(ADMIN) trail --before "$(BEFORE)"

.PHONY: user-name
user-name: .venv/stamp ## Print a person's names in table, logs and at providers (SUBJECT= or HASH=)
	@PYTHONPATH=layers/shared $(PYTHON) -m operations.user_names --stack $(STACK) --env-file $(ENV_FILE) \
	  --subject "$(SUBJECT)" --user "$(HASH)"

.PHONY: key
key: .venv/stamp ## Make a key for a program, printed once (NAME= SCOPES=images DAY=10 MONTH= IMAGES=500 EXPIRES=365d)
	@$(KEYS) create --name "$(NAME)" $(if $(SCOPES),--scopes "$(SCOPES)") $(if $(DAY),--day $(DAY)) $(if $(GIVEN_MONTH),--month $(GIVEN_MONTH)) \
	  $(if $(IMAGES),--images $(IMAGES)) $(if $(EXPIRES),--expires $(EXPIRES))

.PHONY: keys
keys: .venv/stamp ## List the keys for programs, also revoked and expired ones
	@$(KEYS) list

.PHONY: key-rotate
key-rotate: .venv/stamp ## Print a new text of a key; the old one works for the overlap (KEY=id OVERLAP=24h)
	@$(KEYS) rotate --key "$(KEY)" $(if $(OVERLAP),--overlap $(OVERLAP))

.PHONY: key-revoke
key-revoke: .venv/stamp ## Refuse a key, everywhere within a minute (KEY=id)
	@$(KEYS) revoke --key "$(KEY)"

.PHONY: budget
budget: .venv/stamp ## Print or set a budget (LEVEL=organisation|teams|team:NAME|person:SUBJECT DAY= MONTH= RESET=1)
	@$(ADMIN) budget $(if $(LEVEL),--level "$(LEVEL)") --day "$(DAY)" --month "$(GIVEN_MONTH)" --user "$(HASH)" \
	  $(if $(RESET),--reset) --why "$(WHY)"

.PHONY: dashboard
dashboard: .venv/stamp ## Write monitoring.json (alarms and dashboard) from the metrics' names
	@PYTHONPATH=layers/shared $(PYTHON) -m generators.monitoring

.PHONY: destroy
destroy: tools ## Delete the stack; the table and the images stay (YES=1 asks nothing)
	@PYTHONPATH=layers/shared $(PYTHON) -m operations.destroy --stack $(STACK) $(if $(YES),--yes)

.PHONY: lock
lock: $(UV) ## Resolve the dependencies of pyproject.toml again (UPGRADE=1 takes newer versions)
	$(COMPILE) pyproject.toml -o requirements/runtime.txt
	$(COMPILE) pyproject.toml --group dev -c requirements/runtime.txt -o requirements/dev.txt
	$(COMPILE) --group sam -o requirements/sam.txt
	$(COMPILE) --group ministack -o requirements/ministack.txt
	$(COMPILE) --group audit -o requirements/audit.txt
	$(COMPILE) --group clients -o requirements/clients.txt
	$(COMPILE) --group clients-langchain -o requirements/clients-langchain.txt
	$(COMPILE) --group uv -o requirements/uv.txt

.PHONY: clean
clean: ## Remove everything that was built and installed here
	rm -rf .venv .tools .local .aws-sam .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The rules below install tools. They run only when a requirements file is newer than its stamp.

.PHONY: tools
tools: .venv/stamp .tools/sam/stamp .tools/ministack/stamp

.venv/stamp: requirements/dev.txt | $(UV)
	@$(call install,.venv,requirements/dev.txt)

# npm writes a registry's address into its lock, so there is none: the clients' own versions are exact,
# and their dependencies are those of one day. No package's install script runs.
.tools/clients-js/stamp: tests/clients/js/package.json tests/clients/js/run.mjs
	@command -v npm >/dev/null || { echo "Node.js with npm is needed (on Debian: apt install npm)" >&2; exit 1; }
	@echo "Installing the JavaScript clients into .tools/clients-js"
	@mkdir -p .tools/clients-js && cp $^ .tools/clients-js/
	@cd .tools/clients-js && npm install --loglevel=error --before $(CLIENTS_DAY) --ignore-scripts --no-package-lock --no-audit --no-fund
	@touch $@

.tools/%/stamp: requirements/%.txt | $(UV)
	@$(call install,.tools/$*,requirements/$*.txt)

$(UV): requirements/uv.txt
	@echo "Installing uv into .tools/uv"
	@python3 -m venv --clear .tools/uv || \
	  { echo "Python 3 with its venv module is needed (on Debian: apt install python3-venv)" >&2; exit 1; }
	@.tools/uv/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r $<
	@touch $@

# The template is validated again only when it changes. The linter does not read the included file, so
# it gets one template that contains everything.
.tools/validated: template.yaml monitoring.json news.yaml samconfig.toml .tools/sam/stamp .venv/stamp
	$(PYTHON) -m operations.transform .local/template.json
	$(SAM) validate --lint --template-file .local/template.json --config-file $(CURDIR)/samconfig.toml
	$(SAM) validate --lint --template-file news.yaml --config-file $(CURDIR)/samconfig.toml
	@touch $@

define install
echo "Installing $(2) into $(1)"; \
$(UV) venv -q --allow-existing --python 3.13 $(1); \
$(UV) pip sync -q --require-hashes --python $(1)/bin/python $(2); \
touch $(1)/stamp
endef
