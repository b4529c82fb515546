# Everything that is built lands in one folder, .build: debug for tests and the demo, release for measuring.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help deps build demo dev test simulate soak fuzz sanitize lint bench docs

SWIFT ?= swift
BUILD := .build/debug
SOURCES := Sources Tests lua Package.swift
# Given to the program that a target runs: make demo ARGS='--orders 5000 --keep'
ARGS ?=

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo "  ARGS='…' is handed to the program that demo, dev, soak, bench and fuzz run."

deps: ## install the system packages that are missing (apt-get; starts no service)
	@.ci/deps

build: deps ## build everything (debug)
	$(SWIFT) build

demo: build ## a shop of three services: 1,200 orders, three kills on the way, an audit at the end
	$(BUILD)/shop-demo $(ARGS)

dev: build ## Redis and an orchestrator in one command, data in ./data
	$(BUILD)/skald dev $(ARGS)

# First random sagas by the hundred thousand, every state of small ones, and spoilt input by the million; they are built with optimisation, else they would take minutes. The test runner's own summary comes last.
test: deps ## build and run all tests, on Redis servers that they start themselves
	$(SWIFT) run -c release saga-properties
	.build/release/saga-properties explore
	$(SWIFT) run -c release coordinator-simulator
	$(SWIFT) run -c release saga-fuzz --seed 1
	$(SWIFT) build --build-tests
	SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH=6 $(SWIFT) test --skip-build --disable-xctest

simulate: deps ## whole coordinators by the seed: make simulate ARGS='--from 5000 --seeds 100000'
	$(SWIFT) run -c release coordinator-simulator $(ARGS)

soak: build ## the shop under random faults: make soak ARGS='--seconds 3600 --ground standalone'
	$(BUILD)/shop-soak $(ARGS)

fuzz: deps ## spoilt input of every kind, with a new seed (ARGS='reply --count 100000000')
	$(SWIFT) run -c release saga-fuzz $(ARGS)

# In folders of their own: everything is built anew for each. ThreadSanitizer doesn't know the lock of Synchronization.Mutex.
sanitize: deps ## all tests with the address sanitizer, then with the thread sanitizer (takes long)
	SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH=2 $(SWIFT) test --disable-xctest --sanitize address --scratch-path .build-asan
	TSAN_OPTIONS="suppressions=$(CURDIR)/Tests/thread-sanitizer.txt halt_on_error=0" SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH=2 \
		$(SWIFT) test --disable-xctest --sanitize thread --scratch-path .build-tsan

lint: ## formatting, shell scripts, systemd units (those two where the tools are there)
	$(SWIFT) format lint --strict --recursive $(SOURCES)
	@.ci/lint-deploy

bench: deps ## measure a release build (see skald bench --help)
	$(SWIFT) build -c release --product skald
	.build/release/skald bench $(ARGS)

docs: deps ## the documentation as a web site in .build/docs
	.ci/docs
