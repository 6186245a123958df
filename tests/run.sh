#!/usr/bin/env bash
# Runs the tests that need Rust and a C compiler only, and ends with one line of totals. The exit status is cargo's.
set -uo pipefail
if [ -t 1 ]; then export CARGO_TERM_COLOR="${CARGO_TERM_COLOR:-always}"; fi
"${CARGO:-cargo}" test --locked --no-fail-fast "$@" 2>&1 | awk '
    { print; fflush() }
    /^test result: / { passed += $4; failed += $6; skipped += $8 }
    END { printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped }'
exit "${PIPESTATUS[0]}"
