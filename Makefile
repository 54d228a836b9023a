# The one interface of people and of CI. `make serve` and `make test` each work alone on a fresh machine that has Swift:
# what is missing is installed, what is there is left alone (docs/decisions/0001-setup-by-make.md).

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
# Steps share .build, which SwiftPM locks: nothing is won by running them side by side.
.NOTPARALLEL:

# Set on the command line (make serve PORT=9000). Plain '=' on purpose: a HOST or DATA that happens to be in the
# environment says something about another program.
HOST = 127.0.0.1
PORT = 8080
DATA = data
# What `make bench` hands on, and which tests `make test` runs: make test FILTER=VectorIndexTests
ARGS =
FILTER =

# One configuration for everything, so that nothing is built twice (docs/decisions/0003-tests-in-release.md). CI treats
# warnings as errors; SwiftPM leaves the dependencies out of that.
swift_flags = -c release $(if $(CI),-Xswiftc -warnings-as-errors)
pathlight = .build/release/pathlight
python = .venv/bin/python
# Most of a black-box test is waiting: for a start, a deadline, a retry.
blackbox = $(python) -m pytest Tests/blackbox -n $(shell echo $$((2 * $$(nproc)))) --dist worksteal
# $(call flag,NAME,--option): the option where NAME is 1, nothing where it is empty. NAME=yes is an error.
flag = $(if $($1),$(if $(filter 1,$($1)),$2,$(error $1 takes 1 or nothing, not “$($1)”)))

.PHONY: help
help: ## Show what there is to make
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-24s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@echo
	@echo "  make serve takes HOST=$(HOST) PORT=$(PORT) DATA=$(DATA)"
	@echo "  make test takes FILTER=NAME, a test target, suite or test"

# Set-up

.PHONY: setup-system
setup-system:
	@scripts/setup-system

# Serving goes on without the model: the service says that it is degraded, and why.
.PHONY: setup-model-if-possible
setup-model-if-possible: setup-system
	@scripts/fetch-model || echo "going on without the model: the service starts degraded" >&2

.PHONY: setup-tests
setup-tests: setup-system
	@scripts/setup-system --tests
	@scripts/fetch-model
	@scripts/setup-python --tests

.PHONY: setup
setup: setup-tests ## Install all that building, serving and testing need

# Building and running

.PHONY: build
build: setup-system ## Build the service
	swift build $(swift_flags) --product pathlight

.PHONY: serve
serve: setup-model-if-possible build ## Set up, build and start the service
	exec $(pathlight) serve --host $(HOST) --port $(PORT) --data $(DATA)

# Testing

.PHONY: build-tests
build-tests: setup-system
	swift build $(swift_flags) --build-tests

.PHONY: test
test: setup-tests build-tests ## Set up, build, run all tests
	scripts/swift-test $(swift_flags) --skip-build --disable-xctest $(if $(FILTER),--filter $(FILTER))
	$(if $(FILTER),,$(python) -m pytest Tests/gates)
	$(if $(FILTER),,$(blackbox))

.PHONY: test-blackbox
test-blackbox: setup-tests build ## Run only the tests that talk to the built program
	$(blackbox) $(ARGS)

.PHONY: test-gates
test-gates: setup-tests setup-model-if-possible ## Run only the checks of instructions, recall and bytes
	swift build $(swift_flags) --product bench
	$(python) -m pytest Tests/gates $(ARGS)

.PHONY: test-crash
test-crash: setup-tests build ## Kill the program at random moments, damage what it stored (minutes)
	$(python) -m pytest Tests/crash -s $(ARGS)

.PHONY: test-onet
test-onet: setup-tests build ## Import O*NET's release and measure retrieval (minutes)
	$(python) -m pytest Tests/onet -s $(ARGS)

# Damaged files are read by one thread, over and over: a quarter of an hour under the sanitizer, for nothing.
.PHONY: test-thread-sanitizer
test-thread-sanitizer: setup-system ## Run the index's tests under the thread sanitizer
	PATHLIGHT_CORE_ONLY=1 swift build --build-tests --sanitize=thread --scratch-path .build/thread-sanitizer
	PATHLIGHT_CORE_ONLY=1 TSAN_OPTIONS=halt_on_error=1 scripts/swift-test --skip-build --disable-xctest --sanitize=thread \
		--scratch-path .build/thread-sanitizer --filter VectorIndexTests --skip 'Damage to an index file'

# Training: the encoder's occupation adapter, made anew (training/README.md). Needs PyTorch, 200 MB and more, therefore
# no part of `make test`. Results go to OUT; models/ changes by adopt-encoder alone.
ONET =
RETRIEVAL = ../shared/data/retrieval
OUT = .cache/training-run
REPLACE =

occupations = models/all-MiniLM-L6-v2-occupations
train_python = HF_HUB_OFFLINE=1 PYTHONPATH=training .cache/training/bin/python

.PHONY: setup-training
setup-training:
	@scripts/setup-python --training
	@scripts/fetch-model all-MiniLM-L6-v2 --models models

.PHONY: train-encoder
train-encoder: ## Train the occupation adapter on O*NET's release, ONET=DIR (hours; OUT=DIR, RETRIEVAL=DIR)
	@scripts/train-encoder "$(ONET)" "$(RETRIEVAL)" "$(OUT)" $(ARGS)

.PHONY: adopt-encoder
adopt-encoder: ## Check a trained adapter and put it into models/ (OUT=DIR, REPLACE=1 over another one)
	@scripts/setup-python
	@PYTHONPATH=training .venv/bin/python -m occupations.result "$(OUT)" --into $(occupations) \
		$(call flag,REPLACE,--replace)
	@echo "Now tell the figures in $(occupations)/README.md, pin the files in models/manifest.json" >&2
	@echo "(make adopt-encoder again prints their sums), and run make encoder-goldens." >&2

