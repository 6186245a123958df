#!/usr/bin/env bash
# All measurements, one after the other; ratios within one run are what counts (docs/performance.md).
set -euo pipefail
cd "$(dirname "$0")/.."
for bench in benches/*.rs; do
    name=$(basename "$bench" .rs)
    printf '\n== %s\n' "$name"
    cargo bench --locked --bench "$name"
done
# Comparisons with software that is not ours live in a workspace of their own.
if [ -f benches/peers/run.sh ]; then
    printf '\n== peers\n'
    bash benches/peers/run.sh
fi
