# Meristem. `make help` lists the commands; docs/pipelines.md tells how they work.
#
# make schedules, `plan` decides: before anything else it compares every step's key with what was run before, and prints
# one explicit rule for each step that must run. Needs GNU make 4.3.

# The settings, as in `make ARTIFACTS=folder all`. Only what is said on the command line counts: the environment is full of
# other programs' variables.
PIPELINES := fashion-mlp fashion-conv
ARTIFACTS := artifacts
CONFIG    := release
# The programs. With BIN=folder nothing is built, and the programs there are used.
BIN       :=
# Put before every step's command, as in LAUNCH='srun -N1 -n1 -c2'.
LAUNCH    :=
# What pip installs for `make interop` and `make bench-peers`; empty: PyTorch without CUDA where pip finds such a build,
# since that is a tenth of the download.
TORCH     :=
# What single commands ask for; see `make help`.
PIPELINE  :=
STEP      :=
REMOTE    :=
REBUILD   :=
DRY       :=
KEEP_DAYS := 30
ROWS      :=
# Used by this Makefile itself: a step, or all, that must run although it is done.
AGAIN     :=
# Threads of one step: the cores, divided by the steps that run side by side.
CORES     := $(shell nproc 2>/dev/null || echo 1)
JOBS       = $(or $(patsubst -j%,%,$(filter-out -j,$(filter -j%,$(MAKEFLAGS)))),$(if $(filter -j,$(MAKEFLAGS)),$(CORES),1))
THREADS    = $(shell echo $$(( $(CORES) > $(JOBS) ? $(CORES) / $(JOBS) : 1 )))

ifneq ($(firstword $(sort $(MAKE_VERSION) 4.3)),4.3)
$(error GNU make 4.3 or later is needed; this is $(MAKE_VERSION))
endif

# --- What is said on the command line is checked before anything is done with it.

# Where a value may stand in a recipe, none has a character that make or the shell takes for something else.
hash      := \#
odd-shell := ' " ` \ & ; | < > * ? ! { } ( ) $(hash) $$
odd-path  := $(odd-shell) ~ = % [ ] :
odd-in     = $(foreach c,$2,$(findstring $c,$(value $1)))
# $(call check,SETTING,ODD CHARACTERS)
check      = $(if $(or $(strip $(call odd-in,$1,$2)),$(filter -%,$(value $1)),$(word 2,$(value $1))),$(error \
  $1 must be one path without spaces, without $(strip $2), and with no dash in front; it is '$(value $1)'))
$(foreach setting,ARTIFACTS BIN CONFIG PIPELINE STEP AGAIN KEEP_DAYS,$(call check,$(setting),$(odd-path)))
$(call check,REMOTE,$(odd-shell))
$(foreach setting,MAKECMDGOALS PIPELINES THREADS CORES,$(if $(strip $(if $(findstring file,$(origin $(setting))),,$(call \
  odd-in,$(setting),$(odd-path)))),$(error $(setting) must be without $(odd-path); it is '$(value $(setting))')))
