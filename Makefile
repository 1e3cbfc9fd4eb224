# Thin names for scripts/; `make` alone prints them. Everything works from a bare Debian 12.
.DEFAULT_GOAL := help
.PHONY: help deps engine build run test test-long bench format format-check clean

# make run LISTEN=… RUN_ONCE=1, make build JOBS=1 reach the scripts through the environment.
export LISTEN RUN_ONCE JOBS

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' Makefile | while IFS='|' read -r name text; do printf '  make %-14s %s\n' "$$name" "$$text"; done

deps: ## install the Debian packages (root or sudo)
	@scripts/deps.sh

engine: ## build the pinned llama-server once, into the cache
	@scripts/deps.sh build engine
	@scripts/engine.sh >/dev/null

build: ## build/holdfast and build/llama-server
	@scripts/build.sh

run: build ## start the server on demonstration models and send it a request (LISTEN=HOST:PORT, RUN_ONCE=1)
	@scripts/model.sh
	@scripts/demo-models.sh
	@scripts/run.sh

test: ## everything the CI checks; one stage: scripts/test.sh STAGE
	@scripts/test.sh

test-long: ## ThreadSanitizer, a long simulation, larger models, long end-to-end tests
	@scripts/test.sh --long

bench: ## run the benchmarks
	@scripts/bench.sh

format: ## lay out the C++ sources with clang-format 14
	@scripts/format.sh

format-check: ## fail where `make format` would change something
	@scripts/format.sh --check

clean: ## remove build/ (the cache with engine and model stays)
	rm -rf build
