#!/usr/bin/env bash
# Changes a few rules on which everything hangs, one at a time, and demands that a test fails each time: who may sign in,
# how a refusal goes out, what is asked again inside the transaction, what is forgotten first. Some minutes.
#
#   tests/mutants/run.sh                     the short run of make test-full
#   tests/mutants/run.sh FILE…               every mutant of these sources, against the tests of the library
#   MUTANTS_TESTS='saml' tests/mutants/run.sh src/protocol/saml/subject.rs
#                                            the same, against the tests whose names have this word
#
# Needs cargo-mutants, which it installs where it is missing. Survivors are in target/mutants/mutants.out/missed.txt.
set -euo pipefail
cd "$(dirname "$0")/../.."
command -v cargo-mutants >/dev/null || cargo install --quiet --locked cargo-mutants
# Apart from our own: what is built of changed sources must never be taken for the program.
export CARGO_TARGET_DIR="$PWD/target/mutants/build" CARGO_PROFILE_TEST_DEBUG=0
arguments=(--output target/mutants --no-shuffle --colors never --timeout 300 --cap-lints=true --baseline=skip)
tests=()
if [ $# -eq 0 ]; then
    arguments+=(
        --file src/model.rs --file src/desk/ground/refusal.rs --file src/desk/ground/kept.rs --file src/desk/sso/admit.rs
        --exclude-re 'delete field|(User|Operator)::'
        --re 'MemberStanding::admitted|is_locked -> bool with true|(==|delete !).* in Ground::turn_away|> with >= in Kept|a_restore -> .*Ok\(false\)|delete ! in AdmissionRequest::decided'
    )
    tests=(desk:: model::)
else
    for file in "$@"; do arguments+=(--file "$file"); done
    if [ -n "${MUTANTS_TESTS:-}" ]; then tests=("$MUTANTS_TESTS"); fi
fi
# One at a time: the tests use all cores already.
cargo mutants --jobs 1 "${arguments[@]}" -- --lib -- "${tests[@]}"
