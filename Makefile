# Meristem. `make help` lists the commands; docs/pipelines.md tells how they work.
#
# make schedules, `plan` decides: before anything else it compares every step's key with what was run before, and writes
# $(A)/plan.mk, one explicit rule per step. Needs GNU make 4.3.

PIPELINES ?= fashion-mlp fashion-conv
ARTIFACTS ?= artifacts
CONFIG    ?= release
# Put before every step's command, as in LAUNCH='srun -N1 -n1 -c2'.
LAUNCH    ?=
# What pip installs for `make interop` and `make bench-peers`; empty: PyTorch without CUDA where pip finds such a build,
# since that is a tenth of the download.
TORCH     ?=
# Threads of one step: the cores, divided by the steps that run side by side.
CORES     := $(shell nproc 2>/dev/null || echo 1)
JOBS       = $(or $(patsubst -j%,%,$(filter-out -j,$(filter -j%,$(MAKEFLAGS)))),$(if $(filter -j,$(MAKEFLAGS)),$(CORES),1))
THREADS   ?= $(shell echo $$(( $(CORES) > $(JOBS) ? $(CORES) / $(JOBS) : 1 )))

A := $(patsubst %/,%,$(ARTIFACTS))
ifneq ($(words $(A)),1)
$(error ARTIFACTS must be one path without spaces, not '$(ARTIFACTS)')
endif
ifneq ($(firstword $(sort $(MAKE_VERSION) 4.3)),4.3)
$(error GNU make 4.3 or later is needed; this is $(MAKE_VERSION))
endif

# The programs. With BIN=folder nothing is built, and the programs there are used.
ifeq ($(origin BIN),undefined)
BIN   := .build/$(CONFIG)
BUILT := .build/meristem-$(CONFIG).stamp
endif
SETUP := .build/setup.stamp
INTEROP := .build/interop
PLAN   = $(BIN)/plan --artifacts $(A)

# A link's own time counts, not only that of the object it points to.
MAKEFLAGS += --check-symlink-times --no-builtin-rules --no-print-directory
.SUFFIXES:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

##@ Experiments

.PHONY: all report list explain rerun graph fields
all: $(PIPELINES)		## Set up, build, run the default pipelines (PIPELINES=…), print their reports
report: all			## The same: artifacts/<pipeline>/report/ with results.csv and results.md
# make <pipeline>, make <pipeline>/<branch>-<seed>/<step>: see plan.mk
list: $(BUILT)			## Pipelines, branches and their state; PIPELINE=name shows every step
	@$(PLAN) --list $(PIPELINE)
explain: $(BUILT) need-STEP	## STEP=pipeline/branch-seed/step: its key, what differs from the last run, what will run
	@$(PLAN) --explain '$(STEP)'
rerun: $(BUILT) need-STEP	## STEP=…: run a step again although it is fresh, and compare with what was there
	@$(MAKE) --silent '$(A)/$(STEP).h5'
	@$(MAKE) --silent '$(A)/$(STEP).h5' --what-if='$(A)/$(STEP).json' RERUN=--rerun
graph: $(BUILT)			## The steps as artifacts/graph.svg, coloured by state (needs Graphviz)
	@mkdir -p $(A) && $(PLAN) --graph > $(A)/graph.dot
	@dot -Tsvg -o $(A)/graph.svg $(A)/graph.dot \
	  || { echo 'graph: error: Graphviz cannot draw $(A)/graph.dot; install it (apt install graphviz)' >&2; exit 69; }
	@echo $(A)/graph.svg
fields: $(BUILT)		## Every field of a pipeline file, what it allows, its default
	@$(PLAN) --fields

##@ Artifacts

.PHONY: verify gc push pull clean distclean
verify: $(BUILT)		## Hash every object again; REBUILD=1 also runs every step again and compares
	@$(BIN)/artifact verify --artifacts $(A)
ifdef REBUILD
	@$(MAKE) --silent $(PIPELINES:%=%/steps)
	@$(MAKE) --silent --keep-going --always-make BIN=$(BIN) RERUN=--rerun $(PIPELINES:%=%/steps)
endif
gc: $(BUILT)			## Drop what no link reaches; DRY=1 only lists it
	@$(BIN)/artifact gc --artifacts $(A) $(if $(DRY),--dry-run)
push: need-REMOTE		## REMOTE=host:folder: copy results there (rsync); safe at any time
	@$(SYNC) $(A)/store $(REMOTE)/ && $(SYNC) $(A)/runs $(REMOTE)/
pull: need-REMOTE		## REMOTE=host:folder: fetch results from there
	@mkdir -p $(A) && $(SYNC) $(REMOTE)/store $(A)/ && $(SYNC) $(REMOTE)/runs $(A)/
clean:				## Remove links, reports and the plan; results stay in artifacts/store
	@test ! -d $(A) || find $(A) -mindepth 1 -maxdepth 1 $(KEPT:%=! -name %) -exec rm -rf {} +
distclean: KEPT := README.md
distclean: clean		## Remove everything computed, the build too
	@rm -rf .build Benchmarks/.venv

KEPT := README.md store runs
# Objects and records are named after their content: one that is there already is the same.
SYNC := rsync -a --ignore-existing --exclude='.*.temporary' --exclude='*.lock' --exclude='*.corrupt'

##@ Development