.PHONY: measure-encoder
measure-encoder: setup-training ## Measure the model with and without its adapter, print one JSON document
	@$(train_python) -m occupations.measure_adapter --base models/all-MiniLM-L6-v2 --adapter $(occupations) \
		--retrieval "$(RETRIEVAL)" $(ARGS)

.PHONY: encoder-goldens
encoder-goldens: setup-training ## Write the vectors that the tests hold the merged adapter against
	$(train_python) -m occupations.goldens --base models/all-MiniLM-L6-v2 --adapter $(occupations) \
		--out Tests/EmbedderTests/Goldens/occupations.jsonl

.PHONY: test-training
test-training: ## Test the training's own parts; no part of make test, for it installs PyTorch (200 MB and more)
	@scripts/setup-python --training
	.cache/training/bin/python -m pytest Tests/training $(ARGS)

# Keeping order

.PHONY: lint
lint: setup-system ## Check format, scripts and C symbols
	@scripts/lint

.PHONY: format
format: ## Format the Swift sources in place
	swift format --in-place --parallel --recursive --configuration .swift-format Package.swift Sources Tests \
		$(wildcard Benchmarks/Package.swift Benchmarks/Sources)

.PHONY: bench
bench: setup-model-if-possible build ## Measure search, embedding and the recommend route
	@scripts/setup-system --bench
	$(if $(wildcard Benchmarks/run),Benchmarks/run,swift run -c release --package-path Benchmarks) $(ARGS)

# What `make bench-search` measures: so many rows, queries at once and hits; DATA=random or text; CAP=1 for one hit a
# cluster, RANKS=1 for ranks without the cap beside, as the service asks; APPROXIMATE=1 for hits without proof;
# UPSERTS=1000 for searches while so many items a second are replaced.
ROWS = 100000
QUERIES = 1
K = 100
CAP = 0
RANKS =
ALPHA = 0.7
APPROXIMATE =
UPSERTS =

.PHONY: bench-search
bench-search: setup-model-if-possible ## Measure one kind of search, print one JSON document
	@swift build $(swift_flags) --product bench >&2
	@.build/release/bench search --rows $(ROWS) --queries $(QUERIES) --k $(K) --cap $(CAP) --alpha $(ALPHA) \
		--data $(if $(filter data,$(DATA)),random,$(DATA)) $(call flag,RANKS,--ranks) \
		$(call flag,APPROXIMATE,--approximate) \
		$(if $(UPSERTS),--upserts $(UPSERTS) --seconds 10)

# What `make bench-embed` measures: texts of so many tokens, so many at once; PRECISION=float32 or int8.
TOKENS = 16
BATCH = 1
PRECISION = int8

.PHONY: bench-embed
bench-embed: setup-model-if-possible ## Measure embedding texts of one length, print one JSON document
	@swift build $(swift_flags) --product bench >&2
	@.build/release/bench embed --tokens $(TOKENS) --batch $(BATCH) --precision $(PRECISION)

# What `make bench-titles` searches: O*NET's titles, one on each line of TITLES, where it is given.
TITLES =

.PHONY: bench-titles
bench-titles: setup-model-if-possible ## Measure the search for a text's nearest job titles, print one JSON document
	@swift build $(swift_flags) --product bench >&2
	@.build/release/bench titles $(if $(TITLES),--file "$(TITLES)") $(ARGS)

LEAN =
BLOCKS =

.PHONY: bench-start
bench-start: setup-model-if-possible ## Measure a start from disk to the first answer (LEAN=1, BLOCKS=1)
	@swift build $(swift_flags) --product bench >&2
	@.build/release/bench start --rows $(ROWS) --data $(if $(filter data,$(DATA)),random,$(DATA)) \
		$(call flag,LEAN,--lean) $(call flag,BLOCKS,--blocks) $(ARGS)

.PHONY: bench-peers
bench-peers: setup-model-if-possible build ## Compare searches, embeddings and the route with what others take, in turn
	@scripts/setup-python --peers
	@swift build $(swift_flags) --product bench >&2
	.cache/peers/bin/python Benchmarks/peers/compare.py $(ARGS)

# What `make bench-load` measures: requests a second, for how many seconds; TEXTS=known or new.
RATE = 100
SECONDS = 10
TEXTS = new

.PHONY: bench-load
bench-load: setup-model-if-possible build ## Ask the recommend route at a constant rate, print one JSON document
	@swift build $(swift_flags) --product bench >&2
	@python3 Benchmarks/http/load.py --rate $(RATE) --seconds $(SECONDS) --texts $(TEXTS) $(ARGS)

# What `make bench-overload` offers: so many times what the route can do, for SECONDS.
TIMES = 4

.PHONY: bench-overload
bench-overload: setup-model-if-possible build ## Offer the recommend route more than it can do, print one JSON document
	@python3 Benchmarks/http/overload.py --times $(TIMES) --seconds $(if $(filter file,$(origin SECONDS)),60,$(SECONDS)) \
		$(ARGS)

.PHONY: bench-cost
bench-cost: setup-model-if-possible build ## Measure what keys, sealing and traces add to a request, print one JSON document
	@python3 Benchmarks/http/request_cost.py $(ARGS)

.PHONY: bench-monitor
bench-monitor: setup-model-if-possible build ## Measure runs of the career monitor, print one JSON document
	@python3 Benchmarks/monitor/monitor.py $(ARGS)

.PHONY: bench-reembed
bench-reembed: setup-model-if-possible build ## Measure what readers notice of a re-embedding
	python3 Benchmarks/http/reembed_latency.py $(ARGS)

.PHONY: clean
clean: ## Remove what was built; models, data and .venv stay
	rm -rf .build Benchmarks/.build
