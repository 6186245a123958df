#!/usr/bin/env bash
# Sidelight against other software, each comparison in one run; the ratio columns are ours to theirs.
set -euo pipefail
cd "$(dirname "$0")"
cargo run --release --locked --quiet --bin front_door
# Whole sign-ins over HTTP, by SAML and by login key.
bash sign_in.sh
# What Rust users pick, in one run with the verdict.
bash samael/run.sh
# What Python users pick; compare with the verdict of benches/verdict.rs.
bash signxml/run.sh
