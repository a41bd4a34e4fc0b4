# The commands of the house. `make demo` and `make test` need only python3 (3.11 or newer) with venv and pip;
# what they install comes from locks/, hash by hash, into .venv/.

.DEFAULT_GOAL := help
.PHONY: help demo test check bench services lock

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 12

demo: ## the provider, its worker and the portals with demo data, on loopback; Ctrl-C stops all of it
	@scripts/install runtime
	@exec .venv/bin/idp demo

test: ## all tests; ARGS="tests/house -k locks" picks some
	@scripts/install dev
	@# What is compiled once is read by every worker and by each process that a test starts.
	@PYTHONDONTWRITEBYTECODE= .venv/bin/pytest -n auto --dist worksteal $(ARGS)

check: ## formatting, lint, types, import floors, templates, spelling, dependencies, dead code
	@scripts/install dev
	@scripts/check

bench: ## the benchmarks, one JSON line a figure
	@scripts/install dev
	@.venv/bin/python -m bench $(ARGS)

services: ## as root on Debian: Chromium, a CJK font, PostgreSQL, Redis, Node for the whole test suite
	@scripts/services

lock: ## resolve the dependencies of pyproject.toml anew into locks/ (needs uv)
	@scripts/lock
