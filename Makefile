# Mien's everyday commands; each sets up .venv on its first use and is quick the second time.
# On Linux without an NVIDIA driver torch comes as its CPU build, which saves gigabytes of CUDA libraries.

TORCH_CPU ?= https://download.pytorch.org/whl/cpu
VENV := .venv
PY := $(VENV)/bin/python
OUT ?= out
FIND_PYTHON = for p in python3.11 python3.12 python3 python; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))' 2>/dev/null && echo $$p && break; done
PIP = $(PY) -m pip install -q --disable-pip-version-check -c constraints.txt
GPU := $(if $(shell command -v nvidia-smi 2>/dev/null),gpu)
comma := ,
# Where that index cannot be reached, the next step takes torch from wherever pip looks by itself.
CPU_TORCH = $(if $(GPU),true,test `uname -s` != Linux || $(PY) -c 'import torch' 2>/dev/null || \
	$(PIP) --retries 0 --timeout 10 --index-url $(TORCH_CPU) torch 2>/dev/null || true)

.DEFAULT_GOAL := help
.PHONY: help setup render picture test lint bench demo clean

help:
	@echo "make render   talking clips of a public-domain portrait, in $(OUT)/"
	@echo "make test     format, lint, types, import contracts, tests"
	@echo "make bench    the portrait engine's speed beside its ceiling on this machine"
	@echo "make picture  the README's looping picture, from the clips of make render"
	@echo "make demo     the browser demo (not built yet)"

# What renders; the constraints pin every package.
$(VENV)/.runs: pyproject.toml constraints.txt
	@test -x $(PY) || { python=$$($(FIND_PYTHON)); \
		test -n "$$python" || { echo "Mien needs Python 3.11 or 3.12 on the PATH; none was found." >&2; exit 2; }; \
		echo "Setting up $(VENV) with $$python: a few minutes, once." >&2; $$python -m venv $(VENV); }
	@$(CPU_TORCH)
	@$(PIP) -e .$(if $(GPU),'[$(GPU)]')
	@touch $@

$(VENV)/.tests: $(VENV)/.runs
	@$(PIP) -e '.[dev$(if $(GPU),$(comma)$(GPU))]'
	@touch $@

setup: $(VENV)/.runs

render: $(VENV)/.runs
	@$(PY) -m gen.first_light -o $(OUT)

picture: $(VENV)/.runs
	@$(PY) -m gen.first_light -o $(OUT) --force --picture docs/first-light.webp

lint: $(VENV)/.tests
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/pyright
	@$(VENV)/bin/lint-imports --no-logo

test: export OMP_NUM_THREADS := 1
test: export OPENBLAS_NUM_THREADS := 1
test: lint
	@$(VENV)/bin/pytest -q -n 2

bench: $(VENV)/.runs
	@$(PY) -m gen.bench portrait

demo: $(VENV)/.runs
	@$(PY) -m demo

clean:
	rm -rf $(OUT) build dist *.egg-info .pytest_cache .ruff_cache .import_linter_cache .hypothesis
