# Greenroom's targets. They need make and Python 3.11 or newer, and install the rest into .venv from the lock files.
#
# A stamp file marks each finished step, so that a second `make run` starts at once.

PYTHON ?=
DATA ?= ../shared/data/spam
FILES ?= $(wildcard $(DATA)/youtube.csv)
CARD ?= $(if $(filter file,$(origin FILES)),models/spam/base.json)
ALSO ?= $(wildcard $(DATA)/sms.csv $(DATA)/telegram_ru.csv $(DATA)/x_posts.csv)
ABUSE ?= $(wildcard $(DATA)/../toxicity/*.csv)
# The spam model's recipe: the weight of the noisy labels, our own sentences, and the addresses of YouTube's threads.
RECIPE := --weight x_posts=0.2 \
	$(foreach page,psy=9bZkp7q19f0 katy-perry=CevxZvSJLk8 lmfao=KQ6zr6kCPj8 eminem=uelHwf8o7_U shakira=pRpeEdMmmQ0,\
	--page $(subst =,=https://www.youtube.com/watch?v=,$(page)) --page $(subst =,=https://youtu.be/,$(page)))
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input install --quiet --root-user-action ignore
COMPILE = uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --python-version 3.11

# The first of these that runs, is new enough and can create environments. The name alone proves nothing: pyenv leaves
# names of versions that are not installed.
CANDIDATES := $(or $(PYTHON),python3.13 python3.12 python3.11 python3.14 python3 python)
USABLE := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))

# An option for what is named in capitals on the command line: $(call given,seed) is `--seed '7'` after SEED=7
given = $(if $($(call capitals,$(1))),--$(1) '$($(call capitals,$(1)))')
capitals = $(shell echo $(1) | tr a-z A-Z)

export PIP_DISABLE_PIP_VERSION_CHECK = 1
.DELETE_ON_ERROR:
.SHELLFLAGS := -eu -c
.DEFAULT_GOAL := help
.PHONY: help run test check programs nginx evaluate base-model bench measure-code chaos chaos-checked fuzz lock migration sbom format clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(VENV)/.ready ## start Greenroom on this machine; the first time, build .venv
	@exec $(BIN)/greenroom up

# Three workers on two cores: the tests wait for other processes during a third of their time.
test: check ## lint, types, import contracts, and every test
	@$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

check: $(VENV)/.ready-dev programs $(VENV)/.npm
	@echo "ruff"; $(BIN)/ruff check --quiet . && $(BIN)/ruff format --quiet --check .
	@echo "mypy"; $(BIN)/mypy
	@echo "import contracts"; $(BIN)/lint-imports > $(VENV)/imports.log 2>&1 || { cat $(VENV)/imports.log; exit 1; }

evaluate: $(VENV)/.ready ## measure the base models on data they have not seen
	@test -n "$(FILES)" || { echo "Name the labelled comments: make evaluate FILES='one.csv two.csv'" >&2; exit 1; }
	@OPENBLAS_NUM_THREADS=1 $(BIN)/greenroom evaluate $(FILES) $(if $(ALSO),$(addprefix --also ,$(ALSO) models/spam/training/own.csv) $(RECIPE)) \
		--peers $(if $(CARD),--card $(CARD))
	@test -z "$(and $(CARD),$(ABUSE))" || OPENBLAS_NUM_THREADS=1 $(BIN)/greenroom evaluate --score abuse $(ABUSE) \
		--sentences tests/models/abuse --card models/abuse/base.json
	@$(BIN)/python -m bench.queue_only

base-model: $(VENV)/.ready ## train the base models again and write their measurements into their cards
	$(BIN)/greenroom train $(FILES) $(ALSO) models/spam/training/own.csv $(RECIPE) --out models/spam/base.npz
	@test -z "$(ABUSE)" || $(BIN)/greenroom train --score abuse $(ABUSE) --out models/abuse/base.npz
	@$(MAKE) evaluate

measure-code: $(VENV)/.made ## measure how readable the code is; BEFORE=another/checkout compares
	@$(BIN)/python -m bench.code $(BEFORE) .

bench: $(VENV)/.ready-dev nginx ## measure load and cost, as ratios within one run
	@$(BIN)/python -m bench

chaos: $(VENV)/.ready-dev ## kill, stop and cut off parts under load, then check that nothing was lost: make chaos SEED=7 DATABASE=postgres
	@$(BIN)/python -m bench.chaos $(foreach name,seed seconds database only,$(call given,$(name)))
	@$(BIN)/python -m bench.webhooks kills

fuzz: $(VENV)/.ready-dev ## look for texts that are slow to process: make fuzz SEED=7 MIXED=500 READER=links
	@$(BIN)/python -m bench.fuzz $(foreach name,seed mixed reader,$(call given,$(name)))

chaos-checked: $(VENV)/.ready-dev ## remove one guarantee at a time: make chaos must notice
	@$(BIN)/python -m bench.chaos.checked

lock: ## upgrade all dependencies and write both lock files (needs uv)
	@command -v uv > /dev/null || { echo "make lock needs uv: pip install uv" >&2; exit 1; }
	$(COMPILE) --upgrade pyproject.toml -o requirements.lock
	$(COMPILE) --upgrade --extra dev -c requirements.lock pyproject.toml -o requirements-dev.lock

migration: $(VENV)/.ready-dev ## write a migration for changed records: make migration MESSAGE="…"
	@test -n "$(MESSAGE)" || { echo "Name the migration: make migration MESSAGE='Comments have a colour'" >&2; exit 1; }
	@folder=$$(mktemp -d) && GREENROOM_DATA=$$folder $(BIN)/python -m models.store.migrate "$(MESSAGE)"; rm -r "$$folder"
	@$(BIN)/ruff format --quiet models/migrations

sbom: $(VENV)/.ready-dev ## list every installed package as CycloneDX: build/sbom.cdx.json
	@mkdir -p build
	@$(BIN)/python -W ignore -m cyclonedx_py requirements --pyproject pyproject.toml --output-reproducible --spec-version 1.6 --output-format JSON --output-file build/sbom.cdx.json requirements.lock

format: $(VENV)/.ready-dev ## format the code
	@$(BIN)/ruff check --quiet --fix . ; $(BIN)/ruff format .

clean: ## remove everything that was built; keep var/, which holds the data
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

$(VENV)/.made:
	@for python in $(CANDIDATES); do \
		if $$python -c '$(USABLE)' > /dev/null 2>&1; then \
			echo "Making $(VENV) with $$($$python --version)"; \
			$$python -m venv $(VENV) && touch $@ && exit 0; \
		fi; \
	done; \
	echo "Greenroom needs Python 3.11 or newer, with venv, and found none (looked for: $(CANDIDATES))." >&2; \
	echo "On Debian and Ubuntu: apt-get install python3 python3-venv. Or name one: make PYTHON=/path/to/python3.12 …" >&2; \
	exit 1

$(VENV)/.installed: $(VENV)/.made requirements.lock
	@echo "Installing the packages of requirements.lock; this takes a minute or two"
	@$(PIP) --require-hashes -r requirements.lock
	@touch $@

$(VENV)/.ready: $(VENV)/.installed pyproject.toml
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

# Not compiled, because most of the thousands of files are never imported, above all moto's services.
$(VENV)/.ready-dev: $(VENV)/.ready requirements-dev.lock
	@echo "Installing the packages of requirements-dev.lock, for the tests"
	@$(PIP) --no-compile --require-hashes -r requirements-dev.lock
	@touch $@

# Programs that no Python package contains: installed on Debian as root, otherwise only named.
programs:
	@sh tests/programs.sh

nginx:
	@sh tests/programs.sh nginx

# Test suites by others (tests/npm/package.json). Their install scripts do not run. The Observatory reads a list of hosts
# that browsers know to use https; ours is empty.
$(VENV)/.npm: tests/npm/package.json tests/npm/package-lock.json | programs
	@if command -v npm > /dev/null; then \
		echo "Installing the packages of tests/npm/package-lock.json, for the tests"; \
		mkdir -p $(VENV)/npm && cp tests/npm/package.json tests/npm/package-lock.json $(VENV)/npm/; \
		npm ci --prefix $(VENV)/npm --ignore-scripts --no-audit --no-fund --loglevel error; \
		echo '{}' > $(VENV)/npm/node_modules/@mdn/mdn-http-observatory/conf/hsts-preload.json; \
		touch $@; \
	fi
