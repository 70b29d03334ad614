# headshot: `make` lists what there is. Every target makes what is missing before it, and nothing else.

MANIFEST ?= manifests/demo.toml#   manifest of the clips
DATA     ?= data/demo#             dataset: Parquet shards, index, rejects
RUN      ?= runs/demo#             checkpoint, predictions, scores.parquet, run.json
REPORT   ?= reports/out/$(notdir $(RUN))#   the site goes here
PRESET   ?= compact#               reference model: compact, compact-faithful or tiny
SHOTS    ?= 1,8,32#                numbers of support frames
DRAWS    ?= 1#                     draws of the support frames: 1 is three times as fast at 1 shot as auto, which is 3 up to 3 shots
PROFILE  ?= embedded#              networks behind the metrics: embedded or paper
DEVICE   ?= auto#                  auto, cpu or cuda
WORKERS  ?= 0#                     worker processes that preprocess; 0 takes all cores
ADDRESS  ?= #                     where the published site will be, such as https://example.org/reports/
SIZE     ?= 128#                   side of the face crops in pixels

VENV     := .venv
BIN      := $(VENV)/bin
HEADSHOT := $(BIN)/headshot
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# The newest Python that is supported and here.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
  $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && { echo $$p; break; }; done)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup samples preprocess train baselines benchmark report publish test test-fast check bench screenshots clean

help: ## List the targets and the variables
	@echo "headshot: raw talking-head video in, a published comparison out"
	@echo
	@grep -E '^[a-z-]+:.*## ' $(firstword $(MAKEFILE_LIST)) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20
	@echo
	@echo "Variables (make benchmark SHOTS=1,8):"
	@sed -nE 's/^([A-Z]+) +\?= ([^#$$]*)#+ *(.*)/  \1\t\2\t\3/p' $(firstword $(MAKEFILE_LIST)) | expand -t 14,38

setup: $(VENV)/.ready ## Create .venv and install headshot

$(VENV)/.python:
	@test -n "$(PYTHON)" || { echo "headshot needs Python 3.11, 3.12 or 3.13 and found none; install one, or say make PYTHON=/path/to/python"; exit 2; }
	@echo "creating $(VENV) with $(PYTHON)"
	@$(PYTHON) -m venv $(VENV) && touch $@

$(VENV)/.ready: pyproject.toml | $(VENV)/.python
	@echo "installing headshot and what it needs (a minute or two, once)"
	@$(BIN)/python -m pip install -qq --editable . && touch $@

$(VENV)/.ready-dev: pyproject.toml | $(VENV)/.python
	@echo "installing headshot, what it needs and the development tools (a minute or two, once)"
	@$(BIN)/python -m pip install -qq --editable '.[dev]' && touch $@ $(VENV)/.ready

samples: $(VENV)/.ready ## Download and verify the sample clips
	@$(HEADSHOT) samples fetch --manifest $(MANIFEST) --into data/raw

preprocess: samples ## Raw video to Parquet shards of face crops and landmarks
	@$(HEADSHOT) preprocess --manifest $(MANIFEST) --videos data/raw --data $(DATA) --size $(SIZE) --workers $(WORKERS)

train: preprocess ## Train the reference model
	@$(HEADSHOT) train $(PRESET) --data $(DATA) --run $(RUN) --device $(DEVICE)

baselines: preprocess ## Train the learned baselines, which the benchmark then takes along
	@$(HEADSHOT) train x2face-compact --data $(DATA) --run $(RUN) --device $(DEVICE)
	@$(HEADSHOT) train pix2pixhd-compact --data $(DATA) --run $(RUN) --device $(DEVICE)

benchmark: train ## Score all systems at SHOTS and write the report
	@$(HEADSHOT) benchmark --data $(DATA) --run $(RUN) --shots $(SHOTS) --draws $(DRAWS) --profile $(PROFILE) --size $(SIZE) --device $(DEVICE)
	@$(HEADSHOT) report $(RUN) --data $(DATA) -o $(REPORT)

report: $(VENV)/.ready ## Write the report of a finished run again
	@$(HEADSHOT) report $(RUN) --data $(DATA) -o $(REPORT)

publish: report ## Write the report, and all reports as one site for any static host
	@$(HEADSHOT) publish --out $(dir $(REPORT)) $(if $(ADDRESS),--address $(ADDRESS))

test: $(VENV)/.ready-dev ## Run all tests
	@$(BIN)/pytest -q

test-fast: $(VENV)/.ready-dev ## Run the tests that take seconds
	@$(BIN)/pytest -q -m "not slow"

check: $(VENV)/.ready-dev ## Format, lint, types, import order
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: $(VENV)/.ready-dev ## Measure the speed of each stage on the dataset and checkpoint that are there
	@$(BIN)/python -m benchmarks.stages --data $(DATA) --run $(RUN) --preset $(PRESET) --device $(DEVICE)

screenshots: $(VENV)/.ready-dev ## Take the pictures in docs/images from REPORT
	@$(BIN)/python docs/screenshots.py --report $(REPORT)

clean: ## Remove what the commands made (not .venv, not the weights cache)
	rm -rf data/demo runs/demo reports/out
