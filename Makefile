# FerroLB. `make demo` and `make test` install what they lack and say so.

# Where cargo builds.
TARGET := $(or $(CARGO_TARGET_DIR),target)

.PHONY: all demo test soak bench fuzz lint doc release clean

all: release

# Three nodes, two routers and a client in network namespaces: the main job on real packets.
demo:
	@hack/need routers tools
	cargo build --release --locked --quiet --bin ferrolb --bin ferrolb-lab
	@$(TARGET)/release/ferrolb-lab demo

# Everything, at counts that keep it within minutes.
test:
	@hack/test

# The same with the full counts of the long tests.
soak:
	@hack/test --soak

# The figures of docs/src/benchmarks.md.
bench:
	@hack/need routers tools kube musl
	@hack/bench

lint:
	@hack/need deny
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cargo deny check licenses bans sources

doc:
	@hack/need mdbook
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked
	mdbook build docs

# The static binary.
release:
	@hack/need musl
	CC_x86_64_unknown_linux_musl=gcc cargo build --release --locked --bin ferrolb \
		--target x86_64-unknown-linux-musl
	@ls -l $(TARGET)/x86_64-unknown-linux-musl/release/ferrolb

clean:
	cargo clean
	rm -rf docs/book

# A minute of coverage-guided fuzzing for each decoder of received bytes (nightly Rust).
fuzz:
	@hack/need fuzz
	cd crates/bgp && cargo +nightly fuzz run message -- -max_total_time=60 -max_len=65535
	cd crates/bgp && cargo +nightly fuzz run update -- -max_total_time=60 -max_len=65535
