# make up     build and start the platform on service/infra; Ctrl-C ends it
# make plan   what a changed service/infra would change in the platform that runs
# make apply  the same, and after a question it changes it, without dropping a connection
# make test   everything that CI checks
# make bench  side by side with the peers
# make deep   ThreadSanitizer, clang-tidy on everything and long fuzzing; takes hours
# Settings:   STATE=dir (state directory), ARGS="..." (more arguments of `securebase up`)

SHELL := /bin/bash
.DELETE_ON_ERROR:
.PHONY: up plan apply test bench deep format clean build portal browser packages-%

STATE ?=
ARGS ?=
FUZZ_SECONDS ?= 3
release := build/release
securebase := $(release)/src/cli/securebase

# The stack reads the portal and the functions beside it.
stack := service/infra --allow-files service --allow-files $(release)/service -var build=$(CURDIR)/$(release)

up: packages-run build portal
	@exec $(securebase) up $(stack) $(if $(STATE),--state $(STATE)) $(ARGS)

plan apply:
	@exec $(securebase) $@ $(stack) $(if $(STATE),--state $(STATE)) $(ARGS)

build: packages-build
	@tools/build release

portal: packages-node service/portal/dist/index.html

# Lighthouse, and canaries with a browser.
browser: packages-node tools/browser/node_modules/.package-lock.json

tools/browser/node_modules/.package-lock.json: tools/browser/package-lock.json
	@cd tools/browser && npm ci --no-audit --no-fund --loglevel=error && touch node_modules/.package-lock.json

service/portal/dist/index.html: $(shell find service/portal -type f -not -path '*/node_modules/*' -not -path '*/dist/*' 2>/dev/null)
	@cd service/portal && npm ci --no-audit --no-fund --loglevel=error && npm run build --silent

test: packages-build packages-run packages-test packages-node
	@FUZZ_SECONDS=$(FUZZ_SECONDS) tests/run

bench: packages-build packages-run packages-bench packages-node build portal
	@bench/run
	@bench/metrics
	@bench/insights

deep: packages-build packages-run packages-test
	@tools/build tsan && ctest --test-dir build/tsan --output-on-failure
	@tools/tidy
	@FUZZ_PRESET=fuzz FUZZ_SECONDS=600 fuzz/run

format:
	@git ls-files '*.cc' '*.h' | xargs clang-format-16 -i

clean:
	rm -rf build service/portal/dist

packages-%:
	@tools/packages $*
