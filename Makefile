# SHARPIE. `make help` lists the targets; `make run` is all a newcomer needs.
#
# Needed: Go 1.26, Node 20 with npm, Python 3, make. Everything else is fetched
# at a pinned version, checked by its hash, and kept in .cache/ or web/node_modules/.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.SUFFIXES:
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

CACHE   := .cache
STAMPS  := $(CACHE)/stamps
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unversioned)
LDFLAGS := -X main.version=$(VERSION)
# The same for every command, so that nothing is compiled twice.
export GOFLAGS := $(shell go env GOFLAGS 2>/dev/null) -trimpath -buildvcs=false
BUF     := web/node_modules/.bin/buf
TOOL    := go tool -modfile=.ci/tools/go.mod

# Packages whose tests run goroutines against each other, so also under the race
# detector. The others are tables and single-threaded code, and compile once.
RACE := ./actors/... ./http/... ./persistence/...
REST := ./agents/... ./cmd/sharpie/... ./envs/... ./experiments/... ./web/...

GO_FILES  := $(shell find actors agents cmd envs experiments http persistence web -name node_modules -prune -o -type f \
               ! -path 'web/src/*' ! -path 'web/e2e/*' ! -path 'web/dist/*' ! -name '*_test.go' ! -path '*/testdata/*' -print 2>/dev/null)
# The styles are stripped of what no template and no view model can use.
WEB_FILES := $(shell find web/src web/templates -type f 2>/dev/null) $(wildcard web/*.mjs web/*.json web/*.go)

# $(call need,PROGRAM,WHAT TO INSTALL)
need = command -v $(1) >/dev/null || { echo "$(1) is missing: SHARPIE needs $(2)" >&2; exit 1; }

.PHONY: help build run test check clean FORCE

help: ## this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-21s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: bin/sharpie ## bin/sharpie, with the pages inside

run: bin/sharpie ## build, then serve on http://localhost:8080 with everything kept in ./data
	@exec bin/sharpie serve

test: test-begin test-web test-go test-e2e ## every test; installs what the machine lacks
	@.ci/unchecked report

check: check-format check-vet check-lint check-generated check-web check-house check-tidy check-vulnerabilities ## everything that needs no running: format, lint, generated code, types

clean: ## remove what was built and fetched; ./data stays
	@find web/dist -type f ! -name .keep -delete 2>/dev/null || true
	@rm -rf bin $(CACHE) web/node_modules web/test-results web/e2e/screenshots

# ---- building -----------------------------------------------------------------

# The version is an input of the build: the file changes only when it does.
$(CACHE)/version: FORCE
	@mkdir -p $(CACHE)
	@[ "$$(cat $@ 2>/dev/null)" = "$(VERSION)" ] || echo "$(VERSION)" > $@

$(STAMPS)/npm: web/package-lock.json
	@$(call need,node,Node 20 or newer)
	@$(call need,npm,Node 20 or newer with npm)
	@mkdir -p $(STAMPS)
	@echo "web: installing packages"
	@cd web && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

$(STAMPS)/web: $(STAMPS)/npm $(WEB_FILES)
	@echo "web: bundling"
	@cd web && npm run --silent build
	@touch $@

bin/sharpie: $(CACHE)/version $(STAMPS)/web $(GO_FILES) go.mod go.sum
	@$(call need,go,Go 1.26 or newer)
	@mkdir -p bin
	@echo "go: building bin/sharpie $(VERSION)"
	@go build -ldflags '$(LDFLAGS)' -o $@ ./cmd/sharpie

# ---- testing ------------------------------------------------------------------

.PHONY: test-begin test-web test-go test-e2e python

test-begin:
	@.ci/unchecked reset

test-web: $(STAMPS)/web ## the browser's code (vitest)
	@cd web && npm test --silent

python: ## the Python of the tests, with Gymnasium and PettingZoo, in .cache/python
	@.ci/python

test-go: bin/sharpie python ## all Go packages, the concurrent ones under the race detector, on both stores
	@$(call need,python3,Python 3 for its tests)
	@.ci/mongod
	@.ci/bubblewrap
	@.ci/nginx
	@.ci/namespaces
	@echo "go: testing $(REST)"
	@SHARPIE_TEST_BINARY=$(CURDIR)/bin/sharpie .ci/go-test $(REST)
	@echo "go: testing $(RACE) with the race detector"
	@.ci/go-test --race $(RACE)
	@go test -count=1 ./cmd/house/...

test-e2e: bin/sharpie python ## the whole program in a real browser, on both stores
	@.ci/mongod
	@.ci/bubblewrap
	@.ci/e2e

# ---- checking -----------------------------------------------------------------

.PHONY: check-format check-vet check-lint check-generated check-web check-house check-tidy check-vulnerabilities

check-format: ## gofmt
	@echo "check: gofmt"
	@out=$$(gofmt -l actors agents cmd envs experiments http persistence $$(find web -maxdepth 1 -name '*.go')); \
	  [ -z "$$out" ] || { echo "not formatted, run gofmt -w on:"; echo "$$out"; exit 1; }

check-vet: $(STAMPS)/web ## go vet
	@echo "check: go vet"
	@go vet ./...

check-lint: $(STAMPS)/web ## staticcheck
	@echo "check: staticcheck"
	@$(TOOL) staticcheck ./...

check-generated: $(STAMPS)/npm ## generated code is what the .proto files say
	@echo "check: generated code"
	@rm -rf $(CACHE)/generated && mkdir -p $(CACHE)/generated
	@$(BUF) generate -o $(CACHE)/generated
	@$(BUF) generate --template web/buf.gen.yaml --path actors/play -o $(CACHE)/generated
	@cd $(CACHE)/generated && find . -type f | while read -r f; do \
	  diff -u "../../$$f" "$$f" || { echo "$$f is out of date: run make generate"; exit 1; }; done

check-web: $(STAMPS)/web ## TypeScript types, of the pages and of the end-to-end tests
	@echo "check: TypeScript"
	@cd web && npm run --silent types && node_modules/.bin/tsc --noEmit -p e2e

check-house: $(STAMPS)/web ## imports, package comments, file sizes, docs that mirror code
	@echo "check: house rules"
	@go test -count=1 ./cmd/house/...

check-tidy: ## go.mod and go.sum name exactly what is used
	@echo "check: go mod tidy"
	@go mod tidy -diff

check-vulnerabilities: $(STAMPS)/web ## known vulnerabilities of what is linked in
	@.ci/vulnerabilities $(TOOL) govulncheck

# ---- by hand ------------------------------------------------------------------

.PHONY: generate soak

SOAK ?= 3m
soak: bin/sharpie ## nodes, links and the server die at random under twenty sessions, for SOAK=3m; SEED=n is the same again, STORE=mongo on MongoDB
	@[ "$(STORE)" != mongo ] || .ci/mongod
	@SHARPIE_TEST_BINARY=$(CURDIR)/bin/sharpie SHARPIE_SOAK=$(SOAK) SHARPIE_SOAK_SEED=$(SEED) SHARPIE_SOAK_STORE=$(STORE) \
	  go test -count=1 -timeout 24h -v -run '^TestSoak$$' ./cmd/sharpie/system

generate: $(STAMPS)/npm ## write the generated code anew from the .proto files
	@$(BUF) generate
	@$(BUF) generate --template web/buf.gen.yaml --path actors/play
