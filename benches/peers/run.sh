#!/usr/bin/env bash
# The front door against other servers, in one run; the ratio columns are ours to theirs.
set -euo pipefail
cd "$(dirname "$0")"
cargo run --release --locked --quiet --bin front_door
# What Rust users pick, in one run with the verdict.
bash samael/run.sh
# What Python users pick; compare with the verdict of benches/verdict.rs.
bash signxml/run.sh
