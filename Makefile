# make demo   the main job on a real pool        make test   the whole suite
# Every target makes what it needs: .venv, then the install, each once (stamps inside .venv).

# The first interpreter that answers and is 3.11 or newer; a name on PATH that cannot start is passed over.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo "$$p"; break; }; \
	done)

VENV ?= .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
# Results do not depend on threads; two workers each with a thread pool would only get in each other's way.
ONE := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
PYTEST := $(ONE) $(PY) -W error -m pytest -p no:cacheprovider
ifneq ($(V),)
QUIET :=
else
QUIET := --quiet
endif

.PHONY: demo test check static long bench claims docs exports format clean help

help:
	@echo "make demo | test | check | long | bench | claims | docs | format | clean   (PYTHON=... to choose one)"

demo: $(VENV)/.installed
	@$(BIN)/shortlist demo

test: $(VENV)/.installed-test
	$(PYTEST) -n 2

check: static
	$(PYTEST) -n 2

static: $(VENV)/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(PY) tools/exports.py --check
	$(PY) tools/size.py
	$(PY) tools/docs.py --check
	$(PY) tools/changelog.py --check

# What takes minutes to hours: the 10,000 malformed files, the 1,000 nulls, kills at many points.
long: $(VENV)/.installed-test
	$(PYTEST) -m long -n 2

bench: $(VENV)/.installed-bench
	$(PY) benchmarks/run.py

claims: $(VENV)/.installed-test
	$(ONE) $(PY) tools/claims.py --write

docs: $(VENV)/.installed
	$(PY) tools/docs.py --write

exports: $(VENV)/.installed
	$(PY) tools/exports.py --write

format: $(VENV)/.installed-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .hypothesis .import_linter_cache

# A stamp is newer than pyproject.toml or the install is made again; with all stamps there, no network is used.
$(PY):
	@test -n "$(PYTHON)" || { echo "Shortlist needs Python 3.11 or newer; none was found (PYTHON=/path/to/python3)" >&2; exit 2; }
	@echo "making $(VENV) with $$("$(PYTHON)" --version)" >&2
	@"$(PYTHON)" -m venv $(VENV)

$(VENV)/.installed: pyproject.toml | $(PY)
	@echo "installing shortlist into $(VENV) (once, under a minute)" >&2
	@$(PY) -m pip install $(QUIET) --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.installed-%: pyproject.toml | $(PY)
	@echo "installing shortlist[$*] into $(VENV) (once)" >&2
	@$(PY) -m pip install $(QUIET) --disable-pip-version-check --editable ".[$*]"
	@touch $(VENV)/.installed $@
