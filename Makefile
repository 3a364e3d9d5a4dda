# gateway: every target does its own set-up. `make` lists them.

RELEASE := swift build -c release --static-swift-stdlib --product gateway
# No check at run time that nobody writes a property while it is read: a fifth of the instructions of a request went into
# that (docs/performance.md). Debug and checked builds, the fuzzers and the sanitizers keep it.
FAST    := -Xswiftc -enforce-exclusivity=unchecked
# The whole program is optimized when it is linked: a twelfth of the instructions of a request were calls between modules.
LTO     := --experimental-lto-mode=full -Xswiftc -use-ld=lld
SOURCES := Package.swift Sources $(wildcard Tests) Fuzz
PYTHON  := .venv/bin/python
ARGS    ?=

.DEFAULT_GOAL := help
.PHONY: help setup run build build-checked test test-unit test-interop matrix check format bench bench-sweeps bench-codec sanitize fuzz protos clean

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## Build and run the demo: a gateway before a small library service, on 127.0.0.1:8080
	@exec .build/release/gateway demo $(ARGS)

build: setup-build ## Release build: .build/release/gateway
	$(RELEASE) $(FAST) $(LTO)

build-checked: setup-build ## The same with every access of the hot byte types checked, in .build/checked
	$(RELEASE) -Xswiftc -DCHECKED --scratch-path .build/checked

test: test-unit test-interop ## Unit tests, then interop tests against the release build

test-unit: setup-build ## Unit tests (checked debug build); ARGS='--filter JSON' for some
	swift test $(ARGS)

test-interop: setup build ## Foreign clients against the release build; PYTEST='-k rest -x' for some
	$(PYTHON) -m pytest Tests/Interop $(PYTEST)

matrix: setup build ## Every call of the protocol matrix, ARGS='--only grpc-web' for some, and long tests: backpressure, scale
	$(PYTHON) Tests/Interop/matrix.py $(ARGS)
	$(PYTHON) -m pytest Tests/Interop/test_backpressure.py Tests/Interop/test_upstream_scale.py -q --full

check: ## Format, lint and house rules
	swift format lint --strict --recursive $(SOURCES)
	scripts/tidy

format: ## Formats the Swift sources
	swift format --in-place --recursive $(SOURCES)

fuzz: setup-build ## Fuzzes TARGET=json (=all: one after the other) for SECONDS=60; docs/fuzzing.md
	Fuzz/run $(or $(TARGET),all) $(or $(SECONDS),60) $(ARGS)

BENCH := gateway envoy nghttpx floor --rounds 3 --seconds 1 --scenario h1-post,h1-get,h2-post,connect-json,grpc,h1-64k

bench: ## Load benchmark, short; ARGS='gateway envoy --rounds 9' for more, ARGS=--help for all
	scripts/setup --bench
	$(RELEASE) $(FAST) $(LTO)
	$(MAKE) -C Benchmarks/load
	$(PYTHON) Benchmarks/load/run.py $(or $(ARGS),$(BENCH))

bench-sweeps: ## How the cost grows with connections, streams, documents, routes, types, threads; latency; TLS. Draws docs/sweeps.svg
	scripts/setup --bench
	$(RELEASE) $(FAST) $(LTO)
	$(MAKE) -C Benchmarks/load
	$(PYTHON) Benchmarks/load/sweeps.py --svg docs/sweeps.svg $(ARGS)
	$(PYTHON) Benchmarks/load/run.py gateway envoy nghttpx floor --base nghttpx --scenario rate-h1,rate-h2,rate-grpc --spin $(ARGS)
	$(PYTHON) Benchmarks/load/run.py gateway-tls nghttpx-tls --base nghttpx-tls --scenario tls-h1,tls-h2 $(ARGS)

bench-codec: ## The codec beside libprotobuf's and json-c, routing and binding: speed and allocations a call
	scripts/setup --bench
	$(MAKE) -C Benchmarks/load all transcode
	swift build -c release --package-path Benchmarks
	$(PYTHON) Benchmarks/codec.py $(ARGS) Benchmarks/.build/release/codec-benchmark Benchmarks/load/out
	Benchmarks/.build/release/route-benchmark Protos/test/rest.binpb

sanitize: setup ## Unit and core interop tests under thread and address sanitizers; ARGS='thread interop -x' for some
	@scripts/sanitize $(ARGS)

protos: setup ## Compiles Protos/ into the committed descriptor sets
	Protos/compile

setup: ## Installs what is missing: Debian packages and .venv (done by the others too)
	@scripts/setup

.PHONY: setup-build
setup-build:
	@scripts/setup --build

clean: ## Removes what was built
	rm -rf .build .venv Benchmarks/load/out