$(foreach setting,ROWS TORCH,$(if $(strip $(call odd-in,$(setting),' $$)),$(error \
  $(setting) must be without ' and $$; it is '$(value $(setting))')))

A := $(patsubst %/,%,$(ARTIFACTS))
ifneq ($(words $(A)),1)
$(error ARTIFACTS must be one path without spaces, not '$(ARTIFACTS)')
endif

# Names that nobody reads would be passed over in silence.
SETTINGS := ARTIFACTS BIN CONFIG CORES DATA_MIRROR DRY KEEP_DAYS LAUNCH OFFLINE PIPELINE PIPELINES REBUILD REMOTE ROWS SECONDS STEP \
  THREADS TORCH
FOREIGN  := CC CFLAGS CXX HOME LANG LC_% LD_% LDFLAGS MAKE% MERISTEM_% OMP_% OPENBLAS_% PATH PKG_CONFIG% SHELL SWIFT% TMPDIR
unknown  := $(if $(filter 0,$(MAKELEVEL)),$(filter-out $(SETTINGS) $(FOREIGN) -*-%,$(foreach v,$(.VARIABLES),$(if \
  $(findstring command,$(origin $v)),$v))))
ifneq ($(unknown),)
name  := $(firstword $(unknown))
plain := $(if $(strip $(call odd-in,name,$(odd-path))),,$(name))
upper := $(shell echo '$(plain)' | tr a-z- A-Z_)
lower := $(shell echo '$(plain)' | tr A-Z_ a-z-)
# Fields of pipelines that are asked for like this; `make fields` has them all.
FIELDS := branches dataset final.epochs growth.method growth.neurons growth.rounds growth.samples network.activation \
  network.kind network.widths seed.batch seed.epochs seed.optimizer.rate seeds tune.epochs validation
meant := $(strip $(if $(filter JOBS,$(upper)),-jN) $(if $(upper),$(foreach s,$(SETTINGS),$(if $(or $(filter $(upper)%,$s),\
  $(filter $s%,$(upper))),$s=)) $(foreach f,$(FIELDS),$(if $(filter $(lower) $(lower)s,$f $(lastword $(subst ., ,$f))),\
  $f:))))
$(error there is no setting '$(name)'$(if $(meant),; did you mean $(meant)?,.) The settings are $(SETTINGS). What an \
  experiment does is said by the fields of pipelines/NAME.yaml, such as seeds or growth.method (make fields))
endif

ifeq ($(BIN),)
override BIN := .build/$(CONFIG)
BUILT := .build/meristem-$(CONFIG).stamp
else
BUILT :=
endif
SETUP := .build/setup.stamp
INTEROP := .build/interop
# $(call quote,TEXT): as one word for the shell
quote = '$(subst ','\'',$1)'
PLAN  = $(BIN)/plan --artifacts $(A) $(if $(LAUNCH),--launch $(call quote,$(LAUNCH)))

MAKEFLAGS += --no-builtin-rules --no-print-directory

ifneq ($(and $(word 2,$(MAKECMDGOALS)),$(filter clean distclean pull,$(MAKECMDGOALS))),)
# What comes behind these is planned when they are done.
.NOTPARALLEL:
.PHONY: $(MAKECMDGOALS)
$(MAKECMDGOALS):
	@$(MAKE) $@
else
.SUFFIXES:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

##@ Experiments

.PHONY: all report list explain rerun graph fields check-results
all:				## Set up, build, run the default pipelines (PIPELINES=…), print their reports
report: all			## The same: artifacts/<pipeline>/report/ with results.csv and results.md
# make <pipeline>, make <pipeline>/<branch>-<seed>/<step>: see what `plan` prints
list: $(BUILT)			## Pipelines, branches and their state; PIPELINE=name shows every step
	@$(PLAN) --list $(PIPELINE)
explain: $(BUILT) need-STEP	## STEP=pipeline/branch-seed/step: its key, what differs from the last run, what will run
	@$(PLAN) --explain '$(STEP)'
rerun: $(BUILT) need-STEP	## STEP=…: run a step again although it is fresh, and compare with what was there
	@$(MAKE) --silent '$(STEP)'
	@$(MAKE) --silent '$(STEP)' AGAIN='$(STEP)'
graph: $(BUILT)			## The steps as artifacts/graph.svg, coloured by state; PIPELINE=name draws one
	@mkdir -p $(A) && rm -f $(A)/graph.dot $(A)/graph.svg && $(PLAN) --graph $(PIPELINE) > $(A)/graph.dot
	@dot -Tsvg -o $(A)/graph.svg $(A)/graph.dot \
	  || { echo 'graph: error: Graphviz cannot draw $(A)/graph.dot; install it (make setup, or apt install graphviz)' >&2; exit 69; }
	@echo $(A)/graph.svg
