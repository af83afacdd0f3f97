# One command for each thing one does here; `make help` lists them.
# From a fresh clone as root, `make demo` and `make test` need nothing but make and git.

PYTHON ?= python3
BIN := .venv/bin
BUF := build/node/node_modules/.bin/buf
BUF_VERSION := 1.75.0
TASUKI_YANG := yang/tasuki_yang/modules
PROTOS := $(wildcard proto/tasuki_proto/v1/*.proto)
PROTOC = $(BIN)/python -m grpc_tools.protoc --proto_path=proto
# The protocol stays compatible with the newest release; empty before the first one.
RELEASE = $(shell git describe --tags --abbrev=0 --match 'v[0-9]*' 2>/dev/null)

export DEBIAN_FRONTEND := noninteractive
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

NEED_ROOT := $(filter demo test bench vm vm-shell,$(MAKECMDGOALS))
ifneq ($(NEED_ROOT),)
ifneq ($(shell id -u),0)
$(error This needs root, because it makes network namespaces: sudo make $(NEED_ROOT))
endif
endif

.PHONY: help
help: ## List the commands
	@sed -nE 's/^([a-z-]+):.*## (.*)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

# --- What users and CI call ---

.PHONY: demo
demo: setup ## A controller and its routers in network namespaces, told as a story (KEEP=1 leaves it running)
	@$(BIN)/python lab/demo.py $(if $(KEEP),--keep)

.PHONY: test
test: setup daemons guest ## Run every test that this machine can run (TESTS=PATH for some)
	@$(BIN)/python -m pytest $(or $(TESTS),--every-layer)

.PHONY: vm
vm: setup daemons guest ## Run the kernel's tests under Debian's kernel in a virtual machine (TESTS=PATH for others)
	@$(BIN)/python -m pytest --in-vm $(or $(TESTS),tests/kernel tests/vm)

.PHONY: vm-shell
vm-shell: setup guest ## A shell in that virtual machine
	@$(BIN)/python lab/guest.py

.PHONY: check
check: check-style check-types check-architecture check-yang check-proto check-generated ## All that needs no root; make -k check goes on after a failure

.PHONY: bench
bench: setup daemons guest ## Measure, as ratios within one run (JSON=1 for JSON)
	@PYTHONPATH=lab $(BIN)/python bench/run.py $(if $(JSON),--json)

# --- Parts of check ---

.PHONY: check-style
check-style: setup
	$(BIN)/ruff format --check
	$(BIN)/ruff check

.PHONY: check-types
check-types: setup
	$(BIN)/mypy
	$(BIN)/mypy tests bench lab

.PHONY: check-architecture
check-architecture: setup
	$(BIN)/lint-imports

.PHONY: check-yang
check-yang: setup
	$(BIN)/pyang --lint --lint-namespace-prefix urn:tasuki:yang: -p $(TASUKI_YANG)/ietf -p $(TASUKI_YANG)/tasuki \
	  $(TASUKI_YANG)/tasuki/*.yang

.PHONY: check-proto
ifeq ($(shell command -v npm),)
check-proto:
	@echo 'check-proto: skipped, because buf comes through npm and there is no npm'
else
check-proto: $(BUF)
	$(BUF) lint proto
	$(if $(RELEASE),$(BUF) breaking proto --against '.git#tag=$(RELEASE)$(comma)subdir=proto',\
	  @echo 'check-proto: nothing released yet that the protocol could break')
endif
comma := ,

.PHONY: check-generated
check-generated: setup
	$(BIN)/python -m tasuki_yang.generate --check
	@rm -rf build/stubs && mkdir -p build/stubs
	@$(PROTOC) --python_out=build/stubs --grpc_python_out=build/stubs --pyi_out=build/stubs $(PROTOS)
	@for stub in build/stubs/tasuki_proto/v1/*; do \
	  cmp "$$stub" "proto/tasuki_proto/v1/$${stub##*/}" || { echo 'run make generate and commit' >&2; exit 1; }; done
	@$(BIN)/uv export --quiet --locked $(EXPORT) | cmp - requirements.txt \
	  || { echo 'run make lock and commit' >&2; exit 1; }

# --- Set-up ---

.PHONY: setup
setup: .venv/.installed ## Debian packages (as root) and the virtual environment

build/.packages: tools/debian-packages
	@PYTHON=$(PYTHON) tools/debian-packages
	@mkdir -p build && touch $@

# pip and the exported lock, so that a machine needs no uv; `uv sync --all-extras` makes the same environment.
.venv/.installed: build/.packages requirements.txt pyproject.toml
	@echo 'Installing into .venv (once) ...'
	@test -x $(BIN)/pip || $(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --requirement requirements.txt
	@$(BIN)/pip install --quiet --no-deps --editable .
	@touch $@

# It succeeds also where it can get nothing; the tests say what is missing.
# What only tests run is not for everybody who looks at the demo.
.PHONY: daemons
daemons:
	@tools/debian-packages test

.PHONY: guest
guest:
	@tools/guest

$(BUF):
	@npm install --silent --no-audit --no-fund --prefix build/node @bufbuild/buf@$(BUF_VERSION)

# --- What changes committed files ---

.PHONY: generate
generate: setup ## Renew the protocol's stubs and the models generated from YANG
	$(PROTOC) --python_out=proto --grpc_python_out=proto --pyi_out=proto $(PROTOS)
	$(BIN)/python -m tasuki_yang.generate

EXPORT := --all-extras --no-emit-project --no-hashes --no-annotate --no-header
.PHONY: lock
lock: setup ## Renew the lock after a change of dependencies in pyproject.toml
	$(BIN)/uv lock
	$(BIN)/uv export --quiet --frozen $(EXPORT) --output-file requirements.txt
