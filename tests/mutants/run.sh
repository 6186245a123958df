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
arguments=(--jobs 1 --output target/mutants --no-shuffle --colors never --timeout 300 --cap-lints=true --baseline=skip)

if [ $# -gt 0 ]; then
    for file in "$@"; do arguments+=(--file "$file"); done
    # One at a time: the tests use all cores already.
    exec cargo mutants "${arguments[@]}" -- --lib -- ${MUTANTS_TESTS:-}
fi

rules='MemberStanding::admitted|replace is_locked -> bool with true'
rules+='|(==|delete !).* in Ground::turn_away|> with >= in Kept|a_restore -> .*Ok\(false\)'
rules+='|delete ! in AdmissionRequest::decided'
for file in model desk/ground/refusal desk/ground/kept desk/sso/admit; do arguments+=(--file "src/$file.rs"); done
status=0
cargo mutants "${arguments[@]}" --re "$rules" --exclude-re '(User|Operator)::' -- --lib -- desk:: model:: || status=$?
# 2: something survived; 3: a test did not end. Other mutants than those that were asked for do not count.
[ "$status" -eq 0 ] || [ "$status" -eq 2 ] || [ "$status" -eq 3 ] || exit "$status"
if grep -E "$rules" target/mutants/mutants.out/missed.txt; then
    echo 'These rules can be changed without a test noticing.'
    exit 1
fi