.PHONY: build setup test interop fuzz lint bench bench-peers help
build: $(BUILT)			## Build the programs (CONFIG=release or debug)
setup:				## Install the system packages that are missing
	@.ci/setup
	@mkdir -p $(dir $(SETUP)) && touch $(SETUP)
test: $(SETUP)			## Set up, build, run every test
	swift build --build-tests
	swift test --skip-build
interop: $(SETUP) $(INTEROP)/ready	## Load networks into PyTorch and compare outputs, losses and gradients
	swift build --build-tests
	MERISTEM_PYTHON=$(CURDIR)/$(INTEROP)/bin/python swift test --skip-build --filter InteropTests
fuzz: $(BUILT)			## SECONDS=60 FIRST=0: read artifacts that were changed in every way; none may crash a reader
	MERISTEM_FUZZ=1 swift build -c $(CONFIG) --product fuzz
	$(BIN)/fuzz --seconds $(or $(SECONDS),60) --first $(or $(FIRST),0)
lint:				## Check the format of the sources
	swift format lint --strict --recursive Package.swift Sources Tests Plugins Benchmarks/benchmarks Fuzz
bench: $(SETUP)			## Build and run the benchmarks
	MERISTEM_BENCHMARKS=1 swift build -c release --product benchmarks
	python3 Benchmarks/compare.py .build/release/benchmarks
bench-peers: $(SETUP) Benchmarks/.venv/ready	## The benchmarks beside PyTorch, in one run
	MERISTEM_BENCHMARKS=1 swift build -c release --product benchmarks
	python3 Benchmarks/compare.py .build/release/benchmarks Benchmarks/.venv/bin/python
help:				## This list
	@awk 'BEGIN { FS = ":.*## " } \
	  /^##@ / { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@printf '\n  make PIPELINE, make PIPELINE/BRANCH-SEED/STEP: one pipeline, one step and what it needs\n'
	@printf '\nSettings: ARTIFACTS=%s CONFIG=%s THREADS=%s LAUNCH=%s; OFFLINE=1 never downloads,\n' \
	  '$(A)' '$(CONFIG)' '$(THREADS)' '$(LAUNCH)'
	@printf 'DATA_MIRROR=folder is looked at for datasets; -jN runs N steps side by side.\n'

Benchmarks/.venv/ready: Benchmarks/peers.py
	$(call install-torch,Benchmarks/.venv,numpy gromo)
	@touch $@
$(INTEROP)/ready:
	$(call install-torch,$(INTEROP),numpy h5py)
	@touch $@

# $(call install-torch,FOLDER,PACKAGES): a Python environment with PyTorch and these packages.
define install-torch
python3 -m venv $1
$(if $(TORCH),$1/bin/pip install --quiet '$(TORCH)' $2,\
  $1/bin/pip install --quiet 'torch==2.13.0+cpu' $2 2>/dev/null || $1/bin/pip install --quiet torch $2)
endef

.PHONY: need-STEP need-REMOTE
need-STEP need-REMOTE: need-%:
	@test -n '$($*)' || { echo "make: error: say $*=…, as in 'make help'" >&2; exit 64; }

# --- The build. Its stamp gets the time at which it began, so that edits meanwhile count as newer.

$(SETUP): .ci/setup
	@.ci/setup
	@mkdir -p $(@D) && touch $@

ifdef BUILT
$(BUILT): $(shell find Package.swift Sources Plugins) | $(SETUP)
	@touch $@.begun
	swift build -c $(CONFIG)
	@mv $@.begun $@
endif

# --- The steps.

# $(call run,STAGE,STEP,INPUTS,FLAGS)
define run
@echo '[$1] $2'
@$(LAUNCH) $(BIN)/$1 --parameters $(A)/$2.json $3 --output $@ --artifacts $(A) --threads $(THREADS) $4 \
  || { status=$$?; echo '[$1] $2 failed; its log is $(A)/$2.log' >&2; exit $$status; }
endef
run-step = $(call run,$1,$2,$3,$(RERUN))
# For a step whose work another step does first: its program finds the result, also while all steps are run again.
run-twin = $(call run,$1,$2,$3,$(if $(REBUILD),,$(RERUN)))

# $(call run-report,PIPELINE)
define run-report
@echo '[report] $1'
@$(LAUNCH) $(BIN)/report --parameters $(A)/$1/report/report.json --pipeline $1 --artifacts $(A) --output $@ >/dev/null
endef

# $(call show-report,PIPELINE): where the report is, and its first table; nothing under -q and -n, which it is no work for.
FLAGS = $(firstword -$(filter-out --%,$(MAKEFLAGS)))
show-report = $(if $(findstring q,$(FLAGS))$(findstring n,$(FLAGS)),,@echo '$1: $(A)/$1/report'; \
  awk '/^\|/ { print; table = 1; next } table { exit }' $(A)/$1/report/results.md)

ifneq ($(filter-out help setup build test interop fuzz lint bench bench-peers clean distclean list explain rerun graph fields \
  verify gc push pull,$(or $(MAKECMDGOALS),help)),)
# Planned anew by every make, once; the plan is written only if it changed. A pipeline that cannot be read stops make.
ifndef MAKE_RESTARTS
.PHONY: plan-anew
$(A)/plan.mk: plan-anew
endif
$(A)/plan.mk: $(BUILT)
	@$(PLAN)
include $(A)/plan.mk
endif
