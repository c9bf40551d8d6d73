# Everything runs in .venv, which the first target that needs it makes. Nothing else is touched.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test test-slow lint bench docs-figures vega clean

demo: $(VENV)/installed ## simulate a study, analyze it, write the report to sessionwise-demo/report.html
	$(BIN)/sessionwise demo

test: $(VENV)/test ## all tests but the slow ones
	$(BIN)/python -m pytest -m "not slow" -n auto

test-slow: $(VENV)/test ## the statistical and fuzz tests at full size
	$(BIN)/python -m pytest -m slow

lint: $(VENV)/lint ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/bench ## timings beside peers, in one run; lme4 too where R has it
	$(BIN)/python -m bench

docs-figures: $(VENV)/installed ## the README's figure
	$(BIN)/sessionwise demo --out build/demo > /dev/null
	$(BIN)/sessionwise describe build/demo/sessions.csv --person patient --session session -i core-om -i wai-sr \
		--figures build/demo/figures > /dev/null
	mkdir -p docs/figures
	cp build/demo/figures/trajectories-core_om.png docs/figures/

vega: $(VENV)/installed ## the drawing program in reports, anew from the installed vl-convert
	$(BIN)/python -m sessionwise.reports.vega_bundle

clean:
	rm -rf $(VENV) build sessionwise-demo .pytest_cache .ruff_cache .mypy_cache .hypothesis

CORE := CMakeLists.txt pyproject.toml $(wildcard core/*)

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "pip>=25.1"

# An editable install knows the Python files there were: it is made again when one comes or goes.
FILES := $(sort $(shell find src -name '*.py' -o -name '*.toml'))
$(VENV)/files: $(VENV)/bin/python FORCE
	@echo "$(FILES)" | cmp -s - $@ || echo "$(FILES)" > $@
FORCE:

$(VENV)/installed: $(CORE) $(VENV)/files
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(VENV)/test: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group test
	touch $@

$(VENV)/lint: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group lint
	touch $@

# Peers that have no build for this machine are left out of the table.
$(VENV)/bench: $(VENV)/test
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group bench || echo "some peers are not installed"
	touch $@