check-results: $(BUILT)		## Compare the results of the pipelines that were run with those kept in docs/results/
	@for kept in docs/results/*.csv; do name=$$(basename $$kept .csv); \
	  test ! -d $(A)/$$name || $(BIN)/report --artifacts $(A) --pipeline $$name --check $$kept || exit; done
fields: $(BUILT)		## Every field of a pipeline file, what it allows, its default
	@$(PLAN) --fields

##@ Artifacts

.PHONY: verify gc push pull clean distclean
verify: $(BUILT)		## Hash every object again; REBUILD=1 also runs every step again and compares
	@$(BIN)/artifact verify --artifacts $(A)
ifneq ($(REBUILD),)
	@$(MAKE) --silent $(PIPELINES:%=%/steps)
	@$(MAKE) --silent --keep-going AGAIN=all $(PIPELINES:%=%/steps)
endif
gc: $(BUILT)			## Drop what no pipeline reaches and was not used for KEEP_DAYS=30; DRY=1 only lists it
	@$(PLAN) --strict >/dev/null
	@$(BIN)/artifact gc --artifacts $(A) --unused-days $(KEEP_DAYS) $(if $(DRY),--dry-run)
push: need-REMOTE need-rsync	## REMOTE=host:folder: copy results there (rsync); safe at any time
	@$(SYNC) $(A)/store $(A)/runs '$(REMOTE)/'
pull: need-REMOTE need-rsync	## REMOTE=host:folder: fetch results from there
	@mkdir -p $(A) && $(SYNC) '$(REMOTE)/store' $(A)/ && $(SYNC) '$(REMOTE)/runs' $(A)/
clean:				## Remove links, reports and parameters; results stay in artifacts/store
	@$(to-artifacts); $(remove-links)
distclean:			## Remove everything computed, the build too
	@$(to-artifacts); $(remove-links); $(remove-results)
	@rm -rf .build Benchmarks/.venv

# Objects and records are named after their content: one that is there already is the same. Modes are left to the umask of
# where they go, and the time is that of their arrival there, from which they count as used.
SYNC := rsync -rl --ignore-existing --exclude='.*.temporary' --exclude='*.lock' --exclude='*.corrupt' --exclude='*.aside*'

# Goes to the artifacts, past a link to another disk; ends the recipe where there is nothing to remove.
define to-artifacts
test -d $(A)/ || exit 0; cd $(A)/ || exit; \
test -e store/.meristem || { test -z "$$(ls -A | grep -vx README.md)" && exit 0; \
  echo "make: error: $(A) does not bear the mark of our artifacts (store/.meristem, which planning leaves); nothing was removed" >&2; \
  exit 65; }
endef
# What the planner and the stages put below <pipeline>/, by name; a pipeline's folder is known by its report.json. What
# others put there stays, and folders that are not empty.
STEP_FILE := ([a-z0-9-]+-[0-9]+)/(dataset|seed|evaluation|(bottlenecks|grow|tune)-[0-9]+)
define remove-links
find ./*/ -mindepth 2 -maxdepth 2 -type l -name '*.h5' -lname '../../store/*.h5' -delete 2>/dev/null; \
for parameters in ./*/report/report.json; do \
  test -f "$$parameters" && grep -q '^{"chains":' "$$parameters" || continue; \
  pipeline=$${parameters%report/report.json}; \
  find "$$pipeline" -mindepth 2 -maxdepth 2 -regextype posix-extended -not -type d \
    \( -regex '\./[^/]+/$(STEP_FILE)\.(json|log)' -type f -o -name '.*.temporary' \) -delete; \
  rm -f "$$pipeline"report/results.csv "$$pipeline"report/results.md "$$pipeline"report/SHA256SUMS "$$parameters"; \
  rmdir "$$pipeline"report "$$pipeline"*-[0-9]* "$$pipeline"; \
done 2>/dev/null; \
test ! -f graph.dot || ! grep -q "^digraph meristem" graph.dot || rm -f graph.dot graph.svg
endef
define remove-results
find store/ runs/ -mindepth 1 -maxdepth 1 -not -type d -regextype posix-extended \
  \( -regex '(store|runs)/[0-9a-f]{64}\.(h5|h5\.corrupt|json|json\.corrupt|lock)' -o -name publishing.lock \
  -o -name '.*.temporary' \) -delete 2>/dev/null; \
rm -f store/.meristem; rmdir store runs 2>/dev/null; true
endef

##@ Development

.PHONY: build setup test interop fuzz lint bench bench-peers help
build: $(BUILT)			## Build the programs (CONFIG=release or debug)
setup:				## Install the system packages that are missing
	@$(set-up)
test: $(SETUP)			## Set up, build, run every test
	$(call swift-build,--build-tests)
	swift test --skip-build
interop: $(SETUP) $(INTEROP)/ready	## Load networks into PyTorch and compare outputs, losses and gradients
	$(call swift-build,--build-tests)
	MERISTEM_PYTHON="$$PWD/$(INTEROP)/bin/python" swift test --skip-build --filter InteropTests
fuzz: $(BUILT)			## SECONDS=60: read artifacts that were changed in every way; none may crash a reader
	MERISTEM_FUZZ=1 swift build -c $(CONFIG) --product fuzz
	$(BIN)/fuzz --seconds $(or $(SECONDS),60)
lint:				## Check the format of the sources
	swift format lint --strict --recursive Package.swift Sources Tests Plugins Benchmarks/benchmarks Fuzz
bench: $(SETUP)			## Build and run the benchmarks, or those whose names contain ROWS='step VGG'
	MERISTEM_BENCHMARKS=1 swift build -c release --product benchmarks
	python3 Benchmarks/compare.py .build/release/benchmarks $(if $(ROWS),'$(ROWS)')
bench-peers: $(SETUP) Benchmarks/.venv/ready	## The rows that PyTorch and gromo have, too, in turn with them
	MERISTEM_BENCHMARKS=1 swift build -c release --product benchmarks
	python3 Benchmarks/compare.py --comparable --peer 'Benchmarks/.venv/bin/python Benchmarks/peers.py' \
	  .build/release/benchmarks $(if $(ROWS),'$(ROWS)')
help:				## This list
	@awk 'BEGIN { FS = ":.*## " } \
	  /^##@ / { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@printf '\n  make PIPELINE, make PIPELINE/BRANCH-SEED/STEP: one pipeline, one step and what it needs\n'
	@printf '\nSettings: ARTIFACTS=%s CONFIG=%s THREADS=%s LAUNCH=%s; OFFLINE=1 never downloads,\n' \
	  '$(A)' '$(CONFIG)' '$(THREADS)' $(call quote,$(LAUNCH))
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

.PHONY: need-STEP need-REMOTE need-rsync FORCE
need-STEP need-REMOTE: need-%:
	@test -n '$($*)' || { echo "make: error: say $*=…, as in 'make help'" >&2; exit 64; }
need-rsync:
	@command -v rsync >/dev/null || { echo 'make: error: there is no rsync; install it (apt install rsync)' >&2; exit 69; }

STALE :=
BROKEN :=
# --- The build. A stamp holds what was built from: names, sizes and times, which are compared for being the same, since a
# clock that was wrong, or a copy with old times, makes newer files look older. What editors and macOS hide is no source.

SETUP_STATE := $(hash) $(shell cat .ci/setup 2>/dev/null | cksum)
define set-up
.ci/setup && mkdir -p .build && echo '$(SETUP_STATE)' > $(SETUP)
endef
ifneq ($(file <$(SETUP)),$(SETUP_STATE))
$(SETUP): FORCE
endif
$(SETUP):
	@$(set-up)

ifneq ($(BUILT),)
BUILD_STATE := $(hash) $(shell find -L Package.swift Sources Plugins -name '.*' -prune -o -type f -printf '%p %s %T@\n' \
  2>/dev/null | sort | cksum)
ifneq ($(file <$(BUILT)),$(BUILD_STATE))
STALE := yes
$(BUILT): FORCE
endif
$(BUILT): | $(SETUP)
	$(call swift-build,-c $(CONFIG))
	@echo '$(BUILD_STATE)' > $@
endif

# $(call swift-build,OPTIONS). What SwiftPM says when a built checkout was moved or copied does not help.
define swift-build
@mkdir -p .build; test -e .build/checkout || pwd -P > .build/checkout
@echo 'swift build $1'; swift build $1 || { status=$$?; place=$$(cat .build/checkout); test "$$place" = "$$(pwd -P)" || echo \
  "make: error: .build was made in $$place: this checkout was moved or copied; remove .build (rm -rf .build), then make again" >&2; \
  exit $$status; }
@pwd -P > .build/checkout
endef

# --- The steps.

# $(call run-step,STAGE,STEP,INPUTS,FLAGS)
define run-step
@echo '[$1] $2'
@$(LAUNCH) $(BIN)/$1 --parameters $(A)/$2.json $3 --output $@ --artifacts $(A) --threads $(THREADS) $4 \
  || { status=$$?; echo '[$1] $2 failed; its log is $(A)/$2.log' >&2; exit $$status; }
endef

# $(call run-broken,PIPELINE): says what is wrong with it
run-broken = @$(PLAN) --list $1

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
ifeq ($(STALE),yes)
# Built first; make then reads all this again.
include $(BUILT)
else
# Planned anew by every make, under -n and -q too; the rules are in no file, which another make could write at the same time.
define newline


endef
RULES := $(shell rules=$$($(PLAN) $(if $(AGAIN),--again $(AGAIN))) || exit; printf %s "$$rules" | tr '\n' ';')
ifneq ($(.SHELLSTATUS),0)
$(error nothing was run, since planning failed)
endif
$(eval $(subst ;,$(newline),$(RULES)))
# What cannot be made fails before anything runs.
all: $(filter $(BROKEN),$(PIPELINES)) $(PIPELINES)
endif
endif
endif
