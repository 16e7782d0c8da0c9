# The only entry points; CI calls the same ones. Every target installs what it needs and this machine lacks.
.DEFAULT_GOAL := help
.PHONY: help up smoke test browser conformance check chaos load bench ratios image page sqlx release reproduce mutants coverage fuzz compose


help: ## This list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

up: ## Start Yardarm with a Discord of its own on this machine; Ctrl-C stops both
	@scripts/ensure-tools up
	@scripts/with-docker scripts/up

smoke: ## Do what a newcomer does: make up, an agent, Ctrl-C
	@scripts/with-docker scripts/smoke

compose: ## Build the image and run docker-compose.yml, with an agent behind the filtering proxy
	@scripts/with-docker scripts/compose

test: ## Run all tests, real Docker included
	@scripts/test

browser: ## Drive localcord's page in a real Chromium
	@scripts/ensure-tools browser
	@scripts/browser

check: ## Format, lints, documentation, query metadata, dependencies, spelling
	@scripts/ensure-tools check
	@scripts/check

conformance: ## Run discord.js and discord.py against localcord
	@scripts/ensure-tools conformance
	@scripts/conformance

fuzz: ## Feed parsers, cards and logs what nobody would write, for FUZZ_SECONDS each
	@scripts/ensure-tools fuzz
	@scripts/fuzz

chaos: ## Kill Yardarm 200 times in the middle of its work; CHAOS_SEED and CHAOS_KILLS choose
	@scripts/with-docker scripts/chaos

load: ## Fifty commands a second for five minutes, then a thousand agents that crash for as long; fails if an aim is missed
	@scripts/with-docker scripts/bench --aims load loops

bench: ## Measure what the documents claim; prints a table and writes target/bench.json; KEEP=yes keeps it
	@scripts/with-docker scripts/bench $(if $(KEEP),--keep)

# Without what makes a release small: that takes half of the time to build, and a ratio hardly knows.
ratios: ## Measure the most important figures quickly, and fail if one doubled beside its floor
	@CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
		scripts/with-docker scripts/bench --quick --check chat votes deploy crashes

mutants: ## Change src/domain in 2000 places and see which changes no test notices; takes an hour
	@scripts/ensure-tools mutants
	@scripts/mutants $(MUTANTS)

coverage: ## Print how much of src/ the tests pass through
	@scripts/ensure-tools coverage
	@scripts/with-docker scripts/coverage

image: ## Make the image of the demo agent
	@scripts/with-docker scripts/demo-image

page: ## Build localcord's page anew after a change to its sources
	@scripts/ensure-tools browser
	@scripts/page

sqlx: ## Write .sqlx/ anew after a change to a query or a migration
	@scripts/ensure-tools check
	@scripts/query-metadata

release: ## Make a tarball with checksums of what is checked out, in target/dist
	@scripts/release

reproduce: ## Make it twice in two folders and compare
	@scripts/reproduce
