# make run      start Sidelight in lab mode with a demo group
# make test     the tests that need Rust and a C compiler only
# make check    formatting, lints, the tests
# make test-full  all of it: browsers, real identity providers, fuzzing; installs what it needs
# make bench    the measurements of docs/performance.md
# make build    target/release/sidelight

CARGO ?= cargo

.PHONY: build run test check test-full bench fuzz clean

build:
	$(CARGO) build --release --locked

run:
	$(CARGO) run --locked -- serve --lab

test:
	@bash tests/run.sh

check:
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	bash tests/run.sh

test-full: check
	bash tests/full.sh

bench:
	bash benches/run.sh

fuzz:
	bash fuzz/run.sh

clean:
	$(CARGO) clean
