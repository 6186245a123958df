#!/usr/bin/env bash
# The suites that need more than Rust and a C compiler: browsers, identity providers, public clients, fuzzing.
# Each is a folder of tests/ with a run.sh, which installs what it needs and stops what it starts.
set -euo pipefail
cd "$(dirname "$0")/.."
# A fresh machine has no list of packages yet.
if command -v apt-get >/dev/null && [ "$(id -u)" -eq 0 ]; then apt-get update -qq; fi
cargo build --locked
export SIDELIGHT_BINARY="$PWD/target/debug/sidelight"
failed=()
for suite in tests/*/run.sh fuzz/run.sh; do
    [ -f "$suite" ] || continue
    printf '\n== %s\n' "$suite"
    bash "$suite" || failed+=("$suite")
done
if [ ${#failed[@]} -gt 0 ]; then
    printf 'FAILED: %s\n' "${failed[@]}"
    exit 1
fi
