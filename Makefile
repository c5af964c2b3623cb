# Qorgan. `make demo` shows the main job from end to end, `make test` proves it. Everything else is for going on.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory
SHELL := /bin/sh

BIN := .venv/bin
READY := .venv/.ready
TEXTS := shared/texts/kk/qorgan.mo
WORKERS ?= 2
PORT ?= 8350
DEMO ?= var/demo
TABLET ?= aigerim

# Images of containers set it. Then each of the hundreds of processes of a run would translate all source anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test serve tablet pictures bench campaign lint lock env clean system-run system-demo system-test

help: ## what can be made
	@grep -hE '^[a-z]+:.*## ' Makefile | sed -E 's/:[^#]*## /\t/' | awk -F'\t' '{ printf "  make %-10s %s\n", $$1, $$2 }'

demo: system-demo env ## the main job end to end: office, election, request, vote, two tablets, report, review
	@$(BIN)/qorgan demo

test: system-test env ## every check: format, types, import rules, tests on SQLite and PostgreSQL, windows, browser
	@$(MAKE) lint
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup $(PYTEST)

serve: system-run env ## keep the office of the demo running on this machine (PORT=8350)
	@test -d $(DEMO)/office || { echo "There is no office yet: run make demo first."; exit 1; }
	@QORGAN_DATA=$(DEMO)/office QORGAN_KEY_PASSPHRASE_FILE=$(DEMO)/passphrase $(BIN)/qorgan serve --port $(PORT)

tablet: system-run env ## open the window of a tablet of the demo (TABLET=aigerim)
	@test -d $(DEMO)/tablets/$(TABLET) || { echo "There is no such tablet yet: run make demo first."; exit 1; }
	@QORGAN_TABLET_HOME=$(DEMO)/tablets/$(TABLET) $(BIN)/qorgan-tablet run

lint: env ## format, style, import rules, unused dependencies, types
	@$(BIN)/ruff format --check --quiet . || { $(BIN)/ruff format --check . ; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/lint-imports --no-cache > var/lint-imports.log || { cat var/lint-imports.log; exit 1; }
	@$(BIN)/deptry . 2> var/deptry.log || { cat var/deptry.log; exit 1; }
	@$(BIN)/mypy --no-error-summary --follow-imports=silent shared field_app/store field_app/sync $(wildcard server/*/actions.py)
	@echo "format, style, import rules, dependencies and types hold"

pictures: ## take the README's pictures from the last demo
	@tools/pictures

bench: system-run env ## measure, and write docs/results
	@$(BIN)/python -m benchmarks.run

campaign: system-test env ## the long runs, by hand: every trial at the size of a release; goes on where it stopped (TRIALS="schedules …")
	@$(BIN)/python -m tests.trials.campaign $(TRIALS)
	@test -n "$(TRIALS)" || QORGAN_EXAMPLES=campaign $(BIN)/python -m pytest -n $(WORKERS) tests/faults tests/shared $(PYTEST)

lock: env ## resolve requirements.lock again from pyproject.toml
	@test -x $(BIN)/uv || command -v uv > /dev/null || $(BIN)/pip install --quiet uv
	@PATH="$(CURDIR)/$(BIN):$$PATH" uv pip compile pyproject.toml --quiet --all-extras --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-emit-find-links --no-header -o requirements.lock

clean: ## remove the environment and everything made at run time (var/ with the demo's office too)
	@rm -rf .venv var build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

env: $(READY) $(TEXTS)
	@mkdir -p var

system-run:
	@tools/system run

system-demo:
	@tools/system demo

system-test:
	@tools/system test

$(READY): requirements.lock pyproject.toml tools/environment tools/python
	@tools/environment

$(TEXTS): $(READY) shared/texts/build.py $(wildcard shared/texts/*/*.po)
	@$(BIN)/python -m shared.texts.build
