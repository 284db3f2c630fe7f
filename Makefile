# ackdb: every target a newcomer needs. `make help` lists them.

SHELL       := /bin/bash
GO          ?= go
# giouring reaches into the runtime by linkname, which the linker refuses since Go 1.23 unless told
# otherwise; the tag keeps a plain `go build` working, on fdatasync (docs/decisions/0001).
IOURING     := $(if $(filter Linux,$(shell uname -s)),-tags iouring -ldflags=-checklinkname=0)
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
TOOLS       := $(CURDIR)/bin/tools
DATA        ?= ./data
LISTEN      ?= 127.0.0.1:5433
UNIT        := ./cmd/... ./wal/... ./engine/... ./pgwire/... ./replica/... ./server/...
LONG_SEED   ?= $(shell date +%s)
LONG_SEEDS  ?= 50000
LONG_WAL_SEEDS ?= 3000
LONG_QUERY_SEEDS ?= 400
LONG_KILLS  ?= 1000
LONG_CUTS   ?= 500
LONG_FUSE_CUTS ?= 200
LONG_REPLICA_KILLS ?= 200
LONG_REPLICA_CUTS  ?= 100
LONG_FAILOVERS     ?= 50

.PHONY: help run build test test-long lint unit clients kills replication bench bench-replicas clean tools clients-tools

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 16

run: build ## build, then start a server on 127.0.0.1:5433 with its data in ./data
	@echo 'ackdb: connect with    psql -h 127.0.0.1 -p $(lastword $(subst :, ,$(LISTEN))) -U postgres postgres'
	@echo 'ackdb: stop with       Ctrl-C (a clean stop); data stays in $(DATA)'
	exec bin/ackdb start --data $(DATA) --listen $(LISTEN)

build: tools ## build bin/ackdb and bin/jepsen-lite
	@mkdir -p bin
	$(GO) build $(IOURING) -o bin/ackdb ./cmd/ackdb
	$(GO) build -o bin/jepsen-lite ./cmd/jepsen-lite

tools: # Go and a C compiler, or a sentence saying what to install
	@.ci/tools build

clients-tools: # psql, pgbench and PostgreSQL 15's server, installed where we may
	@.ci/tools clients

test: build lint unit clients kills replication ## everything that gates; at most 20 minutes on 2 cores

lint: tools ## gofmt, vet and staticcheck, with and without io_uring
	@bad=$$(gofmt -l $$(git ls-files '*.go')); [ -z "$$bad" ] || { echo "gofmt would change:"; echo "$$bad"; exit 1; }
	$(GO) vet ./...
	$(GO) vet $(IOURING) ./...
	@[ -x $(TOOLS)/staticcheck ] || GOBIN=$(TOOLS) $(GO) install $(STATICCHECK)
	$(TOOLS)/staticcheck $(filter-out -ldflags=%,$(IOURING)) ./...

unit: tools clients-tools ## unit tests, crash-disk seeds, fuzz seeds; then fewer seeds under the race detector
	$(GO) test $(IOURING) -timeout 9m $(UNIT)
	$(GO) test -race $(IOURING) -timeout 9m $(UNIT)

clients: build clients-tools ## psql, pgbench, pgx and database/sql against the built binary
	ACKDB_BIN=$(CURDIR)/bin/ackdb $(GO) test -count=1 -timeout 9m ./jepsen-lite/clients/...

kills: build ## kill -9 under load, judged from the clients' journals
	ACKDB_BIN=$(CURDIR)/bin/ackdb $(GO) test -count=1 -timeout 9m -skip '^TestReplica' ./jepsen-lite/

replication: build clients-tools ## replicas: kills, power cuts, bad links and disks, promotion, pg_receivewal
	ACKDB_BIN=$(CURDIR)/bin/ackdb $(GO) test -count=1 -timeout 9m -run '^TestReplica' ./jepsen-lite/

test-long: build ## the larger counts; its last run stands in docs/TESTING.md
	ACKDB_SEEDS=$(LONG_WAL_SEEDS) $(GO) test $(IOURING) -count=1 -timeout 6h ./wal/
	ACKDB_SEEDS=$(LONG_SEEDS) $(GO) test $(IOURING) -count=1 -timeout 6h -run Crash ./engine/
	ACKDB_SEEDS=$(LONG_QUERY_SEEDS) $(GO) test $(IOURING) -count=1 -timeout 6h -run '^TestRandom' ./server/sql/exec/ $(if $(ORACLE),-args -oracle "$(ORACLE)")
	bin/jepsen-lite kill --kills $(LONG_KILLS) --seed $(LONG_SEED)
	bin/jepsen-lite cut --disk ext4 --cuts $(LONG_CUTS) --seed $(LONG_SEED)
	bin/jepsen-lite cut --disk fuse --cuts $(LONG_FUSE_CUTS) --seed $(LONG_SEED)
	bin/jepsen-lite replicate --what kill --strikes $(LONG_REPLICA_KILLS) --seed $(LONG_SEED)
	bin/jepsen-lite replicate --what ext4 --strikes $(LONG_REPLICA_CUTS) --seed $(LONG_SEED)
	bin/jepsen-lite replicate --what fuse --strikes $(LONG_REPLICA_CUTS) --seed $(LONG_SEED)
	bin/jepsen-lite replicate --what failover --strikes $(LONG_FAILOVERS) --seed $(LONG_SEED)
	bin/jepsen-lite replicate --what outage --strikes $(LONG_FAILOVERS) --seed $(LONG_SEED)

bench: build clients-tools ## ackdb beside PostgreSQL 15 and a canned server, interleaved, medians of five
	$(GO) run $(IOURING) ./cmd/bench --bin bin/ackdb

bench-replicas: build clients-tools ## lag, cost, seeds, promotion and synchronous modes beside PostgreSQL 15
	$(GO) run $(IOURING) ./cmd/bench replicas --bin bin/ackdb

clean: ## remove what was built; ./data stays
	rm -rf bin
