# Nightdesk: everything a person types. Needs Python 3.11+ with venv, and make; nothing else.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
# Libraries that would phone home are told not to, in every command of this file.
export DO_NOT_TRACK := 1
export GX_ANALYTICS_ENABLED := false
export MLFLOW_DISABLE_TELEMETRY := true
export MPLBACKEND := Agg
# Where bytecode is forbidden, every command would compile its libraries anew: seconds of each.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help install run live ui test deep check fix bench truth truth-null proof-night proof-kill proof-kill-random proof-revisions \
  proof-payloads proof-gate proof-reruns proof-rules proof-api proof-live clean

help:  ## What can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-18s %s\n", $$1, $$2}'

# uv installs in a fraction of pip's time; pip is the fallback where uv cannot work. Where pip knows a folder of wheels
# (find-links), torch's CPU build comes from there, else uv's own flag picks it.
$(STAMP): pyproject.toml constraints.txt
	@echo "Installing into $(VENV) (once; a minute or two)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install -q --disable-pip-version-check uv
	@links="$${PIP_FIND_LINKS:-$$($(BIN)/pip config get global.find-links 2>/dev/null || true)}"; \
	if [ -n "$$links" ]; then export UV_FIND_LINKS="$$links"; backend=""; else backend="--torch-backend cpu"; fi; \
	$(BIN)/uv pip install -q -p $(BIN)/python $$backend -c constraints.txt -e '.[night,dev]' \
	  || $(BIN)/pip install -q -c constraints.txt -e '.[night,dev]'
	@touch $(STAMP)

install: $(STAMP)  ## The virtual environment with tested versions

run: $(STAMP)  ## One whole night on the sandbox market, then a day of paper trading, then the report
	@$(BIN)/nightdesk nightly
	@$(BIN)/nightdesk live --feed sandbox
	@$(BIN)/nightdesk report

live: $(STAMP)  ## The coming sandbox session on paper at 60 times speed, and its live page (Ctrl-C ends both)
	@$(BIN)/nightdesk live --feed sandbox --speed 60 --serve

ui: $(STAMP)  ## The Dagster UI: lineage, checks, schedules (http://127.0.0.1:3000)
	@$(BIN)/nightdesk ui

# Three workers on two cores: while one waits for a server or a disk, two work.
PYTEST := $(BIN)/python -m pytest -n 3 --dist loadgroup --no-loadscope-reorder

test: $(STAMP)  ## All tests that fit into a few minutes
	@$(PYTEST)

deep: $(STAMP)  ## Tests that take seconds each (another five minutes; CI runs them after make test)
	@$(PYTEST) -m 'deep and not slow'

check: $(STAMP)  ## Lint, types, import contracts, definitions
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/nightdesk check

fix: $(STAMP)  ## Let ruff mend what it can
	@$(BIN)/ruff check --fix .

bench: $(STAMP)  ## What the work costs, beside peers and floors; bench.json in the home (ONLY=name; minutes, more with peers)
	@$(BIN)/python -m tests.bench $(if $(ONLY),--only $(ONLY))

truth: $(STAMP)  ## 20 seeds a side: promotes the planted signal, refuses noise (half an hour to an hour; resumes)
	@$(BIN)/python -m tests.truth.seeds --seeds 20

truth-null: $(STAMP)  ## No family shows skill where there is none, all do where there is (an hour; resumes; --share 0.1 is a first look)
	@OMP_NUM_THREADS=1 $(BIN)/python -m tests.truth.nulls --work .nightdesk/null-markets

proof-night: $(STAMP)  ## The default night on a planted signal and on noise, a second one, memory (ten minutes)
	@$(BIN)/python -m pytest -m slow tests/test_pipelines/test_default_night.py

proof-kill: $(STAMP)  ## Whole nightlies killed at publications and at random moments (hours; resumes; --only in docs/proofs.md is the short way)
	@$(BIN)/python -m tests.faults.nightlies --kills 5

proof-kill-random: $(STAMP)  ## 20 whole nightlies of a five-name market killed at random moments (half an hour; resumes)
	@OMP_NUM_THREADS=1 $(BIN)/python -W ignore -m tests.faults.nightlies --only at-random --names 5 --kills 20 \
	  --folder .nightdesk/proof-kill-random

proof-revisions: $(STAMP)  ## A late split, a corrected bar and a rename, each landed alone after a night (five small nights; minutes)
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m slow tests/test_pipelines/test_revisions.py

proof-payloads: $(STAMP)  ## 10,000 malformed payloads of every parser: nothing bad in a mart, nothing good lost (minutes)
	@NIGHTDESK_PAYLOADS=10000 $(BIN)/python -m pytest -m deep tests/test_pipelines/test_marts_malformed.py

proof-gate: $(STAMP)  ## Evidence attacked: 10,000 forged homes, every bit of a bundle, every act killed everywhere (ten minutes)
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m slow tests/test_models/test_bundle_every_bit.py \
	  tests/test_pipelines/test_record_states.py tests/truth/test_elsewhere.py
	@OMP_NUM_THREADS=1 $(BIN)/python -W ignore -m tests.faults.acts

proof-reruns: $(STAMP)  ## One small night ten times from nothing: the same models, verdicts and figures (resumes)
	@OMP_NUM_THREADS=1 $(BIN)/python -W ignore -m tests.faults.reruns --times 10

proof-rules: $(STAMP)  ## No rule has skill on a hundred walks; one goes from the settings to a trade and back (minutes)
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m slow tests/test_models/test_signals_skill.py \
	  tests/test_pipelines/test_baselines.py tests/test_live/test_rule_strategy.py

proof-api: $(STAMP)  ## The live API fuzzed from its own OpenAPI with 100,000 requests (four minutes)
	@NIGHTDESK_FUZZ_REQUESTS=100000 $(BIN)/python -m pytest tests/test_live/test_api_schema.py

proof-live: $(STAMP)  ## The live runner killed 1,000 times, its disk broken and its power cut (half an hour; resumes)
	@OMP_NUM_THREADS=1 $(BIN)/python -m tests.faults.live_disk
	@OMP_NUM_THREADS=1 $(BIN)/python -m tests.faults.live_kills --kills 1000

clean:  ## Forget the sandbox home (never a desk's data: only ./.nightdesk)
	@rm -rf .nightdesk dbt/target dbt/logs
