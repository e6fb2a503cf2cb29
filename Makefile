# Every target makes the virtual environment it needs; a second call finds it and starts at once.
# `make` alone lists the targets. Override with `make PYTHON=/path/to/python3.12 ...`.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
# Containers like to set it. Then every process would compile all of torch anew, for nine seconds.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$python"; break; }; done)
BIN := .venv/bin
NODE := tests/clients/node_modules/.package-lock.json
# The fast tests, in parts that take about as long as each other. Only the first imports torch, so that one process
# does (and compiles it, the first time); the others have it refused.
TORCH := $(addprefix tests/unit/,engine preprocessors training worker benchmarks/test_gpu.py benchmarks/test_serving.py \
	pictures/test_prepare.py provenance/test_planted_faults.py) tests/security/test_prompts.py
GATEWAY := $(addprefix tests/,e2e security unit/api unit/cli unit/client unit/services)
TESTS := check-tests-torch check-tests-gateway check-tests-rest
FAST := $(BIN)/pytest -m "not slow"
BENCHMARKS := encode stepping batching gpu model outline watermark
# Python compiles what it imports when it first does; pip would compile all of torch, which takes most of its time.
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --no-compile

.PHONY: help demo up test test-parts test-timed test-services clients deploy-check chaos soak mutants check check-code check-types check-style check-layers check-tests $(TESTS) fix bench train clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: .venv/.run ## start everything, make one picture, prove it, stop again
	@$(BIN)/darkroom demo

up: .venv/.run ## run the whole service on http://127.0.0.1:8000 until Ctrl-C
	@$(BIN)/darkroom up

test: .venv/.dev ## every test: real Valkey, real S3 server, real worker processes
	@$(MAKE) --jobs=1 --keep-going check-tests test-parts test-timed test-services

test-parts:
	$(BIN)/pytest -m slow tests/unit --numprocesses=auto --maxprocesses=2

test-timed:
	$(BIN)/pytest -m "slow and timed" --ignore=tests/unit

test-services:
	$(BIN)/pytest -m "slow and not timed" --ignore=tests/unit --numprocesses=auto --maxprocesses=2 --dist=loadfile

clients: .venv/.dev $(NODE) ## run SDKs of others, in Python and Node, against the service
	CLIENTS=required $(BIN)/pytest tests/clients --ignore=tests/clients/playground
	CLIENTS=required $(BIN)/pytest tests/clients/playground

deploy-check: .venv/.dev .venv/.deploy ## hold images, compose, Kubernetes and alerts against what they describe, and run the composition
	DEPLOY=required $(BIN)/pytest tests/deploy

chaos: .venv/.dev ## kill everything again and again while jobs run; SEED=N repeats a run, NIGHTLY=1 kills ten times as often
	@$(BIN)/python -m tests.chaos $(if $(SEED),--seed $(SEED)) $(if $(NIGHTLY),--nightly)

mutants: .venv/.dev ## take each guard away once; fails where no test notices. GUARDS=words picks some
	@$(BIN)/python -m tests.mutants.run $(GUARDS)

soak: .venv/.dev ## run under steady work and see that nothing grows: five minutes, or HOURS=4
	@$(BIN)/python -m tests.soak $(if $(HOURS),--minutes $$(( $(HOURS) * 60 )))

check: .venv/.dev ## what a commit must pass: lint, types, layers, fast tests
	@$(MAKE) --jobs=3 --keep-going --output-sync=target check-tests-torch check-types check-tests-gateway check-tests-rest check-style check-layers

check-code: .venv/.dev ## lint, types and layers alone, for who runs all tests anyway
	@$(MAKE) --jobs=2 --keep-going --output-sync=target check-types check-style check-layers

check-types:
	$(BIN)/mypy

check-style:
	$(BIN)/ruff check
	$(BIN)/ruff format --check

check-layers:
	$(BIN)/lint-imports

check-tests:
	@$(MAKE) --jobs=2 --keep-going --output-sync=target $(TESTS)

check-tests-torch:
	$(FAST) $(TORCH)

check-tests-gateway:
	$(FAST) -p tests.without_torch $(GATEWAY) $(TORCH:%=--ignore=%)

check-tests-rest:
	$(FAST) -p tests.without_torch $(addprefix --ignore=,$(GATEWAY) $(TORCH))

fix: .venv/.dev ## format the code, mend what ruff can, write the generated pages
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	$(BIN)/python docs/generate.py

bench: .venv/.run ## run the usual benchmarks, or BENCHMARKS="records trustmark"; each ends with one line of JSON
	@for name in $(BENCHMARKS); do echo "== $$name"; $(BIN)/python -m benchmarks.$$name; done

train: .venv/.run ## make the embedded model, its LoRA and its ControlNet from nothing, into worker/tiny
	$(BIN)/python -m training.train
	$(BIN)/python -m training.lora
	$(BIN)/python -m training.controlnet

clean: ## remove caches, builds and the demo's picture; the virtual environment stays
	rm -rf build dist demo.png .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .schemathesis
	find . -path ./.venv -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

# Debian splits ensurepip off Python: there pip comes from outside the environment.
$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "darkroom needs Python 3.11 or newer: set PYTHON=/path/to/python3" >&2; exit 1; }
	@echo "making .venv with $(PYTHON)"
	@$(PYTHON) -m venv .venv 2>/dev/null || { $(PYTHON) -m venv --clear --without-pip .venv && \
		$(PYTHON) -m pip --python $(BIN)/python install --quiet pip; }

.venv/.run: pyproject.toml | $(BIN)/python
	@echo "installing darkroom and what it runs on (some minutes the first time)"
	@$(PIP) --editable '.[api,worker,local]'
	@touch $@

.venv/.dev: pyproject.toml | $(BIN)/python
	@echo "installing darkroom and its development tools (some minutes the first time)"
	@$(PIP) --editable '.[dev]'
	@touch .venv/.run $@

# Node's packages, and programs that pip does not bring: Debian's where we may install them.
$(NODE): tests/clients/package.json tests/clients/package-lock.json
	@missing=(); for program in node npm chromium; do command -v $$program >/dev/null || missing+=($$program); done; \
	if [ $${#missing[@]} -gt 0 ]; then \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			echo "installing $${missing[*]}"; \
			apt-get update -qq && apt-get install -qq --yes --no-install-recommends "$${missing[@]/#node/nodejs}" >/dev/null; \
		else \
			echo "install these first: $${missing[*]} (Debian: apt-get install $${missing[*]/#node/nodejs})" >&2; exit 1; \
		fi; \
	fi
	@echo "installing the packages of node that the tests run"
	@npm ci --prefix tests/clients --ignore-scripts --silent
	@touch $@

# promtool is in Debian's prometheus, which needs no installing to be run; kustomize comes with kubectl.
.venv/.deploy: | .venv/.dev
	@command -v kubectl >/dev/null || { echo "install kubectl first: kustomize is in it" >&2; exit 1; }
	@command -v promtool >/dev/null || { command -v apt-get >/dev/null || { echo "install promtool first" >&2; exit 1; }; \
		folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && cd "$$folder" && \
		{ apt-get download -qq prometheus 2>/dev/null || { apt-get update -qq && apt-get download -qq prometheus; }; } && \
		dpkg -x prometheus_*.deb "$(CURDIR)/.venv/prometheus"; }
	@touch $@
