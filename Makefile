# Safelight's verbs. `make` alone lists them.
#
# Everything happens in .venv, made by $(PYTHON) with pip. Versions and hashes come from requirements/;
# where packages are fetched from is up to your own pip configuration.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_USER=0 $(BIN)/python -m pip --quiet
# pip compiles every module, one by one. This takes all cores, leaves out what never runs, and also serves those whose
# environment forbids Python to write bytecode when it imports.
BYTECODE = PYTHONDONTWRITEBYTECODE= $(BIN)/python -m compileall -qq -j 0 \
	-x '/(tests|testing|pip|hatchling|trove_classifiers|f2py|lexers|v1|mysql|mssql|oracle)/' $(VENV)/lib src || true
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--custom-compile-command "make lock" $(if $(UPGRADE),--upgrade)
MEDIA := video local-upscale
# Has torch, which is far too large for everybody. Nothing of it is pinned by hash.
TORCH := .venv-diffusers
SOURCES := src tests tools $(wildcard benchmarks)

# The environment is made anew when its Python is gone or when the folder was moved.
ifneq ($(shell test -x $(BIN)/python && cat $(VENV)/.made-in 2>/dev/null),$(CURDIR))
.PHONY: $(VENV)/.made-in
endif

.DEFAULT_GOAL := help
.PHONY: help run test check format-check lint types imports rules docs-check fix docs bench crash restarts faults extras diffusers-test lock hook clean

help: ## List these verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

run: $(VENV)/.media ## Set up, start Safelight on http://127.0.0.1:8000 and make a first picture
	@exec $(BIN)/safelight serve --with-sample $(ARGS)

test: $(VENV)/.dev ## Set up what tests need and run them (ARGS="-k word" for some of them)
	@$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder $(ARGS)

check: format-check lint types imports rules docs-check ## Format, lint, types, import contracts, own rules, generated docs

format-check: $(VENV)/.dev
	@$(BIN)/ruff format --check --quiet $(SOURCES) || { echo "Not formatted as agreed: run 'make fix'."; exit 1; }
lint: $(VENV)/.dev
	@$(BIN)/ruff check --quiet $(SOURCES)
types: $(VENV)/.dev
	@$(BIN)/mypy --no-error-summary
imports: $(VENV)/.dev
	@$(BIN)/lint-imports --no-logo
rules: $(VENV)/.dev
	@$(BIN)/python -m tools.check_rules
docs-check: $(VENV)/.dev
	@$(BIN)/python -m tools.build_docs --check

fix: $(VENV)/.dev ## Format the code and mend what can be mended by a tool
	@$(BIN)/ruff check --quiet --fix $(SOURCES) || true
	@$(BIN)/ruff format $(SOURCES)

docs: $(VENV)/.dev ## Write the generated parts of the documentation
	@$(BIN)/python -m tools.build_docs

bench: $(VENV)/.dev ## Measure how quick Safelight is on this machine (SHORT=1, ONLY="life growth", WRITE=1)
	@$(BIN)/python -m benchmarks $(if $(SHORT),--short) $(if $(ONLY),--only $(ONLY)) $(if $(WRITE),--write)

crash: $(VENV)/.dev ## Kill, freeze and cut off real processes again and again (SHORT=1 for two minutes of it, ARGS="--runs 1000")
	@$(BIN)/python -m tests.crash.campaign $(if $(SHORT),--short) $(ARGS)

restarts: $(VENV)/.dev ## Restart servers and cut connections under clients of every kind (SHORT=1 for a minute of it)
	@$(BIN)/python -m tests.crash.restarts $(if $(SHORT),--short) $(ARGS)

faults: $(VENV)/.dev ## Break one thing after another and see whether the diagnosis names it (SHORT=1, ARGS="--only WORD")
	@$(BIN)/python -m tests.faults $(if $(SHORT),--short) $(ARGS)

extras: $(VENV)/.base ## Add what the base leaves out: the PostgreSQL driver, uvloop, films, neural upscaling
	@$(PIP) install --no-compile --require-hashes -r requirements/extras.txt

diffusers-test: $(VENV)/.dev ## Test the diffusers adapter, in an environment of its own (torch: about a gigabyte)
	@test -x $(TORCH)/bin/python || $(PYTHON) -m venv $(TORCH)
	@PIP_DISABLE_PIP_VERSION_CHECK=1 $(TORCH)/bin/python -m pip install --quiet \
		torch==2.13.0 diffusers==0.42.1 transformers==5.24.0
	@$(BIN)/python -m pytest tests/conformance/test_diffusers_provider.py $(ARGS)

lock: $(VENV)/.dev ## Pin the dependencies of pyproject.toml anew (UPGRADE=1 for newer versions)
	@$(COMPILE) -o requirements/base.txt pyproject.toml
	@$(COMPILE) -o requirements/build.txt -c requirements/base.txt --group pyproject.toml:build
	@$(COMPILE) -o requirements/extras.txt -c requirements/base.txt --extra all pyproject.toml
	@for extra in $(MEDIA); do \
		$(BIN)/python tools/extra.py $$extra | $(COMPILE) -o requirements/$$extra.txt -c requirements/extras.txt -; done
	@$(COMPILE) -o requirements/dev.txt -c requirements/base.txt -c requirements/build.txt \
		--extra all --group pyproject.toml:dev pyproject.toml

hook: ## Run the quick checks before each of your commits
	@git config core.hooksPath tools/hooks
	@echo "git runs tools/hooks/pre-commit from now on; 'git config --unset core.hooksPath' ends that."

clean: ## Remove the environment and all caches; keeps your data
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find src tests tools -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.made-in:
	@$(PYTHON) tools/check_python.py
	@if [ -f $@ ] || ! $(BIN)/python -m pip --version >/dev/null 2>&1; then \
		echo "Making a virtual environment in $(VENV) ..."; \
		$(PYTHON) -m venv --clear $(VENV) && { $(PIP) uninstall --yes setuptools 2>/dev/null || true; }; \
	fi
	@printf '%s\n' "$(CURDIR)" > $@

$(VENV)/.base: $(VENV)/.made-in requirements/base.txt requirements/build.txt pyproject.toml
	@echo "Installing the pinned packages ..."
	@$(PIP) install --no-compile --require-hashes -r requirements/base.txt -r requirements/build.txt
	@$(PIP) install --no-compile --no-deps --no-build-isolation --editable .
	@$(BYTECODE)
	@touch $@

# Films and neural upscaling need binaries that not every machine can have. Without them everything else runs, and
# `safelight models` says why these two do not.
$(VENV)/.media: $(VENV)/.base $(MEDIA:%=requirements/%.txt)
	@for extra in $(MEDIA); do \
		$(PIP) install --no-compile --require-hashes -r requirements/$$extra.txt \
			|| echo "The extra $$extra cannot be installed here; Safelight runs without it. 'make extras' tries again."; done
	@touch $@

$(VENV)/.dev: $(VENV)/.base requirements/dev.txt
	@echo "Installing what developers need ..."
	@$(PIP) install --no-compile --require-hashes -r requirements/dev.txt
	@$(BYTECODE)
	@touch $@
