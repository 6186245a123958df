#!/usr/bin/env bash
# Runs every fuzz target for a while: fuzz/run.sh [SECONDS] [TARGET…]. Installs cargo-fuzz when it is missing.
# Works with the stable compiler: RUSTC_BOOTSTRAP lets it take the coverage flags. No sanitizer is needed, because
# our own code has no unsafe.
set -euo pipefail
cd "$(dirname "$0")"
seconds=${1:-10}
shift || true
targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
    for file in fuzz_targets/*.rs; do targets+=("$(basename "$file" .rs)"); done
fi
command -v cargo-fuzz >/dev/null || cargo install --quiet --locked cargo-fuzz
export RUSTC_BOOTSTRAP=1
for target in "${targets[@]}"; do
    printf '\n== fuzz %s for %s s\n' "$target" "$seconds"
    mkdir -p "corpus/$target"
    seeds=()
    if [ -d "seeds/$target" ]; then seeds+=("seeds/$target"); fi
    case "$target" in
        saml_metadata) seeds+=(../tests/fixtures/saml/metadata) ;;
        saml_*) seeds+=(../tests/fixtures/saml/accepted ../tests/fixtures/saml/rejected) ;;
    esac
    cargo fuzz run --fuzz-dir . --sanitizer none "$target" "corpus/$target" "${seeds[@]}" -- \
        -max_total_time="$seconds" -max_len=16384 -rss_limit_mb=1024 -timeout=10 -print_final_stats=1
done
